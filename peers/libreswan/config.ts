/** A `PeerConfig` as pluto's own files: `ipsec.conf` and `ipsec.secrets`. */
import type { Address } from "../../harness/link/types.ts";
import { DriverUnsupported, type PeerConfig } from "../contract.ts";
import { authLines, identity } from "./auth.ts";
import { espSettings, ikeSetting } from "./proposals.ts";

/** Name of the one connection. */
export const CONNECTION = "bakeoff";

/** Settings of the daemon itself. Alone in `ipsec.conf`, they are what pluto starts with. */
export const SETUP = setup(false);

/** With `unique`, one end that says INITIAL_CONTACT replaces its older IKE SAs. */
export function setup(unique: boolean): string {
  return `config setup
  ikev1-policy=drop
  uniqueids=${unique ? "yes" : "no"}
  nhelpers=0
`;
}

/** What an end offers that has yet to get its address. */
const ANY = { ipv4: "0.0.0.0/0", ipv6: "::/0" } as const;

/** Leases addresses to the other end, or asks it for one. */
function modeConfig({ addressPools: pools = [], requestAddresses: asks = [] }: PeerConfig): string[] {
  const server = ["leftmodecfgserver=yes", "rightmodecfgclient=yes", `rightaddresspool=${pools.join(",")}`];
  const client = ["leftmodecfgclient=yes", "rightmodecfgserver=yes"];
  return [...(pools.length > 0 ? server : []), ...(asks.length > 0 ? client : [])];
}

function side(name: "left" | "right", address: Address, id: string, selectors: string[]): string[] {
  const lines = [`${name}=${address.host}`, `${name}id=${identity(id)}`];
  if (address.port !== 500 && address.port !== 4500) lines.push(`${name}ikeport=${address.port}`);
  // A selector of the host itself is what pluto takes without being told.
  const own = [address.host, `${address.host}/32`, `${address.host}/128`];
  if (!selectors.every((selector) => own.includes(selector))) {
    lines.push(`${name}subnet=${selectors.join(",")}`);
  }
  return lines;
}

/**
 * `ipsec.conf` with one connection that is loaded, and initiated, only on command.
 * @throws DriverUnsupported for transforms and ways to authenticate that libreswan does not have
 */
export function ipsecConf(config: PeerConfig): string {
  if (config.espCounter !== undefined)
    throw new DriverUnsupported("libreswan cannot be told where its ESP counters begin");
  const { esp, pfs, esn } = espSettings(config.espProposals);
  const { addressPools: pools = [], requestAddresses: asks = [] } = config;
  const lines = [
    ...side(
      "left",
      config.local,
      config.localId,
      asks.length > 0 ? asks.map((family) => ANY[family]) : config.localTs,
    ),
    ...side("right", config.remote, config.remoteId, pools.length > 0 ? [] : config.remoteTs),
    ...modeConfig(config),
    ...authLines(config),
    "keyexchange=ikev2",
    "auto=ignore",
    `type=${config.mode}`,
    `ike=${ikeSetting(config.ikeProposals)}`,
    `esp=${esp}`,
    `pfs=${pfs}`,
    `esn=${esn}`,
    "narrowing=yes",
    "ppk=no",
    "mobike=no",
    // Time is the suite's to command: nothing rekeys, probes or gives up early by itself.
    "ikelifetime=8h",
    "salifetime=8h",
    "dpddelay=0",
    "retransmit-interval=500",
    "retransmit-timeout=10s",
    // The lane's routes stand; the packaged script would only slow every Child SA down.
    "leftupdown=/bin/true",
  ];
  if (config.fragmentation !== undefined) lines.push(`fragmentation=${config.fragmentation ? "yes" : "no"}`);
  if (config.replayWindow !== undefined) lines.push(`replay-window=${config.replayWindow}`);
  if (config.unique === "replace") lines.push("initial-contact=yes");
  return `${setup(config.unique === "replace")}\nconn ${CONNECTION}\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

/** `ipsec.secrets`; in hex, so that no character of the key means anything else. */
export function ipsecSecrets(config: PeerConfig): string {
  const key = Buffer.from(config.psk, "utf8").toString("hex");
  return `${identity(config.localId)} ${identity(config.remoteId)} : PSK 0x${key}\n`;
}
