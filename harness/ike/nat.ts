/** NAT detection: RFC 7296 section 2.23. */
import { digest } from "../crypto/hash.ts";
import type { Address } from "../link/types.ts";
import { concat, equal, u16 } from "../wire/bytes.ts";
import { parseAddress } from "../wire/ip.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Payload } from "../wire/types.ts";
import { notifies, notify } from "./payloads.ts";

/** SHA-1 over SPIi, SPIr, address and port; the SPIs are those of the header of the same message. */
export function natHash(spiI: Uint8Array, spiR: Uint8Array, address: Address): Uint8Array {
  const host = parseAddress(address.host) ?? new Uint8Array(4);
  return digest("sha1", concat(spiI, spiR, host, u16(address.port)));
}

export function natNotifies(
  spiI: Uint8Array,
  spiR: Uint8Array,
  source: Address,
  destination: Address,
): Payload[] {
  return [
    notify(NOTIFY.NAT_DETECTION_SOURCE_IP, natHash(spiI, spiR, source)),
    notify(NOTIFY.NAT_DETECTION_DESTINATION_IP, natHash(spiI, spiR, destination)),
  ];
}

/** Who is behind a NAT, as the receiver of a message sees it; undefined if the sender did not ask. */
export function detectNat(
  payloads: Payload[],
  spiI: Uint8Array,
  spiR: Uint8Array,
  source: Address,
  destination: Address,
): { peer: boolean; us: boolean } | undefined {
  const sources = notifies(payloads, NOTIFY.NAT_DETECTION_SOURCE_IP);
  const destinations = notifies(payloads, NOTIFY.NAT_DETECTION_DESTINATION_IP);
  if (sources.length === 0 || destinations.length === 0) return undefined;
  const sourceHash = natHash(spiI, spiR, source);
  const destinationHash = natHash(spiI, spiR, destination);
  return {
    peer: !sources.some((n) => equal(n.data, sourceHash)),
    us: !destinations.some((n) => equal(n.data, destinationHash)),
  };
}
