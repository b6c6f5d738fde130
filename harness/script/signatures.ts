/** Proofs of identity by signature: the peer's taken apart, ours made otherwise than ordinary. */
import type { KeyObject } from "node:crypto";
import type { PeerConfig, PeerRole } from "../../peers/contract.ts";
import { type SchemeName, type SignatureScheme, schemeOfIdentifier } from "../crypto/signatures.ts";
import type { Random } from "../crypto/types.ts";
import { announcedHashes } from "../ike/auth/announce.ts";
import { authOctets } from "../ike/auth/octets.ts";
import type { OutgoingMessage } from "../ike/hooks.ts";
import { hasNotify, notify, payload } from "../ike/payloads.ts";
import { pki } from "../pki/pki.ts";
import type { CertificateWishes, Credential, KeyKind } from "../pki/types.ts";
import { concat, hex } from "../wire/bytes.ts";
import { AUTH_METHOD, authMethods } from "../wire/registry/auth-methods.ts";
import { CERT_ENCODING } from "../wire/registry/cert-encodings.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { AuthPayload, CertPayload, IdPayload, Payload } from "../wire/types.ts";
import { inMessage, listPayloads } from "./expectations.ts";
import { expectRefusedByInitiator, expectRefusedByResponder, type Spoil } from "./refusals.ts";
import type { Script } from "./script.ts";
import { Session } from "./session.ts";
import type { Exchange } from "./trace.ts";
import { Failure } from "./verdicts.ts";

/** Both ends prove themselves by a signature of this kind. */
export const bothSign = (
  key: KeyKind,
  more: { scheme?: SchemeName; oldMethods?: true } = {},
): Pick<PeerConfig, "auth" | "testerAuth"> => ({
  auth: { method: "signature", key, ...more },
  testerAuth: { method: "signature", key, ...more },
});

/** Which message of IKE_AUTH is ours. */
export const oursTo = (peer: PeerRole) => (peer === "responder" ? "request" : "response");

const beganBy = (peer: PeerRole) => (peer === "responder" ? "us" : "peer");

/** The AUTH payload of the peer in the last IKE_AUTH exchange. */
export function peersAuth(s: Script, peer: PeerRole): AuthPayload {
  const exchange = s.exchange(EXCHANGE.IKE_AUTH, beganBy(peer));
  const message = peer === "responder" ? exchange.response : exchange.request;
  const auth = payload(message?.payloads ?? [], "AUTH");
  if (!auth) throw new Failure("an AUTH payload", listPayloads(message), inMessage(message));
  return auth;
}

/** The identity of the peer in the last IKE_AUTH exchange. */
export function peersId(s: Script, peer: PeerRole): IdPayload | undefined {
  const { request, response } = s.exchange(EXCHANGE.IKE_AUTH, beganBy(peer));
  return peer === "responder"
    ? payload(response?.payloads ?? [], "ID", PAYLOAD.IDr)
    : payload(request.payloads, "ID", PAYLOAD.IDi);
}

/** AUTH data of RFC 7427 section 3, taken apart. */
export interface SignatureData {
  /** DER of the AlgorithmIdentifier. */
  identifier: Uint8Array;
  value: Uint8Array;
  /** Not set for an identifier that names nothing known. */
  scheme?: SignatureScheme;
}

/** Fails unless AUTH is of method 14. */
export function signatureData({ method, data }: AuthPayload): SignatureData {
  const name = authMethods.nameOf(method);
  if (method !== AUTH_METHOD.DIGITAL_SIGNATURE) throw new Failure("AUTH of method 14", name);
  const end = 1 + (data[0] ?? 0);
  const identifier = data.subarray(1, end);
  const scheme = schemeOfIdentifier(identifier);
  return { identifier, value: data.subarray(end), ...(scheme && { scheme }) };
}

export const signatureAuthData = (identifier: Uint8Array, value: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(identifier.length), identifier, value);

/** What our AUTH is made of. */
export interface OwnSignature extends SignatureData {
  key: KeyObject;
  octets: Uint8Array;
  random: Random;
}

/** Replaces the data of our AUTH payload, and its method where `method` is given. */
export const signOtherwise =
  (peer: PeerRole, make: (own: OwnSignature) => Uint8Array, method?: number): Spoil =>
  (s) =>
    s.change(
      EXCHANGE.IKE_AUTH,
      ({ sa, payloads }) => {
        const id = payload(payloads, "ID", peer === "responder" ? PAYLOAD.IDi : PAYLOAD.IDr);
        const auth = payload(payloads, "AUTH");
        const { ownAuth } = s.policy;
        if (!sa || !id || !auth || ownAuth.method !== "signature") return;
        const { key } = ownAuth.credential;
        const octets = authOctets(sa, sa.role, id);
        const own = auth.method === AUTH_METHOD.DIGITAL_SIGNATURE && signatureData(auth);
        const parts = own || { identifier: new Uint8Array(), value: auth.data };
        auth.data = make({ ...parts, key, octets, random: s.arena.random });
        auth.method = method ?? auth.method;
      },
      oursTo(peer),
    );

/** Changes the CERT payloads of our IKE_AUTH message. */
export const changeCertificates =
  (peer: PeerRole, change: (certs: CertPayload<"CERT">[]) => CertPayload<"CERT">[]): Spoil =>
  (s) =>
    s.change(
      EXCHANGE.IKE_AUTH,
      (message) => {
        const certs = message.payloads.filter((p): p is CertPayload<"CERT"> => p.kind === "CERT");
        const at = message.payloads.findIndex((p) => p.kind === "CERT");
        const others: Payload[] = message.payloads.filter((p) => p.kind !== "CERT");
        if (at >= 0) message.payloads = others.toSpliced(at, 0, ...change(certs));
      },
      oursTo(peer),
    );

