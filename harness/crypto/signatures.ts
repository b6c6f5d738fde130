/** Digital signatures of AUTH payloads: RFC 7427, RFC 8420, and the older methods 1 and 9 to 11. */
import type { KeyObject } from "node:crypto";
import type { Random } from "./types.ts";

export type SchemeName =
  | `rsa-pkcs1-${"sha1" | "sha256" | "sha384" | "sha512"}`
  | `rsa-pss-${"sha256" | "sha384" | "sha512"}`
  | `ecdsa-${"sha1" | "sha256" | "sha384" | "sha512"}`
  | "ed25519"
  | "ed448";

/** A way to sign that RFC 7427 can name. */
export interface SignatureScheme {
  name: SchemeName;
  /** Id in SIGNATURE_HASH_ALGORITHMS; 5 (Identity) for EdDSA. */
  hash: number;
  /** DER of the AlgorithmIdentifier, in the encoding that RFC 7427 prefers. */
  algorithmIdentifier: Uint8Array;
  /** Whether a key of this type can sign so. */
  fits(key: KeyObject): boolean;
  /** The signature value: RSA of the modulus' length, ECDSA in DER, EdDSA 64 or 114 octets. */
  sign(key: KeyObject, octets: Uint8Array, random: Random): Uint8Array;
  /** Never throws; false for everything that does not verify. */
  verify(key: KeyObject, octets: Uint8Array, signature: Uint8Array): boolean;
}
