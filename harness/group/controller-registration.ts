/** What a controller answers to GSA_AUTH and GSA_REGISTRATION: RFC 9838 sections 2.3.1 to 2.3.4. */
import type { Answer } from "../ike/exchanges/answer.ts";
import { identityKey } from "../ike/identity.ts";
import { hasNotify, notifies, notify } from "../ike/payloads.ts";
import type { Identity } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { readU32 } from "../wire/bytes.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import type { IdPayload, Payload, Proposal, SaPayload } from "../wire/types.ts";
import { fits, type Needed } from "./controller-choice.ts";
import { gcauth, gsaPayload, kdPayload } from "./controller-payloads.ts";
import { deleteSas, leave, modeNotify, supply, watch } from "./controller-rekey.ts";
import type { Env } from "./controller-send.ts";
import { countsIvs, type GroupMember, type GroupState } from "./controller-state.ts";
import { kwaOf, type Wrapping, wrappingOf } from "./keys.ts";

/** What a member asks for. */
interface Wish {
  group: Identity;
  /** SAg; not set: the member takes what it gets. */
  offers?: Proposal[];
  /** Of GROUP_SENDER; not set: the member only receives. */
  senderIds?: number;
}

function readWish(payloads: Payload[]): Wish | { fault: string } {
  const of = (type: number) => payloads.filter((p) => p.type === type);
  const [ids, offers] = [of(PAYLOAD.IDg), of(PAYLOAD.SA)];
  const senders = notifies(payloads, NOTIFY.GROUP_SENDER);
  const id = ids.find((p): p is IdPayload => p.kind === "ID");
  if (!id || ids.length > 1) return { fault: id ? "several IDg" : "no IDg" };
  if (of(PAYLOAD.GSA).length + of(PAYLOAD.KD).length > 0) return { fault: "GSA or KD from a member" };
  if (offers.length > 1 || senders.length > 1) return { fault: "several SAg or GROUP_SENDER" };
  const [sender] = senders;
  if (sender && sender.data.length !== 4) return { fault: "GROUP_SENDER without a number" };
  const sag = offers.find((p): p is SaPayload => p.kind === "SA");
  return {
    group: { type: id.idType, data: id.data },
    ...(sag && { offers: sag.proposals }),
    ...(sender && { senderIds: readU32(sender.data, 0) }),
  };
}

const refusal = (notifyType: number): Answer => ({ payloads: [notify(notifyType)] });

/** The groups of a controller, by {@link identityKey}. */
export type Groups = ReadonlyMap<string, GroupState>;

/** Answers a request whose sender is proven; `inAuth` in the exchange that proved it. */
export function answerRegistration(
  env: Env,
  groups: Groups,
  sa: IkeSa,
  payloads: Payload[],
  inAuth: boolean,
): Answer {
  const wish = readWish(payloads);
  if ("fault" in wish) {
    env.report({ reason: `a malformed registration: ${wish.fault}` });
    return { ...refusal(NOTIFY.INVALID_SYNTAX), close: `malformed: ${wish.fault}` };
  }
  const wrapping = wrappingOf(sa);
  const identity = sa.remoteIdentity;
  if (!wrapping || !identity) return refusal(NOTIFY.NO_PROPOSAL_CHOSEN);
  const state = groups.get(identityKey(wish.group)) ?? unknownGroup(env, groups);
  if (typeof state === "number") return refusal(state);
  if (!inAuth && isFarewell(payloads)) return farewell(env, state, identity);
  const refused = refuses(env, state, identity, wish, wrapping);
  if (refused !== undefined) return refusal(refused);
  return register(env, state, { identity, ike: sa, sender: wish.senderIds !== undefined }, wish, wrapping);
}

function unknownGroup({ decide }: Env, groups: Groups): GroupState | number {
  const manner = decide("unknown group", "INVALID_GROUP_ID");
  const [any] = groups.values();
  return manner === "register" ? (any ?? NOTIFY.INVALID_GROUP_ID) : NOTIFY[manner];
}

/** Section 2.3.2: with one of these beside IDg a member leaves. */
const isFarewell = (payloads: Payload[]): boolean =>
  hasNotify(payloads, NOTIFY.NO_PROPOSAL_CHOSEN) || hasNotify(payloads, NOTIFY.REGISTRATION_FAILED);

