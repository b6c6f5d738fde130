/** IKEv2 message fragmentation: RFC 7383. */
import type { Core } from "../ike/core.ts";
import type { Collected, Extension, OutgoingMessage } from "../ike/hooks.ts";
import { notify } from "../ike/payloads.ts";
import type { IkeSa } from "../ike/sa.ts";
import { concat } from "../wire/bytes.ts";
import { firstPayloadType } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Message, SkfPayload } from "../wire/types.ts";

export interface FragmentationOptions {
  /** Octets of inner payloads per fragment; longer messages are split. */
  chunk: number;
  /** Split even if one fragment would do. */
  always?: boolean;
  /** Milliseconds after which an incomplete set is dropped. */
  timeoutMs: number;
}

export const ordinaryFragmentation: FragmentationOptions = { chunk: 1100, timeoutMs: 30_000 };

/** RFC 7383 section 5 recommends a bound of 64 KB on what is stored. */
const MAX_OCTETS = 65_536;

/** The fragments of one message that have come so far. */
interface FragmentSet {
  messageId: number;
  exchangeType: number;
  flags: number;
  total: number;
  octets: number;
  started: number;
  innerType: number;
  /** The datagram of fragment 1. */
  first: Uint8Array;
  chunks: Map<number, Uint8Array>;
}

/** Announces fragmentation, splits long messages once both sides announced it, and puts fragments together. */
export function fragmentation(options: FragmentationOptions = ordinaryFragmentation): Extension {
  /** One set per IKE SA and direction: the window is one. */
  const sets = new WeakMap<IkeSa, { request?: FragmentSet; response?: FragmentSet }>();
  return {
    name: "fragmentation",
    outgoing: announce,
    split: (message, inner, seal) => {
      if (!message.sa || !negotiated(message.sa)) return undefined;
      if (inner.length <= options.chunk && !options.always) return undefined;
      const total = Math.max(1, Math.ceil(inner.length / options.chunk));
      const type = firstPayloadType(message.payloads);
      return Array.from({ length: total }, (_, i) => {
        const chunk = inner.subarray(i * options.chunk, (i + 1) * options.chunk);
        return seal(chunk, i === 0 ? type : 0, { number: i + 1, total });
      });
    },
    collect: (core, sa, message, octets, open) => {
      const payload = message.payloads.at(-1);
      if (payload?.kind !== "SKF") return undefined;
      if (!negotiated(sa) && core.decide("SKF without negotiation", "drop") === "drop") return "drop";
      if (core.decide("fragment", "collect") === "drop") return "drop";
      const opened = open();
      const key = (message.header.flags & 0x20) !== 0 ? "response" : "request";
      const slots = sets.get(sa) ?? {};
      sets.set(sa, slots);
      if ("error" in opened) {
        if (core.decide("wrong fragment ICV", "drop") === "fail the set") delete slots[key];
        return "drop";
      }
      const set = currentSet(core, slots[key], message, payload, options.timeoutMs);
      if (set === "drop") return "drop";
      slots[key] = set;
      const done = enter(core, set, payload, opened.plaintext, octets);
      if (done !== "wait") delete slots[key];
      return done;
    },
    repeats: (core, message) => {
      const payload = message.payloads.at(-1);
      if (payload?.kind !== "SKF" || core.decide("retransmitted fragment", "first only") === "every one")
        return true;
      return payload.fragmentNumber === 1;
    },
  };
}

const negotiated = (sa: IkeSa): boolean => sa.announced.has(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED);

/** Section 2.3: the initiator announces; the responder does so only if the initiator did. */
function announce(message: OutgoingMessage): void {
  const { sa, header, isResponse, payloads } = message;
  if (!sa || header.exchangeType !== EXCHANGE.IKE_SA_INIT || (isResponse && !negotiated(sa))) return;
  if (isResponse && !payloads.some((p) => p.kind === "SA")) return;
  payloads.push(notify(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED));
}

/** The set this fragment belongs to (section 2.6), or "drop". */
function currentSet(
  core: Core,
  stored: FragmentSet | undefined,
  message: Message,
  payload: SkfPayload,
  timeoutMs: number,
): FragmentSet | "drop" {
  const { fragmentNumber, totalFragments } = payload;
  const numbered = fragmentNumber > 0 && totalFragments > 0 && fragmentNumber <= totalFragments;
  if (!numbered && core.decide("fragment number", "check") === "check") return "drop";
  const { messageId, exchangeType, flags } = message.header;
  const now = core.options.now();
  const alive =
    stored && stored.messageId === messageId && now - stored.started < timeoutMs ? stored : undefined;
  if (!alive) return freshSet(message, totalFragments, now);
  if (alive.exchangeType !== exchangeType || alive.flags !== flags) return "drop";
  if (totalFragments > alive.total) {
    return core.decide("fragment total grows", "restart") === "restart"
      ? freshSet(message, totalFragments, now)
      : "drop";
  }
  if (totalFragments < alive.total) {
    return core.decide("fragment total shrinks", "drop") === "drop"
      ? "drop"
      : freshSet(message, totalFragments, now);
  }
  return alive;
}

function freshSet(message: Message, total: number, started: number): FragmentSet {
  const { messageId, exchangeType, flags } = message.header;
  const first = new Uint8Array();
  return {
    messageId,
    exchangeType,
    flags,
    total,
    octets: 0,
    started,
    innerType: 0,
    first,
    chunks: new Map(),
  };
}

function enter(
  core: Core,
  set: FragmentSet,
  payload: SkfPayload,
  chunk: Uint8Array,
  octets: Uint8Array,
): Collected {
  const number = payload.fragmentNumber;
  if (set.chunks.has(number)) {
    const manner = core.decide("duplicate fragment", "drop");
    if (manner === "fail the set") return "drop";
    if (manner === "drop") return "wait";
  }
  set.octets += chunk.length;
  if (set.octets > MAX_OCTETS) return "drop";
  set.chunks.set(number, chunk);
  if (number === 1) {
    set.innerType = payload.innerType;
    set.first = octets;
  }
  const manner = core.decide("fragment reassembly", "whole");
  if (set.chunks.size < set.total && !(manner === "first fragment only" && number === 1)) return "wait";
  return { innerType: set.innerType, first: set.first, plaintext: joined(set, manner) };
}

function joined(set: FragmentSet, manner: "whole" | "first fragment only" | "reversed"): Uint8Array {
  const numbers = [...set.chunks.keys()].sort((a, b) => a - b);
  if (manner === "reversed") numbers.reverse();
  const chunks =
    manner === "first fragment only" ? [set.chunks.get(1)] : numbers.map((n) => set.chunks.get(n));
  return concat(...chunks.filter((c) => c !== undefined));
}
