/** ECDSA over P-256, P-384 and P-521, in DER (RFC 7427) or as r and s of fixed length (RFC 4754). */
import { type KeyObject, verify } from "node:crypto";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { digest, type HashName } from "./hash.ts";

export type EcdsaEncoding = "der" | "r|s";

/** Names as OpenSSL knows the curves. */
const CURVES = new Map([
  ["prime256v1", p256],
  ["secp384r1", p384],
  ["secp521r1", p521],
]);

export const curveOf = (key: KeyObject): string => key.asymmetricKeyDetails?.namedCurve ?? "";

export const isNistKey = (key: KeyObject): boolean =>
  key.asymmetricKeyType === "ec" && CURVES.has(curveOf(key));

/**
 * With the nonce of RFC 6979: node:crypto takes a random one, which no seed repeats. `entropy`, of 32 octets, gives
 * other signatures of the same octets (section 3.6).
 */
export function signEcdsa(
  hash: HashName,
  key: KeyObject,
  octets: Uint8Array,
  encoding: EcdsaEncoding,
  entropy?: Uint8Array,
): Uint8Array {
  const curve = CURVES.get(curveOf(key));
  const scalar = key.type === "private" && curve ? key.export({ format: "jwk" }).d : undefined;
  if (!curve || !scalar) throw new Error("ECDSA signs with a private key on P-256, P-384 or P-521");
  return curve.sign(digest(hash, octets), Buffer.from(scalar, "base64url"), {
    prehash: false,
    lowS: false,
    format: encoding === "der" ? "der" : "compact",
    ...(entropy && { extraEntropy: entropy }),
  });
}

/** OpenSSL refuses r or s that is no number from 1 to q - 1, and DER that is not the shortest. */
export function verifyEcdsa(
  hash: HashName,
  key: KeyObject,
  octets: Uint8Array,
  signature: Uint8Array,
  encoding: EcdsaEncoding,
): boolean {
  const dsaEncoding = encoding === "der" ? "der" : "ieee-p1363";
  return verify(hash, octets, { key, dsaEncoding }, signature);
}
