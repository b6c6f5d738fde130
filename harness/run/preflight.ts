/** Before its tests a peer is looked at: four ways in which the lab may be broken, told apart from the peer's failures. */
import { errorNotify } from "../ike/payloads.ts";
import type { Datagram } from "../link/types.ts";
import { Script } from "../script/script.ts";
import { concat } from "../wire/bytes.ts";
import { decodeMessage, isFrameError } from "../wire/message.ts";
import { keepEvidence } from "./evidence.ts";
import type { Judgement } from "./judge.ts";
import type { LaneOrder } from "./lane-protocol.ts";
import type { LivePeer } from "./live-peer.ts";

/** An exchange type out of the range for private use, which no document names. */
const UNKNOWN_EXCHANGE = 251;

/** The verdict of all tests of a lane whose lab is broken; undefined if it is sound. */
export async function preflight(peer: LivePeer, order: LaneOrder): Promise<Judgement | undefined> {
  const look = async (check: (script: Script) => Promise<string | undefined>, name: string) => {
    const script = new Script(await peer.arena(`preflight/${name}`, {}));
    const problem = await check(script);
    script.host.stop();
    if (problem === undefined || order.out === undefined) return problem;
    const log = (await peer.driver()?.logs()) ?? "";
    keepEvidence(order.out, { peer: peer.id, test: `preflight/${name}` }, script.trace, log, peer.epochMs);
    return problem;
  };
  try {
    const problem =
      (await look((script) => reachable(script, 500), "reachable-on-500")) ??
      (await look((script) => reachable(script, 4500), "reachable-on-4500")) ??
      (await look(handshake, "handshake")) ??
      (await look(unknownExchange, "unknown-exchange"));
    return problem === undefined ? undefined : broken(problem);
  } catch (error) {
    return broken(error instanceof Error ? error.message : String(error));
  }
}

const broken = (problem: string): Judgement => ({
  ...{ verdict: "setup", reason: `pre-flight: ${problem}` },
  ...{ expected: "a peer that can be tested", actual: problem },
});

/** Any answer to IKE_SA_INIT will do. */
async function reachable(script: Script, nominal: 500 | 4500): Promise<string | undefined> {
  const { local, remote, natPort, remoteNatPort } = script.arena;
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
  return `the peer is not reachable on UDP port ${nominal}: no answer to IKE_SA_INIT`;
}

async function handshake(script: Script): Promise<string | undefined> {
  const { failure, childFailure } = await script.tryDial();
  const why = failure ?? childFailure;
  return why && `identity, shared secret or proposals do not agree with the peer's: ${why}`;
}

/** Silence, or an error notify without protection, which RFC 7296 section 2.21.4 allows. */
async function unknownExchange(script: Script): Promise<string | undefined> {
  const spi = script.arena.random(8);
  const rest = Uint8Array.of(0, 0x20, UNKNOWN_EXCHANGE, 0x08, 0, 0, 0, 0, 0, 0, 0, 28);
  script.sendOctets(concat(spi, new Uint8Array(8), rest));
  await script.wait();
  if (!script.received().every(isRefusal)) return "the peer acts on an exchange type that nobody knows";
  if (await script.peerAnswers()) return undefined;
  return "the peer answers nothing any more after an exchange type that nobody knows";
}

function isRefusal({ data }: Datagram): boolean {
  const message = decodeMessage(data);
  return !isFrameError(message) && errorNotify(message.payloads) !== undefined;
}
