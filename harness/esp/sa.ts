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

/** Octets of the IV as the cipher takes it, on the wire or not (RFC 8750 section 3). */
export const ivOctets = ({ encr }: SuiteTransforms): number => (encr.implicitIv ? 8 : encr.ivLength);

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/**
 * Gives the AAD of the packets of an SA, for combined-mode ciphers: SPI | SN, or SPI | SN high | SN low with ESN.
 * The octets are overwritten by the next call: an allocation less per packet.
 */
export function aadMaker(esn: boolean): (packet: Uint8Array, high: number) => Uint8Array {
  const aad = Buffer.alloc(esn ? 12 : ESP_HEADER);
  const lowAt = aad.length - 4;
  return (packet, high) => {
    for (let index = 0; index < 4; index++) {
      aad[index] = packet[index]!;
      aad[lowAt + index] = packet[4 + index]!;
    }
    if (esn) writeU32(aad, 4, high);
    return aad;
  };
}
