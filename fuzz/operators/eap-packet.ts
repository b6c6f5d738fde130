/** Makes operators on the EAP packet of a message: ours as peer (responses) and as authenticator (requests, Success, Failure). */

import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { concat, equal, u16 } from "../../harness/wire/bytes.ts";
import { encodeChain } from "../../harness/wire/index.ts";
import { EAP_CODE } from "../../harness/wire/registry/eap.ts";
import type { EapPayload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import { MOST_OCTETS } from "./build.ts";
import type { Draft, IkeOperator } from "./operator.ts";

export interface EapRow extends Pick<IkeOperator, "name" | "effect" | "demand"> {
  /** Not set: on every packet. */
  fits?(eap: EapPayload): boolean;
  /** Not set: a change without values. */
  draw?(dice: Dice, eap: EapPayload): Draft | undefined;
  /** What the packet becomes; several go out as several payloads. Undefined if the change does not fit. */
  becomes(eap: EapPayload, change: Draft): EapPayload | EapPayload[] | undefined;
}

export const eapOf = ({ payloads }: OutgoingMessage): EapPayload | undefined =>
  payloads.find((payload): payload is EapPayload => payload.kind === "EAP");

export const ofEap = ({ fits = () => true, draw, becomes, ...row }: EapRow): IkeOperator => ({
  ...row,
  on: "ike",
  family: "eap",
  draw(message, dice) {
    const eap = eapOf(message);
    return eap && fits(eap) ? (draw ? draw(dice, eap) : {}) : undefined;
  },
  apply(message, change) {
    const eap = eapOf(message);
    const changed = eap && fits(eap) ? becomes(eap, change) : undefined;
    if (!changed) return false;
    const payloads = message.payloads.flatMap((payload) => (payload === eap ? changed : [payload]));
    const octets = encodeChain(payloads);
    if (octets.length > MOST_OCTETS || equal(octets, encodeChain(message.payloads))) return false;
    message.payloads = payloads;
    return true;
  },
});

/** The method of the packet; undefined for Success, Failure and the like. */
export const typeOf = ({ code, data }: EapPayload): number | undefined =>
  code === EAP_CODE.REQUEST || code === EAP_CODE.RESPONSE ? data[0] : undefined;

export const isType =
  (...types: number[]) =>
  (eap: EapPayload): boolean =>
    types.includes(typeOf(eap) ?? -1);

/** The packet with other type data behind its type. */
export const withTypeData = (eap: EapPayload, data: Uint8Array): EapPayload => ({
  ...eap,
  data: concat(eap.data.subarray(0, 1), data),
});

/** A copy with one octet written; undefined behind the end. */
export function withOctet(eap: EapPayload, at: number, value: number): EapPayload | undefined {
  if (at >= eap.data.length) return undefined;
  const data = Uint8Array.from(eap.data);
  data[at] = value;
  return { ...eap, data };
}

/** The same for two octets. */
export function withU16(eap: EapPayload, at: number, value: number): EapPayload | undefined {
  if (at + 2 > eap.data.length) return undefined;
  const data = Uint8Array.from(eap.data);
  data.set(u16(value), at);
  return { ...eap, data };
}
