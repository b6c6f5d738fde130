/** How EAP-TLS cuts TLS messages into packets: RFC 5216 sections 2.1.5 and 3.1. Type data begins with the flags. */
import { concat, EMPTY, readU32, u32, view } from "../wire/bytes.ts";

export const TLS_FLAG = { LENGTH: 0x80, MORE: 0x40, START: 0x20 } as const;

/** More TLS than this in one message is refused. */
const MAX_MESSAGE = 0x10000;

/** Type data without TLS: acknowledges a fragment, and answers what needs no other answer. */
export const ACKNOWLEDGEMENT: Uint8Array = Uint8Array.of(0);

export const START: Uint8Array = Uint8Array.of(TLS_FLAG.START);

export const isStart = (data: Uint8Array): boolean => ((data[0] ?? 0) & TLS_FLAG.START) !== 0;

interface Fragment {
  flags: number;
  /** TLS Message Length. */
  length?: number;
  tls: Uint8Array;
}

function readFragment(data: Uint8Array): Fragment | string {
  const [flags] = data;
  if (flags === undefined) return "EAP-TLS without flags";
  if (!(flags & TLS_FLAG.LENGTH)) return { flags, tls: view(data, 1, data.length) };
  if (data.length < 5) return "EAP-TLS without the length that its flags announce";
  return { flags, length: readU32(data, 1), tls: view(data, 5, data.length) };
}

/** Type data of all packets for a message; one with the length in the first, where there are several. */
export function fragmentsOf(message: Uint8Array, size: number): Uint8Array[] {
  if (message.length === 0) return [ACKNOWLEDGEMENT];
  if (message.length <= size) return [concat(ACKNOWLEDGEMENT, message)];
  const fragments: Uint8Array[] = [];
  for (let at = 0; at < message.length; at += size) {
    const more = at + size < message.length ? TLS_FLAG.MORE : 0;
    const length = at === 0 ? concat(Uint8Array.of(TLS_FLAG.LENGTH | more), u32(message.length)) : undefined;
    fragments.push(
      concat(length ?? Uint8Array.of(more), view(message, at, Math.min(at + size, message.length))),
    );
  }
  return fragments;
}

/** What to do about a packet: answer at once, give the message to TLS, or give up. */
export type Received = { answer: Uint8Array } | { message: Uint8Array } | { error: string };

/** Both directions of one end: fragments to be sent, each after an acknowledgement, and those that came. */
export class FragmentExchange {
  readonly #size: number;
  #toSend: Uint8Array[] = [];
  #came: Uint8Array[] = [];
  #octets = 0;
  /** TLS Message Length of the message that is coming. */
  #length: number | undefined;

  constructor(size: number) {
    this.#size = Math.max(1, size);
  }

  /** Takes a message to send; returns the type data of its first packet. */
  queue(message: Uint8Array): Uint8Array {
    this.#toSend = fragmentsOf(message, this.#size);
    return this.#toSend.shift() ?? ACKNOWLEDGEMENT;
  }

  receive(data: Uint8Array): Received {
    const fragment = readFragment(data);
    if (typeof fragment === "string") return { error: fragment };
    const next = this.#toSend[0];
    if (!next) return this.#collect(fragment);
    if (fragment.tls.length > 0) return { error: "EAP-TLS data where a fragment ought to be acknowledged" };
    this.#toSend.shift();
    return { answer: next };
  }

  #collect({ flags, length, tls }: Fragment): Received {
    const isMore = (flags & TLS_FLAG.MORE) !== 0;
    if (isMore && tls.length === 0) return { error: "an empty fragment of EAP-TLS" };
    this.#length ??= length;
    this.#came.push(tls);
    this.#octets += tls.length;
    const most = Math.min(this.#length ?? MAX_MESSAGE, MAX_MESSAGE);
    if (this.#octets > most) return { error: `more than ${most} octets of TLS in one message` };
    if (isMore) return { answer: ACKNOWLEDGEMENT };
    if (this.#octets < (this.#length ?? 0))
      return { error: `${this.#octets} octets of TLS, where ${this.#length} were announced` };
    const message = this.#came.length === 1 ? tls : concat(...this.#came);
    this.#came = [];
    this.#octets = 0;
    this.#length = undefined;
    return { message: message.length === 0 ? EMPTY : message };
  }
}
