/** Addresses in one spelling, that of RFC 5952 and without a zone, so that the same one is the same text. */
import type { Link } from "../link/types.ts";
import { formatAddress, parseAddress } from "../wire/address.ts";

/** What is no address stays as it is. */
export function canonical(address: string): string {
  const octets = parseAddress(withoutZone(address));
  return octets ? formatAddress(octets) : address;
}

const withoutZone = (host: string): string => host.replace(/%.*$/, "");

/** True of `0.0.0.0` and `::`, which nobody can dial. */
export const isUnspecified = (address: string): boolean =>
  parseAddress(address)?.every((octet) => octet === 0) ?? false;

/** Link-local hosts whose zones are remembered. */
const MOST_ZONES = 1_024;

/** The zone of a link-local source (`fe80::7%eth0`) is for the socket alone: it is no part of what ends hash, show and keep. */
export function withoutZones(link: Link): Link {
  const zoned = new Map<string, string>();
  return {
    send(datagram) {
      const { host, port } = datagram.destination;
      link.send({ ...datagram, destination: { host: zoned.get(host) ?? host, port } });
    },
    onReceive(handler) {
      link.onReceive((datagram) => {
        const { host, port } = datagram.source;
        const bare = withoutZone(host);
        if (bare === host) return handler(datagram);
        zoned.delete(bare);
        zoned.set(bare, host);
        const oldest = zoned.keys().next().value;
        if (zoned.size > MOST_ZONES && oldest !== undefined) zoned.delete(oldest);
        handler({ ...datagram, source: { host: bare, port } });
      });
    },
    close: () => link.close(),
  };
}
