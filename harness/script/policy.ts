/** Our policy as the mirror image of what a peer was told. */
import type { AuthSpec, PeerConfig, PpkSpec, ProposalSpec } from "../../peers/contract.ts";
import type { EapMethodName } from "../eap/types.ts";
import { isAdditional } from "../ike/additional-ke.ts";
import { identity } from "../ike/identity.ts";
import {
  type EapLogin,
  type OwnAuth,
  ordinaryPolicy,
  type PeerAuth,
  type Policy,
  type Ppk,
} from "../ike/policy.ts";
import type { Credential, Pki } from "../pki/types.ts";
import { concat } from "../wire/bytes.ts";
import { parsePrefix } from "../wire/ip.ts";
import { HASH } from "../wire/registry/hash-algorithms.ts";
import { parseProposal } from "../wire/registry/proposal-spec.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import { TS_TYPE } from "../wire/registry/ts-types.ts";
import type { Proposal, TrafficSelector } from "../wire/types.ts";
import { keIdsFor, withKeNumbers } from "./ke-numbers.ts";

/** Proposals from keywords, numbered from 1. Throws on a keyword that does not exist. */
export function proposals(protocolId: number, ...specs: ProposalSpec[]): Proposal[] {
  return specs.map((spec, i) => {
    const proposal = parseProposal(spec, protocolId);
    if ("error" in proposal) throw new Error(`proposal ${spec}: ${proposal.error}`);
    return { ...proposal, number: i + 1 };
  });
}

export const ikeProposals = (...specs: ProposalSpec[]): Proposal[] => proposals(PROTOCOL.IKE, ...specs);
export const espProposals = (...specs: ProposalSpec[]): Proposal[] => proposals(PROTOCOL.ESP, ...specs);

/** A selector for all protocols and ports of a prefix such as `203.0.113.0/28`. */
export function selector(prefix: string): TrafficSelector {
  const range = parsePrefix(prefix);
  if (!range) throw new Error(`no prefix: ${prefix}`);
  const tsType = range.start.length === 4 ? TS_TYPE.TS_IPV4_ADDR_RANGE : TS_TYPE.TS_IPV6_ADDR_RANGE;
  return {
    tsType,
    ipProtocol: 0,
    startPort: 0,
    endPort: 65535,
    startAddress: range.start,
    endAddress: range.end,
  };
}

/** IKE_AUTH has no key exchange of its own (RFC 7296 section 1.2). */
export const withoutKe = (proposal: Proposal): Proposal => ({
  ...proposal,
  transforms: proposal.transforms.filter((t) => t.type !== TRANSFORM.KE && !isAdditional(t.type)),
});

/** The keys and certificates that a policy needs; nothing where both ends have a shared secret. */
export interface Material {
  own?: Credential;
  /** Certificates of trusted CAs, in DER. */
  trust: Uint8Array[];
}

type Side = "tester" | "peer";

const PSK: AuthSpec = { method: "psk" };

/** How this side proves its identity, and how it wants the other's proved. */
const specsOf = (config: PeerConfig, side: Side): { own: AuthSpec; other: AuthSpec } => {
  const [peer, tester] = [config.auth ?? PSK, config.testerAuth ?? PSK];
  return side === "peer" ? { own: peer, other: tester } : { own: tester, other: peer };
};

/** Whether the method has certificates of its own. */
const isOverTls = (type: EapMethodName | undefined): boolean => type === "tls" || type === "ttls";

/** Material for a side; `pki` is asked only where a certificate is needed. */
export async function materialFor(
  config: PeerConfig,
  side: Side,
  pki: () => Promise<Pki>,
): Promise<Material> {
  const { own, other } = specsOf(config, side);
  const id = side === "peer" ? config.localId : config.remoteId;
  const type = own.method === "eap" ? own.type : other.method === "eap" ? other.type : undefined;
  // The client of TTLS shows no certificate.
  const certified = type === "tls" || (type === "ttls" && own.method === "eap-only");
  const key = own.method === "signature" ? own.key : certified ? "rsa2048" : undefined;
  return {
    ...(key && { own: await (await pki()).credential(id, key) }),
    trust: isOverTls(type) || other.method === "signature" ? [(await pki()).ca] : [],
  };
}

function ownAuth(config: PeerConfig, spec: AuthSpec, material: Material): OwnAuth {
  const { own } = material;
  if (spec.method === "eap") return namingServer(config, eapLogin(config, spec, material));
  if (spec.method !== "signature") return spec;
  if (!own) throw new Error("a signature needs a credential");
  return { method: "signature", credential: own, ...(spec.scheme && { scheme: spec.scheme }) };
}

function peerAuth(config: PeerConfig, spec: AuthSpec, material: Material): PeerAuth {
  if (spec.method === "eap") return eapLogin(config, spec, material);
  return spec.method === "signature" ? { method: "signature", trust: material.trust } : spec;
}

/** Name and password of the end that logs in by EAP; its name is that of IDi unless the configuration says otherwise. */
export function eapUserOf(config: PeerConfig): { identity: string; password: string } {
  const { auth, localId, remoteId, eapIdentity, eapPassword = "eap-password" } = config;
  const client = auth?.method === "eap" ? localId : remoteId;
  return { identity: eapIdentity ?? client, password: eapPassword };
}

