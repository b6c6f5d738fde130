/** What ESP encrypts: payload, TFC padding, Padding, Pad Length and Next Header (RFC 4303 sections 2.4 to 2.7). */
import { readU16 } from "../wire/bytes.ts";
import type { OpenResult } from "./inbound.ts";
import type { SealOptions } from "./outbound.ts";
import { ESP_TRAILER, NEXT_HEADER } from "./sa.ts";

const MAX_PADDING = 255;

/** Builds plaintexts of one SA, one at a time: the octets are overwritten by the next call. */
export class PlaintextWriter {
  private readonly align: number;
  /** An allocation less per packet. */
  private scratch = new Uint8Array(2048);

  /** `blockSize` is that of the cipher. */
  constructor(blockSize: number) {
    this.align = Math.max(4, blockSize);
  }

  write(payload: Uint8Array, nextHeader: number, options: SealOptions): Uint8Array {
    const { tfc = 0, padding = 0 } = options;
    const unpadded = payload.length + tfc + ESP_TRAILER;
    const padLength = typeof padding === "number" ? this.padLength(unpadded, padding) : padding.length;
    const size = unpadded + padLength;
    if (this.scratch.length < size) this.scratch = new Uint8Array(2 * size);
    const out = this.scratch.subarray(0, size);
    out.set(payload);
    let at = payload.length;
    if (tfc > 0) out.fill(0, at, at + tfc);
    at += tfc;
    if (typeof padding !== "number") out.set(padding, at);
    else for (let octet = 1; octet <= padLength; octet++) out[at + octet - 1] = octet;
    out[size - 2] = padLength;
    out[size - 1] = nextHeader;
    return options.mutatePlaintext ? options.mutatePlaintext(out.slice()) : out;
  }

  private padLength(unpadded: number, atLeast: number): number {
    const { align } = this;
    const least = (align - (unpadded % align)) % align;
    const wanted = least + Math.max(0, Math.ceil((atLeast - least) / align)) * align;
    return wanted <= MAX_PADDING ? wanted : MAX_PADDING - ((MAX_PADDING - least) % align);
  }
}

/** Cuts an authenticated plaintext into its parts. */
export function readPlaintext(plaintext: Uint8Array, sequence: bigint, checkPadding: boolean): OpenResult {
  const nextHeader = plaintext[plaintext.length - 1]!;
  const padLength = plaintext[plaintext.length - 2]!;
  const end = plaintext.length - ESP_TRAILER - padLength;
  if (end < 0) {
    const detail = `Pad Length ${padLength} of ${plaintext.length - ESP_TRAILER} octets`;
    return { ok: false, reason: "length", detail, plaintext, sequence };
  }
  const padding = plaintext.subarray(end, end + padLength);
  const bad = checkPadding ? firstBadPadding(padding) : -1;
  if (bad >= 0) {
    const detail = `padding octet ${bad + 1} is ${padding[bad]}`;
    return { ok: false, reason: "padding", detail, plaintext, sequence };
  }
  const inner = innerLength(plaintext, end, nextHeader);
  if (typeof inner === "string") {
    const detail = `inner packet of ${end} octets, Next Header ${nextHeader}`;
    return { ok: false, reason: inner, detail, plaintext, sequence };
  }
  return {
    ok: true,
    sequence,
    payload: plaintext.subarray(0, inner),
    nextHeader,
    padding,
    tfcLength: end - inner,
    dummy: nextHeader === NEXT_HEADER.none,
  };
}

/** Index of the first octet that is not its number; -1 when all are right. */
function firstBadPadding(padding: Uint8Array): number {
  for (let index = 0; index < padding.length; index++) if (padding[index] !== index + 1) return index;
  return -1;
}

/** Octets of the inner packet by its own length field; everything up to `end` when it is no IP packet. */
function innerLength(plaintext: Uint8Array, end: number, nextHeader: number): number | "length" | "version" {
  if (nextHeader !== NEXT_HEADER.ipv4 && nextHeader !== NEXT_HEADER.ipv6) return end;
  const v4 = nextHeader === NEXT_HEADER.ipv4;
  const least = v4 ? 20 : 40;
  if (end < least) return "length";
  if (plaintext[0]! >> 4 !== (v4 ? 4 : 6)) return "version";
  const length = v4 ? readU16(plaintext, 2) : 40 + readU16(plaintext, 4);
  return length >= least && length <= end ? length : "length";
}
