/** Echo requests inside of ESP packets that differ from ordinary ones: how a test sees whether a packet is delivered. */

import type { EspSendOptions } from "../esp/hooks.ts";
import type { OpenResult } from "../esp/inbound.ts";
import type { ChildSa } from "../ike/child.ts";
import type { Session } from "./session.ts";
import { Failure } from "./verdicts.ts";

export interface EchoOptions extends EspSendOptions {
  /** Not set: the newest Child SA in use. */
  child?: ChildSa;
  /** Octets of echo data; 56 unless told. */
  size?: number;
  /** The echo data itself. */
  data?: Uint8Array;
  from?: string;
  to?: string;
  /** Instead of the one that belongs to the inner packet. */
  nextHeader?: number;
}

/** Names a request, for {@link replies}. */
export interface SentEcho {
  identifier: number;
  sequence: number;
}

/** An ESP packet of the peer. */
export interface EspFromPeer {
  packet: Uint8Array;
  result: OpenResult;
}

/** Sends one echo request, and does not wait. */
export function sendEcho(session: Session, options: EchoOptions = {}): SentEcho {
  const { script } = session;
  const { inner, random } = script.arena;
  const { child = session.child, size = 56, from = inner.tester, to = inner.peer, data, ...how } = options;
  const [high = 0, low = 0, sequence = 0] = random(3);
  const echo = { identifier: (high << 8) | low, sequence };
  const content = data ?? new Uint8Array(size).fill(0xa5);
  script.host.sendEcho(session.pipe(child), { from, to, ...echo, data: content }, how);
  return echo;
}

/** How many replies came inside of ESP; `within` counts only those their Child SA may carry. */
export function replies({ script }: Session, echo: SentEcho, within = true): number {
  return script.trace.entries.filter(({ event }) => {
    if (event.type !== "esp-received" || !event.inner?.echo?.reply) return false;
    const { identifier, sequence } = event.inner.echo;
    const ours = identifier === echo.identifier && sequence === echo.sequence;
    return ours && (event.inner.allowed || !within);
  }).length;
}

/** Sends one echo request; true if it was delivered, as the reply shows. */
export function isDelivered(session: Session, options: EchoOptions = {}): Promise<boolean> {
  const echo = sendEcho(session, options);
  return session.script.until(() => replies(session, echo) > 0, session.script.arena.patience / 2);
}

/** Fails unless the packet is delivered. */
export async function expectEcho(session: Session, what: string, options: EchoOptions = {}): Promise<void> {
  if (!(await isDelivered(session, options))) throw new Failure(`${what}: delivered`, "no echo reply");
}

/**
 * Fails if one of the packets is delivered, or if an ordinary one after them is not: that the peer had the chance
 * to reply is what makes its silence mean something.
 */
export async function expectNoEcho(session: Session, what: string, ...all: EchoOptions[]): Promise<void> {
  const echoes = all.map((options) => sendEcho(session, options));
  const mindReplies = () => {
    const index = echoes.findIndex((echo) => replies(session, echo, false) > 0);
    const which = all.length > 1 ? `${what} (${index + 1} of ${all.length})` : what;
    if (index >= 0) throw new Failure(`${which}: dropped`, "an echo reply");
  };
  await session.script.wait();
  mindReplies();
  await expectTraffic(session, what);
  // A slow peer may have replied to them after the wait, but did so before the ordinary one.
  mindReplies();
}

/** Fails unless ordinary traffic still passes. */
export async function expectTraffic(session: Session, what: string): Promise<void> {
  if (!(await session.ping())) throw new Failure(`after ${what}: traffic as before`, "no echo reply");
}

/** The ESP packets of the peer with this Child SA's SPI, in the order they came. */
export function espFromPeer({ script }: Session, child: ChildSa): EspFromPeer[] {
  return script.trace.entries.flatMap(({ event }) =>
    event.type === "esp-received" && event.pipe?.child === child
      ? [{ packet: event.packet, result: event.result }]
      : [],
  );
}
