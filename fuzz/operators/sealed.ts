/** Makes operators on sealed messages: opens what our endpoint has just sealed, and seals it again with one thing otherwise. */
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import type { Protection } from "../../harness/ike/sk.ts";
import { concat, u16, u32 } from "../../harness/wire/bytes.ts";
import { decodeMessage, isFrameError } from "../../harness/wire/index.ts";
import type { Dice } from "../dice.ts";
import { bend } from "./bend.ts";
import { MOST_OCTETS } from "./build.ts";
import type { Demand, Draft, IkeOperator } from "./operator.ts";

/** Nothing whose ICV is wrong is answered. */
export const byIcv: Demand = { document: "rfc7296", requirement: "IKEV2-283", never: "answer" };

export interface SealedRow extends Pick<IkeOperator, "name" | "effect" | "demand" | "apply"> {
  /** Not set: a change without values. */
  draw?(dice: Dice): Draft;
}

/** An operator on messages that are sealed. */
export const ofSealed = ({ draw, ...row }: SealedRow): IkeOperator => ({
  ...row,
  on: "ike",
  family: "crypto",
  draw: (message, dice) => (message.protected ? (draw ? draw(dice) : {}) : undefined),
});

/** A sealed datagram in pieces. */
export interface Cut {
  /** From the IKE header to what stands in front of the IV. */
  head: Uint8Array;
  iv: Uint8Array;
  /** Without the ICV. */
  ciphertext: Uint8Array;
  icv: Uint8Array;
  /** Where in `head` the Payload Length of SK or SKF stands. */
  lengthAt: number;
}

const icvLengthOf = ({ encr, integ }: Protection): number =>
  encr.aead ? encr.icvLength : (integ?.icvLength ?? 0);

/** The pieces; undefined if the datagram ends in no SK or SKF payload that has them all. */
export function cut(keys: Protection, datagram: Uint8Array): Cut | undefined {
  const message = decodeMessage(datagram);
  const payload = isFrameError(message) ? undefined : message.payloads.at(-1);
  if (payload?.kind !== "SK" && payload?.kind !== "SKF") return undefined;
  const icvAt = datagram.length - icvLengthOf(keys);
  const ivAt = datagram.length - payload.data.length;
  const ciphertextAt = ivAt + keys.encr.ivLength;
  if (ciphertextAt > icvAt || (!isFrameError(message) && message.trailing)) return undefined;
  return {
    head: datagram.subarray(0, ivAt),
    iv: datagram.subarray(ivAt, ciphertextAt),
    ciphertext: datagram.subarray(ciphertextAt, icvAt),
    icv: datagram.subarray(icvAt),
    lengthAt: ivAt - (payload.kind === "SKF" ? 6 : 2),
  };
}

/** The pieces as one datagram, both lengths right. */
export function joined({ head, iv, ciphertext, icv, lengthAt }: Cut): Uint8Array {
  const octets = concat(head, iv, ciphertext, icv).subarray(0, MOST_OCTETS);
  octets.set(u32(octets.length), 24);
  octets.set(u16(octets.length - lengthAt + 2), lengthAt);
  return octets;
}

/** Payloads, padding and Pad Length; undefined if it does not open, as after an earlier change. */
export const plaintextOf = (keys: Protection, { head, iv, ciphertext, icv }: Cut): Uint8Array | undefined =>
  keys.encr.open(keys.SK_e, iv, keys.encr.aead ? concat(ciphertext, icv) : ciphertext, head);

/** Puts the right ICV behind a ciphertext that has its own; for ciphers that are no AEAD. */
export function withIcv(keys: Protection, parts: Cut): Uint8Array {
  const octets = joined({ ...parts, icv: new Uint8Array(icvLengthOf(keys)) });
  const icvAt = octets.length - icvLengthOf(keys);
  if (keys.integ) octets.set(keys.integ.compute(keys.SK_a, octets.subarray(0, icvAt)), icvAt);
  return octets;
}

/** Seals this plaintext, cut to whole blocks, with lengths and ICV right. */
export function sealed(keys: Protection, parts: Cut, plaintext: Uint8Array): Uint8Array {
  const { encr } = keys;
  const fitting = plaintext.subarray(0, Math.min(plaintext.length, MOST_OCTETS / 2));
  const text = fitting.subarray(0, fitting.length - (fitting.length % encr.blockSize));
  if (!encr.aead)
    return withIcv(keys, { ...parts, ciphertext: encr.seal(keys.SK_e, parts.iv, text, parts.head) });
  // The lengths are among what is authenticated.
  const icv = new Uint8Array(encr.icvLength);
  const frame = joined({ ...parts, ciphertext: text, icv });
  const head = frame.subarray(0, parts.head.length);
  return concat(head, parts.iv, encr.seal(keys.SK_e, parts.iv, text, head));
}

/** Changes every sealed datagram of the message; false where none is sealed. */
export function afterSeal(
  message: OutgoingMessage,
  change: (parts: Cut, keys: Protection, datagram: Uint8Array) => Uint8Array | Uint8Array[],
): boolean {
  const keys = message.sa?.outbound;
  if (!keys || !message.protected) return false;
  bend(message, (datagram) => {
    const parts = cut(keys, datagram);
    const changed = parts ? change(parts, keys, datagram) : datagram;
    return Array.isArray(changed) ? changed : [changed];
  });
  return true;
}

/** The same for what was sealed: changes its plaintext and seals it again. */
export const replain = (
  message: OutgoingMessage,
  change: (plaintext: Uint8Array, parts: Cut, keys: Protection) => Uint8Array | Uint8Array[],
): boolean =>
  afterSeal(message, (parts, keys, datagram) => {
    const plaintext = plaintextOf(keys, parts);
    return plaintext ? change(plaintext, parts, keys) : datagram;
  });
