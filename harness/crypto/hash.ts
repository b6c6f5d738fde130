/**
 * Hashes and HMAC. They stand on the one-shot `hash` of node:crypto, with text as its result: a Hash or Hmac object and
 * a buffer of its own for every digest cost a handshake a sixth of its time, most of that in the garbage collector.
 */
import { hash } from "node:crypto";

export type HashName = "sha1" | "sha256" | "sha384" | "sha512";

/** Octets that the compression function takes at once. */
const BLOCK: Readonly<Record<HashName, number>> = { sha1: 64, sha256: 64, sha384: 128, sha512: 128 };

/** Writes a text of one character per octet. */
function put(text: string, into: Uint8Array, at: number): void {
  for (let index = 0; index < text.length; index++) into[at + index] = text.charCodeAt(index);
}

export function digest(name: HashName, data: Uint8Array): Uint8Array {
  const text = hash(name, data, "binary");
  const out = new Uint8Array(text.length);
  put(text, out, 0);
  return out;
}

/** The key under a pad, with room for `octets` more behind it. */
function underPad(key: Uint8Array, pad: number, block: number, octets: number): Buffer {
  const out = Buffer.allocUnsafe(block + octets).fill(pad, 0, block);
  for (let index = 0; index < key.length; index++) out[index]! ^= key[index]!;
  return out;
}

/** RFC 2104: H(K ^ opad | H(K ^ ipad | data)); a key longer than the block is hashed first. */
export function hmac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
  const block = BLOCK[name];
  const fitting = key.length > block ? digest(name, key) : key;
  const inner = underPad(fitting, 0x36, block, data.length);
  inner.set(data, block);
  const text = hash(name, inner, "binary");
  const outer = underPad(fitting, 0x5c, block, text.length);
  put(text, outer, block);
  return digest(name, outer);
}
