/** pcapng: sections of blocks, each with its length before and behind it. */
import type { CaptureFault, CaptureItem } from "../types.ts";
import { ended, MOST_PACKET } from "./classic.ts";
import { SECTION_HEADER } from "./formats.ts";
import { INTERFACE_FIXED, type Interface, readInterface } from "./interfaces.ts";
import type { Octets } from "./octets.ts";

const BYTE_ORDER = 0x1a2b3c4d;
/** Type and both lengths. */
const FRAME = 12;
/** The largest block, as Wireshark has it. */
const MOST_BLOCK = 1 << 24;
/** Interfaces in one section; captures of whole data centres have some hundreds. */
export const MOST_INTERFACES = 65_536;
/** What a Date can hold. */
const LAST_TIME_MS = 8.64e15;

const BLOCK = { interface: 1, oldPacket: 2, simplePacket: 3, packet: 6, secrets: 10 } as const;

/** Octets of what every block of a type has, frame included. */
const LEAST = new Map<number, number>([
  [SECTION_HEADER, FRAME + 16],
  [BLOCK.interface, FRAME + INTERFACE_FIXED],
  [BLOCK.oldPacket, FRAME + 20],
  [BLOCK.simplePacket, FRAME + 4],
  [BLOCK.packet, FRAME + 20],
  [BLOCK.secrets, FRAME + 8],
]);

/** Reads to the end, or to the first fault behind which no block can be found any more. */
export function* readPcapng(octets: Octets): Generator<CaptureItem, void, undefined> {
  const section = new Section(octets);
  while (octets.have(1)) {
    const block = section.enter();
    if (typeof block !== "number") {
      yield block;
      return;
    }
    const item = section.read(block);
    if (section.faults.length > 0) yield* section.faults.splice(0);
    // The window is not moved before the item is let go.
    if (item) yield item;
    octets.from += block;
  }
  if (octets.failure !== undefined) yield ended(octets, 0, octets.failure);
}

/** What a section says of the blocks in it: byte order and interfaces. A new section header begins anew. */
class Section {
  /** Found in the block that was just read; the block behind it can be read all the same. */
  readonly faults: CaptureFault[] = [];
  readonly #octets: Octets;
  #little = false;
  #interfaces: Interface[] = [];
  #tooMany = false;
  #packets = 0;
  /** Of the packet before: a block without a time has this one. */
  #timeMs = 0;

  constructor(octets: Octets) {
    this.#octets = octets;
  }

