/** Before its tests a peer is looked at: ways in which the lab may be broken, told apart from the peer's failures. */
import { DriverUnsupported } from "../../peers/contract.ts";
import { errorNotify } from "../ike/payloads.ts";
import { ikeReceived } from "../script/raw.ts";
import { Script } from "../script/script.ts";
import { concat } from "../wire/bytes.ts";
import { decodeMessage, encodeMessage, isFrameError } from "../wire/message.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { Payload } from "../wire/types.ts";
import { diagnosis, dialled, handshake } from "./agreement-check.ts";
import { keepEvidence } from "./evidence.ts";
import { driverFault, type Judgement } from "./judge.ts";
import type { LaneOrder } from "./lane-protocol.ts";
import type { LivePeer, Tunnel } from "./live-peer.ts";

/** An exchange type out of the range for private use, which no document names. */
const UNKNOWN_EXCHANGE = 251;

/** Has a fresh script look into one thing; its evidence stays where something is wrong. */
type Look = (
  check: (script: Script) => Promise<string | undefined>,
  name: string,
) => Promise<string | undefined>;

/** The verdict of all tests of a lane whose lab is broken; undefined if it is sound, or each test has to say itself. */
export async function preflight(peer: LivePeer, order: LaneOrder): Promise<Judgement | undefined> {
  const { begins = false, tunnel } = peer;
  const look: Look = async (check, name) => {
    const script = new Script(await peer.arena(`preflight/${name}`, {}));
    try {
      const problem = await check(script);
      await peer.leave?.(script);
      if (problem === undefined || order.out === undefined) return problem;
      const log = (await peer.driver()?.logs()) ?? "";
      keepEvidence(order.out, { peer: peer.id, test: `preflight/${name}` }, script.trace, log, peer.epochMs);
      return problem;
    } finally {
      script.host.stop();
    }
  };
  try {
    const problem = begins ? await look(dialled, "dialled") : await called(look);
    if (problem !== undefined) return broken((await driverFault(peer.driver())) ?? problem);
    if (tunnel) await look(async (script) => tunnel(await insideOf(script, begins)), "echo");
    return undefined;
  } catch (error) {
    // Of the configuration or the way to have the peer begin: not all tests need be about that.
    if (error instanceof DriverUnsupported) return undefined;
    const problem = error instanceof Error ? error.message : String(error);
    return broken((await driverFault(peer.driver())) ?? problem);
  }
}

/** Looks at a peer that answers. */
const called = async (look: Look): Promise<string | undefined> =>
  (await look((script) => reachable(script, 500), "reachable-on-500")) ??
  (await look((script) => reachable(script, 4500), "reachable-on-4500")) ??
  (await look(largeMessage, "large-message")) ??
  (await agreement(look)) ??
  (await look(unknownExchange, "unknown-exchange"));

const broken = (problem: string): Judgement => ({
  ...{ verdict: "setup", reason: `pre-flight: ${problem}` },
  ...{ expected: "a peer that can be tested", actual: problem },
});

/** Any answer to IKE_SA_INIT will do. Over TCP there is one port, whatever its number. */
async function reachable(script: Script, nominal: 500 | 4500): Promise<string | undefined> {
  const { local, remote, natPort, remoteNatPort } = script.arena;
  const isTcp = remote.transport === "tcp";
  if (isTcp && nominal === 4500) return undefined;
  const [from, to] =
    nominal === 500
      ? [local, remote]
      : [
          { ...local, port: natPort },
          { ...remote, port: remoteNatPort },
        ];
  script.host.endpoint.init(from, to, () => {});
  script.host.settle();
  if (await script.until(() => script.received().length > 0)) return undefined;
  return nominal === 500
    ? `the peer is not reachable on ${isTcp ? "TCP" : "UDP"} port ${remote.port}: no answer to IKE_SA_INIT`
    : `UDP port ${remoteNatPort} is filtered or closed: no answer to IKE_SA_INIT there, where port ${remote.port} had one`;
}

/** What every implementation must take (RFC 7296 section 2), and so every way to it. */
const MUST_TAKE = 1280;

/** A way that loses it may still carry all that is shorter, and tests would fail one by one. */
async function largeMessage(script: Script): Promise<string | undefined> {
  script.change(EXCHANGE.IKE_SA_INIT, ({ header, payloads }) => {
    const bare = encodeMessage({ header, payloads: [...payloads, vendorId(0)] });
    payloads.push(vendorId(MUST_TAKE - bare.length));
  });
  const { failure } = await script.tryInit();
  if (failure === undefined || script.received().length > 0) return undefined;
  return `MTU too small on the way to the peer, or it takes no message of ${MUST_TAKE} octets: no answer to such an IKE_SA_INIT, where a shorter one had one`;
}

const vendorId = (octets: number): Payload => ({
  ...{ kind: "VendorID", type: PAYLOAD.VENDOR_ID, data: new Uint8Array(octets).fill(0x6d) },
});

async function agreement(look: Look): Promise<string | undefined> {
  const failure = await look(handshake, "handshake");
  return failure && look((script) => diagnosis(script, failure), "who-is-there");
}

/** Silence, or an error notify without protection, which RFC 7296 section 2.21.4 allows. */
async function unknownExchange(script: Script): Promise<string | undefined> {
  const spi = script.arena.random(8);
  const rest = Uint8Array.of(0, 0x20, UNKNOWN_EXCHANGE, 0x08, 0, 0, 0, 0, 0, 0, 0, 28);
  script.sendOctets(concat(spi, new Uint8Array(8), rest));
  await script.wait();
  if (!ikeReceived(script).every(isRefusal)) return "the peer acts on an exchange type that nobody knows";
  if (await script.peerAnswers()) return undefined;
  return "the peer answers nothing any more after an exchange type that nobody knows";
}

function isRefusal(octets: Uint8Array): boolean {
  const message = decodeMessage(octets);
  return !isFrameError(message) && errorNotify(message.payloads) !== undefined;
}

/** Whether somebody at the tunnel's other end answers, and how ESP comes: no test may blame the peer for what is not there. */
async function insideOf(script: Script, begins: boolean): Promise<Tunnel> {
  const session = await script.establish(begins ? "initiator" : "responder");
  const since = script.mark();
  if (await session.ping())
    return { rawEsp: script.received(since).some(({ protocol }) => protocol === "esp") };
  const foreign = script.trace.entries
    .slice(since)
    .some(({ event }) => event.type === "esp-received" && !event.result.ok && event.result.reason === "spi");
  const noEcho = foreign
    ? "the peer answers through a Child SA that is not of this run: end those that it has"
    : "nobody behind the peer answers ICMP echo requests through the tunnel";
  return { noEcho, rawEsp: false };
}
