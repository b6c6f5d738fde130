import { createHash } from "node:crypto";
import { plain } from "../wire/bytes.ts";

/** This many octets of SHAKE (FIPS 202) over these parts one after another. */
export function shake(name: "shake128" | "shake256", octets: number, ...parts: Uint8Array[]): Uint8Array {
  const hash = createHash(name, { outputLength: octets });
  for (const part of parts) hash.update(part);
  return plain(hash.digest());
}
