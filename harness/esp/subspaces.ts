/**
 * ESP whose 64-bit sequence number travels whole: 16 bits name a subspace, 48 count within it. Each subspace has a
 * counter at the sender and a window at the receiver (draft-ponchon-ipsecme-anti-replay-subspaces; the header is of
 * our own definition). What is authenticated is the header as it travels; nothing is added behind.
 */
import { timingSafeEqual } from "node:crypto";
import type { Random } from "../crypto/types.ts";
import { readU16, readU32 } from "../wire/bytes.ts";
import { drop, type EspReceiver, type InboundOptions, type OpenResult } from "./inbound.ts";
import { Ivs } from "./iv.ts";
import type { EspSender, SealOptions, SealRefusal } from "./outbound.ts";
import { ReplayWindow, type WindowOptions } from "./replay-window.ts";
import { ESP_TRAILER, icvLengthOf, ivOctets, type SaParameters, writeU32 } from "./sa.ts";
import { PlaintextWriter, readPlaintext } from "./trailer.ts";

/** Octets of SPI, Subspace ID and Sequence Number. */
const HEADER = 12;
const SPI_OCTETS = 4;
/** Of a subspace. */
const LAST_NUMBER = 2 ** 48 - 1;
const TWO_32 = 2 ** 32;

export interface SubspaceOutboundOptions extends SaParameters {
  random: Random;
  /** How many subspaces the receiver takes, 1 to 65535. */
  subspaces: number;
  /** Spreads packets over as few of them as this; 4 unless told. */
  used?: number;
  /** Chooses among those in use; in turn unless told. */
  choose?: (payload: Uint8Array) => number;
}

/** The 64-bit number of a packet. */
export const subspaceNumber = (subspace: number, number: number): bigint =>
  (BigInt(subspace) << 48n) | BigInt(number);

/** The sending side. Its counter is the number that subspaces begin behind, and the last whole number once one was sent. */
export class SubspaceOutboundSa implements EspSender {
  readonly parameters: SaParameters;
  readonly subspaces: number;
  readonly used: number;
  mayWrap = false;
  readonly random: Random;
  private readonly choose: (payload: Uint8Array) => number;
  private readonly plaintext: PlaintextWriter;
  private readonly icvLength: number;
  /** Last number by subspace. */
  private readonly counters = new Map<number, number>();
  private start = 0;
  private highest = 0;
  private last = 0n;
  private turn = 0;
  private readonly ivs: Ivs;

  constructor({ random, subspaces, used = 4, choose, ...parameters }: SubspaceOutboundOptions) {
    this.parameters = parameters;
    this.random = random;
    this.subspaces = subspaces;
    this.used = Math.min(subspaces, used);
    this.choose = choose ?? (() => this.turn++ % this.used);
    this.plaintext = new PlaintextWriter(parameters.transforms.encr.blockSize);
    this.icvLength = icvLengthOf(parameters.transforms);
    this.ivs = new Ivs(parameters.transforms.encr, random);
  }

  get spi(): number {
    return this.parameters.spi;
  }

  get counter(): bigint {
    return this.last;
  }

  /** Every subspace goes on behind this number. */
  set counter(value: bigint) {
    this.start = Number(value & BigInt(LAST_NUMBER));
    this.last = value;
    this.highest = this.start;
    this.counters.clear();
  }

  /** Of the subspace that is nearest to its end. */
  get remaining(): number {
    return LAST_NUMBER - this.highest;
  }

  seal(payload: Uint8Array, nextHeader: number, options: SealOptions = {}): Uint8Array | SealRefusal {
    if (options.sequence !== undefined) return this.build(payload, nextHeader, options.sequence, options);
    const subspace = options.subspace ?? this.choose(payload);
    const number = (this.counters.get(subspace) ?? this.start) + 1;
    if (number > LAST_NUMBER)
      return { error: "exhausted", reason: `subspace ${subspace} is at the last of its numbers` };
    this.counters.set(subspace, number);
    this.highest = Math.max(this.highest, number);
    this.last = subspaceNumber(subspace, number);
    return this.build(payload, nextHeader, this.last, options);
  }

