/** ML-KEM (FIPS 203) as key exchange methods, draft-ietf-ipsecme-ikev2-mlkem. */
import { ml_kem512, ml_kem768, ml_kem1024 } from "@noble/post-quantum/ml-kem.js";
import { kemMethod } from "./kem.ts";
import type { Ke, KeError } from "./types.ts";

/** `rank` is k of FIPS 203: the vectors have k polynomials. */
const SETS = [
  { id: 35, name: "ML_KEM_512", rank: 2, kem: ml_kem512 },
  { id: 36, name: "ML_KEM_768", rank: 3, kem: ml_kem768 },
  { id: 37, name: "ML_KEM_1024", rank: 4, kem: ml_kem1024 },
] as const;

type ParameterSet = (typeof SETS)[number];

const Q = 3329;
/** Octets of a polynomial: 256 coefficients of 12 bits. */
const POLYNOMIAL = 384;
const SEED = 64;
const MESSAGE = 32;
const SHARED = 32;

/** The modulus check of FIPS 203 section 7.2: ByteEncode12(ByteDecode12(t)) is t, so every coefficient is below q. */
function checkModulus(name: string, key: Uint8Array, rank: number): KeError | undefined {
  for (let at = 0; at < rank * POLYNOMIAL; at += 3) {
    const [low, middle, high] = [key[at]!, key[at + 1]!, key[at + 2]!];
    if ((low | ((middle & 0x0f) << 8)) >= Q || ((middle >> 4) | (high << 4)) >= Q)
      return { error: "range", reason: `a coefficient of the ${name} encapsulation key is not below ${Q}` };
  }
  return undefined;
}

/** A seed is d | z (section 7.1). A ciphertext that does not fit gives another secret, and no error (section 6.3). */
function method({ id, name, rank, kem }: ParameterSet): Ke {
  return kemMethod({
    id,
    name,
    keyLength: rank * POLYNOMIAL + 32,
    ciphertextLength: kem.lengths.cipherText!,
    sharedLength: SHARED,
    generate(random) {
      const { publicKey, secretKey } = kem.keygen(random(SEED));
      return { key: publicKey, decapsulate: (ciphertext) => kem.decapsulate(ciphertext, secretKey) };
    },
    refuses: (key) => checkModulus(name, key, rank),
    encapsulate(random, key) {
      const { cipherText, sharedSecret } = kem.encapsulate(key, random(MESSAGE));
      return { ciphertext: cipherText, secret: Uint8Array.from(sharedSecret) };
    },
  });
}

export const ML_KEM_METHODS: readonly Ke[] = SETS.map(method);
