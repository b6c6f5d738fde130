/** Our policy as the mirror image of what a peer was told. */
import type { PeerConfig, ProposalSpec } from "../../peers/contract.ts";
import { ordinaryTimers, type Policy } from "../ike/policy.ts";
import { parsePrefix } from "../wire/ip.ts";
import { ID_TYPE } from "../wire/registry/id-types.ts";
import { parseProposal } from "../wire/registry/proposal-spec.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import { TS_TYPE } from "../wire/registry/ts-types.ts";
import type { Proposal, TrafficSelector } from "../wire/types.ts";

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
  transforms: proposal.transforms.filter((t) => t.type !== TRANSFORM.KE),
});

const fqdn = (name: string) => ({ type: ID_TYPE.ID_FQDN, data: new TextEncoder().encode(name) });

/** The policy of the other end of `config`; `side` tells whose shoes we stand in. */
export function policyFor(config: PeerConfig, side: "tester" | "peer"): Policy {
  const peerSide = side === "peer";
  return {
    ...ordinaryTimers,
    localId: fqdn(peerSide ? config.localId : config.remoteId),
    remoteId: fqdn(peerSide ? config.remoteId : config.localId),
    psk: new TextEncoder().encode(config.psk),
    ike: ikeProposals(...config.ikeProposals),
    esp: espProposals(...config.espProposals).map(withoutKe),
    rekeyEsp: espProposals(...config.espProposals),
    localTs: (peerSide ? config.localTs : config.remoteTs).map(selector),
    remoteTs: (peerSide ? config.remoteTs : config.localTs).map(selector),
    mode: config.mode,
    cookies: peerSide ? (config.cookies ?? "never") : "never",
  };
}
