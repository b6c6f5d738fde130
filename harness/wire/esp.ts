/** ESP packets as octets: the header in front, the trailer inside (RFC 4303 section 2). No keys here. */
import { concat, EMPTY, readU32, u32, view } from "./bytes.ts";
import type { Finding } from "./types.ts";

/** Octets of SPI and Sequence Number. */
export const ESP_HEADER = 8;

export interface EspPacket {
  spi: number;
  /** The low 32 bits, as transmitted. */
  sequence: number;
  /** IV, ciphertext and ICV: a view of the packet. */
  rest: Uint8Array;
}

/** The decrypted octets of a packet, taken apart. */
export interface EspPlaintext {
  /** What stands in front of the padding; in tunnel mode with TFC padding behind the inner packet. */
  payload: Uint8Array;
  padding: Uint8Array;
  padLength: number;
  nextHeader: number;
}

/** Octets of ESP that cannot be taken apart. */
export interface EspError {
  error: string;
  findings: Finding[];
}

export function isEspError(result: EspPacket | EspPlaintext | EspError): result is EspError {
  return "error" in result;
}

function espError(offset: number, field: string, reason: string): EspError {
  return { error: `${field}: ${reason}`, findings: [{ offset, field, reason }] };
}

/** Takes the header off a packet. The values are views of `bytes`. */
export function splitEsp(bytes: Uint8Array): EspPacket | EspError {
  if (bytes.length < ESP_HEADER) {
    return espError(bytes.length, "ESP header", `${bytes.length} octets, ${ESP_HEADER} are needed`);
  }
  return { spi: readU32(bytes, 0), sequence: readU32(bytes, 4), rest: view(bytes, ESP_HEADER, bytes.length) };
}

export function joinEsp(packet: EspPacket): Uint8Array {
  return concat(u32(packet.spi), u32(packet.sequence), packet.rest);
}

/** Takes decrypted octets apart. The values are views of `plaintext`; the content of the padding is not judged. */
export function splitEspPlaintext(plaintext: Uint8Array): EspPlaintext | EspError {
  const size = plaintext.length;
  if (size < 2) return espError(size, "ESP trailer", `${size} octets, 2 are needed`);
  const padLength = plaintext[size - 2]!;
  const paddingAt = size - 2 - padLength;
  if (paddingAt < 0) {
    return espError(
      size - 2,
      "ESP trailer > Pad Length",
      `${padLength}, only ${size - 2} octets stand before it`,
    );
  }
  return {
    payload: view(plaintext, 0, paddingAt),
    padding: view(plaintext, paddingAt, size - 2),
    padLength,
    nextHeader: plaintext[size - 1]!,
  };
}

/** The inverse of {@link splitEspPlaintext}; `padLength` is written as it is, even if it is not that of `padding`. */
export function joinEspPlaintext(parts: EspPlaintext): Uint8Array {
  return concat(parts.payload, parts.padding, Uint8Array.of(parts.padLength, parts.nextHeader));
}

/** The default padding 1, 2, 3, ... (section 2.4). */
export function defaultPadding(octets: number): Uint8Array {
  if (octets <= 0) return EMPTY;
  return Uint8Array.from({ length: octets }, (_, i) => i + 1);
}
