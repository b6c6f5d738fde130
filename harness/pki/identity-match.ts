/** Whether a certificate is for the identity of an ID payload (RFC 4945 section 3.1). */
import { equal } from "../wire/bytes.ts";
import { parseAddress } from "../wire/ip.ts";
import { ID_TYPE } from "../wire/registry/id-types.ts";
import { type Certificate, comparableName } from "./certificate.ts";

/** The content of an ID payload. */
export interface Identity {
  type: number;
  data: Uint8Array;
}

/**
 * FQDN, RFC822_ADDR and addresses must stand in subjectAltName; a common name that looks like one does not count. A
 * DER_ASN1_DN is the subject. A KEY_ID names nothing in a certificate: it is right for every one, and it is left to the
 * caller to have compared it with what is configured. Other types are right for none.
 */
export function certifies(certificate: Certificate, { type, data }: Identity): boolean {
  const text = Buffer.from(data).toString("latin1");
  switch (type) {
    case ID_TYPE.ID_FQDN:
      return has(certificate, "dns", (name) => name.toLowerCase() === text.toLowerCase());
    case ID_TYPE.ID_RFC822_ADDR:
      return has(certificate, "email", (name) => sameMailbox(name, text));
    case ID_TYPE.ID_IPV4_ADDR:
    case ID_TYPE.ID_IPV6_ADDR:
      return has(certificate, "ip", (name) => sameAddress(parseAddress(name), data));
    case ID_TYPE.ID_DER_ASN1_DN:
      return certificate.subject !== "" && comparableName(data) === certificate.subject;
    default:
      return type === ID_TYPE.ID_KEY_ID;
  }
}

const has = (
  { names }: Certificate,
  type: "dns" | "email" | "ip",
  matches: (name: string) => boolean,
): boolean => names.some((name) => name.type === type && name.value !== "" && matches(name.value));

const sameAddress = (address: Uint8Array | undefined, data: Uint8Array): boolean =>
  address !== undefined && equal(address, data);

/** RFC 5280 section 7.5: case counts in front of the at sign only. */
function sameMailbox(a: string, b: string): boolean {
  const split = (mailbox: string): [string, string] => {
    const at = mailbox.lastIndexOf("@");
    return [mailbox.slice(0, at), mailbox.slice(at).toLowerCase()];
  };
  const [[localA, hostA], [localB, hostB]] = [split(a), split(b)];
  return localA === localB && hostA === hostB;
}
