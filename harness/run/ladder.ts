/** The trace as the arrows of a ladder. */
import type { LadderEvent } from "../../pcaps/ladder.ts";
import type { HostEvent } from "../script/host.ts";
import type { Trace } from "../script/trace.ts";
import { concat } from "../wire/bytes.ts";
import { exchangeTypes } from "../wire/registry/exchange-types.ts";
import { keMethods } from "../wire/registry/ke.ts";
import { describePayload } from "../wire/text.ts";
import type { Header, Payload } from "../wire/types.ts";

export function ladderEvents(trace: Trace): LadderEvent[] {
  return trace.entries.flatMap(({ at, event }) => arrow(at, event));
}

/** A message, sent or received. */
interface Described {
  header: Header;
  isResponse: boolean;
  payloads: Payload[];
  clear: Payload[];
  protected: boolean;
}

/** With the method of a key exchange, for of several rounds each has another: `KE(ML_KEM_768)`. */
const describeInLadder = (payload: Payload): string =>
  payload.kind === "KE"
    ? `${describePayload(payload)}(${keMethods.nameOf(payload.group)})`
    : describePayload(payload);

/** As in `IKE_AUTH request 1: SK { IDi AUTH SA TSi TSr }`. */
export function describe({ header, isResponse, payloads, clear, protected: sealed }: Described): string {
  const list = payloads.map(describeInLadder).join(" ");
  const outside = clear.map(describeInLadder).join(" ");
  const body = sealed ? [outside, `SK { ${list} }`].filter(Boolean).join(" ") : list;
  return `${exchangeTypes.nameOf(header.exchangeType)} ${isResponse ? "response" : "request"} ${header.messageId}: ${body}`;
}

function arrow(timeMs: number, event: HostEvent): LadderEvent[] {
  switch (event.type) {
    case "sent": {
      const fragments = event.datagrams.length > 1 ? `${event.datagrams.length} fragments` : undefined;
      return [
        {
          timeMs,
          from: "us",
          text: describe(event.message),
          note: fragments,
          data: concat(...event.datagrams),
        },
      ];
    }
    case "received":
      return [{ timeMs, from: "peer", text: describe(event.message), data: event.message.octets }];
    case "dropped":
      return [
        {
          timeMs,
          from: "peer",
          text: `${event.datagram.data.length} octets`,
          note: `not acted on: ${event.reason}`,
        },
      ];
    case "esp-sent":
      return [
        {
          timeMs,
          from: "us",
          text: `ESP ${event.pipe.outbound.spi.toString(16).padStart(8, "0")}: next header ${event.nextHeader}`,
        },
      ];
    case "esp-received":
      return [espArrow(timeMs, event)];
    default:
      return [];
  }
}

function espArrow(
  timeMs: number,
  { result, inner, packet }: Extract<HostEvent, { type: "esp-received" }>,
): LadderEvent {
  if (!result.ok)
    return { timeMs, from: "peer", text: `ESP, ${packet.length} octets`, note: `dropped: ${result.detail}` };
  const echo = inner?.echo
    ? ` echo ${inner.echo.reply ? "reply" : "request"} ${inner.source} > ${inner.destination}`
    : "";
  return {
    timeMs,
    from: "peer",
    text: `ESP number ${result.sequence}: next header ${result.nextHeader}${echo}`,
  };
}