  private build(payload: Uint8Array, nextHeader: number, sequence: bigint, options: SealOptions): Uint8Array {
    const { transforms, keys, spi } = this.parameters;
    const { encr, integ } = transforms;
    const plaintext = this.plaintext.write(payload, nextHeader, options);
    const header = new Uint8Array(HEADER);
    writeU32(header, 0, options.spi ?? spi);
    writeU32(header, SPI_OCTETS, Number(sequence >> 32n));
    writeU32(header, 8, Number(sequence & 0xffffffffn));
    const iv = options.iv ?? (encr.implicitIv ? header.subarray(SPI_OCTETS) : this.ivs.next());
    const sealed = encr.seal(keys.encr, iv, plaintext, header);
    const wireIv = encr.implicitIv ? 0 : iv.length;
    const icvAt = HEADER + wireIv + sealed.length - (encr.aead ? this.icvLength : 0);
    const packet = new Uint8Array(icvAt + this.icvLength);
    packet.set(header);
    if (wireIv > 0) packet.set(iv, HEADER);
    packet.set(sealed, HEADER + wireIv);
    if (!encr.aead && integ) packet.set(integ.compute(keys.integ, packet.subarray(0, icvAt)), icvAt);
    if (options.corruptIcv) packet[packet.length - 1]! ^= 1;
    return packet;
  }
}

export interface SubspaceInboundOptions extends InboundOptions {
  /** How many subspaces we take, 1 to 65535. */
  subspaces: number;
}

/** The receiving side, in the order of RFC 4303 section 3.4. A window is made when a packet of its subspace was authenticated. */
export class SubspaceInboundSa implements EspReceiver {
  readonly parameters: SaParameters;
  readonly subspaces: number;
  private readonly options: SubspaceInboundOptions;
  private readonly windowOptions: WindowOptions | undefined;
  private readonly checkPadding: boolean;
  private readonly bodyAt: number;
  private readonly icvLength: number;
  private readonly windows = new Map<number, ReplayWindow>();

  constructor(options: SubspaceInboundOptions) {
    const { window, checkPadding = true, subspaces, spi, transforms, keys, esn } = options;
    this.options = options;
    this.parameters = { spi, transforms, keys, esn };
    this.subspaces = subspaces;
    this.windowOptions = window;
    this.checkPadding = checkPadding;
    this.bodyAt = HEADER + transforms.encr.ivLength;
    this.icvLength = icvLengthOf(transforms);
  }

  get spi(): number {
    return this.parameters.spi;
  }

  /** Subspaces that have a window. */
  get windowCount(): number {
    return this.windows.size;
  }

  fresh(options: Partial<SubspaceInboundOptions>): SubspaceInboundSa {
    return new SubspaceInboundSa({ ...this.options, ...options });
  }

  open(packet: Uint8Array): OpenResult {
    const { spi, transforms } = this.parameters;
    const size = packet.length - this.bodyAt - this.icvLength;
    if (size < ESP_TRAILER) return drop("short", `${packet.length} octets`);
    if (readU32(packet, 0) !== spi) return drop("spi", `SPI ${readU32(packet, 0)}`);
    const subspace = readU16(packet, SPI_OCTETS);
    if (subspace >= this.subspaces)
      return drop("subspace", `subspace ${subspace}, where ${this.subspaces} are agreed`);
    if (size % transforms.encr.blockSize !== 0) return drop("length", `ciphertext of ${size} octets`);
    const [high, low] = [readU16(packet, 6), readU32(packet, 8)];
    const number = high * TWO_32 + low;
    const refused = this.refusal(subspace, high, low);
    if (refused) return drop(refused, `${refused} number ${number} of subspace ${subspace}`);
    const plaintext = this.verifyAndDecrypt(packet);
    if (plaintext === undefined) return drop("icv", `number ${number} of subspace ${subspace}`);
    this.windowOf(subspace).update(high, low);
    return readPlaintext(plaintext, subspaceNumber(subspace, number), this.checkPadding);
  }

  private refusal(subspace: number, high: number, low: number): "sequence-zero" | "replay" | undefined {
    if (this.windowOptions?.enabled === false) return undefined;
    if (high === 0 && low === 0) return "sequence-zero";
    const verdict = this.windows.get(subspace)?.check(high, low) ?? "new";
    return verdict === "new" ? undefined : "replay";
  }

  private windowOf(subspace: number): ReplayWindow {
    const window = this.windows.get(subspace) ?? new ReplayWindow(this.windowOptions);
    this.windows.set(subspace, window);
    return window;
  }

  /** The plaintext; undefined when the ICV is wrong. */
  private verifyAndDecrypt(packet: Uint8Array): Uint8Array | undefined {
    const { transforms, keys } = this.parameters;
    const { encr, integ } = transforms;
    const at = encr.implicitIv ? SPI_OCTETS : HEADER;
    const iv = packet.subarray(at, at + ivOctets(transforms));
    if (encr.aead) return encr.open(keys.encr, iv, packet.subarray(this.bodyAt), packet.subarray(0, HEADER));
    const icvAt = packet.length - this.icvLength;
    const icv = integ?.compute(keys.integ, packet.subarray(0, icvAt));
    if (icv && !timingSafeEqual(icv, packet.subarray(icvAt))) return undefined;
    return encr.open(keys.encr, iv, packet.subarray(this.bodyAt, icvAt), packet);
  }
}