function eapLogin(
  config: PeerConfig,
  { type, inner }: Extract<AuthSpec, { method: "eap" }>,
  { own, trust: [trusted] }: Material,
): EapLogin {
  const login: EapLogin = { method: "eap", user: { type, ...eapUserOf(config), ...(inner && { inner }) } };
  if (!isOverTls(type) || !trusted) return login;
  return { ...login, tls: { trusted, ...(own && { credential: own }) } };
}

/** Where EAP alone proves the server, its certificate must have the name of IDr (RFC 5998 section 4). */
function namingServer(config: PeerConfig, login: EapLogin): EapLogin {
  const eapOnly = [config.auth, config.testerAuth].some((spec) => spec?.method === "eap-only");
  const peerName = config.auth?.method === "eap" ? config.remoteId : config.localId;
  return eapOnly && login.tls ? { ...login, tls: { ...login.tls, peerName } } : login;
}

const oldMethods = (spec: AuthSpec): boolean => spec.method === "signature" && spec.oldMethods === true;

/** What can verify this end's signatures: EdDSA takes the message as it is, and nothing else does (RFC 8420 section 3). */
function hashesFor(spec: AuthSpec): number[] {
  const { signatureHashes } = ordinaryPolicy;
  if (spec.method !== "signature") return [...signatureHashes];
  const identity = spec.key.startsWith("ed");
  return signatureHashes.filter((id) => (id === HASH.IDENTITY) === identity);
}

/** One end has the pools and the other asks; the peer gets the addresses that its own networks have anyway. */
function configuration(config: PeerConfig, side: Side): Pick<Policy, "addressPools" | "requestAddresses"> {
  const asks = config.requestAddresses ?? [];
  const pools = (config.addressPools ?? []).map(selector);
  if (side === "peer") return { addressPools: pools, requestAddresses: asks };
  const families = pools.map(({ tsType }) => (tsType === TS_TYPE.TS_IPV4_ADDR_RANGE ? "ipv4" : "ipv6"));
  return {
    addressPools: asks.length > 0 ? config.localTs.map(selector) : [],
    requestAddresses: [...new Set(families)],
  };
}

/** Who does group key management negotiates a key wrap algorithm with each IKE SA (RFC 9838 section 4.5.4). */
const withKeyWrap = (spec: ProposalSpec, { groups }: PeerConfig): ProposalSpec =>
  groups ? `${spec}-${groups[0]?.keyWrap ?? "kw256"}` : spec;

/** Who has the credentials of a group's members beside the tester's ordinary identity. */
const furtherMembers = ({ groups = [], furtherRemoteIds = [] }: PeerConfig) =>
  [...new Set([...furtherRemoteIds, ...groups.flatMap(({ members = [] }) => members)])].map(identity);

const PPK_ID_FIXED = 2;

/** As the peer has it; we have all of them, whomever the peer shares them with. */
const fixedPpk = (side: Side, { id, secret, for: owner }: PpkSpec): Ppk => ({
  id: concat(Uint8Array.of(PPK_ID_FIXED), new TextEncoder().encode(id)),
  secret: new TextEncoder().encode(secret),
  ...(side === "peer" && owner !== undefined && { for: identity(owner) }),
});

/** The policy of the other end of `config`; `side` tells whose shoes we stand in. */
export function policyFor(config: PeerConfig, side: Side, material: Material = { trust: [] }): Policy {
  const peerSide = side === "peer";
  const { own, other } = specsOf(config, side);
  const numbered = withKeNumbers(config.codePoints);
  return {
    ...ordinaryPolicy,
    localId: identity(peerSide ? config.localId : config.remoteId),
    remoteId: identity(peerSide ? config.remoteId : config.localId),
    furtherRemoteIds: peerSide ? furtherMembers(config) : [],
    psk: new TextEncoder().encode(config.psk),
    ownAuth: ownAuth(config, own, material),
    peerAuth: peerAuth(config, other, material),
    signatureHashes: oldMethods(own) || oldMethods(other) ? [] : hashesFor(other),
    childless: (peerSide && config.childless) || ordinaryPolicy.childless,
    date: Date.now(),
    ike: ikeProposals(...config.ikeProposals.map((spec) => withKeyWrap(spec, config))).map(numbered),
    esp: espProposals(...config.espProposals).map(withoutKe),
    rekeyEsp: espProposals(...config.espProposals).map(numbered),
    keIds: keIdsFor(config.codePoints),
    localTs: (peerSide ? config.localTs : config.remoteTs).map(selector),
    remoteTs: (peerSide ? config.remoteTs : config.localTs).map(selector),
    mode: config.mode,
    ...configuration(config, side),
    initialContact: peerSide && config.unique === "replace",
    // A test wants to hear of every refusal.
    retry: peerSide ? { tries: 5, waitMs: 5000 } : ordinaryPolicy.retry,
    unique: peerSide && config.unique === "replace" ? "replace" : "keep",
    cookies: (peerSide && config.cookies) || ordinaryPolicy.cookies,
    ppks: (config.ppks ?? []).map((ppk) => fixedPpk(side, ppk)),
    ppkRequired: peerSide && config.ppkRequired === true,
    ppkIn: [...(config.ppkIn ?? ordinaryPolicy.ppkIn)],
    intermediate: config.intermediate === true,
  };
}
