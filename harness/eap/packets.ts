/** Making EAP packets, and the steps of a conversation. */
import { concat, EMPTY } from "../wire/bytes.ts";
import type { EapPacket, EapStep } from "./types.ts";

/** Requests after which an end gives up on a conversation that never ends. */
export const MAX_REQUESTS = 256;

/** Type and type data as one. */
export const typed = (type: number, data: Uint8Array): Uint8Array => concat(Uint8Array.of(type), data);

export const packet = (code: number, identifier: number, data: Uint8Array = EMPTY): EapPacket => ({
  code,
  identifier: identifier & 0xff,
  data,
});

export const ignored = (reason: string): EapStep => ({ reason: `ignored: ${reason}` });

/** The promise, with an answer in the place of a rejection. */
export const undisturbed = <T>(promise: Promise<T>, answer: (reason: string) => T): Promise<T> =>
  promise.catch((error: unknown) => answer(error instanceof Error ? error.message : String(error)));

/** A copy with its first bit turned. */
export function turned(octets: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(octets);
  if (copy.length > 0) copy[0]! ^= 0x80;
  return copy;
}

/** Identities, passwords and messages as octets. */
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
