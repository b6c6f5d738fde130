/** Names in certificates, from identities as configurations spell them (see `harness/ike/identity.ts`). */
import "reflect-metadata";
import { type JsonGeneralName, Name } from "@peculiar/x509";
import { parseAddress } from "../wire/ip.ts";

const ORGANIZATION = "ipsec-bakeoff";
/** Upper bound of a common name (RFC 5280 appendix A.1). */
const COMMON_NAME = 64;

export const nameOf = (commonName: string): Name =>
  new Name([{ CN: [commonName.slice(0, COMMON_NAME)] }, { O: [ORGANIZATION] }]);

/** The subject of a certificate for these identities: the first `dn:`, or one with the first identity as CN. */
export function subjectOf(identities: string[]): Name {
  const dn = identities.find((identity) => identity.startsWith("dn:"));
  return dn ? new Name(dn.slice("dn:".length)) : nameOf(identities[0] ?? "nobody");
}

/** As subjectAltName writes it; undefined for what is no name there: `dn:`, `keyid:` and `null:`. */
export function alternativeName(identity: string): JsonGeneralName | undefined {
  if (/^(keyid|dn|null):/.test(identity)) return undefined;
  if (identity.includes("@")) return { type: "email", value: identity };
  return { type: parseAddress(identity) ? "ip" : "dns", value: identity };
}