function farewell(env: Env, state: GroupState, identity: Identity): Answer {
  if (env.decide("leaving member", "forget") === "forget") leave(env, state, identity);
  return { payloads: [] };
}

/** The notify by which a registration is refused: who is asked for, who asks, then what stands against it. */
function refuses(
  env: Env,
  state: GroupState,
  identity: Identity,
  wish: Wish,
  wrapping: Wrapping,
): number | undefined {
  const { decide } = env;
  if (!state.mayJoin(identity)) {
    const manner = decide("unauthorised member", "AUTHORIZATION_FAILED");
    if (manner !== "register") return NOTIFY[manner];
  }
  if (wish.senderIds !== undefined && !state.maySend(identity)) return NOTIFY.AUTHORIZATION_FAILED;
  if (state.policy.full && !state.member(identity)) {
    const manner = decide("full group", "REGISTRATION_FAILED");
    if (manner !== "register") return NOTIFY[manner];
  }
  const trouble = hinders(state, identity, wish, wrapping);
  if (trouble) {
    env.report({ reason: trouble });
    return NOTIFY.REGISTRATION_FAILED;
  }
  const able = !wish.offers || fits(wish.offers, neededOf(state), decide);
  return able || decide("SAg", "must fit") === "ignore" ? undefined : NOTIFY.NO_PROPOSAL_CHOSEN;
}

function hinders(state: GroupState, identity: Identity, wish: Wish, wrapping: Wrapping): string | undefined {
  if (!state.grants(identity, wish.senderIds ?? 0))
    return "a member that floods its group with registrations";
  if (wish.senderIds !== undefined && state.hasOtherSender(identity))
    return "a second sender for SAs whose numbers are those of one";
  // The keys of the tree wrap under the algorithm of the IKE SA and under that of the Rekey SA.
  const { keyTree, rekey } = state.policy;
  const inTree = keyTree === undefined ? undefined : rekey && kwaOf(rekey.transforms);
  return !inTree || inTree.keyLength === wrapping.kwa.keyLength
    ? undefined
    : "a key wrap algorithm of another size than that of the key tree";
}

const neededOf = ({ policy: { data, rekey } }: GroupState): Needed[] => [
  ...(rekey ? [{ protocolId: PROTOCOL.GIKE_UPDATE, transforms: [...rekey.transforms, gcauth(rekey)] }] : []),
  ...data,
];

function register(
  env: Env,
  state: GroupState,
  registrant: Omit<GroupMember, "senderIds">,
  wish: Wish,
  wrapping: Wrapping,
): Answer {
  const counts = state.policy.data.some(countsIvs);
  const asked = counts ? (wish.senderIds ?? 0) : 0;
  const senderIds = asked > 0 ? senderIdsFor(env, state, registrant.identity, asked) : [];
  supply(env, state);
  watch(env, state);
  const { policy, rekey, data } = state;
  state.enter({ ...registrant, senderIds });
  const path = state.tree?.join(identityKey(registrant.identity)) ?? [];
  const circumstances = {
    ...{ policy, own: env.own, now: env.core.options.now(), registration: true },
    ...(senderIds.length > 0 && { senderIdBits: policy.senderIdBits }),
  };
  const wraps = path.map((key, at) => ({ key, ...(path[at + 1] && { by: path[at + 1] }) }));
  const payloads = [
    gsaPayload({ rekey, data }, circumstances),
    kdPayload({
      ...{ wrapping, data, wraps, authKey: state.authKey, senderIds },
      ...(rekey && { rekey: { sa: rekey, by: path.slice(0, 1) } }),
    }),
    ...modeNotify(state, data),
  ];
  return { payloads };
}

/** Where there are too few left, everybody is excluded before they begin anew (section 2.5.1). */
function senderIdsFor(env: Env, state: GroupState, identity: Identity, asked: number): number[] {
  const taken = state.takeSenderIds(asked);
  if (taken) return taken;
  if (env.decide("used-up Sender-IDs", "exclude everybody") === "exclude everybody") {
    // The answer to the one that asks is all it needs.
    state.forget(identity);
    deleteSas(env, state, "all");
  }
  state.beginSenderIdsAnew();
  return state.takeSenderIds(asked) ?? [];
}
