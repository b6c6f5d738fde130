/** Whether an AUTH payload is right, worked out once more from the outside, where that can be said with certainty. */
import { authOctets, sharedKeyAuth } from "../../harness/ike/auth/octets.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import { configFor } from "../../harness/run/config.ts";
import { equal } from "../../harness/wire/bytes.ts";
import { AUTH_METHOD } from "../../harness/wire/registry/auth-methods.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { AuthPayload, IdPayload, Payload } from "../../harness/wire/types.ts";
import type { PeerConfig } from "../../peers/contract.ts";
import type { Setup } from "../setups.ts";
import { type Heard, type Said, saKey } from "./lint-heard.ts";

/** What the peer was told for this IKE SA. */
export const configOf = (sa: IkeSa, { wishes }: Setup): PeerConfig => configFor(sa.remote, sa.local, wishes);

const isPsk = (spec: PeerConfig["auth"]): boolean => spec === undefined || spec.method === "psk";

/**
 * The secret of the AUTH payload of `ours` or the peer's; undefined where more than it goes into AUTH: EAP, PPKs and
 * IKE_INTERMEDIATE.
 */
export function secretOf(
  sa: IkeSa,
  config: PeerConfig,
  ours: boolean,
  { ike }: Heard,
): Uint8Array | undefined {
  const isPlain = isPsk(config.auth) && isPsk(config.testerAuth) && !config.ppks && !config.groups;
  const spis = saKey(sa);
  const isMixed = ike.some((said) => said.sa === spis && said.exchangeType === EXCHANGE.IKE_INTERMEDIATE);
  const spec = ours ? config.testerAuth : config.auth;
  if (!isPlain || !isPsk(spec) || isMixed || sa.earlierKeys.length > 0 || sa.replaces) return undefined;
  return new TextEncoder().encode(config.psk);
}

export type AuthFault = "method" | "length" | "value";

const only = <P extends Payload>(found: readonly P[]): P | undefined =>
  found.length === 1 ? found[0] : undefined;

/**
 * What is wrong with the AUTH payload of this message; `right` if it is in order, undefined if that cannot be said:
 * there is none, or more than one, or no identity that it is for.
 */
export function authFault(
  { payloads, ours }: Said,
  sa: IkeSa,
  secret: Uint8Array,
): AuthFault | "right" | undefined {
  const isInitiator = ours === (sa.role === "initiator");
  const type = isInitiator ? PAYLOAD.IDi : PAYLOAD.IDr;
  const auth = only(payloads.filter((payload): payload is AuthPayload => payload.kind === "AUTH"));
  const id = only(
    payloads.filter((payload): payload is IdPayload => payload.kind === "ID" && payload.type === type),
  );
  if (!auth || !id || !sa.keys) return undefined;
  if (auth.method !== AUTH_METHOD.SHARED_KEY_MIC) return "method";
  const expected = sharedKeyAuth(sa, secret, authOctets(sa, isInitiator ? "initiator" : "responder", id));
  if (auth.data.length !== expected.length) return "length";
  return equal(auth.data, expected) ? "right" : "value";
}
