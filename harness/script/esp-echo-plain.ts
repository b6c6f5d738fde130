/** Words for tests of ESP echo outside of SAs, on the reserved SPIs. */
import type { Address, Datagram } from "../link/types.ts";
import { hex, readU32 } from "../wire/bytes.ts";
import { type Echo, echoForms, isEchoError } from "../wire/esp-echo.ts";
import { decodePlain, encodePlain, type PlainTrailer, type ReadPlainEcho } from "../wire/esp-echo-plain.ts";
import { announceEspEcho, echoRequest, echoRevision, expectAnnounced, numbersOf } from "./esp-echo.ts";
import type { Script } from "./script.ts";
import { Ambiguous, Failure, Unsupported } from "./verdicts.ts";

/** How a plain request differs from an ordinary one, which asks for a reply on SPI 8. */
export interface WantedPlain extends Partial<Echo> {
  /** Not set: the connection if the test has one, IP protocol 50 where the lab can, else UDP. */
  over?: Datagram["protocol"];
  /** Octets of Data; 8 unless told. */
  size?: number;
  spi?: number;
  espSequence?: number;
  trailer?: PlainTrailer;
  /** The whole packet instead. */
  packet?: Uint8Array;
  /** Another address of ours. */
  from?: Address;
}

/** A plain packet of the peer. */
export interface SeenPlain {
  packet: Uint8Array;
  /** Not set if the packet is none of this revision. */
  read?: ReadPlainEcho;
  datagram: Datagram;
}

/** A plain request as it went out. */
export interface SentPlain {
  echo: Echo;
  packet: Uint8Array;
  datagram: Datagram;
}

/** What carries plain packets in this lab, most direct first. */
export function carriers({ arena }: Script): Datagram["protocol"][] {
  if (arena.local.transport) return ["tcp"];
  return arena.rawEsp ? ["esp", "udp"] : ["udp"];
}

function routeOf({ arena }: Script, over: Datagram["protocol"], from: Address): Omit<Datagram, "data"> {
  const { natPort, remoteNatPort, local, remote } = arena;
  if (over === "tcp") return { protocol: over, source: local, destination: remote };
  const [ours, theirs] = over === "udp" ? [natPort, remoteNatPort] : [0, 0];
  return {
    protocol: over,
    source: { host: from.host, port: ours },
    destination: { host: remote.host, port: theirs },
  };
}

/** The packet and its way, not sent yet. */
export function plainRequest(s: Script, wanted: WantedPlain = {}): SentPlain {
  const { over = carriers(s)[0] ?? "udp", spi, espSequence = 0, trailer, packet, from, ...changes } = wanted;
  const numbers = numbersOf(s);
  const echo = echoRequest(s, numbers.spi.reply, changes);
  const whole = { spi: spi ?? numbers.spi.request, espSequence, echo, ...(trailer && { trailer }) };
  const data = packet ?? encodePlain(whole, echoRevision(s));
  return { echo, packet: data, datagram: { ...routeOf(s, over, from ?? s.arena.local), data } };
}

export function sendPlainRequest(s: Script, wanted: WantedPlain = {}): SentPlain {
  const sent = plainRequest(s, wanted);
  s.host.send(sent.datagram);
  return sent;
}

/** What came on the two reserved SPIs since the mark. */
export function plainFromPeer(s: Script, since = 0): SeenPlain[] {
  const revision = echoRevision(s);
  const numbers = numbersOf(s);
  const { spi } = numbers;
  return s.received(since).flatMap((datagram) => {
    const packet = datagram.data;
    const reserved = packet.length >= 4 && [spi.request, spi.reply].includes(readU32(packet, 0));
    if (!reserved) return [];
    const read = decodePlain(packet, revision, numbers);
    return [{ packet, datagram, ...(isEchoError(read) ? {} : { read }) }];
  });
}

/** Replies to this request: of its numbers, where the revision has such. */
export const plainReplies = (s: Script, { echo: sent }: SentPlain, since = 0): SeenPlain[] =>
  plainFromPeer(s, since).filter(({ read }) => {
    if (read?.spi !== numbersOf(s).spi.reply) return false;
    if (echoForms[echoRevision(s)].header === "none") return true;
    return read.echo.identifier === sent.identifier && read.echo.sequence === sent.sequence;
  });

export function listPlain(s: Script, since: number): string {
  const seen = plainFromPeer(s, since).map(({ packet }) => hex(packet.subarray(0, 64)));
  return seen.length > 0 ? seen.join(", ") : "silence";
}

/** Sends a request and gives the reply. Fails if none comes. */
export async function expectPlainReply(
  s: Script,
  wanted: WantedPlain = {},
): Promise<{ sent: SentPlain; reply: SeenPlain; read: ReadPlainEcho }> {
  const since = s.mark();
  const sent = sendPlainRequest(s, wanted);
  const came = () => plainReplies(s, sent, since)[0];
  await s.until(() => came() !== undefined, s.arena.patience / 2);
  const reply = came();
  if (!reply?.read) throw new Failure("a reply on SPI 8 to a request on SPI 7", listPlain(s, since));
  return { sent, reply, read: reply.read };
}

/** Sends requests that must not be answered, then an ordinary one that must be. Fails if anything else came. */
export async function expectNoPlainReply(s: Script, what: string, ...all: WantedPlain[]): Promise<void> {
  const since = s.mark();
  for (const wanted of all) sendPlainRequest(s, wanted);
  await s.wait();
  if (plainFromPeer(s, since).length > 0) throw new Failure(`${what}: no reply`, listPlain(s, since));
  await expectPlainReply(s);
  if (plainFromPeer(s, since).length > 1) throw new Failure(`${what}: no reply`, listPlain(s, since));
}

/** Whether a first request is answered. Fails if anything else comes on the reserved SPIs. */
async function answersPlain(s: Script, wanted: WantedPlain): Promise<boolean> {
  const since = s.mark();
  const sent = sendPlainRequest(s, wanted);
  if (await s.until(() => plainReplies(s, sent, since).length > 0, 2 * s.arena.quiet)) return true;
  if (plainFromPeer(s, since).length === 0) return false;
  throw new Failure("a reply on SPI 8 to a request on SPI 7", listPlain(s, since));
}

/**
 * Proves that the peer answers plain requests, by a first one. Silence is a failure only if the peer announces ESP
 * echo in IKE_AUTH and answers then: it must not need an SA. No text says that the announcement is about requests
 * outside of SAs, too; revisions without announcement leave it at silence.
 */
export async function expectPlainPeer(s: Script, wanted: WantedPlain = {}): Promise<void> {
  if (await answersPlain(s, wanted)) return;
  if (echoRevision(s) !== "M")
    throw new Unsupported("the peer answers no request on SPI 7, and this revision has no announcement");
  announceEspEcho(s);
  const { sa } = await s.dial();
  expectAnnounced(s, sa);
  if (await answersPlain(s, wanted))
    throw new Failure("a reply on SPI 8 before there is any SA", "none but beside an SA");
  throw new Ambiguous("the peer announced ESP echo, which may be about its SAs alone; SPI 7 is not answered");
}
