/** Digital signatures of AUTH payloads: RFC 7427, RFC 8420, and the older methods 1 and 9 to 11. */
import { sign, verify } from "node:crypto";
import { hex } from "../wire/bytes.ts";
import type { HashName } from "./hash.ts";
import { isNistKey, signEcdsa, verifyEcdsa } from "./signatures-ecdsa.ts";
import { identifierOf, pkcs1Identifier, pssIdentifiers } from "./signatures-identifier.ts";
import { isRsa, isRsaForPss, signPkcs1, signPss, verifyPkcs1, verifyPss } from "./signatures-rsa.ts";
import { guarded, type Signer } from "./signer.ts";

export { type OldMethod, oldMethods } from "./signatures-old.ts";

export type SchemeName =
  | `rsa-pkcs1-${"sha1" | "sha256" | "sha384" | "sha512"}`
  | `rsa-pss-${"sha256" | "sha384" | "sha512"}`
  | `ecdsa-${"sha1" | "sha256" | "sha384" | "sha512"}`
  | "ed25519"
  | "ed448";

/**
 * A way to sign that RFC 7427 can name. Signature values: RSA of the modulus' length, ECDSA in DER, EdDSA 64 or
 * 114 octets.
 */
export interface SignatureScheme extends Signer {
  name: SchemeName;
  /** Id in SIGNATURE_HASH_ALGORITHMS; 5 (Identity) for EdDSA. */
  hash: number;
  /** DER of the AlgorithmIdentifier, parameters as RFC 7427 section 3 prefers them; PSS without the default trailerField. */
  algorithmIdentifier: Uint8Array;
}

/** A scheme, and how else its AlgorithmIdentifier may be written. */
interface Entry extends SignatureScheme {
  alsoWritten: Uint8Array[];
}

const HASH_ID: Readonly<Record<HashName, number>> = { sha1: 1, sha256: 2, sha384: 3, sha512: 4 };

const rsaPkcs1 = (hash: HashName): Entry => ({
  name: `rsa-pkcs1-${hash}`,
  hash: HASH_ID[hash],
  algorithmIdentifier: pkcs1Identifier(hash, "null"),
  alsoWritten: [pkcs1Identifier(hash, "absent")],
  fits: isRsa,
  sign: (key, octets) => signPkcs1(hash, key, octets),
  verify: (key, octets, signature) => verifyPkcs1(hash, key, octets, signature),
});

const rsaPss = (hash: Exclude<HashName, "sha1">): Entry => {
  const [algorithmIdentifier, ...alsoWritten] = pssIdentifiers(hash);
  return {
    name: `rsa-pss-${hash}`,
    hash: HASH_ID[hash],
    algorithmIdentifier: algorithmIdentifier!,
    alsoWritten,
    fits: isRsaForPss,
    sign: (key, octets, random) => signPss(hash, key, octets, random),
    verify: (key, octets, signature) => verifyPss(hash, key, octets, signature),
  };
};

const ecdsa = (hash: HashName): Entry => ({
  name: `ecdsa-${hash}`,
  hash: HASH_ID[hash],
  algorithmIdentifier: identifierOf(`ecdsa-${hash}`),
  alsoWritten: [],
  fits: isNistKey,
  sign: (key, octets) => signEcdsa(hash, key, octets, "der"),
  verify: (key, octets, signature) => verifyEcdsa(hash, key, octets, signature, "der"),
});

const eddsa = (name: "ed25519" | "ed448"): Entry => ({
  name,
  hash: 5,
  algorithmIdentifier: identifierOf(name),
  alsoWritten: [],
  fits: (key) => key.asymmetricKeyType === name,
  sign: (key, octets) => new Uint8Array(sign(null, octets, key)),
  verify: (key, octets, signature) => verify(null, octets, key, signature),
});

const entries = [
  ...(["sha256", "sha384", "sha512"] as const).map(rsaPss),
  ...(["sha256", "sha384", "sha512", "sha1"] as const).map(rsaPkcs1),
  ...(["sha256", "sha384", "sha512", "sha1"] as const).map(ecdsa),
  eddsa("ed25519"),
  eddsa("ed448"),
].map(guarded);

/** Every scheme, those a signer should prefer first. */
export const schemes: readonly SignatureScheme[] = entries;

const byName = new Map(schemes.map((scheme) => [scheme.name, scheme]));

export function schemeByName(name: SchemeName): SignatureScheme {
  return byName.get(name)!;
}

const byIdentifier = new Map(
  entries.flatMap((entry) =>
    [entry.algorithmIdentifier, ...entry.alsoWritten].map((der) => [hex(der), entry] as const),
  ),
);

/**
 * The scheme an AlgorithmIdentifier names, in any of the encodings that RFC 4055 has a verifier accept: RSA with
 * parameters NULL or absent, PSS with the default trailerField left out or spelled out. Anything else, other salt
 * lengths included, is undefined.
 */
export function schemeOfIdentifier(der: Uint8Array): SignatureScheme | undefined {
  return byIdentifier.get(hex(der));
}
