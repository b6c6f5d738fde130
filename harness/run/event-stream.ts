/** The trace as JSON lines: one event a line, deterministic for a run in memory. */
import type { HostEvent } from "../script/host.ts";
import type { Trace, TraceEntry } from "../script/trace.ts";
import { hex } from "../wire/bytes.ts";
import { exchangeTypes } from "../wire/registry/exchange-types.ts";
import { payloadToTree, type Tree } from "../wire/text.ts";

export function eventLines(trace: Trace): string {
  return trace.entries.map((entry) => `${JSON.stringify(eventTree(entry))}\n`).join("");
}

const address = (a: { host: string; port: number }): string => `${a.host}:${a.port}`;

function eventTree({ at, event }: TraceEntry): Tree {
  return { at: Math.round(at * 1000) / 1000, event: event.type, ...details(event) };
}

function details(event: HostEvent): { [field: string]: Tree } {
  switch (event.type) {
    case "sent":
    case "received": {
      const { header, payloads, protected: sealed } = event.message;
      return {
        exchange: exchangeTypes.nameOf(header.exchangeType),
        ...{ response: event.message.isResponse, messageId: header.messageId },
        ...{ spiI: hex(header.spiI), spiR: hex(header.spiR), protected: sealed },
        ...(event.type === "sent" ? { copy: event.copy } : { repeated: event.repeated }),
        payloads: payloads.map(payloadToTree),
        ...(event.type === "received" && event.message.findings.length > 0
          ? { findings: event.message.findings.map((f) => ({ ...f })) }
          : {}),
      };
    }
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
    case "child-closed":
      return { spiIn: hex(event.child.spiIn), reason: event.reason };
  }
}

function espReceived(event: Extract<HostEvent, { type: "esp-received" }>): { [field: string]: Tree } {
  const { result, inner } = event;
  if (!result.ok) return { dropped: result.reason, detail: result.detail };
  return {
    sequence: result.sequence.toString(),
    nextHeader: result.nextHeader,
    payload: hex(result.payload),
    ...(inner ? { source: inner.source, destination: inner.destination, allowed: inner.allowed } : {}),
  };
}
