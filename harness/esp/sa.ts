import type { DirectionKeys } from "../crypto/keys.ts";
import type { SuiteTransforms } from "../crypto/types.ts";

/** What both ends of one unidirectional ESP SA share. */
export interface SaParameters {
  /** Chosen by the receiver; 256 and more for an ordinary SA. */
  spi: number;
  transforms: SuiteTransforms;
  keys: DirectionKeys;
  /** True: 64-bit sequence numbers, of which the low half travels. */
  esn: boolean;
}

/** Octets of SPI and Sequence Number. */
export const ESP_HEADER = 8;
/** Pad Length and Next Header. */
export const ESP_TRAILER = 2;

/** Next Header values with a meaning of their own here. */
export const NEXT_HEADER = { icmp: 1, ipv4: 4, tcp: 6, udp: 17, ipv6: 41, icmpv6: 58, none: 59 } as const;

export function icvLengthOf({ encr, integ }: SuiteTransforms): number {
  return encr.aead ? encr.icvLength : (integ?.icvLength ?? 0);
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** AAD of a combined-mode cipher: SPI | SN, or SPI | SN high | SN low with ESN. */
export function aadOf(packet: Uint8Array, esn: boolean, high: number): Uint8Array {
  if (!esn) return packet.subarray(0, ESP_HEADER);
  const aad = new Uint8Array(12);
  aad.set(packet.subarray(0, 4));
  writeU32(aad, 4, high);
  aad.set(packet.subarray(4, ESP_HEADER), 8);
  return aad;
}
