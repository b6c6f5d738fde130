/** Requests of both ends that are on their way at the same time: RFC 7296 sections 2.8.1, 2.8.2, 2.25. */
import type { IncomingMessage, OutgoingMessage } from "../ike/hooks.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { lose } from "./raw.ts";
import type { Script } from "./script.ts";
import type { Session } from "./session.ts";
import { Failure } from "./verdicts.ts";

/** Holds our next request of this exchange type back; the returned function sends it, and from then on it is repeated. */
export function hold(s: Script, exchangeType: number): () => void {
  let held: { message: OutgoingMessage; octets: Uint8Array[] } | undefined;
  let released = false;
  s.extensions.push({
    name: "hold",
    outgoing: (message) => {
      if (held || released || message.isResponse || message.header.exchangeType !== exchangeType) return;
      const octets: Uint8Array[] = [];
      held = { message, octets };
      message.octets = (datagram) => {
        octets.push(datagram);
        return [];
      };
    },
  });
  return () => {
    const { sa, header } = held?.message ?? {};
    if (released || !held || !sa) return;
    released = true;
    for (const octets of held.octets) s.sendOctets(octets, sa.local, sa.remote);
    if (sa.pending?.messageId === header?.messageId && sa.pending) sa.pending.datagrams = held.octets;
  };
}

/** True for a request that changes SAs. */
export const changesSas = ({ isResponse, header, payloads }: IncomingMessage): boolean =>
  !isResponse &&
  (header.exchangeType === EXCHANGE.CREATE_CHILD_SA ||
    (header.exchangeType === EXCHANGE.INFORMATIONAL && payloads.some((p) => p.kind === "Delete")));

/**
 * Has the peer ask, and leaves that unanswered while `ours` goes on: what we ask reaches a peer that waits. Its request
 * is answered when it repeats that.
 */
export async function whileItWaits<T>(
  s: Script,
  theirs: () => Promise<void>,
  ours: () => Promise<T>,
): Promise<T> {
  let asked = false;
  const release = lose(s, (message) => {
    asked ||= changesSas(message);
    return changesSas(message);
  });
  await theirs();
  if (!(await s.until(() => asked))) throw new Failure("the peer to do what it is told", s.lastReason());
  try {
    return await ours();
  } finally {
    release();
  }
}

const LOWEST = new Uint8Array(32);
const HIGHEST = new Uint8Array(32).fill(255);

/** A command of our endpoint, which calls back with what came of it. */
export type Command<T> = (done: (result: T) => void) => void;

export interface Crossing<T> {
  exchangeType: number;
  ours: Command<T>;
  /** A verb of the peer's driver. */
  theirs: () => Promise<void>;
  /** Whose new SA the nonces make redundant, if both ends make one; not set: that is left to chance. */
  redundant?: "ours" | "theirs";
}

/**
 * Has both ends ask at once: each gets the other's request while its own is unanswered. Gives what came of ours;
 * undefined if that is nothing.
 */
export async function cross<T>(session: Session, crossing: Crossing<T>): Promise<T | undefined> {
  const { script: s } = session;
  const { exchangeType, ours, theirs, redundant } = crossing;
  const release = hold(s, exchangeType);
  let result: { value: T } | undefined;
  let met = false;
  if (redundant) s.policy.nonce = () => (redundant === "ours" ? LOWEST : HIGHEST);
  ours((value) => {
    result = { value };
  });
  s.host.settle();
  s.extensions.push({
    name: "cross",
    incoming: (message) => {
      if (met || !changesSas(message)) return undefined;
      met = true;
      if (redundant) s.policy.nonce = () => (redundant === "ours" ? HIGHEST : LOWEST);
      release();
      return undefined;
    },
  });
  await theirs();
  if (!(await s.until(() => met))) throw new Failure("the peer to do what it is told", s.lastReason());
  await s.until(() => result !== undefined);
  s.policy.nonce = undefined;
  return result?.value;
}
