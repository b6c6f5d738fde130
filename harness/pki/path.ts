/**
 * Certification paths, RFC 5280 section 6 with the profile of RFC 4945 section 5. Without I/O, and bounded: no more
 * than {@link MOST_CERTIFICATES} certificates of a chain are looked at, each becomes an issuer once. Not done: policies,
 * revocation, and name constraints, which are refused where they are critical, as RFC 5280 wants it then.
 */
import "reflect-metadata";
import { createHash, type KeyObject } from "node:crypto";
import { KeyUsageFlags } from "@peculiar/x509";
import { type Certificate, readCertificate } from "./certificate.ts";
import { elements, inside } from "./der.ts";
import { certifies, type Identity } from "./identity-match.ts";

export const MOST_CERTIFICATES = 10;

/** What can be wrong with a path. `malformed` is the only one that nobody can overlook. */
export type Fault =
  | "malformed"
  | "not yet valid"
  | "expired"
  | "critical extension"
  | "usage"
  | "unknown issuer"
  | "bad signature"
  | "not a CA"
  | "path length"
  | "name";

export interface Refusal {
  /** For people; begins with `because`. */
  refused: string;
  because: Fault;
}

/** The key of the end certificate, or the first thing that is wrong. */
export type PathResult = { key: KeyObject } | Refusal;

const ID_KP_IPSEC_IKE = "1.3.6.1.5.5.7.3.17";
const ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";

const refusal = (because: Fault, detail: string): Refusal => ({
  refused: `${because}: ${detail}`,
  because,
});

/**
 * Whether the first certificate of `chain` belongs to `identity` and stands below one of `trust`, whose keys and dates
 * alone count. The others may come in any order, with others among them. Never throws.
 *
 * @param trust certificates of CAs in DER; what is none is passed over
 * @param date milliseconds since 1970
 * @param overlook faults that do not matter, for endpoints that lie
 */
export function validatePath(
  chain: Uint8Array[],
  trust: Uint8Array[],
  identity: Identity,
  date: number,
  overlook: readonly Fault[] = [],
): PathResult {
  const [first, ...others] = chain.slice(0, MOST_CERTIFICATES);
  const end = readCertificate(first ?? new Uint8Array(0));
  if (typeof end === "string") return refusal("malformed", end);
  for (const fault of faultsOf(end, readable(others), readable(trust), identity, date)) {
    if (!overlook.includes(fault.because)) return fault;
  }
  return { key: end.key };
}

const readable = (certificates: Uint8Array[]): Certificate[] =>
  certificates.map(readCertificate).filter((certificate) => typeof certificate !== "string");

/** Everything that is wrong, the nearest to the end first. */
function* faultsOf(
  end: Certificate,
  others: Certificate[],
  anchors: Certificate[],
  identity: Identity,
  date: number,
): Generator<Refusal> {
  yield* dateFaults(end, date);
  yield* criticalFaults(end);
  yield* usageFaults(end);
  yield* issuerFaults(end, others, anchors, date);
  if (!certifies(end, identity)) yield refusal("name", `${end.title} does not certify the identity`);
}

function* dateFaults({ title, notBefore, notAfter }: Certificate, date: number): Generator<Refusal> {
  if (date < notBefore)
    yield refusal("not yet valid", `${title} begins at ${new Date(notBefore).toISOString()}`);
  if (date > notAfter) yield refusal("expired", `${title} ended at ${new Date(notAfter).toISOString()}`);
}

function* criticalFaults({ title, unknownCritical }: Certificate): Generator<Refusal> {
  const [unknown] = unknownCritical;
  if (unknown) yield refusal("critical extension", `${title} has ${unknown}, which is not known`);
}

/** RFC 4945 sections 5.1.3.2 and 5.1.3.12. */
function* usageFaults({ title, keyUsage, purposes }: Certificate): Generator<Refusal> {
  const signing = KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation;
  if (keyUsage !== undefined && (keyUsage & signing) === 0)
    yield refusal("usage", `the key usage of ${title} is not for signatures`);
  if (purposes && !purposes.includes(ID_KP_IPSEC_IKE) && !purposes.includes(ANY_EXTENDED_KEY_USAGE))
    yield refusal("usage", `the extended key usage of ${title} is not for IKE`);
}

/** Climbs from the end to an anchor. */
function* issuerFaults(
  end: Certificate,
  others: Certificate[],
  anchors: Certificate[],
  date: number,
): Generator<Refusal> {
  const unused = new Set(others);
  let below = end;
  for (let between = 0; ; ) {
    const issuer = issuerOf(below, anchors, [...unused]);
    if (!issuer) return yield refusal("unknown issuer", `nobody known has issued ${below.title}`);
    if (!below.signedBy(issuer.key))
      yield refusal("bad signature", `${issuer.title} has not signed ${below.title}`);
    yield* dateFaults(issuer, date);
    if (anchors.includes(issuer)) return;
    yield* criticalFaults(issuer);
    yield* caFaults(issuer, between);
    unused.delete(issuer);
    if (issuer.subject !== issuer.issuer) between++;
    below = issuer;
  }
}

/** RFC 5280 section 6.1.4 (k) to (n). */
function* caFaults({ title, isCa, keyUsage, pathLength }: Certificate, between: number): Generator<Refusal> {
  if (!isCa) yield refusal("not a CA", `${title} says so, or does not say that it is one`);
  if (keyUsage !== undefined && (keyUsage & KeyUsageFlags.keyCertSign) === 0)
    yield refusal("not a CA", `the key usage of ${title} is not for certificates`);
  if (pathLength !== undefined && between > pathLength)
    yield refusal("path length", `${title} allows ${pathLength} CAs below it, not ${between}`);
}

/** The issuer by name and key identifier: one whose key made the signature, before any other; an anchor first. */
function issuerOf(
  below: Certificate,
  anchors: Certificate[],
  others: Certificate[],
): Certificate | undefined {
  const candidates = [...anchors, ...others].filter((issuer) => couldIssue(issuer, below));
  return candidates.find(({ key }) => below.signedBy(key)) ?? candidates[0];
}

function couldIssue(issuer: Certificate, below: Certificate): boolean {
  if (issuer.subject === "" || issuer.subject !== below.issuer) return false;
  return !issuer.keyId || !below.issuerKeyId || issuer.keyId === below.issuerKeyId;
}

/**
 * SHA-1 of the SubjectPublicKeyInfo of a CA, as CERTREQ lists it (RFC 7296 section 3.7). 20 octets.
 * @throws Error for octets that are no certificate
 */
export function issuerHash(ca: Uint8Array): Uint8Array {
  const fields = elements(inside(ca)?.[0]?.content ?? new Uint8Array(0)) ?? [];
  const withoutVersion = fields[0]?.tag === 0xa0 ? fields.slice(1) : fields;
  const publicKey = withoutVersion[5];
  if (!publicKey) throw new Error("a certificate of a CA that cannot be read");
  return new Uint8Array(createHash("sha1").update(publicKey.der).digest());
}
