/** Classes of what a peer sends: equal for equal behaviour, whatever the values. */
import type { IncomingMessage } from "../../harness/ike/hooks.ts";
import type { Datagram } from "../../harness/link/types.ts";
import type { HostEvent } from "../../harness/script/host.ts";
import { plain } from "../../harness/wire/bytes.ts";
import { decodeMessage, isFrameError } from "../../harness/wire/index.ts";
import { eapCodes } from "../../harness/wire/registry/eap.ts";
import { exchangeTypes } from "../../harness/wire/registry/exchange-types.ts";
import { notifyTypes } from "../../harness/wire/registry/notify-types.ts";
import { payloadTypes } from "../../harness/wire/registry/payload-types.ts";
import { protocolIds } from "../../harness/wire/registry/protocol-ids.ts";
import type { Registry } from "../../harness/wire/registry/registry.ts";
import { FLAG, type Payload } from "../../harness/wire/types.ts";
import { demultiplex } from "../../harness/wire/udp.ts";

/** More payloads than this in a row say nothing new. */
const MOST_NAMED = 24;
const FIRST_STATUS = 16_384;
const PRIVATE_ERRORS = 8192;
const PRIVATE_STATUS = 40_960;

/** The name, or for a number that has none only what kind of number it is. */
const known = (registry: Registry, value: number, kind: string): string => registry.get(value)?.name ?? kind;

function notifyKind(type: number): string {
  if (type < FIRST_STATUS) return type < PRIVATE_ERRORS ? "an error" : "a private error";
  return type < PRIVATE_STATUS ? "a status" : "a private status";
}

function payloadClass(payload: Payload): string {
  switch (payload.kind) {
    case "Notify":
      return `N(${known(notifyTypes, payload.notifyType, notifyKind(payload.notifyType))})`;
    case "Delete":
      return `D(${known(protocolIds, payload.protocolId, "a protocol")})`;
    case "EAP":
      return `EAP(${known(eapCodes, payload.code, "a code")})`;
    case "raw":
      return `${known(payloadTypes, payload.type, "a payload")}(raw)`;
    default: {
      const entry = payloadTypes.get(payload.type);
      return entry?.short ?? entry?.name ?? "a payload";
    }
  }
}

/** In order; what comes several times in a row is named once. */
function chainClass(payloads: readonly Payload[]): string {
  const names = payloads.map(payloadClass).filter((name, i, all) => name !== all[i - 1]);
  const more = names.length > MOST_NAMED ? ["..."] : [];
  return [...names.slice(0, MOST_NAMED), ...more].join(" ");
}

/** The class of a message of the peer: `IKE_AUTH response SK{IDr AUTH N(TS_UNACCEPTABLE)}`. */
export function classOf(
  message: Pick<IncomingMessage, "header" | "isResponse" | "payloads" | "clear" | "protected">,
): string {
  const exchange = known(exchangeTypes, message.header.exchangeType, "an exchange");
  const clear = chainClass(message.protected ? message.clear : message.payloads);
  const body = message.protected ? `SK{${chainClass(message.payloads)}}` : "";
  return [exchange, message.isResponse ? "response" : "request", clear, body].filter(Boolean).join(" ");
}

/** Of a datagram that our endpoint did not act on; of an SK payload only that there was one. */
export function classOfUnused(datagram: Datagram, natPort: number): string {
  const marked = datagram.protocol === "tcp" || datagram.destination.port === natPort;
  const octets = marked ? demultiplex(datagram.data).data : plain(datagram.data);
  const decoded = decodeMessage(octets);
  if (isFrameError(decoded)) return "no IKE";
  const isResponse = (decoded.header.flags & FLAG.response) !== 0;
  return `unused ${classOf({ ...decoded, isResponse, clear: [], protected: false })}`;
}

/** The class of an ESP packet of the peer: `ESP echo reply`, `ESP dropped: icv`. */
export function classOfEsp(event: Extract<HostEvent, { type: "esp-received" }>): string {
  const { result, inner } = event;
  if (!result.ok) return `ESP dropped: ${result.reason}`;
  if (result.dummy) return "ESP dummy";
  if (!inner?.echo) return "ESP";
  return `ESP echo ${inner.echo.reply ? "reply" : "request"}${inner.allowed ? "" : " outside of the selectors"}`;
}
