/** Gives the hosts of every capture addresses of its own, so that tshark keeps the captures of one file apart. */
import { concat, hex } from "../wire/bytes.ts";

/** The networks that are for documentation (RFC 5737), and octets of hosts in them. */
const NETWORKS = [
  [192, 0, 2],
  [198, 51, 100],
  [203, 0, 113],
];
const HOSTS = 254;
/** 2001:db8::/32 (RFC 3849). */
const IPV6_NETWORK = Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0);

export class AddressPool {
  #ipv4 = 0;
  #ipv6 = 0;

  /** Addresses of IPv4 that are left. */
  get left(): number {
    return NETWORKS.length * HOSTS - this.#ipv4;
  }

  /** A free address in place of this one, of the same family. */
  next(instead: Uint8Array): Uint8Array {
    if (instead.length === 4) {
      const at = this.#ipv4++;
      return Uint8Array.of(...NETWORKS[Math.floor(at / HOSTS)]!, (at % HOSTS) + 1);
    }
    const at = ++this.#ipv6;
    return concat(IPV6_NETWORK, Uint8Array.of(0, at >>> 16, (at >>> 8) & 0xff, at & 0xff));
  }
}

/** Where the two addresses stand in a packet of raw IP; undefined for what is none. */
function placesOf(packet: Uint8Array): { at: number; size: 4 | 16 }[] | undefined {
  const version = (packet[0] ?? 0) >>> 4;
  if (version === 4 && packet.length >= 20) return [12, 16].map((at) => ({ at, size: 4 }));
  if (version === 6 && packet.length >= 40) return [8, 24].map((at) => ({ at, size: 16 }));
  return undefined;
}

/** The addresses of a packet of raw IP, as octets. */
export const addressesIn = (packet: Uint8Array): Uint8Array[] =>
  (placesOf(packet) ?? []).map(({ at, size }) => packet.subarray(at, at + size));

/** The packet with other addresses; its checksums stay as they were, for tshark does not look at them. */
export function withAddresses(packet: Uint8Array, of: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const copy = Uint8Array.from(packet);
  for (const { at, size } of placesOf(packet) ?? []) {
    const other = of.get(hex(packet.subarray(at, at + size)));
    if (other) copy.set(other, at);
  }
  return copy;
}
