/** What happened in a test, in order: the source of its evidence and of what its assertions look at. */
import type { ChildSa } from "../ike/child.ts";
import type { IncomingMessage, OutgoingMessage } from "../ike/hooks.ts";
import { countParts } from "../ike/limits.ts";
import type { IkeSa } from "../ike/sa.ts";
import type { Header, Payload } from "../wire/types.ts";
import type { HostEvent } from "./host.ts";

export interface TraceEntry {
  at: number;
  event: HostEvent;
}

/** A message with its opened payloads, whoever sent it. */
export interface SeenMessage {
  header: Header;
  payloads: Payload[];
  clear: Payload[];
  /** True if it travelled in SK or SKF. */
  protected: boolean;
  /** IKE octets of its datagrams (of a received one: the message, or its first fragment). */
  datagrams: Uint8Array[];
  sa?: IkeSa;
}

/** A request and what came back. */
export interface Exchange {
  exchangeType: number;
  messageId: number;
  by: "us" | "peer";
  request: SeenMessage;
  response?: SeenMessage;
}

const fromSent = (message: OutgoingMessage, datagrams: Uint8Array[]): SeenMessage => ({
  ...{ header: message.header, payloads: message.payloads, clear: message.clear },
  ...{ protected: message.protected, datagrams, sa: message.sa },
});

const fromReceived = (message: IncomingMessage): SeenMessage => ({
  ...{ header: message.header, payloads: message.payloads, clear: message.clear },
  ...{ protected: message.protected, datagrams: [message.octets], sa: message.sa },
});

/** Octets that a trace may take up; no test needs a tenth of it. A peer that floods us must not fill the memory. */
export const MOST_OCTETS = 16 * 1024 * 1024;
/** About what an entry, and a decoded payload or part of one, takes beside the octets of its datagram. */
const ENTRY = 1280;
const PART = 128;

function octetsOf(event: HostEvent): number {
  switch (event.type) {
    case "datagram-sent":
    case "datagram-received":
      return event.datagram.data.length;
    case "sent":
    case "received":
      return PART * (event.message.payloads.length + countParts(event.message.payloads));
    case "esp-sent":
    case "esp-received":
      return event.packet.length;
    default:
      return 0;
  }
}

export class Trace {
  readonly entries: TraceEntry[] = [];
  readonly exchanges: Exchange[] = [];
  #octets = 0;

  /** False once it is full: what happens from then on is not kept. */
  add(at: number, event: HostEvent): boolean {
    this.#octets += ENTRY + octetsOf(event);
    if (this.#octets > MOST_OCTETS) return false;
    this.#keep(at, event);
    return true;
  }

  #keep(at: number, event: HostEvent): void {
    this.entries.push({ at, event });
    if (event.type === "sent" && event.copy === 0)
      this.#enter("us", event.message.isResponse, fromSent(event.message, event.datagrams));
    if (event.type === "received" && !event.repeated) {
      this.#enter("peer", event.message.isResponse, fromReceived(event.message));
    }
  }

  /** For who has looked at all of it, and goes on without end. The exchanges stay. */
  forget(): void {
    this.entries.length = 0;
    this.#octets = 0;
  }

  #enter(sender: "us" | "peer", isResponse: boolean, message: SeenMessage): void {
    const { exchangeType, messageId } = message.header;
    if (!isResponse) {
      this.exchanges.push({ exchangeType, messageId, by: sender, request: message });
      return;
    }
    const by = sender === "us" ? "peer" : "us";
    const open = this.exchanges.findLast(
      (e) => e.by === by && e.exchangeType === exchangeType && e.messageId === messageId && !e.response,
    );
    if (open) open.response = message;
  }

  /** Exchanges of this type, in order. */
  exchangesOf(exchangeType: number, by?: "us" | "peer"): Exchange[] {
    return this.exchanges.filter((e) => e.exchangeType === exchangeType && (by === undefined || e.by === by));
  }

  ikeSas(): IkeSa[] {
    return [...new Set(this.entries.flatMap(({ event }) => (event.type === "keys" ? [event.sa] : [])))];
  }

  childSas(): ChildSa[] {
    return this.entries.flatMap(({ event }) => (event.type === "child-established" ? [event.child] : []));
  }
}
