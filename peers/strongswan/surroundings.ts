/** What has to be done beside the daemon, in its network, for a test. */
import { isIPv6 } from "node:net";
import { LabError } from "../runtime/errors.ts";
import type { DaemonHost } from "../runtime/host.ts";
import { halfOpenInit } from "./config.ts";

async function ip(host: DaemonHost, batch: string[]): Promise<void> {
  const result = await host.run(["ip", "-batch", "-"], { stdin: batch.join("\n") });
  if (result.exit !== 0) throw new LabError("control", `ip: ${result.stderr.trim()}`);
}

/**
 * Makes every address of these prefixes the peer's own, so that it answers for them; the first is also set on
 * `lo`, as the daemon makes routes only for addresses it finds on a device.
 */
export async function ownAddresses(host: DaemonHost, prefixes: string[]): Promise<void> {
  const batch = prefixes.flatMap((prefix) => {
    const [first = "", length] = prefix.split("/");
    const own = `addr replace ${first}/${isIPv6(first) ? 128 : 32} dev lo`;
    return length ? [own, `route replace local ${prefix} dev lo`] : [own];
  });
  await ip(host, batch);
}

/** Drops, or no longer drops, what the peer sends to this address. */
export function dropPacketsTo(host: DaemonHost, address: string, verb: "add" | "delete"): Promise<void> {
  return ip(host, [`route ${verb} blackhole ${address} table local`]);
}

/** Sends `halfOpenInit` to the daemon from its own host. */
export async function sendHalfOpenInit(host: DaemonHost): Promise<void> {
  const octets = [...halfOpenInit()].map((octet) => `\\x${octet.toString(16).padStart(2, "0")}`).join("");
  const result = await host.run(["bash", "-c", `printf '${octets}' > /dev/udp/127.0.0.1/500`]);
  if (result.exit !== 0)
    throw new LabError("control", `IKE_SA_INIT to the own host: ${result.stderr.trim()}`);
}
