import type { Random } from "../crypto/types.ts";
import { Ivs } from "./iv.ts";
import { aadMaker, ESP_HEADER, icvLengthOf, type SaParameters, writeU32 } from "./sa.ts";
import { Slab } from "./slab.ts";
import { PlaintextWriter } from "./trailer.ts";

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
  /** This number instead of the next one; the counter stays. With subspaces the id is in its upper 16 bits. */
  sequence?: bigint;
  /** Only where subspaces were agreed: the next number of this one. */
  subspace?: number;
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
const ORDINARY: SealOptions = {};

/** The sending side of an ESP SA, whatever its header. */
export interface EspSender {
  readonly parameters: SaParameters;
  readonly random: Random;
  readonly spi: number;
  /** The last sequence number used. Set, the SA goes on behind that number, as if the packets before had been lost. */
  counter: bigint;
  /** Packets that can be sent before the numbers end. */
  readonly remaining: number;
  /** Set where the receiver checks no replays: 32-bit numbers begin again with 0, unless they are the cipher's IV. */
  mayWrap: boolean;
  /** An ESP packet from SPI to ICV. `payload` is a whole IP packet in tunnel mode, the upper-layer octets in transport mode. */
  seal(payload: Uint8Array, nextHeader: number, options?: SealOptions): Uint8Array | SealRefusal;
}

/** The sending side of an SA of RFC 4303 (section 3.3). */
export class OutboundSa implements EspSender {
  readonly parameters: SaParameters;
  mayWrap = false;
  readonly random: Random;
  private readonly icvLength: number;
  private readonly plaintext: PlaintextWriter;
  private readonly aadOf: (packet: Uint8Array, high: number) => Uint8Array;
  private high = 0;
  private low = 0;
  private readonly slab = new Slab();
  private readonly ivs: Ivs;

  constructor({ random, counter = 0n, ...parameters }: OutboundOptions) {
    this.parameters = parameters;
    this.random = random;
    this.icvLength = icvLengthOf(parameters.transforms);
    this.plaintext = new PlaintextWriter(parameters.transforms.encr.blockSize);
    this.aadOf = aadMaker(parameters.esn);
    this.ivs = new Ivs(parameters.transforms.encr, random);
    this.counter = counter;
  }

  get spi(): number {
    return this.parameters.spi;
  }

  get counter(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  set counter(value: bigint) {
    this.high = Number(value >> 32n);
    this.low = Number(value & 0xffffffffn);
  }

  get remaining(): number {
    if (this.wraps) return Number.POSITIVE_INFINITY;
    const highs = this.parameters.esn ? TWO_32 - 1 - this.high : 0;
    return highs * TWO_32 + (TWO_32 - 1 - this.low);
  }

  private get wraps(): boolean {
    const { esn, transforms } = this.parameters;
    return this.mayWrap && !esn && !transforms.encr.implicitIv;
  }

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
      if (this.remaining === 0) {
        return { error: "exhausted", reason: `sequence number ${this.counter} is the last of this SA` };
      }
      if (this.parameters.esn) this.high++;
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
    const plaintext = this.plaintext.write(payload, nextHeader, options);
    const iv = options.iv ?? (encr.implicitIv ? numberIv(high, low) : this.ivs.next());
    const body = ESP_HEADER + (encr.implicitIv ? 0 : iv.length);
    const icvAt = body + plaintext.length;
    const packet = this.slab.take(icvAt + this.icvLength);
    writeU32(packet, 0, options.spi ?? spi);
    writeU32(packet, 4, low);
    if (!encr.implicitIv) packet.set(iv, ESP_HEADER);
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
}

/** The IV of RFC 8750 section 3: the sequence number in 64 bits. */
function numberIv(high: number, low: number): Uint8Array {
  const iv = new Uint8Array(8);
  writeU32(iv, 0, high);
  writeU32(iv, 4, low);
  return iv;
}
