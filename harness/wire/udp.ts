/** What travels on UDP port 4500 (RFC 3948, RFC 7296 section 2.23). */
import { concat, EMPTY, plain, view } from "./bytes.ts";

/** Four octets of zero, where an ESP packet would have its SPI. */
export const NON_ESP_MARKER: Uint8Array = new Uint8Array(4);

/** The NAT keepalive: one octet. */
export const KEEPALIVE: Uint8Array = Uint8Array.of(0xff);

export interface Demultiplexed {
  /** `short`: fewer than 4 octets and no keepalive, to be dropped. */
  kind: "keepalive" | "ike" | "esp" | "short";
  /** `ike`: the message behind the marker; `esp`: the whole packet; else empty. A view of the payload. */
  data: Uint8Array;
}

/** Tells what a UDP payload on port 4500 is. */
export function demultiplex(payload: Uint8Array): Demultiplexed {
  const bytes = plain(payload);
  if (bytes.length < 4) {
    const keepalive = bytes.length === 1 && bytes[0] === 0xff;
    return { kind: keepalive ? "keepalive" : "short", data: EMPTY };
  }
  const marked = bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 0 && bytes[3] === 0;
  return marked ? { kind: "ike", data: view(bytes, 4, bytes.length) } : { kind: "esp", data: bytes };
}

/** An IKE message as it travels on port 4500. */
export function addMarker(message: Uint8Array): Uint8Array {
  return concat(NON_ESP_MARKER, message);
}