  /** Octets of the next block, which then is in the window as a whole and has an end that fits; or why not. */
  enter(): number | CaptureFault {
    const octets = this.#octets;
    if (!octets.have(FRAME)) return this.#cut(FRAME);
    const type = octets.view.getUint32(octets.from, this.#little);
    if (type === SECTION_HEADER) {
      const unknown = this.#begin();
      if (unknown) return unknown;
    }
    const length = octets.view.getUint32(octets.from + 4, this.#little);
    const least = LEAST.get(type) ?? FRAME;
    if (length < least)
      return ended(octets, 4, `a block of ${length} octets; one of type ${type} has ${least}`);
    if (length % 4 !== 0) return ended(octets, 4, `a block of ${length} octets, which is no multiple of 4`);
    if (length > MOST_BLOCK)
      return ended(octets, 4, `a block of ${length} octets; at most ${MOST_BLOCK} are taken`);
    if (!octets.have(length)) return this.#cut(length);
    const behind = octets.view.getUint32(octets.from + length - 4, this.#little);
    if (behind === length) return length;
    return ended(octets, length - 4, `a block of ${length} octets says at its end that it has ${behind}`);
  }

  #cut(length: number): CaptureFault {
    const octets = this.#octets;
    const reason = `the file is cut: a block of ${length} octets, ${octets.left} are left`;
    return ended(octets, 0, octets.failure ?? reason);
  }

  #begin(): CaptureFault | undefined {
    const octets = this.#octets;
    if (!octets.have(16)) return this.#cut(FRAME + 16);
    const big = octets.view.getUint32(octets.from + 8);
    this.#little = octets.view.getUint32(octets.from + 8, true) === BYTE_ORDER;
    if (big !== BYTE_ORDER && !this.#little)
      return ended(octets, 8, `a section of byte order ${big.toString(16).padStart(8, "0")}, which is none`);
    const major = this.#u16(12);
    if (major === 1) return undefined;
    return ended(octets, 12, `version ${major}.${this.#u16(14)} of pcapng is not known, only 1`);
  }

  /** Reads the block of `length` octets at the window's start; nothing to yield for one that is of no use here. */
  read(length: number): CaptureItem | undefined {
    switch (this.#u32(0)) {
      case BLOCK.packet:
        return this.#packet(this.#u32(8), length);
      case BLOCK.simplePacket:
        return this.#simplePacket(length);
      case BLOCK.oldPacket:
        return this.#packet(this.#u16(8), length);
      case BLOCK.secrets:
        return this.#secrets(length);
      case BLOCK.interface:
        return this.#interface(length);
      case SECTION_HEADER:
        return this.#header();
      default:
        return undefined;
    }
  }

  #header(): undefined {
    this.#interfaces = [];
    this.#tooMany = false;
  }

  #interface(length: number): undefined {
    if (this.#interfaces.length >= MOST_INTERFACES) {
      const reason = `more than ${MOST_INTERFACES} interfaces in a section; no more are taken`;
      if (!this.#tooMany) this.#fault(0, reason);
      this.#tooMany = true;
      return;
    }
    const { from, view } = this.#octets;
    const { value, fault } = readInterface(view, from + 8, from + length - 4, this.#little);
    if (fault) this.#fault(fault.at - from, fault.reason);
    this.#interfaces.push(value);
  }

  #secrets(length: number): CaptureItem | undefined {
    const { bytes, from, offset } = this.#octets;
    const [size, room] = [this.#u32(12), length - FRAME - 8];
    if (size > room) return this.#fault(12, `secrets of ${size} octets in a block with room for ${room}`);
    return { kind: "secrets", offset, type: this.#u32(8), data: bytes.slice(from + 16, from + 16 + size) };
  }

  #packet(index: number, length: number): CaptureItem | undefined {
    const number = ++this.#packets;
    const on = this.#interfaces[index];
    if (!on) return this.#fault(8, `interface ${index} of ${this.#interfaces.length}`, number);
    const timeMs = this.#timeOf(on, number);
    return this.#data(
      on,
      { number, timeMs },
      { at: 28, size: this.#u32(20), sizeAt: 20, length },
      this.#u32(24),
    );
  }

  /** It has neither an interface nor a time, and is as long as the limit of the first interface lets it be. */
  #simplePacket(length: number): CaptureItem | undefined {
    const number = ++this.#packets;
    const on = this.#interfaces[0];
    if (!on) return this.#fault(0, "a packet before the first interface", number);
    const original = this.#u32(8);
    const size = on.snapLength > 0 ? Math.min(original, on.snapLength) : original;
    return this.#data(on, { number, timeMs: this.#timeMs }, { at: 12, size, sizeAt: 8, length }, original);
  }

  #data(
    { linkType }: Interface,
    { number, timeMs }: { number: number; timeMs: number },
    { at, size, sizeAt, length }: { at: number; size: number; sizeAt: number; length: number },
    originalLength: number,
  ): CaptureItem | undefined {
    const { bytes, from, offset } = this.#octets;
    const most = Math.min(length - 4 - at, MOST_PACKET);
    if (size > most)
      return this.#fault(sizeAt, `a packet of ${size} octets where ${most} are the most`, number);
    const data = bytes.subarray(from + at, from + at + size);
    return { kind: "packet", number, offset, timeMs, linkType, data, originalLength };
  }

  #timeOf({ unitsPerSecond, offsetSeconds }: Interface, packet: number): number {
    const units = this.#u32(12) * 2 ** 32 + this.#u32(16);
    const timeMs = (units / unitsPerSecond + offsetSeconds) * 1000;
    if (Math.abs(timeMs) <= LAST_TIME_MS) this.#timeMs = timeMs;
    else this.#fault(12, "a time that is no date; that of the packet before is taken", packet);
    return this.#timeMs;
  }

  #u16(at: number): number {
    return this.#octets.view.getUint16(this.#octets.from + at, this.#little);
  }

  #u32(at: number): number {
    return this.#octets.view.getUint32(this.#octets.from + at, this.#little);
  }

  /** What is wrong so many octets behind the start of the block. */
  #fault(behind: number, reason: string, packet?: number): undefined {
    const offset = this.#octets.offset + behind;
    this.faults.push({ kind: "fault", offset, reason, ...(packet === undefined ? {} : { packet }) });
  }
}
