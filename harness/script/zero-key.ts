/** The ML-KEM encapsulation key of nothing but zeros, which passes all checks of FIPS 203 section 7.2 and hides nothing. */
import { createHash } from "node:crypto";
import type { KeyPair } from "../crypto/types.ts";
import { plain } from "../wire/bytes.ts";
import { kemLengths } from "./kem.ts";

const Q = 3329;
const COEFFICIENTS = 256;
const SECRET = 32;

/** d_v of FIPS 203 section 8. */
const BITS_OF_V: Record<string, number> = { mlkem512: 4, mlkem768: 4, mlkem1024: 5 };

/** Under this key v is the message and small noise (K-PKE.Encrypt, section 5.2), so that anybody can read it. */
function messageIn(ciphertext: Uint8Array, bits: number): Uint8Array {
  const v = ciphertext.subarray(ciphertext.length - (COEFFICIENTS * bits) / 8);
  const message = new Uint8Array(COEFFICIENTS / 8);
  for (let i = 0; i < COEFFICIENTS; i++) {
    let compressed = 0;
    for (let bit = 0; bit < bits; bit++) {
      const at = i * bits + bit;
      compressed |= (((v[at >> 3] ?? 0) >> (at & 7)) & 1) << bit;
    }
    const coefficient = Math.round((Q * compressed) / 2 ** bits);
    const one = Math.round((2 * coefficient) / Q) % 2;
    message[i >> 3] = (message[i >> 3] ?? 0) | (one << (i & 7));
  }
  return message;
}

/** Our end of an exchange with that key: the secret is the first half of G(m | H(ek)) (ML-KEM.Encaps, section 6.2). */
export function zeroKeyPair(keyword: string): KeyPair {
  const publicValue = new Uint8Array(kemLengths(keyword).key);
  const digest = createHash("sha3-256").update(publicValue).digest();
  return {
    publicValue,
    derive: (ciphertext) => {
      const message = messageIn(ciphertext, BITS_OF_V[keyword] ?? 0);
      const both = createHash("sha3-512").update(message).update(digest).digest();
      return plain(both.subarray(0, SECRET));
    },
  };
}
