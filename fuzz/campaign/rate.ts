/** Never more messages a second to a peer than allowed. */
import type { Clock, Datagram, Link } from "../../harness/link/types.ts";

/** A second's worth may go at once after a rest of this many milliseconds. */
const BURST_MS = 100;
/** What waits for its turn; whoever has so much to say is not heard. */
const MOST_WAITING = 10_000;

/** The link, whose datagrams wait for their turn: `rate` of them a second. */
export function limited(link: Link, clock: Clock, rate: number): Link {
  const most = Math.max(1, (rate * BURST_MS) / 1_000);
  const waiting: Datagram[] = [];
  let tokens = most;
  let filled = clock.now();
  let due = false;
  const fill = () => {
    const now = clock.now();
    tokens = Math.min(most, tokens + ((now - filled) * rate) / 1_000);
    filled = now;
  };
  const release = () => {
    due = false;
    fill();
    while (tokens >= 1) {
      const next = waiting.shift();
      if (!next) return;
      tokens -= 1;
      link.send(next);
    }
    plan();
  };
  const plan = () => {
    if (due || waiting.length === 0) return;
    due = true;
    clock.at(clock.now() + Math.max(1, ((1 - tokens) * 1_000) / rate), release);
  };
  return {
    send(datagram) {
      fill();
      if (waiting.length === 0 && tokens >= 1) {
        tokens -= 1;
        return link.send(datagram);
      }
      if (waiting.length < MOST_WAITING) waiting.push(datagram);
      plan();
    },
    onReceive: (handler) => link.onReceive(handler),
    ...(link.join && { join: (group: string) => link.join?.(group) }),
    close: () => link.close(),
  };
}
