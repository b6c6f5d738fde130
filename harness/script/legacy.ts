/** Words for tests of peers that do not speak a document: what RFC 7296 and RFC 4303 ask of everybody who meets it. */
import type { Application } from "../ike/hooks.ts";
import { errorNotify, hasNotify } from "../ike/payloads.ts";
import type { IkeSa } from "../ike/sa.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Payload } from "../wire/types.ts";
import { expectTraffic } from "./echo.ts";
import { expectAlive, inMessage, listPayloads, require } from "./expectations.ts";
import { answersSince } from "./raw.ts";
import type { Script } from "./script.ts";
import { Session } from "./session.ts";
import { Failure } from "./verdicts.ts";

/** Has these payloads in every request of ours, or in every response, that carries an SA payload under SK. */
function addToOffers(s: Script, which: "request" | "response", ...added: Payload[]): void {
  s.extensions.push({
    name: "added payloads",
    outgoing: (message) => {
      const offers = message.protected && message.payloads.some((p) => p.kind === "SA");
      if (offers && message.isResponse === (which === "response")) message.payloads.push(...added);
    },
  });
}

/**
 * The Child SA of IKE_AUTH and its successor by CREATE_CHILD_SA carry traffic, though our half of both exchanges has
 * payloads that the peer must ignore: our requests if the peer is the responder, else our responses.
 */
export async function expectIgnored(
  s: Script,
  peer: "initiator" | "responder",
  ...added: Payload[]
): Promise<void> {
  addToOffers(s, peer === "responder" ? "request" : "response", ...added);
  const session = await s.establish(peer);
  await session.proveTraffic();
  if (peer === "responder") await session.rekeyChild();
  else await session.peerRekeysChild();
  await session.proveTraffic();
}

/**
 * Begins an exchange and waits a moment for its response. What stays unanswered is taken back: our endpoint
 * forgets it, and its Message ID is used again. `begin` is done once it has called back.
 */
export async function askOnce<T>(
  session: Session,
  begin: (done: (result: T) => void) => void,
): Promise<T | undefined> {
  const { script, sa } = session;
  let result: { value: T } | undefined;
  begin((value) => {
    result = { value };
  });
  script.host.settle();
  if (await script.until(() => result !== undefined, 2 * script.arena.quiet)) return result?.value;
  takeBack(sa);
  return undefined;
}

/** Has our endpoint forget the request that waits for its answer; the next one has its Message ID. */
export function takeBack(sa: IkeSa): void {
  sa.pending?.cancelTimer?.();
  sa.pending = undefined;
  sa.nextMessageId--;
}

/**
 * Sends a request of an exchange that the peer does not know. It may be silent or answer with an error. INVALID_SYNTAX
 * ends the IKE SA for both (RFC 7296 section 2.21.3); after anything else the SAs go on.
 */
export async function expectExchangeRefused(
  session: Session,
  exchangeType: number,
  payloads: Payload[],
): Promise<void> {
  const { script, sa } = session;
  const { endpoint } = script.host;
  const response = await askOnce<{ payloads: Payload[] } | undefined>(session, (done) =>
    endpoint.request(sa, exchangeType, payloads, done),
  );
  const refused = !response || errorNotify(response.payloads) !== undefined;
  require(refused, "silence or an error", listPayloads(response), inMessage(response));
  if (hasNotify(response?.payloads ?? [], NOTIFY.INVALID_SYNTAX)) {
    const there = await script.peerAnswers();
    return require(there, "an answer to a fresh IKE_SA_INIT", "silence");
  }
  await expectAlive(session);
  await expectTraffic(session, `exchange type ${exchangeType}`);
}

/** True if the peer was silent, and IKE_AUTH sets up both SAs on the same IKE SA. */
async function goesOn({ script, sa }: Session, silent: boolean): Promise<boolean> {
  return silent && sa.state !== "closed" && !(await script.tryAuth(sa)).failure;
}

/**
 * After IKE_SA_INIT, sends a request of an exchange that nobody agreed on: with these payloads, or, without any, as if it
 * were IKE_AUTH. The peer is silent or answers with an error, and no IKE SA comes up. An ordinary IKE_AUTH serves it: on the same
 * IKE SA, if it was silent and still has it.
 */
export async function expectNoIkeSaBy(s: Script, exchangeType: number, payloads?: Payload[]): Promise<void> {
  const { sa } = await s.init();
  const session = new Session(s, sa);
  const application: Application = { exchangeType, request: () => [], take: () => undefined };
  const { endpoint } = s.host;
  const answered = await askOnce<unknown>(session, (done) => {
    if (payloads) endpoint.request(sa, exchangeType, payloads, done);
    else endpoint.auth(sa, { application }, done);
  });
  const { response } = s.exchange(exchangeType);
  const refused = !response || errorNotify(response.payloads) !== undefined;
  require(refused, "silence or an error", listPayloads(response), inMessage(response));
  if (await goesOn(session, answered === undefined)) return expectTraffic(session, "IKE_AUTH");
  await expectTraffic(await s.dial(), "a fresh IKE SA");
}

/** Sends ESP octets to the port that IKE and ESP share, and as IP protocol 50 where that can travel. */
export function sendPlainEsp(s: Script, ...packets: Uint8Array[]): void {
  const { local, remote, natPort, remoteNatPort, rawEsp } = s.arena;
  const route = (ours: number, theirs: number) => ({
    source: { host: local.host, port: ours },
    destination: { host: remote.host, port: theirs },
  });
  for (const data of packets) {
    s.host.send({ protocol: "udp", ...route(natPort, remoteNatPort), data });
    if (rawEsp) s.host.send({ protocol: "esp", ...route(0, 0), data });
  }
}

/** Fails if packets on an SPI without an SA were answered, other than by INVALID_SPI (RFC 7296 section 1.5). */
export function expectDiscarded(s: Script, since: number): void {
  const answers = answersSince(s, since).filter(
    ({ message }) => !hasNotify(message?.payloads ?? [], NOTIFY.INVALID_SPI),
  );
  const [first] = answers;
  if (first) throw new Failure("silence, or INVALID_SPI", answers.map(({ text }) => text).join(", "), first);
}

/** Fails if the peer sent an inner packet of this protocol inside of ESP since the mark. */
export function expectNoInner({ trace }: Script, nextHeader: number, since: number): void {
  const came = trace.entries
    .slice(since)
    .some(
      ({ event }) =>
        event.type === "esp-received" && event.result.ok && event.result.nextHeader === nextHeader,
    );
  require(!came, `no packet of protocol ${nextHeader} of a peer that does not speak it`, "one");
}
