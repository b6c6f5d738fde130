/** What has to be done beside the daemon, in its network, for a test. */
import { LabError } from "../runtime/errors.ts";
import type { DaemonHost } from "../runtime/host.ts";
import { halfOpenInit } from "./config.ts";

/** Arguments: the prefixes. What the configuration before made is marked as made by hand (`proto boot`), and goes. */
const OWN_ADDRESSES = `
ip addr flush dev lo scope global
ip route flush table local proto boot
ip -6 route flush table local proto boot
set -e
for prefix in "$@"; do
  address=\${prefix%/*}
  case $address in *:*) length=128 ;; *) length=32 ;; esac
  ip -o addr show | grep -qF " $address/" || ip addr add "$address/$length" dev lo
  case $prefix in */32 | */128) ;; */*) ip route replace local "$prefix" dev lo ;; esac
done`;

async function succeed(host: DaemonHost, argv: string[]): Promise<void> {
  const result = await host.run(argv);
  if (result.exit !== 0) throw new LabError("control", `${argv[0]}: ${result.stderr.trim()}`);
}

/**
 * Makes every address of these prefixes the peer's own, and no other, so that it answers for them; the first is
 * also set on `lo`, as the daemon makes routes only for addresses it finds on a device.
 */
export function ownAddresses(host: DaemonHost, prefixes: string[]): Promise<void> {
  return succeed(host, ["sh", "-c", OWN_ADDRESSES, "sh", ...prefixes]);
}

/** Drops, or no longer drops, what the peer sends to this address. */
export function dropPacketsTo(host: DaemonHost, address: string, verb: "add" | "delete"): Promise<void> {
  return succeed(host, ["ip", "route", verb, "blackhole", address, "table", "local"]);
}

/** Sends `halfOpenInit` to the daemon from its own host. */
export async function sendHalfOpenInit(host: DaemonHost): Promise<void> {
  const octets = [...halfOpenInit()].map((octet) => `\\x${octet.toString(16).padStart(2, "0")}`).join("");
  await succeed(host, ["bash", "-c", `printf '${octets}' > /dev/udp/127.0.0.1/500`]);
}
