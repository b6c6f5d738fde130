/** Fragments (RFC 7383) that a test cuts, orders and spoils by hand. */
import type { PeerConfig } from "../../peers/contract.ts";
import { tsPayload } from "../ike/exchanges/child.ts";
import { noncePayload, saPayload } from "../ike/exchanges/ike-sa-init.ts";
import type { OutgoingMessage, Sealer } from "../ike/hooks.ts";
import { notify } from "../ike/payloads.ts";
import { sealMessage } from "../ike/sk.ts";
import { concat } from "../wire/bytes.ts";
import { encodeChain, firstPayloadType } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { Message, NotifyPayload, Payload, SkfPayload } from "../wire/types.ts";
import { expectNotify } from "./expectations.ts";
import { espProposals } from "./policy.ts";
import { headerOf } from "./raw.ts";
import type { Script } from "./script.ts";
import type { Session } from "./session.ts";
import { Failure, Unsupported } from "./verdicts.ts";

/** Makes SKF datagrams of one message. */
export interface Cutter {
  /** The message in SK, not fragmented. */
  whole(): Uint8Array;
  /** A whole set of so many fragments. */
  set(total: number): Uint8Array[];
  /** Two fragments, cut behind so many octets; a negative number counts from the end. */
  behind(octets: number): Uint8Array[];
  /** One fragment with these numbers, whatever they are, and content that belongs to no message. */
  stray(number: number, total: number): Uint8Array;
}

function cutter(payloads: Payload[], inner: Uint8Array, seal: Sealer): Cutter {
  const first = firstPayloadType(payloads);
  const fragments = (chunks: Uint8Array[]) =>
    chunks.map((chunk, i) => seal(chunk, i === 0 ? first : 0, { number: i + 1, total: chunks.length }));
  return {
    whole: () => seal(inner, first),
    set: (total) => {
      const size = Math.ceil(inner.length / total);
      return fragments(Array.from({ length: total }, (_, i) => inner.subarray(i * size, (i + 1) * size)));
    },
    behind: (octets) => fragments([inner.subarray(0, octets), inner.subarray(octets)]),
    stray: (number, total) => seal(new Uint8Array(24).fill(0x77), number <= 1 ? first : 0, { number, total }),
  };
}

/** Fragments of a request under the Message ID of our next one, which our endpoint knows nothing of. */
export function cutRequest(
  session: Session,
  payloads: Payload[],
  exchangeType: number = EXCHANGE.CREATE_CHILD_SA,
): Cutter {
  const { outbound } = session.sa;
  if (!outbound) throw new Failure("an IKE SA with keys", "none");
  const header = headerOf(session, { exchangeType, payloads });
  const { random } = session.script.arena;
  const seal: Sealer = (plaintext, innerType, fragment) =>
    sealMessage(outbound, random, header, [], plaintext, innerType, {}, fragment);
  return cutter(payloads, encodeChain(payloads), seal);
}

/** Our next protected message of this exchange goes out as the datagrams that `arrange` gives, if `when` allows it. */
export function fragmentNext(
  s: Script,
  exchangeType: number,
  arrange: (cut: Cutter) => Uint8Array[],
  which: "request" | "response" = "request",
  when: (message: OutgoingMessage) => boolean = () => true,
): void {
  let done = false;
  s.extensions.unshift({
    name: "fragments by hand",
    split: (message, inner, seal) => {
      const { header, isResponse, payloads } = message;
      const other = header.exchangeType !== exchangeType || isResponse !== (which === "response");
      if (done || other || !when(message)) return undefined;
      done = true;
      return arrange(cutter(payloads, inner, seal));
    },
  });
}

/** A status notify that nobody knows, to make a message as long as wanted; 8 octets more than `octets`. */
export const ballast = (octets: number): NotifyPayload => notify(60_000, new Uint8Array(octets).fill(0xba));

/**
 * A CREATE_CHILD_SA request for a Child SA that no peer of ours is configured for, with ballast as its last payload:
 * well read, it is refused with NO_PROPOSAL_CHOSEN and changes nothing. What carries the fragments of a test, as
 * strongSwan drops INFORMATIONAL in SKF.
 */
export function childRequest({ script }: Session): Payload[] {
  const { arena, policy } = script;
  const [proposal] = espProposals("aes192-aesxcbc");
  const proposals = proposal ? [{ ...proposal, spi: arena.random(4).fill(0xcb, 0, 1) }] : [];
  return [
    saPayload(proposals),
    noncePayload(arena.random(32)),
    tsPayload(PAYLOAD.TSi, policy.localTs),
    tsPayload(PAYLOAD.TSr, policy.remoteTs),
    ballast(BALLAST - 8),
  ];
}

/** Octets of the last payload of {@link childRequest}. */
export const BALLAST = 48;

/** Sends {@link childRequest} in fragments as `arrange` says; fails unless it is read and refused. */
export async function requestAs(
  session: Session,
  request: Payload[],
  arrange: (cut: Cutter) => Uint8Array[],
): Promise<void> {
  fragmentNext(session.script, EXCHANGE.CREATE_CHILD_SA, arrange);
  const response = await session.request(EXCHANGE.CREATE_CHILD_SA, request);
  expectNotify(response, NOTIFY.NO_PROPOSAL_CHOSEN);
}

/** Ends the test as unsupported if the peer did not announce fragmentation. */
export function needFragmentation<T extends Session>(session: T): T {
  if (session.sa.announced.has(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED)) return session;
  throw new Unsupported("the peer did not announce IKEV2_FRAGMENTATION_SUPPORTED");
}

/** A wrong last octet, which is the ICV's. */
export function withWrongIcv(datagram: Uint8Array): Uint8Array {
  return concat(datagram.subarray(0, -1), Uint8Array.of((datagram.at(-1) ?? 0) ^ 1));
}

export interface ReceivedFragment {
  message: Message;
  payload: SkfPayload;
}

/**
 * Makes the peer's IKE_AUTH messages long in either role, by means every daemon has: a long identity (strongSwan
 * takes 511 octets at most) and selectors of our side. With 15, which is the most that libreswan takes, a response
 * has about 900 octets; with 60 more than the 1280 that strongSwan sends whole.
 */
export const longAuth = (selectors: 15 | 60): Partial<PeerConfig> => ({
  localId: `peer.${"a-long-name-to-fill-a-message.".repeat(16)}example`,
  ...manySelectors(selectors),
});

/** Networks of our side, the tester's own first; 129 at most. */
export const manySelectors = (count: number): Pick<PeerConfig, "remoteTs"> => ({
  remoteTs: ["203.0.113.0/28", ...Array.from({ length: count - 1 }, (_, i) => `198.51.100.${2 * i}/31`)],
});

/** Those of the messages that end with SKF. */
export function fragmentsAmong(messages: Message[]): ReceivedFragment[] {
  return messages.flatMap((message) => {
    const payload = message.payloads.at(-1);
    return payload?.kind === "SKF" ? [{ message, payload }] : [];
  });
}
