/** A `PeerConfig` as OpenIKED's own file `iked.conf`. */
import { isIPv6 } from "node:net";
import { DriverUnsupported, type PeerConfig } from "../contract.ts";
import { authWords, hexKey, quoted } from "./auth.ts";
import { childSas, ikeSas } from "./proposals.ts";

/** Name of the one policy. */
export const POLICY = "bakeoff";

/** Life of an IKE SA in seconds: longer than any test, shorter than the 120 s for which iked keeps its responses. */
export const IKE_LIFETIME = 100;

/** Octets of an identity: iked keeps its length in one octet, and would cut a longer one. */
const ID_LIMIT = 255;

/** Settings of the daemon itself, with which it can start. It is passive until told otherwise. */
export const SETUP = `set passive
set nomobike
set dpd_check_interval 0
`;

/** An identity as iked takes it: a name, `user@host` or an address. */
function identity(id: string): string {
  if (/^(keyid|dn|null):/.test(id))
    throw new DriverUnsupported(`OpenIKED cannot be given the identity ${id}`);
  if (Buffer.byteLength(id) > ID_LIMIT)
    throw new DriverUnsupported(`OpenIKED has no own identity of more than ${ID_LIMIT} octets`);
  return quoted(id);
}

/** iked binds ports 500 and 4500 and sends to no others of its own. */
function host({ host, port }: PeerConfig["local"]): string {
  if (port !== 500) throw new DriverUnsupported(`OpenIKED cannot be told port ${port}`);
  return quoted(host);
}

/** The settings of the daemon that a configuration changes. */
function settings(config: PeerConfig): string {
  const lines = [
    // Its default is not to announce it: tests of RFC 7383 would have nothing to try.
    config.fragmentation === false ? "nofragmentation" : "fragmentation",
    ...(config.unique === "replace" ? ["enforcesingleikesa"] : []),
  ];
  return SETUP + lines.map((line) => `set ${line}\n`).join("");
}

/** PF_KEY on Linux has one word for the window that iked asks for, whatever its size. */
const REPLAY_WINDOW = 32;

function refuse(config: PeerConfig): void {
  if (config.espCounter !== undefined)
    throw new DriverUnsupported("OpenIKED cannot be told where its ESP counters begin");
  if (config.replayWindow !== undefined && config.replayWindow !== REPLAY_WINDOW)
    throw new DriverUnsupported(
      `OpenIKED has a replay window of ${REPLAY_WINDOW} numbers on Linux, and no other`,
    );
  if (config.cookies) throw new DriverUnsupported("OpenIKED never asks for a cookie");
  if (config.ppks || config.ppkRequired) throw new DriverUnsupported("OpenIKED has no PPKs");
  if (config.childless === "force") throw new DriverUnsupported("OpenIKED has no childless IKE SAs");
  const outer = isIPv6(config.local.host);
  if ([...config.localTs, ...config.remoteTs].some((prefix) => prefix.includes(":") !== outer)) {
    throw new DriverUnsupported("an SA of PF_KEY on Linux carries only the IP version of its own addresses");
  }
}

const ANY = { ipv4: "0.0.0.0/0", ipv6: "::/0" } as const;

/** What an end offers that has yet to get its address, and the words that lease one or ask for one. */
function innerAddresses(config: PeerConfig): { flows: string; words: string[] } {
  const { localTs, remoteTs, addressPools: pools = [], requestAddresses: asks = [] } = config;
  // With "dynamic" iked would offer the address 0.0.0.0 alone, which only its own like takes for any.
  const own = asks.length > 0 ? asks.map((family) => quoted(ANY[family])) : localTs.map(quoted);
  const other = pools.length > 0 ? ["dynamic"] : remoteTs.map(quoted);
  return {
    flows: own.flatMap((from) => other.map((to) => `from ${from} to ${to}`)).join(", "),
    words: [
      ...pools.map((pool) => `config address ${quoted(pool)}`),
      ...asks.map((family) => `request address ${quoted(ANY[family].split("/")[0]!)}`),
    ],
  };
}

/**
 * A policy that matches everybody and lets nobody in, as its key is known to nobody. Without it, iked does not
 * answer a request at all that the policy itself cannot serve.
 */
function catchAll(proposals: string[], key: string): string {
  const words = ["ikev2", '"others"', "default passive esp from any to any local any peer any"];
  return [...words, ...proposals, hexKey(key)].join(" ");
}

/**
 * `iked.conf` with one policy that is initiated only on command.
 * @param strangersKey a secret that nobody else knows
 * @throws DriverUnsupported for what OpenIKED does not have, or cannot install on Linux
 */
export function ikedConf(config: PeerConfig, strangersKey: string): string {
  refuse(config);
  const auth = authWords(config);
  const proposals = ikeSas(config.ikeProposals);
  const inner = innerAddresses(config);
  const words = [
    ...["ikev2", quoted(POLICY), "active", config.mode, "esp", inner.flows],
    ...["local", host(config.local), "peer", host(config.remote)],
    ...[...proposals, ...childSas(config.espProposals)],
    ...["srcid", identity(config.localId), "dstid", identity(config.remoteId)],
    // Time is the suite's to command: nothing rekeys by itself.
    ...[`ikelifetime ${IKE_LIFETIME}`, "lifetime 8h", ...auth.words, ...inner.words],
  ];
  const lines = [...auth.lines, catchAll(proposals, strangersKey), words.join(" ")];
  return `${settings(config)}\n${lines.map((line) => `${line}\n`).join("")}`;
}
