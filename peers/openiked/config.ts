/** A `PeerConfig` as OpenIKED's own file `iked.conf`. */
import { isIPv6 } from "node:net";
import { type AuthSpec, DriverUnsupported, type PeerConfig } from "../contract.ts";
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

const quoted = (text: string): string => {
  if (/["\\\n]/.test(text)) throw new DriverUnsupported(`iked.conf has no way to write ${text}`);
  return `"${text}"`;
};

/** An identity as iked takes it: a name, `user@host` or an address. */
function identity(id: string): string {
  if (/^(keyid|dn|null):/.test(id))
    throw new DriverUnsupported(`OpenIKED cannot be given the identity ${id} here`);
  if (Buffer.byteLength(id) > ID_LIMIT)
    throw new DriverUnsupported(`OpenIKED has no own identity of more than ${ID_LIMIT} octets`);
  return quoted(id);
}

/** iked binds ports 500 and 4500 and sends to no others of its own. */
function host({ host, port }: PeerConfig["local"]): string {
  if (port !== 500) throw new DriverUnsupported(`OpenIKED cannot be told port ${port}`);
  return quoted(host);
}

function requirePsk(...specs: (AuthSpec | undefined)[]): void {
  const other = specs.find((spec) => spec !== undefined && spec.method !== "psk");
  if (other) throw new DriverUnsupported(`authentication by ${other.method} is not configured for OpenIKED`);
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

function refuse(config: PeerConfig): void {
  if (config.cookies) throw new DriverUnsupported("OpenIKED never asks for a cookie");
  if (config.childless === "force") throw new DriverUnsupported("OpenIKED has no childless IKE SAs");
  requirePsk(config.auth, config.testerAuth);
  const outer = isIPv6(config.local.host);
  if ([...config.localTs, ...config.remoteTs].some((prefix) => prefix.includes(":") !== outer)) {
    throw new DriverUnsupported("an SA of PF_KEY on Linux carries only the IP version of its own addresses");
  }
  if (config.addressPools || config.requestAddresses) {
    throw new DriverUnsupported("inner addresses are not configured for OpenIKED");
  }
}

/** In hex, so that no character of the key means anything else. */
const hexKey = (psk: string): string => `psk "0x${Buffer.from(psk, "utf8").toString("hex")}"`;

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
  const proposals = ikeSas(config.ikeProposals);
  const flows = config.localTs.flatMap((from) =>
    config.remoteTs.map((to) => `from ${quoted(from)} to ${quoted(to)}`),
  );
  const words = [
    ...["ikev2", quoted(POLICY), "active", config.mode, "esp", flows.join(", ")],
    ...["local", host(config.local), "peer", host(config.remote)],
    ...[...proposals, ...childSas(config.espProposals)],
    ...["srcid", identity(config.localId), "dstid", identity(config.remoteId)],
    // Time is the suite's to command: nothing rekeys by itself.
    ...[`ikelifetime ${IKE_LIFETIME}`, "lifetime 8h", hexKey(config.psk)],
  ];
  return `${settings(config)}\n${catchAll(proposals, strangersKey)}\n${words.join(" ")}\n`;
}
