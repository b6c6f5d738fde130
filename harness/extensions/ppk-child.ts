/** PPKs in CREATE_CHILD_SA: RFC 9867 section 3.2. */
import { mixPpk } from "../crypto/keys.ts";
import type { Core } from "../ike/core.ts";
import { deleteIke } from "../ike/exchanges/informational.ts";
import type { Extension, IncomingMessage, OutgoingMessage } from "../ike/hooks.ts";
import { errorNotify, notifies, notify, payload } from "../ike/payloads.ts";
import type { Ppk } from "../ike/policy.ts";
import type { IkeSa } from "../ike/sa.ts";
import { concat, hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import type { Payload } from "../wire/types.ts";
import { perIkeSa } from "./per-ike-sa.ts";
import { type PpkNumbers, ppksFor, usesPpk } from "./ppk-agreement.ts";
import { chosenPpk, matchingPpk, ppkOffers } from "./ppk-offer.ts";

/** Exchanges of an IKE SA whose PPK is kept; their SAs are made long before there are so many. */
const MOST_KEPT = 16;

/** The PPKs of an IKE SA's exchanges by their Ni in hex, and Ni of our request that is on its way. */
interface State {
  chosen: Map<string, Ppk>;
  asked?: string;
  /** The successor of this IKE SA was made without a PPK, and must go. */
  unwanted?: boolean;
}

/** SK_d' takes the place of SK_d for the SA that an exchange makes, if both ends have one of the PPKs offered in it. */
export function ppkInChild(numbers: PpkNumbers): Extension {
  const stateOf = perIkeSa<State>(() => ({ chosen: new Map() }));
  const mixed = (sa: IkeSa, Ni: Uint8Array, SK_d: Uint8Array): Uint8Array => {
    const ppk = stateOf(sa).chosen.get(hex(Ni));
    return ppk && sa.suite ? mixPpk(sa.suite.prf, ppk.secret, SK_d) : SK_d;
  };
  return {
    name: "ppk-child",
    outgoing: (message, core) => {
      if (!concerns(core, message) || !message.sa) return;
      if (message.isResponse) confirm(message, stateOf(message.sa));
      else offer(core, message, message.sa, stateOf(message.sa), numbers);
    },
    incoming: (message, core) => {
      if (concerns(core, message) && message.sa)
        note(core, message, message.sa, stateOf(message.sa), numbers);
      return undefined;
    },
    refuses: (core, sa, message) =>
      concerns(core, message) ? refusal(core, sa, stateOf(sa), message) : undefined,
    answers: (core, sa, message) => {
      if (!core.policy.ppkRequired || !concerns(core, message)) return undefined;
      const Ni = payload(message.payloads, "Nonce")?.data;
      if (!Ni || stateOf(sa).chosen.has(hex(Ni))) return undefined;
      return { payloads: [notify(NOTIFY.NO_PROPOSAL_CHOSEN)] };
    },
    childKeys: (inputs) => {
      inputs.SK_d = mixed(inputs.sa, inputs.Ni, inputs.SK_d);
    },
    ikeKeys: (inputs) => {
      const { replaces, Ni, SK_d } = inputs;
      if (replaces && SK_d) inputs.SK_d = mixed(replaces, Ni, SK_d);
    },
    ikeClosed: (core, sa) => {
      const { replacedBy } = sa;
      if (stateOf(sa).unwanted && replacedBy?.established) deleteIke(core, replacedBy, () => {});
    },
  };
}

const concerns = (core: Core, { header }: { header: { exchangeType: number } }): boolean =>
  header.exchangeType === EXCHANGE.CREATE_CHILD_SA && usesPpk(core, "CREATE_CHILD_SA");

/** The PPKs that we share with the other end. */
const ppksOf = (core: Core, { remoteIdentity }: IkeSa): Ppk[] =>
  ppksFor(core, remoteIdentity ?? core.policy.remoteId);

/** The seed of a confirmation; Nr is not known yet. */
const seedOf = (sa: IkeSa, Ni: Uint8Array): Uint8Array => concat(Ni, sa.spiI, sa.spiR);

function offer(
  core: Core,
  { payloads }: OutgoingMessage,
  sa: IkeSa,
  state: State,
  numbers: PpkNumbers,
): void {
  const Ni = payload(payloads, "Nonce")?.data;
  if (!Ni || !sa.suite) return;
  state.asked = hex(Ni);
  payloads.push(...ppkOffers(numbers.PPK_IDENTITY_KEY, ppksOf(core, sa), sa.suite.prf, seedOf(sa, Ni)));
}

function note(core: Core, message: IncomingMessage, sa: IkeSa, state: State, numbers: PpkNumbers): void {
  const { payloads, isResponse } = message;
  const Ni = isResponse ? state.asked : hexOf(payload(payloads, "Nonce")?.data);
  if (Ni === undefined || !sa.suite) return;
  const chosen = isResponse
    ? chosenPpk(core, payloads, ppksOf(core, sa))
    : match(core, payloads, sa, numbers);
  if (chosen === undefined || typeof chosen === "string") return;
  state.chosen.set(Ni, chosen);
  const [oldest] = state.chosen.keys();
  if (oldest !== undefined && state.chosen.size > MOST_KEPT) state.chosen.delete(oldest);
}

const hexOf = (octets: Uint8Array | undefined): string | undefined => octets && hex(octets);

function match(core: Core, request: Payload[], sa: IkeSa, numbers: PpkNumbers): Ppk | undefined {
  const Ni = payload(request, "Nonce")?.data;
  if (!Ni || !sa.suite) return undefined;
  const offers = notifies(request, numbers.PPK_IDENTITY_KEY);
  return matchingPpk(core, offers, ppksOf(core, sa), sa.suite.prf, seedOf(sa, Ni));
}

function confirm({ payloads, request }: OutgoingMessage, state: State): void {
  const Ni = payload(request?.payloads ?? [], "Nonce")?.data;
  const chosen = Ni && state.chosen.get(hex(Ni));
  if (chosen && payloads.some((p) => p.kind === "SA")) payloads.push(notify(NOTIFY.PPK_IDENTITY, chosen.id));
}

/** Why the SA of this response is not made. Of an IKE SA's successor the responder has moved all to it: that one goes, in order. */
function refusal(core: Core, sa: IkeSa, state: State, { payloads }: IncomingMessage): string | undefined {
  state.unwanted = false;
  if (errorNotify(payloads)) return undefined;
  const rekeysIke = payload(payloads, "SA")?.proposals[0]?.protocolId === PROTOCOL.IKE;
  const chosen = chosenPpk(core, payloads, ppksOf(core, sa));
  if (typeof chosen === "string") {
    // The responder has a new SA with other keys than ours.
    if (rekeysIke) deleteIke(core, sa, () => {});
    return chosen;
  }
  if (chosen || !core.policy.ppkRequired) return undefined;
  state.unwanted = rekeysIke;
  return rekeysIke ? undefined : "the responder did not use a PPK";
}
