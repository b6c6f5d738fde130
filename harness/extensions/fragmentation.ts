/** IKEv2 message fragmentation: RFC 7383. */
import type { Core } from "../ike/core.ts";
import type { Collected, Extension, Opener, OutgoingMessage, Sealer } from "../ike/hooks.ts";
import { notify } from "../ike/payloads.ts";
import type { IkeSa } from "../ike/sa.ts";
import { concat } from "../wire/bytes.ts";
import { firstPayloadType } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { FLAG, type Message, type SkfPayload } from "../wire/types.ts";

export interface FragmentationOptions {
  /** Octets of inner payloads per fragment; longer messages are split. */
  chunk: number;
  /** Split even if one fragment would do. */
  always?: boolean;
  /** Milliseconds after which an incomplete set is dropped. */
  timeoutMs: number;
  /** A set of more fragments is not begun. */
  maxFragments: number;
  /** Most octets of inner payloads; section 5 recommends 64 KB, and to drop the IKE SA beyond. */
  maxOctets: number;
}

export const ordinaryFragmentation: FragmentationOptions = {
  chunk: 1000,
  timeoutMs: 30_000,
  maxFragments: 255,
  maxOctets: 65_536,
};

/** The fragments of one message that have come so far. */
interface FragmentSet {
  messageId: number;
  exchangeType: number;
  flags: number;
  total: number;
  octets: number;
  innerType: number;
  /** The datagram of fragment 1. */
  first: Uint8Array;
  chunks: Map<number, Uint8Array>;
  cancelTimer: () => void;
}

/** One set per IKE SA and direction, as the window is one. */
interface Slots {
  request?: FragmentSet;
  response?: FragmentSet;
}

/** A fragment on its way in. */
interface Fragment {
  core: Core;
  message: Message;
  payload: SkfPayload;
  octets: Uint8Array;
  open: Opener;
}

/** Announces fragmentation, splits long messages once both sides announced it, and puts fragments together. */
export function fragmentation(changes: Partial<FragmentationOptions> = {}): Extension {
  const options = { ...ordinaryFragmentation, ...changes };
  const sets = new WeakMap<IkeSa, Slots>();
  return {
    name: "fragmentation",
    outgoing: announce,
    split: (message, inner, seal) => split(options, message, inner, seal),
    collect: (core, sa, message, octets, open) => {
      const payload = message.payloads.at(-1);
      if (payload?.kind !== "SKF") return undefined;
      if (!negotiated(sa) && refusesUnasked(core, sa)) return "drop";
      if (core.decide("fragment", "collect") === "drop") return "drop";
      const slots = sets.get(sa) ?? {};
      sets.set(sa, slots);
      return collect({ core, message, payload, octets, open }, sa, slots, options);
    },
    repeats: (core, message) => {
      const payload = message.payloads.at(-1);
      if (payload?.kind !== "SKF" || core.decide("retransmitted fragment", "first only") === "every one")
        return true;
      return payload.fragmentNumber === 1;
    },
    // Their timers would keep the fragments of a flood long after its SAs.
    ikeClosed: (_core, sa) => {
      const { request, response } = sets.get(sa) ?? {};
      request?.cancelTimer();
      response?.cancelTimer();
      sets.delete(sa);
    },
  };
}

const negotiated = (sa: IkeSa): boolean => sa.announced.has(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED);

function refusesUnasked(core: Core, sa: IkeSa): boolean {
  const manner = core.decide("SKF without negotiation", "drop");
  if (manner === "close the IKE SA") core.closeIke(sa, "an SKF payload that was not negotiated");
  return manner !== "accept";
}

/** Section 2.3: the initiator announces; the responder does so only if the initiator did. */
function announce(message: OutgoingMessage): void {
  const { sa, header, isResponse, payloads } = message;
  if (!sa || header.exchangeType !== EXCHANGE.IKE_SA_INIT || (isResponse && !negotiated(sa))) return;
  if (isResponse && !payloads.some((p) => p.kind === "SA")) return;
  payloads.push(notify(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED));
}

/** Section 2.5: the inner payloads are cut as one blob; their first type stands in fragment 1 only. */
function split(
  { chunk, always }: FragmentationOptions,
  message: OutgoingMessage,
  inner: Uint8Array,
  seal: Sealer,
): Uint8Array[] | undefined {
  if (!message.sa || !negotiated(message.sa)) return undefined;
  if (inner.length <= chunk && !always) return undefined;
  const total = Math.max(1, Math.ceil(inner.length / chunk));
  const type = firstPayloadType(message.payloads);
  return Array.from({ length: total }, (_, i) =>
    seal(inner.subarray(i * chunk, (i + 1) * chunk), i === 0 ? type : 0, { number: i + 1, total }),
  );
}

