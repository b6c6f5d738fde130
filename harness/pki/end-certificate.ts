/** What is in the certificate of an end, and how wishes change it. */
import "reflect-metadata";
import { createHash, type KeyObject } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
} from "@peculiar/x509";
import type { Template } from "./issue.ts";
import { alternativeName, nameOf, subjectOf } from "./names.ts";
import type { CertificateWishes } from "./types.ts";

/** RFC 4945 section 5.1.3.12. */
const ID_KP_IPSEC_IKE = "1.3.6.1.5.5.7.3.17";
/** Below the enterprise number that RFC 5612 keeps for documentation. */
const UNKNOWN_EXTENSION = "1.3.6.1.4.1.32473.1";
const NULL = Uint8Array.of(5, 0);
/** Octets that the names of a huge certificate fill. */
const HUGE = 60 * 1024;

type Validity = Pick<Template, "notBefore" | "notAfter">;

const between = (from: string, until: string): Validity => ({
  notBefore: new Date(`${from}T00:00:00Z`),
  notAfter: new Date(`${until}T23:59:59Z`),
});

const VALID = between("2020-01-01", "2049-12-31");
export const EXPIRED = between("2018-01-01", "2019-12-31");
const NOT_YET_VALID = between("2049-01-01", "2049-12-31");

/** NSS refuses two certificates of one issuer with the same number; so it follows from what is in them. */
const serialOf = (content: string): string =>
  `01${createHash("sha256").update(content).digest("hex").slice(0, 14)}`;

/** A CA certificate, the root's or one between; with `isCa` false, one that only looks like it by its name. */
export function caTemplate(commonName: string, key: KeyObject, isCa = true): Template {
  const usages = isCa ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature;
  const extensions = [
    new BasicConstraintsExtension(isCa, undefined, true),
    new KeyUsagesExtension(usages, true),
  ];
  const serial = serialOf(`${commonName}, ${isCa}`);
  return { subject: nameOf(commonName), key, serial, ...VALID, extensions };
}

function validityOf({ validity }: CertificateWishes): Validity {
  if (validity === "expired") return EXPIRED;
  return validity === "not yet valid" ? NOT_YET_VALID : VALID;
}

/** One name after another, until they have the size. */
function manyNames(): JsonGeneralName[] {
  const one = (index: number): string => `name-${index.toString().padStart(5, "0")}.ipsec-bakeoff.example`;
  const octets = one(0).length + 2;
  return Array.from({ length: Math.floor(HUGE / octets) }, (_, index) => ({
    type: "dns",
    value: one(index),
  }));
}

function extensionsOf(identities: string[], wishes: CertificateWishes): Extension[] {
  const names = identities.map(alternativeName).filter((name) => name !== undefined);
  if (wishes.bomb === "huge") names.push(...manyNames());
  const usage =
    wishes.usage === "no signature" ? KeyUsageFlags.keyEncipherment : KeyUsageFlags.digitalSignature;
  const purposes =
    wishes.usage === "code signing"
      ? [ExtendedKeyUsage.codeSigning]
      : [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth, ID_KP_IPSEC_IKE];
  return [
    new KeyUsagesExtension(usage, true),
    new ExtendedKeyUsageExtension(purposes),
    ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
    ...(wishes.extension ? [new Extension(UNKNOWN_EXTENSION, true, NULL)] : []),
  ];
}

/** `description` is unique to the identity, the key and the wishes. */
export function endTemplate(
  identity: string,
  key: KeyObject,
  wishes: CertificateWishes,
  description: string,
): Template {
  const identities = wishes.names ?? [identity];
  return {
    subject: subjectOf(identities),
    key,
    serial: serialOf(description),
    ...validityOf(wishes),
    extensions: extensionsOf(identities, wishes),
  };
}
