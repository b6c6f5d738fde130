import type { Random } from "../crypto/types.ts";
import { aadMaker, ESP_HEADER, ESP_TRAILER, icvLengthOf, type SaParameters, writeU32 } from "./sa.ts";
import { Slab } from "./slab.ts";

export interface OutboundOptions extends SaParameters {
  /** Source of the IVs of CBC ciphers. */
  random: Random;
  /** The last number used before the first packet; 0 unless told. */
  counter?: bigint;
}

/** What one packet does differently from an ordinary sender's; nothing set means ordinary. */
export interface SealOptions {
  /** Octets: the padding itself, taken as it is. Number: at least so many of 1, 2, 3..., as alignment and the limit of 255 allow. */
  padding?: Uint8Array | number;
  /** Octets of TFC padding behind the payload; zeros. */
  tfc?: number;
  /** This number instead of the next one; the counter stays. */
  sequence?: bigint;
  /** This SPI instead of the SA's. */
  spi?: number;
  iv?: Uint8Array;
  /** Flips one bit in the last octet of the ICV. */
  corruptIcv?: boolean;
  /** Replaces the plaintext (payload, padding and trailer) before it is encrypted; block ciphers need it aligned. */
  mutatePlaintext?: (plaintext: Uint8Array) => Uint8Array;
}

/** The next number would cycle (RFC 4303 section 3.3.3): the SA has to be rekeyed. */
export interface SealRefusal {
  error: "exhausted";
  reason: string;
}

export function isSealRefusal(result: Uint8Array | SealRefusal): result is SealRefusal {
  return !(result instanceof Uint8Array);
}

const TWO_32 = 2 ** 32;
const MAX_PADDING = 255;
const ORDINARY: SealOptions = {};

/** The sending side of an ESP SA (RFC 4303 section 3.3). */
export class OutboundSa {
  readonly parameters: SaParameters;
  private readonly random: Random;
  private readonly icvLength: number;
  private readonly align: number;
  private readonly aadOf: (packet: Uint8Array, high: number) => Uint8Array;
  private high = 0;
  private low = 0;
  private readonly slab = new Slab();
  /** Holds the plaintext of one packet at a time: an allocation less per packet. */
  private scratch = new Uint8Array(2048);
  /** IVs of counter-based ciphers; apart from the sequence number, so that none comes twice when a number does. */
  private ivHigh = 0;
  private ivLow = 0;

  constructor({ random, counter = 0n, ...parameters }: OutboundOptions) {
    this.parameters = parameters;
    this.random = random;
    this.icvLength = icvLengthOf(parameters.transforms);
    this.align = Math.max(4, parameters.transforms.encr.blockSize);
    this.aadOf = aadMaker(parameters.esn);
    this.counter = counter;
  }

  get spi(): number {
    return this.parameters.spi;
  }

  /** The last sequence number used. */
  get counter(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  /** Goes on behind this number, as if the packets before had been lost. */
  set counter(value: bigint) {
    this.high = Number(value >> 32n);
    this.low = Number(value & 0xffffffffn);
  }

  /** An ESP packet from SPI to ICV. `payload` is a whole IP packet in tunnel mode, the upper-layer octets in transport mode. */
  seal(payload: Uint8Array, nextHeader: number, options: SealOptions = ORDINARY): Uint8Array | SealRefusal {
    if (options.sequence !== undefined) {
      const { sequence } = options;
      return this.build(
        payload,
        nextHeader,
        Number(sequence >> 32n),
        Number(sequence & 0xffffffffn),
        options,
      );
    }
    if (this.low + 1 === TWO_32) {
      if (!this.parameters.esn || this.high + 1 === TWO_32) {
        return { error: "exhausted", reason: `sequence number ${this.counter} is the last of this SA` };
      }
      this.high++;
      this.low = 0;
    } else this.low++;
    return this.build(payload, nextHeader, this.high, this.low, options);
  }

  private build(
    payload: Uint8Array,
    nextHeader: number,
    high: number,
    low: number,
    options: SealOptions,
  ): Uint8Array {
    const { transforms, keys, esn, spi } = this.parameters;
    const { encr, integ } = transforms;
    const plaintext = this.plaintext(payload, nextHeader, options);
    const iv = options.iv ?? this.nextIv();
    const body = ESP_HEADER + iv.length;
    const icvAt = body + plaintext.length;
    const packet = this.slab.take(icvAt + this.icvLength);
    writeU32(packet, 0, options.spi ?? spi);
    writeU32(packet, 4, low);
    packet.set(iv, ESP_HEADER);
    if (encr.aead) {
      const target = packet.subarray(body);
      const sealed = encr.seal(keys.encr, iv, plaintext, this.aadOf(packet, high), target);
      if (sealed !== target) target.set(sealed);
    } else {
      packet.set(encr.seal(keys.encr, iv, plaintext, packet), body);
      // The high half is authenticated behind the packet, where the ICV goes afterwards.
      if (esn && integ) writeU32(packet, icvAt, high);
      if (integ) packet.set(integ.compute(keys.integ, packet.subarray(0, esn ? icvAt + 4 : icvAt)), icvAt);
    }
    if (options.corruptIcv) packet[packet.length - 1]! ^= 1;
    return packet;
  }

  /** Payload, TFC padding, Padding, Pad Length, Next Header. */
  private plaintext(payload: Uint8Array, nextHeader: number, options: SealOptions): Uint8Array {
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

  private nextIv(): Uint8Array {
    const { encr } = this.parameters.transforms;
    if (encr.randomIv) return this.random(encr.ivLength);
    const iv = new Uint8Array(encr.ivLength);
    if (encr.ivLength === 0) return iv;
    if (++this.ivLow === TWO_32) {
      this.ivLow = 0;
      this.ivHigh++;
    }
    writeU32(iv, 0, this.ivHigh);
    writeU32(iv, 4, this.ivLow);
    return iv;
  }
}