/** Section 2.6: fields, duplicate, ICV, total; the cheap checks come first, and nothing forged changes a set. */
function collect(fragment: Fragment, sa: IkeSa, slots: Slots, options: FragmentationOptions): Collected {
  const { core, message, payload } = fragment;
  const key = (message.header.flags & FLAG.response) !== 0 ? "response" : "request";
  const forget = () => {
    slots[key]?.cancelTimer();
    delete slots[key];
    return "drop" as const;
  };
  const misfit = malformed(fragment, options);
  if (misfit) {
    if (core.decide("fragment number", "check") === "close the IKE SA") core.closeIke(sa, "fragment number");
    return { error: misfit };
  }
  const stored = slots[key]?.messageId === message.header.messageId ? slots[key] : undefined;
  const fit = stored ? fits(core, stored, fragment) : "restart";
  if (fit === "drop") return "drop";
  if (fit === "fail the set") return forget();
  const opened = fragment.open();
  if ("error" in opened)
    return core.decide("wrong fragment ICV", "drop") === "fail the set" ? forget() : "drop";
  if (fit === "restart") {
    forget();
    slots[key] = freshSet(message, payload.totalFragments, core.after(options.timeoutMs, forget));
  }
  const set = slots[key];
  if (!set) return "drop";
  enter(set, payload, opened.plaintext, fragment.octets);
  if (set.octets > options.maxOctets) {
    forget();
    core.closeIke(sa, `fragments of more than ${options.maxOctets} octets`);
    return "drop";
  }
  const done = finished(core, set, payload.fragmentNumber);
  if (done !== "wait") forget();
  return done;
}

/** Why this cannot be a fragment of any message of ours; undefined if it can. */
function malformed(
  { core, message, payload }: Fragment,
  { maxFragments }: FragmentationOptions,
): string | undefined {
  const { fragmentNumber: number, totalFragments: total, innerType } = payload;
  const name = `fragment ${number} of ${total}`;
  const numbered = number > 0 && number <= total;
  if (!numbered && core.decide("fragment number", "check") !== "any") return `there is no ${name}`;
  if (total > maxFragments) return `${name}, and more than ${maxFragments} are not collected`;
  // What is in clear, and the type of the first inner payload, belong to fragment 1 (sections 2.5, 2.5.3).
  const bare = innerType === 0 && message.payloads.length === 1;
  return number <= 1 || bare ? undefined : `${name} has what belongs to fragment 1`;
}

/** How this fragment relates to the set of its Message ID. */
function fits(
  core: Core,
  set: FragmentSet,
  { message, payload }: Fragment,
): "part" | "restart" | "drop" | "fail the set" {
  const { exchangeType, flags } = message.header;
  if (set.exchangeType !== exchangeType || set.flags !== flags) return "drop";
  if (payload.totalFragments > set.total) {
    return core.decide("fragment total grows", "restart") === "restart" ? "restart" : "drop";
  }
  if (payload.totalFragments < set.total) return core.decide("fragment total shrinks", "drop");
  if (!set.chunks.has(payload.fragmentNumber)) return "part";
  return core.decide("duplicate fragment", "drop");
}

function freshSet(message: Message, total: number, cancelTimer: () => void): FragmentSet {
  const { messageId, exchangeType, flags } = message.header;
  const first = new Uint8Array();
  const empty = { octets: 0, innerType: 0, first, chunks: new Map<number, Uint8Array>() };
  return { messageId, exchangeType, flags, total, ...empty, cancelTimer };
}

function enter(set: FragmentSet, payload: SkfPayload, chunk: Uint8Array, octets: Uint8Array): void {
  set.octets += chunk.length;
  set.chunks.set(payload.fragmentNumber, chunk);
  if (payload.fragmentNumber > 1) return;
  set.innerType = payload.innerType;
  set.first = octets;
}

function finished(core: Core, set: FragmentSet, number: number): Exclude<Collected, undefined> {
  const manner = core.decide("fragment reassembly", "whole");
  const early = manner === "first fragment only" && number === 1;
  if (set.chunks.size < set.total && !early) return "wait";
  const plaintext = joined(set, manner);
  // No first type means that there are no payloads.
  if (set.innerType === 0 && plaintext.length > 0) return "drop";
  return { innerType: set.innerType, first: set.first, plaintext };
}

function joined(set: FragmentSet, manner: "whole" | "first fragment only" | "reversed"): Uint8Array {
  const numbers = [...set.chunks.keys()].sort((a, b) => a - b);
  if (manner === "reversed") numbers.reverse();
  const chunks =
    manner === "first fragment only" ? [set.chunks.get(1)] : numbers.map((n) => set.chunks.get(n));
  return concat(...chunks.filter((c) => c !== undefined));
}
