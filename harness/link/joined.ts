import type { Link } from "./types.ts";

/** One link out of several, each of which sends only what it is for. */
export function joined(...links: Link[]): Link {
  return {
    send: (datagram) => {
      for (const link of links) link.send(datagram);
    },
    onReceive: (handler) => {
      for (const link of links) link.onReceive(handler);
    },
    join: (group) => {
      for (const link of links) link.join?.(group);
    },
    close: async () => {
      await Promise.all(links.map((link) => link.close()));
    },
  };
}
