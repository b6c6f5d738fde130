/** Encryption without integrity: AES-CBC (RFC 3602), AES-CTR (RFC 3686, RFC 5930), 3DES (RFC 2451), NULL (RFC 2410). */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { plain } from "../wire/bytes.ts";
import type { Encr } from "./types.ts";

const CTR_NONCE = 4;

function cbc(algorithm: string, shape: Pick<Encr, "id" | "name" | "keyLength" | "blockSize">): Encr {
  const { blockSize } = shape;
  return {
    ...shape,
    aead: false,
    saltLength: 0,
    ivLength: blockSize,
    icvLength: 0,
    randomIv: true,
    seal(key, iv, plaintext) {
      if (plaintext.length % blockSize !== 0) throw new RangeError(`${shape.name}: plaintext is not padded`);
      return plain(createCipheriv(algorithm, key, iv).setAutoPadding(false).update(plaintext));
    },
    open(key, iv, ciphertext) {
      if (ciphertext.length % blockSize !== 0) return undefined;
      return plain(createDecipheriv(algorithm, key, iv).setAutoPadding(false).update(ciphertext));
    },
  };
}

/** ENCR_AES_CBC. `keyBits` 128, 192 or 256. */
export function aesCbc(keyBits: number): Encr {
  return cbc(`aes-${keyBits}-cbc`, { id: 12, name: "ENCR_AES_CBC", keyLength: keyBits / 8, blockSize: 16 });
}

/** ENCR_3DES, to be refused and to be tested with. */
export const tripleDes: Encr = cbc("des-ede3-cbc", { id: 3, name: "ENCR_3DES", keyLength: 24, blockSize: 8 });

/** ENCR_AES_CTR: counter block = nonce (last 4 octets of the key) | IV | 1. */
export function aesCtr(keyBits: number): Encr {
  const cipherKey = keyBits / 8;
  const algorithm = `aes-${keyBits}-ctr`;
  const run = (key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array => {
    const counter = new Uint8Array(16);
    counter.set(key.subarray(cipherKey));
    counter.set(iv, CTR_NONCE);
    counter[15] = 1;
    return plain(createCipheriv(algorithm, key.subarray(0, cipherKey), counter).update(data));
  };
  return {
    id: 13,
    name: "ENCR_AES_CTR",
    aead: false,
    keyLength: cipherKey + CTR_NONCE,
    saltLength: CTR_NONCE,
    ivLength: 8,
    blockSize: 1,
    icvLength: 0,
    randomIv: false,
    seal: run,
    open: run,
  };
}

/** ENCR_NULL, ESP only. */
export const nullCipher: Encr = {
  id: 11,
  name: "ENCR_NULL",
  aead: false,
  keyLength: 0,
  saltLength: 0,
  ivLength: 0,
  blockSize: 1,
  icvLength: 0,
  randomIv: false,
  seal: (_key, _iv, plaintext) => new Uint8Array(plaintext),
  open: (_key, _iv, ciphertext) => new Uint8Array(ciphertext),
};
