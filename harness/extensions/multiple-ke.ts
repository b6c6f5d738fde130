/** Additional key exchanges in IKE_INTERMEDIATE: RFC 9370 sections 2.2.1 and 2.2.2. */
import { rekeyedSkeyseed } from "../crypto/keys.ts";
import type { KeError, KeyPair } from "../crypto/types.ts";
import { additionalMethods, hasAdditional, isAdditional, repeatsMethod } from "../ike/additional-ke.ts";
import type { Core } from "../ike/core.ts";
import { kePayload } from "../ike/exchanges/ike-sa-init.ts";
import { installKeys } from "../ike/generation.ts";
import type { Extension, IkeKeyInputs, IncomingMessage } from "../ike/hooks.ts";
import { freshKeyPair } from "../ike/key-pair.ts";
import { errorNotify, notify, payload } from "../ike/payloads.ts";
import { firstOffer } from "../ike/proposals.ts";
import type { IkeSa } from "../ike/sa.ts";
import { EMPTY } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { NotifyPayload, Payload } from "../wire/types.ts";
import { followUp } from "./follow-up.ts";
import { announcesIntermediate, type IntermediateUser } from "./intermediate.ts";
import { keOf } from "./ke-of-round.ts";
import { perIkeSa } from "./per-ike-sa.ts";

/** What one exchange has brought so far. */
interface Pending {
  keyPair?: KeyPair;
  secret?: Uint8Array;
  /** Exchanges that changed the keys. */
  finished: number;
}

/** The part of {@link intermediate}, and an extension for the negotiation and for CREATE_CHILD_SA. */
export function multipleKe(): { user: IntermediateUser; extension: Extension } {
  const stateOf = perIkeSa<Pending>(() => ({ finished: 0 }));
  const user: IntermediateUser = {
    wants: (core, sa) =>
      sa.role === "responder" ? chosen(sa) : core.policy.ike.some((proposal) => hasAdditional(proposal)),
    needs: (core, sa) => methodsOf(core, sa).length,
    request: (core, sa, { number }) => {
      const method = methodsOf(core, sa)[number];
      const keyPair = method === undefined ? undefined : freshKeyPair(core, method);
      stateOf(sa).keyPair = keyPair;
      return method !== undefined && keyPair ? [kePayload(method, keyPair.publicValue)] : [];
    },
    take: (core, sa, { number }, response) => take(core, methodsOf(core, sa)[number], stateOf(sa), response),
    answer: (core, sa, { number }, request) => {
      const method = methodsOf(core, sa)[number] ?? strayMethod(core, request);
      const answer = method === undefined ? [] : respond(core, method, stateOf(sa), request);
      if (core.decide("keys after an additional key exchange", "update") === "update before the response")
        user.finish(core, sa);
      return answer;
    },
    finish: (core, sa) => {
      const state = stateOf(sa);
      const { secret } = state;
      state.secret = undefined;
      state.keyPair = undefined;
      if (!secret) return;
      state.finished++;
      if (core.decide("keys after an additional key exchange", "update") !== "keep")
        updateKeys(core, sa, secret, state.finished);
    },
    missing: (core, sa, rounds) =>
      rounds < methodsOf(core, sa).length ? "IKE_AUTH before all additional key exchanges" : undefined,
  };
  return { user, extension: { ...followUp(), name: "multiple-ke", counts, refuses } };
}

/** The initiator's end of a round; a string says why there is no secret. */
function take(
  core: Core,
  method: number | undefined,
  state: Pending,
  response: Payload[],
): string | undefined {
  if (method === undefined) return undefined;
  const ke = keOf(core, response, method);
  const secret = secretOf(core, ke && state.keyPair?.derive(ke.data));
  if (!(secret instanceof Uint8Array))
    return `additional key exchange: ${secret?.reason ?? "no KE of its method"}`;
  state.secret = secret;
  return undefined;
}

