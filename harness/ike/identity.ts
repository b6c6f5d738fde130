/** Identities as configurations write them, and as ID payloads carry them (RFC 7296 section 3.5). */
import "reflect-metadata";
import { Name } from "@peculiar/x509";
import { equal, hex } from "../wire/bytes.ts";
import { parseAddress } from "../wire/ip.ts";
import { ID_TYPE } from "../wire/registry/id-types.ts";
import type { Identity } from "./policy.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** @throws Error for `keyid:` without hex digits and for a name that is no distinguished one */
export function identity(spec: string): Identity {
  const [, prefix, rest = ""] = /^(keyid|dn|null):(.*)$/s.exec(spec) ?? [];
  if (prefix === "null") return { type: ID_TYPE.ID_NULL, data: new Uint8Array(0) };
  if (prefix === "dn")
    return { type: ID_TYPE.ID_DER_ASN1_DN, data: new Uint8Array(new Name(rest).toArrayBuffer()) };
  if (prefix === "keyid") {
    if (!/^([0-9a-f]{2})+$/i.test(rest)) throw new Error(`no octets in hex: ${spec}`);
    return { type: ID_TYPE.ID_KEY_ID, data: new Uint8Array(Buffer.from(rest, "hex")) };
  }
  if (spec.includes("@")) return { type: ID_TYPE.ID_RFC822_ADDR, data: text(spec) };
  const address = parseAddress(spec);
  if (!address) return { type: ID_TYPE.ID_FQDN, data: text(spec) };
  return { type: address.length === 4 ? ID_TYPE.ID_IPV4_ADDR : ID_TYPE.ID_IPV6_ADDR, data: address };
}

/** Text that two identities share if, and only if, they are the same. */
export const identityKey = ({ type, data }: Identity): string => `${type}:${hex(data)}`;

export const sameIdentity = (a: Identity, b: Identity): boolean => a.type === b.type && equal(a.data, b.data);
