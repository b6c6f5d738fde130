/** DER of the AlgorithmIdentifiers of RFC 7427 appendix A and RFC 8420 appendix A. */
import { concat, EMPTY, fromHex } from "../wire/bytes.ts";
import type { HashName } from "./hash.ts";

/** How the parameters of an algorithm without any are written (RFC 4055 section 2.1). */
export type NoParameters = "null" | "absent";

/** Object identifiers, tag and length included. */
const OID = {
  sha1: fromHex("06052b0e03021a"),
  sha256: fromHex("0609608648016503040201"),
  sha384: fromHex("0609608648016503040202"),
  sha512: fromHex("0609608648016503040203"),
  "pkcs1-sha1": fromHex("06092a864886f70d010105"),
  "pkcs1-sha256": fromHex("06092a864886f70d01010b"),
  "pkcs1-sha384": fromHex("06092a864886f70d01010c"),
  "pkcs1-sha512": fromHex("06092a864886f70d01010d"),
  mgf1: fromHex("06092a864886f70d010108"),
  pss: fromHex("06092a864886f70d01010a"),
  "ecdsa-sha1": fromHex("06072a8648ce3d0401"),
  "ecdsa-sha256": fromHex("06082a8648ce3d040302"),
  "ecdsa-sha384": fromHex("06082a8648ce3d040303"),
  "ecdsa-sha512": fromHex("06082a8648ce3d040304"),
  ed25519: fromHex("06032b6570"),
  ed448: fromHex("06032b6571"),
};

const SALT: Readonly<Record<Exclude<HashName, "sha1">, number>> = { sha256: 32, sha384: 48, sha512: 64 };
const NULL = Uint8Array.of(5, 0);

/** Short values only, of less than 128 octets. */
function tlv(tag: number, ...content: Uint8Array[]): Uint8Array {
  const value = concat(...content);
  return concat(Uint8Array.of(tag, value.length), value);
}

const sequence = (...content: Uint8Array[]): Uint8Array => tlv(0x30, ...content);
const integer = (value: number): Uint8Array => tlv(2, Uint8Array.of(value));

/** An identifier whose parameters must be absent: ECDSA, EdDSA. */
export const identifierOf = (name: `ecdsa-${HashName}` | "ed25519" | "ed448"): Uint8Array =>
  sequence(OID[name]);

export const pkcs1Identifier = (hash: HashName, parameters: NoParameters): Uint8Array =>
  sequence(OID[`pkcs1-${hash}`], parameters === "null" ? NULL : EMPTY);

/**
 * RSASSA-PSS with MGF1 of the same hash and a salt as long as it, in all its spellings. The first is DER proper,
 * 67 octets; RFC 7427 prints the one of 72 with the default trailerField spelled out.
 */
export function pssIdentifiers(hash: Exclude<HashName, "sha1">): Uint8Array[] {
  const hashWith = (parameters: NoParameters): Uint8Array =>
    sequence(OID[hash], parameters === "null" ? NULL : EMPTY);
  const spellings: readonly NoParameters[] = ["null", "absent"];
  const trailers = [EMPTY, tlv(0xa3, integer(1))];
  return spellings.flatMap((own) =>
    spellings.flatMap((ofMgf) =>
      trailers.map((trailer) =>
        sequence(
          OID.pss,
          sequence(
            tlv(0xa0, hashWith(own)),
            tlv(0xa1, sequence(OID.mgf1, hashWith(ofMgf))),
            tlv(0xa2, integer(SALT[hash])),
            trailer,
          ),
        ),
      ),
    ),
  );
}