/** The responder's end of a round. */
function respond(core: Core, method: number, state: Pending, request: Payload[]): Payload[] | NotifyPayload {
  const ke = keOf(core, request, method);
  const keyPair = freshKeyPair(core, method, ke?.data);
  const secret = secretOf(core, ke && keyPair?.derive(ke.data));
  if (!keyPair || !(secret instanceof Uint8Array)) return notify(NOTIFY.INVALID_SYNTAX);
  state.secret = secret;
  return [kePayload(method, keyPair.publicValue)];
}

/** The methods of the rounds, in order. */
function methodsOf(core: Core, { proposal: chosen }: IkeSa): number[] {
  const manner = core.decide("rounds of additional key exchanges", "of the choice");
  const proposal = manner === "of the choice" ? chosen : firstOffer(core.policy.ike.filter(hasAdditional));
  if (!proposal) return [];
  const methods = additionalMethods(proposal);
  const nones = proposal.transforms.filter(({ type, id }) => isAdditional(type) && id === 0);
  if (core.decide("NONE among additional key exchanges", "no exchange") === "an exchange")
    methods.push(...nones.map(() => 0));
  const reversed = core.decide("order of additional key exchanges", "by transform type") === "reversed";
  return reversed ? methods.reverse() : methods;
}

/** Nobody agreed on another key exchange: what an endpoint does it with that was told to answer all. */
const strayMethod = (core: Core, request: Payload[]): number | undefined =>
  core.decide("IKE_INTERMEDIATE beyond the last round", "refuse") === "answer"
    ? payload(request, "KE")?.group
    : undefined;

/** The secret, or an empty one where an endpoint was told to overlook that there is none. */
function secretOf(core: Core, secret: Uint8Array | KeError | undefined): Uint8Array | KeError | undefined {
  if (secret instanceof Uint8Array) return secret;
  return core.decide("KE payload of a round that is no good", "refuse") === "overlook" ? EMPTY : secret;
}

const chosen = ({ proposal }: IkeSa): boolean => proposal !== undefined && hasAdditional(proposal);

/** SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr), and the keys of generation n. */
function updateKeys(core: Core, sa: IkeSa, sharedSecret: Uint8Array, round: number): void {
  const { suite, keys, Ni, Nr, spiI, spiR } = sa;
  if (!suite || !keys) return;
  const inputs: IkeKeyInputs = {
    ...{ sa, SK_d: keys.SK_d, round, sharedSecret, further: [], Ni, Nr, spiI, spiR },
  };
  for (const extension of core.options.extensions) extension.ikeKeys?.(inputs);
  const { SK_d = keys.SK_d } = inputs;
  const SKEYSEED = rekeyedSkeyseed(suite.prf, SK_d, inputs.sharedSecret, inputs.Ni, inputs.Nr);
  installKeys(core, sa, suite, SKEYSEED, inputs);
}

/** Section 2.2.1: an offer with additional key exchanges needs the announcement of IKE_INTERMEDIATE beside it. */
const counts: Extension["counts"] = (core, offer, request) =>
  !hasAdditional(offer) ||
  announcesIntermediate(request) ||
  core.decide("ADDKE without INTERMEDIATE_EXCHANGE_SUPPORTED", "skip the proposal") === "take";

/** The same of a choice; and none may name a method twice. */
function refuses(core: Core, _sa: IkeSa, { header, payloads }: IncomingMessage): string | undefined {
  const { exchangeType } = header;
  const first = exchangeType === EXCHANGE.IKE_SA_INIT;
  if (!first && exchangeType !== EXCHANGE.CREATE_CHILD_SA) return undefined;
  const [proposal] = payload(payloads, "SA")?.proposals ?? [];
  if (!proposal || errorNotify(payloads)) return undefined;
  const takes = core.decide("ADDKE without INTERMEDIATE_EXCHANGE_SUPPORTED", "skip the proposal") === "take";
  if (first && hasAdditional(proposal) && !announcesIntermediate(payloads) && !takes)
    return "additional key exchanges were chosen without INTERMEDIATE_EXCHANGE_SUPPORTED";
  const accepts = core.decide("same additional method twice in a choice", "refuse") === "accept";
  return repeatsMethod(proposal) && !accepts
    ? "one method was chosen for two additional key exchanges"
    : undefined;
}
