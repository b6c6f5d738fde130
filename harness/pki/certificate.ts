/** A certificate of RFC 5280 as path validation looks at it. Reading one never throws. */
import "reflect-metadata";
import { hash, type KeyObject, X509Certificate as OpenSslCertificate } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
} from "@peculiar/x509";
import { elements, inside } from "./der.ts";

/** Octets of a certificate beyond which it is not looked at. */
export const LARGEST_CERTIFICATE = 16 * 1024;

export interface Certificate {
  key: KeyObject;
  /** Comparable by `===`, see {@link comparable}; empty for an empty name. */
  subject: string;
  issuer: string;
  /** The subject for people: one line of printable characters. */
  title: string;
  /** Milliseconds since 1970. */
  notBefore: number;
  notAfter: number;
  /** subjectAltName. */
  names: readonly JsonGeneralName[];
  /** Whether basicConstraints say so; `pathLength` is how many CAs may be between it and the end. */
  isCa: boolean;
  pathLength?: number;
  /** Bits of `KeyUsageFlags`, and object identifiers. Not set: the extension is absent. */
  keyUsage?: number;
  purposes?: readonly string[];
  /** Key identifiers in hex. */
  keyId?: string;
  issuerKeyId?: string;
  /** Critical extensions that nobody here knows, as object identifiers. */
  unknownCritical: readonly string[];
  /** Whether this key made its signature. */
  signedBy(key: KeyObject): boolean;
}

/** basicConstraints, keyUsage, extKeyUsage, subjectAltName; certificatePolicies, as no policy is asked for. */
const KNOWN_CRITICAL = new Set(["2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17", "2.5.29.32"]);

/** Certificates that are kept once they are read, by a digest of their octets; the oldest gives way. */
const MOST_KEPT = 64;
const kept = new Map<string, Certificate>();

/** The certificate; a string says why the octets are none. The same octets give the same object for a while. */
export function readCertificate(der: Uint8Array): Certificate | string {
  if (der.length > LARGEST_CERTIFICATE) return `${der.length} octets are more than ${LARGEST_CERTIFICATE}`;
  const digest = hash("sha256", der, "base64");
  const read = kept.get(digest) ?? readFresh(der);
  if (typeof read === "string") return read;
  kept.delete(digest);
  kept.set(digest, read);
  const [oldest] = kept.keys();
  if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
  return read;
}

function readFresh(der: Uint8Array): Certificate | string {
  if (der[0] !== 0x30 || inside(der)?.length !== 3) return "the octets are no DER of a certificate";
  try {
    return certificateFrom(der);
  } catch (error) {
    return printable(error instanceof Error ? error.message : String(error));
  }
}

function certificateFrom(der: Uint8Array): Certificate | string {
  const octets = Uint8Array.from(der);
  const openSsl = new OpenSslCertificate(octets);
  const parsed = new X509Certificate(octets);
  const [notBefore, notAfter] = [parsed.notBefore.getTime(), parsed.notAfter.getTime()];
  if (Number.isNaN(notBefore) || Number.isNaN(notAfter)) return "the validity is no pair of dates";
  const types = parsed.extensions.map(({ type }) => type);
  if (new Set(types).size < types.length) return "it has an extension twice";
  return {
    key: openSsl.publicKey,
    subject: comparable(parsed.subjectName),
    issuer: comparable(parsed.issuerName),
    title: printable(parsed.subject),
    notBefore,
    notAfter,
    ...extensionsOf(parsed.extensions),
    signedBy: remembered((key) => isSignedBy(openSsl, key)),
  };
}

function isSignedBy(certificate: OpenSslCertificate, key: KeyObject): boolean {
  try {
    return certificate.verify(key);
  } catch {
    return false;
  }
}

function remembered(judge: (key: KeyObject) => boolean): (key: KeyObject) => boolean {
  const verdicts = new WeakMap<KeyObject, boolean>();
  return (key) => {
    const verdict = verdicts.get(key) ?? judge(key);
    verdicts.set(key, verdict);
    return verdict;
  };
}

type Extended = Omit<
  Certificate,
  "key" | "subject" | "issuer" | "title" | "notBefore" | "notAfter" | "signedBy"
>;

function extensionsOf(extensions: Extension[]): Extended {
  const found: Extended = { names: [], isCa: false, unknownCritical: [] };
  for (const extension of extensions) {
    if (extension instanceof BasicConstraintsExtension) {
      found.isCa = extension.ca;
      found.pathLength = extension.pathLength;
    } else if (extension instanceof KeyUsagesExtension) found.keyUsage = extension.usages;
    else if (extension instanceof ExtendedKeyUsageExtension) found.purposes = extension.usages.map(String);
    else if (extension instanceof SubjectAlternativeNameExtension) found.names = extension.names.toJSON();
    else if (extension instanceof SubjectKeyIdentifierExtension) found.keyId = extension.keyId;
    else if (extension instanceof AuthorityKeyIdentifierExtension) found.issuerKeyId = extension.keyId;
  }
  const unknown = extensions.filter(({ critical, type }) => critical && !KNOWN_CRITICAL.has(type));
  return { ...found, unknownCritical: unknown.map(({ type }) => type) };
}

/**
 * A form in which equal names are equal texts, whatever string types they use: RFC 5280 section 7.1 compares without
 * regard to case and to the amount of white space. Empty for an empty name.
 */
export function comparable(name: Name): string {
  const plain = (value: string): string =>
    value.normalize("NFKC").trim().replaceAll(/\s+/g, " ").toLowerCase();
  const parts = name
    .toJSON()
    .map((rdn) =>
      Object.entries(rdn).flatMap(([type, values]) => values.map((value) => [type, plain(String(value))])),
    );
  return parts.length === 0
    ? ""
    : JSON.stringify(parts.map((rdn) => rdn.map((pair) => pair.join("=")).sort()));
}

/** The comparable form of a name in DER; undefined for what is none. */
export function comparableName(der: Uint8Array): string | undefined {
  if (der[0] !== 0x30 || elements(der)?.length !== 1) return undefined;
  try {
    return comparable(new Name(Uint8Array.from(der)));
  } catch {
    return undefined;
  }
}

/** Octets of strangers, for a report or terminal. */
function printable(text: string): string {
  const line = text.replaceAll(/[^\x20-\x7e]/g, "?");
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}
