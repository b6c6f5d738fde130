/** Words for tests of ESP echo (ESP ping): our end of it, octet by octet, and what the peer's end sends. */
import type { EspSendOptions } from "../esp/hooks.ts";
import { announceEcho, echoNotify, hasAnnounced } from "../extensions/esp-echo-announcement.ts";
import type { ChildSa } from "../ike/child.ts";
import type { IkeSa } from "../ike/sa.ts";
import { hex, readU16, readU32 } from "../wire/bytes.ts";
import {
  decodeEcho,
  type Echo,
  type EchoNumbers,
  type EchoRevision,
  echoForms,
  echoNumbers,
  encodeEcho,
  isEchoError,
  isEchoRevision,
  type ReadEcho,
} from "../wire/esp-echo.ts";
import { notifyTypes } from "../wire/registry/notify-types.ts";
import { expectTraffic } from "./echo.ts";
import type { Script } from "./script.ts";
import type { Session } from "./session.ts";
import { Behind, Failure, Unsupported } from "./verdicts.ts";

/** The revision that both ends of this test speak. */
export function echoRevision({ arena }: Script): EchoRevision {
  const revision = arena.config.drafts?.["esp-ping"];
  if (revision === undefined || !isEchoRevision(revision))
    throw new Error("a test of ESP echo has a revision");
  return revision;
}

export const numbersOf = ({ arena }: Script): EchoNumbers => echoNumbers(arena.config.codePoints);

/** What we announce, and what we understand beside it. */
function notifiesOf(s: Script): { own: number | undefined; older: number | undefined } {
  const { codePoints } = s.arena.config;
  const revision = echoRevision(s);
  return {
    own: echoNotify(revision, codePoints),
    older: revision === "M" ? echoNotify("E3", codePoints) : undefined,
  };
}

/** Has our endpoint announce ESP echo in IKE_AUTH, and take down what the peer announces. */
export function announceEspEcho(s: Script): void {
  const { own, older } = notifiesOf(s);
  s.extensions.push(announceEcho(own, older === undefined ? [] : [older]));
}

/** @throws Unsupported or Behind if the peer of this IKE SA did not announce what the revision demands */
export function expectAnnounced(s: Script, sa: IkeSa): void {
  const { own, older } = notifiesOf(s);
  if (own === undefined || hasAnnounced(sa, own)) return;
  const name = notifyTypes.nameOf(own);
  if (older !== undefined && hasAnnounced(sa, older))
    throw new Behind("E3", `${notifyTypes.nameOf(older)} in IKE_AUTH, and no ${name}`);
  if (echoRevision(s) !== "E2") throw new Unsupported(`the peer's IKE_AUTH message has no ${name}`);
}

/**
 * An IKE SA whose peer answers echo requests, as its announcement says; where the revision lets it answer without
 * one, as its first reply says.
 */
export async function echoSession(
  s: Script,
  peer: "initiator" | "responder" = "responder",
): Promise<Session> {
  announceEspEcho(s);
  const session = await s.establish(peer);
  expectAnnounced(s, session.sa);
  const { own } = notifiesOf(s);
  if (own !== undefined && hasAnnounced(session.sa, own)) return session;
  await expectTraffic(session, "the Child SA came up");
  sendEchoRequest(session);
  if (!(await s.until(() => echoesFromPeer(s).length > 0, 2 * s.arena.quiet)))
    throw new Unsupported("the peer announced nothing, and a first request inside of ESP is not answered");
  return session;
}

/** An echo of the peer. */
export interface SeenEcho {
  /** The SPI it came on. */
  spi: number;
  /** Not set outside of SAs. */
  child?: ChildSa;
  nextHeader: number;
  /** What stands in front of the padding, and what it says; not set if it says nothing of this revision. */
  payload: Uint8Array;
  echo?: ReadEcho;
  padding: Uint8Array;
  /** The whole ESP packet. */
  packet: Uint8Array;
}

