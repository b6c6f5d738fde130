/** The trace as JSON lines: one event a line, deterministic for a run in memory. */
import type { FieldTree } from "../../pcaps/view.ts";
import type { EventTree } from "../../pcaps/view-events.ts";
import { describe } from "../../pcaps/view-text.ts";
import type { IncomingMessage, OutgoingMessage } from "../ike/hooks.ts";
import type { HostEvent } from "../script/host.ts";
import type { Trace, TraceEntry } from "../script/trace.ts";
import { hex, readU32 } from "../wire/bytes.ts";
import { decodeMessage, isFrameError } from "../wire/index.ts";
import { exchangeTypes } from "../wire/registry/exchange-types.ts";
import { payloadToTree } from "../wire/text.ts";

export function eventLines(trace: Trace): string {
  return eventTrees(trace)
    .map((tree) => `${JSON.stringify(tree)}\n`)
    .join("");
}

/** The same, before it becomes text. */
export function eventTrees(trace: Trace): EventTree[] {
  return trace.entries.map(eventTree);
}

const address = (a: { host: string; port: number }): string => `${a.host}:${a.port}`;

function eventTree({ at, event }: TraceEntry): EventTree {
  return { at: Math.round(at * 1000) / 1000, event: event.type, ...details(event) };
}

function details(event: HostEvent): FieldTree {
  switch (event.type) {
    case "sent":
      return sent(event);
    case "received":
      return received(event);
    case "dropped":
      return { reason: event.reason, from: address(event.datagram.source), data: hex(event.datagram.data) };
    case "datagram-sent":
    case "datagram-received":
    case "keepalive": {
      const { protocol, source, destination, data } = event.datagram;
      return { protocol, source: address(source), destination: address(destination), data: hex(data) };
    }
    case "esp-sent":
      return {
        spi: event.pipe.outbound.spi.toString(16),
        sequence: event.packet.length < 8 ? 0 : readU32(event.packet, 4),
        nextHeader: event.nextHeader,
        inner: hex(event.inner),
      };
    case "esp-received":
      return espReceived(event);
    case "keys":
    case "ike-established":
      return { spiI: hex(event.sa.spiI), spiR: hex(event.sa.spiR) };
    case "ike-closed":
      return { spiI: hex(event.sa.spiI), reason: event.reason };
    case "child-failed":
      return { spiI: hex(event.sa.spiI), reason: event.reason };
    case "child-established":
      return { spiIn: hex(event.child.spiIn), spiOut: hex(event.child.spiOut), mode: event.child.mode };
    case "judged":
      return {};
    case "child-closed":
      return { spiIn: hex(event.child.spiIn), reason: event.reason };
  }
}

type EventOf<T extends HostEvent["type"]> = Extract<HostEvent, { type: T }>;

const sent = ({ message, copy, datagrams }: EventOf<"sent">): FieldTree => ({
  ...messageFields(message, datagrams),
  ...{ copy, datagrams: datagrams.length },
  payloads: message.payloads.map(payloadToTree),
});

const received = ({ message, repeated }: EventOf<"received">): FieldTree => ({
  ...messageFields(message, [message.octets]),
  ...{ repeated, payloads: message.payloads.map(payloadToTree) },
  ...(message.findings.length > 0 && { findings: message.findings.map((finding) => ({ ...finding })) }),
});

/** What sent and received messages have in common, but for the payloads that are sealed. */
function messageFields(message: IncomingMessage | OutgoingMessage, [first]: Uint8Array[]): FieldTree {
  const { header, payloads, clear, protected: sealed } = message;
  const { spiI, spiR, version, flags, exchangeType, messageId, ...others } = header;
  const fragments = sealed && first ? fragmentsOf(first) : undefined;
  return {
    exchange: exchangeTypes.nameOf(exchangeType),
    ...{ response: message.isResponse, messageId },
    ...{ spiI: hex(spiI), spiR: hex(spiR), version, flags, ...others },
    text: describe({ header, payloads, clear, protected: sealed }),
    protected: sealed,
    ...(fragments !== undefined && { fragments }),
    ...(clear.length > 0 && { clear: clear.map(payloadToTree) }),
  };
}

/** The number of fragments that the first of them tells; not set for a message in one piece. */
function fragmentsOf(octets: Uint8Array): number | undefined {
  const message = decodeMessage(octets);
  const last = isFrameError(message) ? undefined : message.payloads.at(-1);
  return last?.kind === "SKF" ? last.totalFragments : undefined;
}

function espReceived(event: Extract<HostEvent, { type: "esp-received" }>): FieldTree {
  const { result, inner, packet } = event;
  const spi: FieldTree = packet.length < 4 ? {} : { spi: hex(packet.subarray(0, 4)) };
  if (!result.ok) return { ...spi, octets: packet.length, dropped: result.reason, detail: result.detail };
  return {
    ...spi,
    sequence: result.sequence.toString(),
    nextHeader: result.nextHeader,
    payload: hex(result.payload),
    ...(inner ? { source: inner.source, destination: inner.destination, allowed: inner.allowed } : {}),
  };
}
