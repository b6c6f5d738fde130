import { timingSafeEqual } from "node:crypto";
import { concat, readU32, u32 } from "../wire/bytes.ts";
import { ReplayWindow, type WindowOptions } from "./replay-window.ts";
import {
  aadMaker,
  ESP_HEADER,
  ESP_TRAILER,
  icvLengthOf,
  ivOctets,
  type SaParameters,
  writeU32,
} from "./sa.ts";
import { readPlaintext } from "./trailer.ts";

export interface InboundOptions extends SaParameters {
  /** Replay protection; on with 64 numbers unless told. */
  window?: WindowOptions;
  /** False: padding other than 1, 2, 3... is taken (RFC 4303 section 2.4 only says SHOULD). */
  checkPadding?: boolean;
  /** False: the ICV is not looked at. Only a liar does that. */
  checkIcv?: boolean;
}

/** A packet that is to be delivered, or silently dropped when `dummy`. */
export interface OpenedPacket {
  ok: true;
  /** The whole number, with ESN 64 bits. */
  sequence: bigint;
  /** Without TFC padding when it is an IP packet (Next Header 4 or 41). */
  payload: Uint8Array;
  nextHeader: number;
  padding: Uint8Array;
  /** Octets of TFC padding trimmed from behind the inner packet. */
  tfcLength: number;
  /** Next Header 59. */
  dummy: boolean;
}

/**
 * Why a packet is dropped. `short`: no room for header, IV, trailer and ICV; `spi`: not this SA's;
 * `sequence-zero`; `subspace`: none with this id was agreed; `replay`: seen before or left of the window; `icv`;
 * `length`: no multiple of the cipher's block, a Pad Length longer than the packet, or an inner packet shorter than it
 * says; `padding`: not 1, 2, 3...; `version`: the inner IP version is not that of Next Header.
 */
export type DropReason =
  | "short"
  | "spi"
  | "sequence-zero"
  | "subspace"
  | "replay"
  | "icv"
  | "length"
  | "padding"
  | "version";

export interface DroppedPacket {
  ok: false;
  reason: DropReason;
  detail: string;
  /** Set once the ICV was good: what the peer's fault is in. */
  plaintext?: Uint8Array;
  sequence?: bigint;
}

export type OpenResult = OpenedPacket | DroppedPacket;

const TWO_32 = 2 ** 32;

export function drop(reason: DropReason, detail: string): DroppedPacket {
  return { ok: false, reason, detail };
}

/** The receiving side of an ESP SA, whatever its header. */
export interface EspReceiver {
  readonly parameters: SaParameters;
  readonly spi: number;
  /** Opens a packet from SPI to ICV. Never throws, whatever the octets. */
  open(packet: Uint8Array): OpenResult;
  /** The same SA with other options, and without memory of what came. */
  fresh(options: Partial<InboundOptions>): EspReceiver;
}

/** The receiving side of an SA of RFC 4303, in the order of RFC 4303 section 3.4: replay check, ICV, window, padding. */
export class InboundSa implements EspReceiver {
  readonly parameters: SaParameters;
  readonly window: ReplayWindow;
  private readonly checkPadding: boolean;
  private readonly checkIcv: boolean;
  private readonly icvLength: number;
  private readonly bodyAt: number;
  /** IV of the packet at hand: an allocation less per packet. */
  private readonly iv: Buffer;
  private readonly aadOf: (packet: Uint8Array, high: number) => Uint8Array;

  constructor({ window, checkPadding = true, checkIcv = true, ...parameters }: InboundOptions) {
    this.parameters = parameters;
    this.window = new ReplayWindow(window);
    this.checkPadding = checkPadding;
    this.checkIcv = checkIcv;
    this.icvLength = icvLengthOf(parameters.transforms);
    this.aadOf = aadMaker(parameters.esn);
    this.iv = Buffer.alloc(ivOctets(parameters.transforms));
    this.bodyAt = ESP_HEADER + parameters.transforms.encr.ivLength;
  }

  get spi(): number {
    return this.parameters.spi;
  }

  /** The same SA with other options, and without memory of what came. */
  fresh(options: Partial<InboundOptions>): InboundSa {
    return new InboundSa({ ...this.parameters, ...options });
  }

  /** Opens a packet from SPI to ICV. Never throws, whatever the octets. */
  open(packet: Uint8Array): OpenResult {
    const { spi, esn, transforms } = this.parameters;
    const size = packet.length - this.bodyAt - this.icvLength;
    if (size < ESP_TRAILER) return drop("short", `${packet.length} octets`);
    if (readU32(packet, 0) !== spi) return drop("spi", `SPI ${readU32(packet, 0)}`);
    if (size % transforms.encr.blockSize !== 0) return drop("length", `ciphertext of ${size} octets`);
    const low = readU32(packet, 4);
    const high = esn ? this.window.deduceHigh(low) : 0;
    const refused = this.checkSequence(high, low);
    if (refused) return refused;
    const plaintext = this.verifyAndDecrypt(packet, high);
    if (plaintext === undefined) return drop("icv", `sequence number ${high * TWO_32 + low}`);
    this.window.update(high, low);
    const sequence = high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
    return readPlaintext(plaintext, sequence, this.checkPadding);
  }

  private checkSequence(high: number, low: number): DroppedPacket | undefined {
    if (high < 0 || high >= TWO_32) return drop("replay", `${low} has no high half beside the window`);
    if (!this.window.enabled) return undefined;
    if (low === 0 && high === 0) return drop("sequence-zero", "0 is never sent");
    const verdict = this.window.check(high, low);
    return verdict === "new"
      ? undefined
      : drop("replay", `${verdict} sequence number ${high * TWO_32 + low}`);
  }

  /** The plaintext; undefined when the ICV is wrong. */
  private verifyAndDecrypt(packet: Uint8Array, high: number): Uint8Array | undefined {
    const { transforms, keys, esn } = this.parameters;
    const { encr, integ } = transforms;
    const { iv } = this;
    if (encr.implicitIv) {
      writeU32(iv, 0, high);
      writeU32(iv, 4, readU32(packet, 4));
    } else for (let index = 0; index < iv.length; index++) iv[index] = packet[ESP_HEADER + index]!;
    if (encr.aead && !this.checkIcv) return this.decryptUnverified(packet, iv);
    if (encr.aead) return encr.open(keys.encr, iv, packet.subarray(this.bodyAt), this.aadOf(packet, high));
    const icvAt = packet.length - this.icvLength;
    const covered = packet.subarray(0, icvAt);
    if (integ && this.checkIcv) {
      const icv = integ.compute(keys.integ, esn ? concat(covered, u32(high)) : covered);
      if (!timingSafeEqual(icv, packet.subarray(icvAt))) return undefined;
    }
    return encr.open(keys.encr, iv, packet.subarray(this.bodyAt, icvAt), packet);
  }

  /** Combined-mode ciphers are stream ciphers: to seal the ciphertext again decrypts it. */
  private decryptUnverified(packet: Uint8Array, iv: Uint8Array): Uint8Array {
    const { transforms, keys } = this.parameters;
    const ciphertext = packet.subarray(this.bodyAt, packet.length - this.icvLength);
    const again = transforms.encr.seal(keys.encr, iv, ciphertext, this.aadOf(packet, 0));
    return again.subarray(0, ciphertext.length);
  }
}