/** A CERT payload; by itself of X.509. */
export const certificate = (
  data: Uint8Array,
  encoding: number = CERT_ENCODING.X509_SIGNATURE,
): CertPayload<"CERT"> => ({
  kind: "CERT",
  type: PAYLOAD.CERT,
  ...{ encoding, data },
});

/** Fails unless the peer refuses what is spoilt and serves us without. */
export async function expectOnlyGoodServed(
  s: Script,
  peer: PeerRole,
  spoil: Spoil,
  what?: string,
): Promise<void> {
  if (peer === "initiator") return expectRefusedByInitiator(s, spoil);
  let undo = () => {};
  const remembered: Spoil = (script) => {
    undo = spoil(script);
    return undo;
  };
  await expectRefusedByResponder(s, remembered, what);
  undo();
  await s.dial();
}

/** Another IKE SA with its Child SA, as {@link Script.establish} makes the first; false if the peer keeps none. */
export async function triesAnew(s: Script, peer: PeerRole): Promise<boolean> {
  await s.arena.driver.reset();
  if (peer === "responder") return (await s.tryDial()).failure === undefined;
  const before = s.trace.childSas().length;
  await s.provoke(() => s.trace.childSas().length > before);
  const fresh = s.trace.childSas()[before];
  // Until it has verified our AUTH a peer may answer on an IKE SA that it gives up then.
  await s.wait();
  return fresh !== undefined && (await new Session(s, fresh.ike).alive());
}

/** A credential of our identity with these wishes, for the kind of key that the configuration gives us, or for another. */
export async function ownCredential(
  s: Script,
  wishes: CertificateWishes = {},
  kind?: KeyKind,
): Promise<Credential> {
  const { testerAuth, remoteId } = s.arena.config;
  if (testerAuth?.method !== "signature") throw new Error("the tester signs nothing");
  return (await pki()).credential(remoteId, kind ?? testerAuth.key, wishes);
}

/** A good certificate of somebody else, with another key than ours. */
export async function foreignCertificate(s: Script): Promise<Uint8Array> {
  const { testerAuth } = s.arena.config;
  if (testerAuth?.method !== "signature") throw new Error("the tester signs nothing");
  const [certificate] = (await (await pki()).credential("other-peer.example", testerAuth.key)).chain;
  return certificate ?? new Uint8Array();
}

/** Certificate of the CA that both ends trust, in DER. */
export const trustedCa = async (): Promise<Uint8Array> => (await pki()).ca;

/** Makes us prove ourselves with this credential. */
export const withCredential =
  (credential: Credential): Spoil =>
  ({ policy }) => {
    const { ownAuth } = policy;
    if (ownAuth.method === "signature") policy.ownAuth = { ...ownAuth, credential };
    return () => {
      policy.ownAuth = ownAuth;
    };
  };

/** The payloads of the peer's last message in IKE_SA_INIT that is not about a cookie. */
export function peersInit(s: Script, peer: PeerRole): Payload[] {
  const isCookie = ({ response }: Exchange) => hasNotify(response?.payloads ?? [], NOTIFY.COOKIE);
  const last = s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, beganBy(peer)).findLast((e) => !isCookie(e));
  return (peer === "responder" ? last?.response : last?.request)?.payloads ?? [];
}

/** Ids in the peer's SIGNATURE_HASH_ALGORITHMS. */
export const hashesOf = (s: Script, peer: PeerRole): number[] => announcedHashes(peersInit(s, peer));

/** Sends notifies SIGNATURE_HASH_ALGORITHMS with these octets in place of ours, until the returned function is called. */
export function listHashes(s: Script, peer: PeerRole, ...data: Uint8Array[]): () => void {
  const change = (message: OutgoingMessage): void => {
    const at = message.payloads.findIndex(
      (p) => p.kind === "Notify" && p.notifyType === NOTIFY.SIGNATURE_HASH_ALGORITHMS,
    );
    const lists = data.map((octets) => notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, octets));
    if (at >= 0) message.payloads.splice(at, 1, ...lists);
  };
  return s.change(EXCHANGE.IKE_SA_INIT, change, oursTo(peer));
}

/** Lets the peer authenticate: its AUTH payload, whatever we make of it; undefined if it sends none. */
export async function peersProof(s: Script, peer: PeerRole): Promise<AuthPayload | undefined> {
  const messages = () =>
    s.trace
      .exchangesOf(EXCHANGE.IKE_AUTH, beganBy(peer))
      .map(({ request, response }) => (peer === "responder" ? response : request));
  if (peer === "responder") await s.tryDial();
  else await s.provoke(() => messages().length > 0);
  return payload(messages().at(-1)?.payloads ?? [], "AUTH");
}

/** Fails if this is a signature of method 14 with a hash that is none of these. */
export function expectOnlyHashes(auth: AuthPayload | undefined, hashes: number[]): void {
  if (auth?.method !== AUTH_METHOD.DIGITAL_SIGNATURE) return;
  const { scheme, identifier } = signatureData(auth);
  if (scheme && hashes.includes(scheme.hash)) return;
  throw new Failure(`a hash out of ${hashes.join(", ") || "none"}`, scheme?.name ?? hex(identifier));
}
