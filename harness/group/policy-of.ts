/** The policy of a group out of what a configuration says of it. */
import type { SchemeName } from "../crypto/signatures.ts";
import { identity } from "../ike/identity.ts";
import { parseAddress } from "../wire/ip.ts";
import { ENCR } from "../wire/registry/encr.ts";
import { isSpecError, parseProposal } from "../wire/registry/proposal-spec.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { SN } from "../wire/registry/sn.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import { TS_TYPE } from "../wire/registry/ts-types.ts";
import type { TrafficSelector, Transform } from "../wire/types.ts";
import type { DataPolicy, GroupPolicy, RekeyPolicy } from "./policy.ts";
import type { GroupSpec } from "./spec.ts";

const UDP = 17;
const REKEY_GROUP = { host: "239.1.1.1", port: 848 };

/** How GSA_REKEY is authenticated, for each manner of multicast rekeying. */
const AUTH: Readonly<Record<Exclude<GroupSpec["rekey"], "inband">, "implicit" | SchemeName>> = {
  implicit: "implicit",
  ed25519: "ed25519",
  "rsa-pss": "rsa-pss-sha256",
  "ecdsa-p256": "ecdsa-sha256",
};

function address(host: string): Uint8Array {
  const octets = parseAddress(host);
  if (!octets) throw new Error(`no address: ${host}`);
  return octets;
}

/** The selector of one address; not set: all ports of all protocols. */
export function hostSelector(host: string, udpPort?: number): TrafficSelector {
  const octets = address(host);
  return {
    tsType: octets.length === 4 ? TS_TYPE.TS_IPV4_ADDR_RANGE : TS_TYPE.TS_IPV6_ADDR_RANGE,
    ipProtocol: udpPort === undefined ? 0 : UDP,
    startPort: udpPort ?? 0,
    endPort: udpPort ?? 65535,
    startAddress: octets,
    endAddress: octets,
  };
}

/** The selector of every source of the destination's family. */
function anySource(destination: TrafficSelector): TrafficSelector {
  const octets = destination.startAddress.length;
  const range = { startAddress: new Uint8Array(octets), endAddress: new Uint8Array(octets).fill(0xff) };
  return { ...destination, startPort: 0, endPort: 65535, ...range };
}

function transforms(spec: string, protocolId: number, types: number[]): Transform[] {
  const proposal = parseProposal(spec, protocolId);
  if (isSpecError(proposal)) throw new Error(proposal.reason);
  return proposal.transforms.filter(({ type }) => types.includes(type));
}

const DATA_TYPES = [TRANSFORM.ENCR, TRANSFORM.INTEG, TRANSFORM.SN];
const REKEY_TYPES = [TRANSFORM.ENCR, TRANSFORM.INTEG, TRANSFORM.KWA];

/** A cipher of RFC 8750: where numbers are not unique its IVs are not either (RFC 9838 section 2.7). */
const isImplicitIv = ({ type, id }: Transform): boolean =>
  type === TRANSFORM.ENCR && id >= ENCR.AES_CCM_8_IIV && id <= ENCR.CHACHA20_POLY1305_IIV;

/** Data-Security SAs without a cipher are of AH. */
function dataPolicy(spec: string, host: string, lifetimeSeconds: number): DataPolicy {
  const destination = hostSelector(host);
  const chosen = transforms(spec, PROTOCOL.ESP, DATA_TYPES);
  const unique = chosen.some(({ type, id }) => type === TRANSFORM.SN && id === SN.SEQUENTIAL_32);
  if (!unique && chosen.some(isImplicitIv)) throw new Error(`a cipher of implicit IV in "${spec}"`);
  const protocolId = chosen.some(({ type }) => type === TRANSFORM.ENCR) ? PROTOCOL.ESP : PROTOCOL.AH;
  return { protocolId, source: anySource(destination), destination, transforms: chosen, lifetimeSeconds };
}

function rekeyPolicy(spec: GroupSpec): RekeyPolicy | undefined {
  if (spec.rekey === "inband") return undefined;
  const { host, port } = spec.rekeyGroup ?? REKEY_GROUP;
  const destination = hostSelector(host, port);
  const proposal = spec.rekeyProposal ?? "aes256gcm16-kw256";
  const chosen = transforms(proposal, PROTOCOL.GIKE_UPDATE, REKEY_TYPES);
  if (!chosen.some(({ type }) => type === TRANSFORM.KWA)) throw new Error(`no key wrap in "${proposal}"`);
  if (chosen.some(isImplicitIv)) throw new Error(`a cipher of implicit IV in "${proposal}"`);
  return {
    // The controller's own address, which it fills in.
    source: anySource(destination),
    destination,
    transforms: chosen,
    auth: AUTH[spec.rekey],
    lifetimeSeconds: spec.rekeyLifetime ?? 86_400,
  };
}

/** @throws Error for a keyword, an address or an identity that does not exist */
export function groupPolicy(spec: GroupSpec): GroupPolicy {
  const rekey = rekeyPolicy(spec);
  const { ATD, DTD, keyTree, closesIkeAfter, hidesPolicy } = spec;
  return {
    id: identity(spec.id),
    ...(spec.members && { members: spec.members.map(identity) }),
    ...(spec.senders && { senders: spec.senders.map(identity) }),
    full: spec.full ?? false,
    mode: spec.mode ?? "tunnel",
    data: spec.data.map((words, index) =>
      dataPolicy(words, spec.dataGroups?.[index] ?? `239.2.2.${index + 2}`, spec.dataLifetime ?? 3600),
    ),
    ...(rekey && { rekey }),
    ...(ATD !== undefined && { ATD }),
    ...(DTD !== undefined && { DTD }),
    senderIdBits: spec.senderIdBits ?? 8,
    mostSenderIds: spec.mostSenderIds ?? 16,
    ...(keyTree !== undefined && { keyTree }),
    promisesNextSpi: spec.promisesNextSpi ?? false,
    ...(closesIkeAfter !== undefined && { closesIkeAfter }),
    ...(hidesPolicy && { hidesPolicy }),
  };
}
