/** What a user wants to call, and how: options of `dial` and `esp-ping`, checked and completed. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { PeerConfig, PpkSpec } from "../../peers/contract.ts";
import { identity } from "../ike/identity.ts";
import { UsageError, unknownName } from "../run/usage-error.ts";
import { parseAddress, parsePrefix } from "../wire/ip.ts";
import {
  additionalKeywords,
  isSpecError,
  parseProposal,
  proposalKeywords,
} from "../wire/registry/proposal-spec.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";

export const ENCAPSULATIONS = ["auto", "udp", "esp", "tcp"] as const;
/** `auto`: IP protocol 50 unless there is a NAT or no raw socket to be had; then UDP. */
export type Encapsulation = (typeof ENCAPSULATIONS)[number];

/** As the command line has them. */
export interface DialFlags {
  psk?: string;
  pskFile?: string;
  localId?: string;
  remoteId?: string;
  port?: string;
  natPort: string;
  localAddress?: string;
  localPort?: string;
  encap: string;
  ike: string[];
  esp: string[];
  ppk: string[];
  localTs: string[];
  remoteTs: string[];
  mode: string;
}

/** Which packets go where. */
export interface Where {
  peer: string;
  /** The peer's port for IKE; with `udp` and `tcp`, for ESP as well. */
  port: number;
  /** The peer's port for IKE and ESP once a NAT is found. */
  natPort: number;
  /** Ours; not set: what the route says. */
  localAddress?: string;
  /** Our port for IKE, 0 for any; not set: the usual one. */
  localPort?: number;
  encap: Encapsulation;
}

const IKE = 500;
const MARKED = 4500;

/** @throws UsageError */
export function whereOf(peer: string, flags: DialFlags): Where {
  const encap = ENCAPSULATIONS.find((name) => name === flags.encap);
  if (!encap) throw unknownName("encapsulation", flags.encap, ENCAPSULATIONS);
  const { localAddress, localPort } = flags;
  if (!parseAddress(peer)) throw new UsageError(`${peer}: must be an IPv4 or IPv6 address, without a zone`);
  if (localAddress !== undefined && parseAddress(localAddress)?.length !== parseAddress(peer)?.length)
    throw new UsageError(`--local-address ${localAddress}: must be an address as ${peer} is one`);
  return {
    peer,
    encap,
    port: port("--port", flags.port ?? String(encap === "udp" || encap === "tcp" ? MARKED : IKE), 1),
    natPort: port("--nat-port", flags.natPort, 1),
    ...(localAddress !== undefined && { localAddress }),
    ...(localPort !== undefined && { localPort: port("--local-port", localPort, 0) }),
  };
}

function port(option: string, given: string, least: number): number {
  const value = Number(given);
  if (/^\d{1,5}$/.test(given) && value >= least && value <= 0xffff) return value;
  throw new UsageError(`${option} ${given}: must be a port from ${least} to 65535`);
}

/** The secret of the options. @throws UsageError */
export function secretOf({ psk, pskFile }: Pick<DialFlags, "psk" | "pskFile">): string {
  if (psk !== undefined && pskFile !== undefined) throw new UsageError("either --psk or --psk-file");
  const secret = psk ?? (pskFile === undefined ? undefined : readSecret("--psk-file", pskFile));
  if (secret === undefined) throw new UsageError("a shared secret is needed: --psk or --psk-file");
  if (secret === "") throw new UsageError("the shared secret is empty");
  return secret;
}

function readSecret(option: string, file: string): string {
  try {
    return readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new UsageError(`${option} ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** An id and a file with the secret. @throws UsageError */
function ppkOf(given: string): PpkSpec {
  const [, id, file] = /^([^=]+)=(.+)$/.exec(given) ?? [];
  if (id === undefined || file === undefined)
    throw new UsageError(`--ppk ${given}: must be an id, = and a file that holds the secret`);
  const secret = readSecret(`--ppk ${id}`, file);
  if (secret === "") throw new UsageError(`--ppk ${given}: the secret is empty`);
  return { id, secret };
}

const IKE_PROPOSALS = [
  "aes256-sha256-x25519-ecp256-modp2048",
  "aes256gcm16-prfsha256-x25519-ecp256-modp2048",
];
const ESP_PROPOSALS = ["aes256gcm16", "aes128gcm16", "aes256-sha256", "aes128-sha256"];

/**
 * The peer's half of what is to be agreed, as suites tell it to a peer: ours is the mirror image. `local` is our own
 * address.
 * @throws UsageError
 */
export function configOf(where: Where, local: string, flags: DialFlags, psk: string): PeerConfig {
  const { peer } = where;
  const mode = (["tunnel", "transport"] as const).find((name) => name === flags.mode);
  if (!mode) throw unknownName("mode", flags.mode, ["tunnel", "transport"]);
  return {
    local: { host: peer, port: where.port },
    remote: { host: local, port: 0 },
    localId: known("--remote-id", flags.remoteId ?? peer),
    remoteId: known("--local-id", flags.localId ?? local),
    psk,
    ikeProposals: proposals("--ike", flags.ike, IKE_PROPOSALS, PROTOCOL.IKE),
    espProposals: proposals("--esp", flags.esp, ESP_PROPOSALS, PROTOCOL.ESP),
    localTs: prefixes("--remote-ts", flags.remoteTs, peer),
    remoteTs: prefixes("--local-ts", flags.localTs, local),
    mode,
    fragmentation: true,
    ...(flags.ppk.length > 0 && { ppks: flags.ppk.map(ppkOf), ppkRequired: true as const }),
    ...(where.encap === "tcp" && { transport: "tcp" as const }),
  };
}

function known(option: string, id: string): string {
  try {
    identity(id);
    return id;
  } catch (error) {
    throw new UsageError(`${option} ${id}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function proposals(option: string, given: string[], ordinary: string[], protocolId: number): string[] {
  for (const spec of given) {
    const proposal = parseProposal(spec, protocolId);
    if (!isSpecError(proposal)) continue;
    if (proposal.error === "unknown-keyword") throw unknownKeyword(option, proposal.keyword);
    throw new UsageError(`${option} ${spec}: ${proposal.reason}`);
  }
  return given.length > 0 ? given : ordinary;
}

function unknownKeyword(option: string, keyword: string): UsageError {
  const known = /^ke\d*_/i.test(keyword) ? additionalKeywords() : proposalKeywords();
  return unknownName(`keyword of ${option}`, keyword, known);
}

function prefixes(option: string, given: string[], host: string): string[] {
  for (const prefix of given)
    if (!parsePrefix(prefix)) throw new UsageError(`${option} ${prefix}: must be a prefix as 192.0.2.0/24`);
  return given.length > 0 ? given : [`${host}/${isIP(host) === 4 ? 32 : 128}`];
}
