/** What the drivers of daemons in guests do to, and read from, the guest's own network. */
import { BlockList, isIPv6 } from "node:net";
import type { Driver, PeerConfig } from "../contract.ts";
import type { Machine } from "./machine.ts";

/** Packets the kernel has counted, by SPI of 8 hex digits. */
export function parseXfrmPackets(text: string): Map<string, number> {
  const packets = new Map<string, number>();
  for (const block of text.split(/^(?=src )/m)) {
    const spi = /proto esp spi 0x([0-9a-f]+)/.exec(block)?.[1];
    const count = /lifetime current:\s+\d+\(bytes\), (\d+)\(packets\)/.exec(block)?.[1];
    if (spi && count) packets.set(spi.padStart(8, "0"), Number(count));
  }
  return packets;
}

/** The prefixes behind the peer: its own in the lane, as it answers for every address in them. Not one it is itself a host of. */
export function ownPrefixes(config: PeerConfig): string[] {
  return config.localTs.filter((selector) => !contains(selector, config.local.host));
}

function contains(selector: string, host: string): boolean {
  const [net = "", length] = selector.split("/");
  if (isIPv6(net) !== isIPv6(host)) return false;
  const family = isIPv6(net) ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(net, Number(length ?? (family === "ipv6" ? 128 : 32)), family);
  return list.check(host, family);
}

const PACE = ["-n", "-q", "-i", "0.01", "-W", "1"];

/** Sends echo requests from an address that the guest is given first; does not wait for answers. */
export async function sendPings(
  guest: Machine,
  options: Parameters<Driver["sendTraffic"]>[0],
): Promise<void> {
  const { from, to, count, size = 56 } = options;
  const script = `ip -o address | grep -qF " ${from}/" || ip address add ${from} dev lo`;
  await guest.must(["/bin/sh", "-c", script], { timeoutMs: 5_000 });
  guest.start(["ping", ...PACE, "-c", `${count}`, "-s", `${size}`, "-I", from, to]);
}