/** The ESP packets of the peer since the mark that opened and have the Next Header of echoes. */
export function echoesFromPeer(s: Script, since = 0): SeenEcho[] {
  const revision = echoRevision(s);
  const form = echoForms[revision];
  return s.trace.entries.slice(since).flatMap(({ event }) => {
    if (event.type !== "esp-received" || !event.pipe || !event.result.ok) return [];
    const { payload, nextHeader, padding } = event.result;
    if (nextHeader !== form.nextHeader) return [];
    const read = decodeEcho(payload, revision);
    const echo = isEchoError(read) ? undefined : read;
    const { child, inbound } = event.pipe;
    return [
      { spi: inbound.spi, child, nextHeader, payload, padding, packet: event.packet, ...(echo && { echo }) },
    ];
  });
}

/** Replies to this request since the mark. */
export const echoReplies = (s: Script, { identifier, sequence }: Echo, since = 0): SeenEcho[] =>
  echoesFromPeer(s, since).filter(
    ({ echo }) =>
      echo?.subType === numbersOf(s).subType.reply &&
      echo.identifier === identifier &&
      echo.sequence === sequence,
  );

/** How a request differs from an ordinary one, which asks for a reply on the pair it travels on. */
export interface WantedEcho extends Partial<Echo> {
  child?: ChildSa;
  /** Octets of Data; 8 unless told. */
  size?: number;
  nextHeader?: number;
  /** The whole payload instead. */
  payload?: Uint8Array;
  how?: EspSendOptions;
}

/** A request with R set that asks for a reply on this SPI; a wish of undefined counts as none. */
export function echoRequest(s: Script, spi: number, wanted: Partial<Echo> & { size?: number } = {}): Echo {
  const { size = 8, ...changes } = wanted;
  const { replyFlag, header } = echoForms[echoRevision(s)];
  const data = Uint8Array.from({ length: size }, (_, i) => 0x61 + (i % 26));
  const short = header === "short" && ((changes.flags ?? replyFlag) & replyFlag) === 0;
  const path = header === "bare" || header === "none" || short ? {} : { replySpi: spi };
  const [identifier, sequence] = [readU16(s.arena.random(2), 0), readU16(s.arena.random(2), 0)];
  const numbers = { subType: numbersOf(s).subType.request, identifier, sequence };
  return { ...numbers, flags: replyFlag, ...path, data, ...changes };
}

/** Sends a request inside of a Child SA, and does not wait. */
export function sendEchoRequest(session: Session, wanted: WantedEcho = {}): Echo {
  const { script: s } = session;
  const { child = session.child, nextHeader, payload, how, ...changes } = wanted;
  const echo = echoRequest(s, readU32(child.spiIn, 0), changes);
  const revision = echoRevision(s);
  const octets = payload ?? encodeEcho(echo, revision);
  s.host.sendEsp(session.pipe(child), octets, nextHeader ?? echoForms[revision].nextHeader, how);
  return echo;
}

/** Sends a request, and gives the reply. Fails if none comes. */
export async function expectEchoReply(session: Session, wanted: WantedEcho = {}): Promise<SeenEcho> {
  const { script: s } = session;
  const since = s.mark();
  const sent = sendEchoRequest(session, wanted);
  const came = () => echoReplies(s, sent, since)[0];
  await s.until(() => came() !== undefined, s.arena.patience / 2);
  const reply = came();
  if (!reply) throw new Failure("a reply to the echo request inside of ESP", listEchoes(s, since));
  return reply;
}

/** What came instead. */
export function listEchoes(s: Script, since: number): string {
  const seen = echoesFromPeer(s, since).map(
    ({ spi, payload }) => `${hex(payload)} on SPI ${spi.toString(16)}`,
  );
  return seen.length > 0 ? seen.join(", ") : "silence";
}

/**
 * Sends requests that must not be answered, then an ordinary one that must be: a dead responder does not pass. Fails
 * if any other echo came meanwhile.
 */
export async function expectNoEchoReply(session: Session, what: string, ...all: WantedEcho[]): Promise<void> {
  const { script: s } = session;
  const since = s.mark();
  for (const wanted of all) sendEchoRequest(session, wanted);
  await s.wait();
  const early = echoesFromPeer(s, since);
  if (early.length > 0) throw new Failure(`${what}: no reply`, listEchoes(s, since));
  await expectEchoReply(session);
  if (echoesFromPeer(s, since).length > 1) throw new Failure(`${what}: no reply`, listEchoes(s, since));
}
