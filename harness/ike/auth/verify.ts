/** The peer's proof of identity: ID, AUTH and certificates (RFC 7296 sections 2.15 and 2.16, RFC 7427, RFC 7619). */
import type { KeyObject } from "node:crypto";
import { oldMethods, schemeOfIdentifier } from "../../crypto/signatures.ts";
import { type Fault, validatePath } from "../../pki/path.ts";
import { equal } from "../../wire/bytes.ts";
import { AUTH_METHOD, authMethods } from "../../wire/registry/auth-methods.ts";
import { CERT_ENCODING } from "../../wire/registry/cert-encodings.ts";
import type { AuthPayload, CertPayload, IdPayload, Payload } from "../../wire/types.ts";
import type { Core } from "../core.ts";
import type { PeerAuth } from "../policy.ts";
import type { IkeSa } from "../sa.ts";
import { speaksRfc7427 } from "./announce.ts";
import { authOctets, otherEnd, ownSecret, sharedKeyAuth } from "./octets.ts";
import { type EapKey, eapSecret } from "./prove.ts";

/** What of the peer's proof has come so far; for EAP it comes in several messages. */
export interface Proof {
  id: IdPayload;
  auth: AuthPayload;
  /** The payloads beside ID, with the certificates. */
  payloads: Payload[];
  /** Those of the message with AUTH, which after EAP is another one. */
  message: Payload[];
  /** Set once EAP has ended: what it left as key, if anything. */
  eap?: EapKey;
}

/** Why the identity is none we have credentials for; undefined if it is right. */
export function wrongIdentity(core: Core, id: IdPayload | undefined): string | undefined {
  if (!id) return "the ID payload is missing";
  const { remoteId, furtherRemoteIds = [] } = core.policy;
  const known = [remoteId, ...furtherRemoteIds].some(
    ({ type, data }) => id.idType === type && equal(id.data, data),
  );
  if (known || core.decide("wrong identity", "refuse") === "accept") return undefined;
  return "no credentials for this identity";
}

/** Why the proof is not accepted; undefined if it is. */
export function refusedProof(core: Core, sa: IkeSa, proof: Proof): string | undefined {
  const failure =
    wrongIdentity(core, proof.id) ??
    core.first((e) => e.verifying?.(core, sa, proof)) ??
    fault(core, sa, proof);
  return failure && core.decide("wrong AUTH", "refuse") === "refuse" ? failure : undefined;
}

function fault(core: Core, sa: IkeSa, proof: Proof): string | undefined {
  const { peerAuth, psk } = core.policy;
  const end = otherEnd(sa.role);
  const octets = authOctets(sa, end, proof.id, core);
  const { method, data } = proof.auth;
  const byKey = (wanted: number, secret: Uint8Array) => {
    if (method !== wanted)
      return `AUTH by method ${authMethods.nameOf(method)}, not by ${authMethods.nameOf(wanted)}`;
    return equal(data, sharedKeyAuth(sa, secret, octets)) ? undefined : "AUTH does not verify";
  };
  const keyless = peerAuth.method === "eap-only" && proof.eap && !proof.eap.MSK;
  if (keyless && core.decide("EAP-only without MSK", "refuse") === "refuse")
    return "EAP alone, but by a method that makes no key";
  if (proof.eap) return byKey(AUTH_METHOD.SHARED_KEY_MIC, eapSecret(sa, end, proof.eap));
  if (method === AUTH_METHOD.NULL && core.decide("NULL authentication", "as configured") === "accept")
    return byKey(AUTH_METHOD.NULL, ownSecret(sa, end));
  if (peerAuth.method === "psk") return byKey(AUTH_METHOD.SHARED_KEY_MIC, psk);
  if (peerAuth.method === "null") return byKey(AUTH_METHOD.NULL, ownSecret(sa, end));
  if (peerAuth.method === "signature") return signatureFault(core, sa, proof, peerAuth, octets);
  return "AUTH before EAP has ended";
}

function signatureFault(
  core: Core,
  sa: IkeSa,
  { id, auth, payloads }: Proof,
  { trust }: Extract<PeerAuth, { method: "signature" }>,
  octets: Uint8Array,
): string | undefined {
  const certs = payloads.filter((p): p is CertPayload => p.kind === "CERT");
  const [first] = certs;
  if (!first) return "no certificate";
  if (first.encoding !== CERT_ENCODING.X509_SIGNATURE)
    return `a certificate of encoding ${first.encoding}, which was not asked for`;
  // Behind it can be what we have no use for, a CRL for one (section 3.6).
  const chain = certs.filter(({ encoding }) => encoding === first.encoding).map(({ data }) => data);
  const path = validatePath(
    chain,
    trust,
    { type: id.idType, data: id.data },
    core.policy.date,
    overlooked(core),
  );
  if ("refused" in path) return path.refused;
  return valueFault(core, sa, auth, path.key, octets);
}

function overlooked(core: Core): Fault[] {
  const manner = core.decide("certificate fault", "refuse");
  return manner === "refuse" ? [] : [manner];
}

function valueFault(
  core: Core,
  sa: IkeSa,
  { method, data }: AuthPayload,
  key: KeyObject,
  octets: Uint8Array,
): string | undefined {
  const both = speaksRfc7427(core, sa);
  if (method !== AUTH_METHOD.DIGITAL_SIGNATURE) {
    const old = oldMethods.find((candidate) => candidate.method === method);
    if (!old) return `AUTH by method ${authMethods.nameOf(method)}, not by a signature`;
    if (both && core.decide("old method beside RFC 7427", "refuse") === "refuse")
      return "an old method although both ends announced RFC 7427";
    return old.verify(key, octets, data) ? undefined : "AUTH does not verify";
  }
  if (!both && core.decide("RFC 7427 without announcement", "refuse") === "refuse")
    return "a signature of RFC 7427, which was not announced";
  const length = data[0] ?? 0;
  const scheme = length < data.length ? schemeOfIdentifier(data.subarray(1, 1 + length)) : undefined;
  if (!scheme) return "the AlgorithmIdentifier is not known";
  const listed = core.policy.signatureHashes.includes(scheme.hash);
  if (!listed && core.decide("hash of the peer's signature", "announced by us") !== "any")
    return "a hash that we did not announce";
  const right = scheme.fits(key) && scheme.verify(key, octets, data.subarray(1 + length));
  return right ? undefined : "AUTH does not verify";
}
