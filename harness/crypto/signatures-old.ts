/** The auth methods of RFC 7296 section 3.8 and RFC 4754 that a signature is made with where RFC 7427 is not agreed. */
import type { HashName } from "./hash.ts";
import { curveOf, isNistKey, signEcdsa, verifyEcdsa } from "./signatures-ecdsa.ts";
import { isRsa, signPkcs1, verifyPkcs1 } from "./signatures-rsa.ts";
import { guarded, type Signer } from "./signer.ts";

/** A method whose number alone says how to sign; for ECDSA a key fits only if it is on the method's curve. */
export interface OldMethod extends Signer {
  /** Auth Method of the AUTH payload. */
  method: 1 | 9 | 10 | 11;
  name: "rsa" | "ecdsa-p256" | "ecdsa-p384" | "ecdsa-p521";
}

const RSA_HASHES: readonly HashName[] = ["sha1", "sha256", "sha384", "sha512"];

/**
 * Signs with SHA-1, the default of RFC 7296 section 3.8. That section lets a signer take another hash, which
 * PKCS#1 v1.5 names inside the signature, so the verifier accepts SHA-2 as well.
 */
const rsa: OldMethod = {
  method: 1,
  name: "rsa",
  fits: isRsa,
  sign: (key, octets) => signPkcs1("sha1", key, octets),
  verify: (key, octets, signature) => RSA_HASHES.some((hash) => verifyPkcs1(hash, key, octets, signature)),
};

/** RFC 4754 section 7: curve and hash belong together; r and s have the length of the curve's order each. */
function ecdsa(
  method: OldMethod["method"],
  name: OldMethod["name"],
  curve: string,
  hash: HashName,
): OldMethod {
  return {
    method,
    name,
    fits: (key) => isNistKey(key) && curveOf(key) === curve,
    sign: (key, octets) => signEcdsa(hash, key, octets, "r|s"),
    verify: (key, octets, signature) => verifyEcdsa(hash, key, octets, signature, "r|s"),
  };
}

export const oldMethods: readonly OldMethod[] = [
  rsa,
  ecdsa(9, "ecdsa-p256", "prime256v1", "sha256"),
  ecdsa(10, "ecdsa-p384", "secp384r1", "sha384"),
  ecdsa(11, "ecdsa-p521", "secp521r1", "sha512"),
].map(guarded);
