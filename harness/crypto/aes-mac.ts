/** The two CBC-MAC descendants of IKEv2: AES-XCBC-MAC (RFC 3566) and AES-CMAC (RFC 4493), 128-bit keys, full output. */
import { createCipheriv } from "node:crypto";
import { cmac } from "@noble/ciphers/aes.js";
import { plain } from "../wire/bytes.ts";

const BLOCK = 16;
const ZERO = new Uint8Array(BLOCK);

function encryptBlock(key: Uint8Array, fill: number): Uint8Array {
  return createCipheriv("aes-128-ecb", key, null)
    .setAutoPadding(false)
    .update(new Uint8Array(BLOCK).fill(fill));
}

/** AES-XCBC-MAC, 16 octets. The key has 16 octets. */
export function aesXcbcMac(key: Uint8Array, data: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(data.length / BLOCK));
  const whole = data.length === blocks * BLOCK;
  const padded = new Uint8Array(blocks * BLOCK);
  padded.set(data);
  if (!whole) padded[data.length] = 0x80;
  const mask = encryptBlock(key, whole ? 2 : 3);
  const last = padded.subarray(-BLOCK);
  for (let index = 0; index < BLOCK; index++) last[index]! ^= mask[index]!;
  const chain = createCipheriv("aes-128-cbc", encryptBlock(key, 1), ZERO)
    .setAutoPadding(false)
    .update(padded);
  return plain(chain.subarray(-BLOCK));
}

/** AES-CMAC, 16 octets. The key has 16 octets. */
export function aesCmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return cmac(data, key);
}
