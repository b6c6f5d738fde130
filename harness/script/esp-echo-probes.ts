/** Words for tests in which the peer sends ESP echo requests by itself. */
import { DriverUnsupported, type PingOptions } from "../../peers/contract.ts";
import { readU32 } from "../wire/bytes.ts";
import { announceEspEcho, echoesFromPeer, expectAnnounced, numbersOf, type SeenEcho } from "./esp-echo.ts";
import { plainFromPeer, type SeenPlain } from "./esp-echo-plain.ts";
import type { Script } from "./script.ts";
import { Failure } from "./verdicts.ts";

/** Has the driver act. If it cannot, a peer that announced nothing is told from one that lacks the verb alone. */
async function ping(s: Script, options: PingOptions): Promise<void> {
  const { driver } = s.arena;
  const lacking = new DriverUnsupported("the driver has no verb for ESP echo requests");
  const failure = await (driver.ping?.(options) ?? Promise.reject(lacking)).catch((error: unknown) => error);
  if (failure === undefined) return;
  if (failure instanceof DriverUnsupported && s.trace.childSas().length === 0) {
    announceEspEcho(s);
    expectAnnounced(s, (await s.accept()).sa);
  }
  throw failure;
}

/** Has the peer send requests in sessions of the same kind, and waits until `seen` has as many as it was told to send. */
async function provokeProbes<T>(
  s: Script,
  options: PingOptions,
  seen: () => T[],
  sessions = 1,
): Promise<T[]> {
  await Promise.all(Array.from({ length: sessions }, () => ping(s, options)));
  const count = sessions * options.count;
  await s.until(() => seen().length >= count);
  await s.wait(s.arena.quiet / 10);
  const came = seen();
  if (came.length === count) return came;
  throw new Failure(`${count} echo requests of the peer`, `${came.length}`);
}

/** Requests that the peer sends inside of its newest Child SA. */
export function peerProbes(s: Script, options: PingOptions): Promise<SeenEcho[]> {
  const since = s.mark();
  return provokeProbes(s, options, () => echoesFromPeer(s, since));
}

/** Requests that the peer sends outside of SAs, in one session. */
export const peerPlainProbes = (s: Script, options: Omit<PingOptions, "plain">): Promise<SeenPlain[]> =>
  peerPlainSessions(s, 1, options);

/** The same in several sessions at once; `count` is that of each. */
export function peerPlainSessions(
  s: Script,
  sessions: number,
  options: Omit<PingOptions, "plain">,
): Promise<SeenPlain[]> {
  const since = s.mark();
  const isRequest = ({ packet }: SeenPlain) => readU32(packet, 0) === numbersOf(s).spi.request;
  const over = s.arena.rawEsp ? "esp" : "udp";
  const probes = { over, ...options, plain: true } as const;
  return provokeProbes(s, probes, () => plainFromPeer(s, since).filter(isRequest), sessions);
}
