/** What peers are told unless a test wants otherwise. */
import type { PeerConfig } from "../../peers/contract.ts";
import type { Address } from "../link/types.ts";
import type { ArenaWishes, IpVersion } from "../script/test.ts";

/** The networks behind the two ends and a host in each, whose traffic ESP carries. */
const INNER = {
  4: {
    hosts: { tester: "203.0.113.1", peer: "203.0.113.17" },
    tester: "203.0.113.0/28",
    peer: "203.0.113.16/28",
  },
  6: {
    hosts: { tester: "2001:db8:1::1", peer: "2001:db8:1::10" },
    ...{ tester: "2001:db8:1::/124", peer: "2001:db8:1::10/124" },
  },
} as const;

export const TESTER_ID = "tester.example";
export const PEER_ID = "peer.example";

/** `local` is the peer's own address. */
export function ordinaryConfig(local: Address, remote: Address, inner: IpVersion = 4): PeerConfig {
  return {
    ...{ local, remote, localId: PEER_ID, remoteId: TESTER_ID, psk: "bake-off-shared-secret" },
    ikeProposals: ["aes256-sha256-x25519-ecp256-modp2048", "aes256gcm16-prfsha256-x25519-ecp256"],
    // The last is for a peer whose kernel takes no AEAD cipher from it.
    espProposals: ["aes256gcm16", "aes128-sha256", "chacha20poly1305", "aes128-sha512"],
    ...{ localTs: [INNER[inner].peer], remoteTs: [INNER[inner].tester], mode: "tunnel" },
  };
}

/**
 * What the peer is told for a test. In transport mode the selectors are the IKE addresses themselves, which no test
 * can know beforehand.
 */
export function configFor(local: Address, remote: Address, wishes: ArenaWishes): PeerConfig {
  const { speaks, inner } = wishes;
  const drafts = speaks && { drafts: { [speaks.document]: speaks.revision } };
  const config = { ...ordinaryConfig(local, remote, inner), ...drafts, ...wishes.config };
  if (config.mode !== "transport") return config;
  return { ...config, localTs: [hostPrefix(local)], remoteTs: [hostPrefix(remote)], ...wishes.config };
}

const hostPrefix = ({ host }: Address): string => `${host}/${host.includes(":") ? 128 : 32}`;

/** The hosts whose traffic ESP carries. */
export const innerHosts = (
  { mode, local, remote, localTs, remoteTs }: PeerConfig,
  { inner = 4 }: ArenaWishes,
): { tester: string; peer: string } =>
  mode === "transport"
    ? { tester: remote.host, peer: local.host }
    : {
        tester: onlyHost(remoteTs) ?? INNER[inner].hosts.tester,
        peer: onlyHost(localTs) ?? INNER[inner].hosts.peer,
      };

/** The one host that selectors are about; undefined for more. */
const onlyHost = ([prefix, ...more]: readonly string[]): string | undefined =>
  more.length === 0 ? /^(.*)\/(?:32|128)$/.exec(prefix ?? "")?.[1] : undefined;
