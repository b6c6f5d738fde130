/** Makes operators on the AUTH payload of a message, and works out what it covers (RFC 7296 section 2.15, RFC 7427). */
import { authInputs, coveredOctets, idPayload } from "../../harness/ike/auth/octets.ts";
import type { Core } from "../../harness/ike/core.ts";
import type { AuthInputs, OutgoingMessage } from "../../harness/ike/hooks.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import { concat, equal } from "../../harness/wire/bytes.ts";
import { AUTH_METHOD } from "../../harness/wire/registry/auth-methods.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { AuthPayload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import type { Draft, IkeOperator, LieContext } from "./operator.ts";
import { replace } from "./place.ts";

export interface AuthRow extends Pick<IkeOperator, "name" | "effect" | "demand"> {
  /** Not set: a change without values. */
  draw?(dice: Dice, auth: AuthPayload, message: OutgoingMessage): Draft | undefined;
  /** Changes the payload; false if the change does not fit. */
  apply(auth: AuthPayload, change: Draft, context: LieContext, message: OutgoingMessage): boolean;
}

const authOf = ({ payloads }: OutgoingMessage): AuthPayload | undefined =>
  payloads.find((payload) => payload.kind === "AUTH");

/** An operator on the AUTH payload of a message. */
export const ofAuth = ({ draw, apply, ...row }: AuthRow): IkeOperator => ({
  ...row,
  on: "ike",
  family: "crypto",
  draw(message, dice) {
    const auth = authOf(message);
    return auth && (draw ? draw(dice, auth, message) : {});
  },
  apply(message, change, context) {
    const auth = authOf(message);
    const changed = auth && { ...auth };
    if (!changed || !apply(changed, change, context, message)) return false;
    if (changed.method === auth.method && equal(changed.data, auth.data)) return false;
    return replace(message, auth, changed);
  },
});

/** What our AUTH is made of; undefined while there are no keys. */
export const inputsOf = (core: Core, sa: IkeSa): AuthInputs | undefined =>
  authInputs(sa, sa.role, idPayload(PAYLOAD.IDi, core.policy.localId), core);

/** InitiatorSignedOctets or ResponderSignedOctets of ours; undefined while there are no keys. */
export function octetsOf(core: Core, sa: IkeSa): Uint8Array | undefined {
  const inputs = inputsOf(core, sa);
  return inputs && coveredOctets(inputs);
}

/** Authentication data of RFC 7427 section 3. */
export const digital = (identifier: Uint8Array, signature: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(identifier.length), identifier, signature);

export const identifierIn = ({ data }: AuthPayload): Uint8Array => data.subarray(1, 1 + (data[0] ?? 0));
export const signatureIn = ({ data }: AuthPayload): Uint8Array => data.subarray(1 + (data[0] ?? 0));

export const isDigital = ({ method, data }: AuthPayload): boolean =>
  method === AUTH_METHOD.DIGITAL_SIGNATURE && data.length > 1;
