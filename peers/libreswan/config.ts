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

/** Pluto keeps the names of PPKs as text between quotation marks, in a list that commas part. */
const PPK_ID = /^[\x21\x23-\x26\x28-\x2b\x2d-\x7e]+$/;

/** Of the text behind the type. It may send a longer one, but as responder it drops the message. */
const LONGEST_PPK_ID = 64;

/** Pluto mixes PPKs in IKE_AUTH (RFC 8784) and, in a draft's way, in IKE_INTERMEDIATE. */
function refusePpks({ ppks = [], ppkIn = [] }: PeerConfig): void {
  if (ppks.length > 0 && ppkIn.includes("CREATE_CHILD_SA"))
    throw new DriverUnsupported("libreswan has no PPKs in CREATE_CHILD_SA (RFC 9867)");
  const odd = ppks.find(({ id }) => !PPK_ID.test(id));
  if (odd) throw new DriverUnsupported(`libreswan cannot be given the PPK_ID "${odd.id}"`);
  if (ppks.some(({ id }) => id.length > LONGEST_PPK_ID))
    throw new DriverUnsupported(`libreswan finds no PPK_ID of more than ${LONGEST_PPK_ID} octets`);
  if (ppks.some(({ secret }) => secret === "")) throw new DriverUnsupported("libreswan takes no empty PPK");
}

/** With an order of its own in `ppk-ids`, pluto prefers the first. In IKE_INTERMEDIATE it offers both ways. */
function postQuantum(config: PeerConfig): string[] {
  refusePpks(config);
  const { ppks = [] } = config;
  const early = ppks.length > 0 && config.ppkIn?.includes("IKE_INTERMEDIATE");
  // Its default is to announce PPKs even where it has none.
  const ppk = config.ppkRequired ? "insist" : ppks.length > 0 ? "propose" : "no";
  const own = ppks.filter(({ for: owner = config.remoteId }) => owner === config.remoteId);
  return [
    `ppk=${ppk}`,
    ...(own.length > 0 ? [`ppk-ids="${own.map(({ id }) => id).join(",")}"`] : []),
    ...(early || config.intermediate ? ["intermediate=yes"] : []),
  ];
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
    ...postQuantum(config),
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
  // The file is as powerful as a shell: what is told must not become a setting of its own.
  if (lines.some((line) => /\p{Cc}/u.test(line)))
    throw new DriverUnsupported("ipsec.conf has no way to write a control character");
  return `${setup(config.unique === "replace")}\nconn ${CONNECTION}\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

/** `ipsec.secrets`; in hex, so that no character of a key means anything else. */
export function ipsecSecrets(config: PeerConfig): string {
  const hex = (text: string) => `0x${Buffer.from(text, "utf8").toString("hex")}`;
  const owners = (other = config.remoteId) => `${identity(config.localId)} ${identity(other)}`;
  const ppks = (config.ppks ?? []).map(
    ({ id, secret, for: owner }) => `${owners(owner)} : PPKS "${id}" ${hex(secret)}\n`,
  );
  return [`${owners()} : PSK ${hex(config.psk)}\n`, ...ppks].join("");
}
