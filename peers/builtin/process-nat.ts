import type { Address, Link } from "../../harness/link/types.ts";

/** The address the peer believes to have, as in the private network behind a NAT. */
export const INSIDE = "198.51.100.2";

/**
 * A NAT in front of the peer: to itself it is {@link INSIDE} with ports 500 and 4500, to all others `outside`. Both ends
 * find it, so that ESP travels in UDP, for which an ordinary user needs no raw socket.
 */
export function behindNat(link: Link, outside: readonly [Address, Address]): Link {
  const pairs = [
    { inside: { host: INSIDE, port: 500 }, outside: outside[0] },
    { inside: { host: INSIDE, port: 4500 }, outside: outside[1] },
  ];
  return {
    send(datagram) {
      const pair = pairs.find(({ inside }) => inside.port === datagram.source.port);
      const { transport } = datagram.source;
      if (pair) link.send({ ...datagram, source: { ...pair.outside, ...(transport && { transport }) } });
    },
    onReceive(handler) {
      link.onReceive((datagram) => {
        const pair = pairs.find(({ outside: { port } }) => port === datagram.destination.port);
        const { transport } = datagram.destination;
        if (pair) handler({ ...datagram, destination: { ...pair.inside, ...(transport && { transport }) } });
      });
    },
    close: () => link.close(),
  };
}
