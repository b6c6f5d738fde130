/** A link that can be waited on until something arrives. */
import type { Datagram, Link } from "./types.ts";

export interface HeardLink extends Link {
  /** Resolves true with the next datagram, false when none has come in time. */
  heard(limitMs: number): Promise<boolean>;
}

/** `counts`: which datagrams are waited for. */
export function heardLink(link: Link, counts: (datagram: Datagram) => boolean): HeardLink {
  const waiting = new Set<() => void>();
  return {
    send: (datagram) => link.send(datagram),
    ...(link.join && { join: (group: string) => link.join?.(group) }),
    close: () => link.close(),
    onReceive(handler) {
      link.onReceive((datagram) => {
        handler(datagram);
        if (counts(datagram)) for (const wake of [...waiting]) wake();
      });
    },
    heard: (limitMs) =>
      new Promise((resolve) => {
        const done = (came: boolean) => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve(came);
        };
        const wake = () => done(true);
        const timer = setTimeout(() => done(false), limitMs);
        waiting.add(wake);
      }),
  };
}
