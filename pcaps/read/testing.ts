/** Capture files and packets for tests, octet by octet. */
import { concat } from "../../harness/wire/bytes.ts";
import { LINKTYPE } from "../types.ts";

export interface FileShape {
  little: boolean;
  nano: boolean;
  linkType: number;
}

export interface TestPacket {
  /** Nanoseconds since 1970. */
  timeNs: bigint;
  data: Uint8Array;
  originalLength?: number;
}

/** Numbers of 2 or 4 octets in one byte order. */
export class Words {
  readonly little: boolean;

  constructor(little: boolean) {
    this.little = little;
  }

  u16(...values: number[]): Uint8Array {
    const view = new DataView(new ArrayBuffer(2 * values.length));
    for (const [index, value] of values.entries()) view.setUint16(2 * index, value, this.little);
    return new Uint8Array(view.buffer);
  }

  u32(...values: number[]): Uint8Array {
    const view = new DataView(new ArrayBuffer(4 * values.length));
    for (const [index, value] of values.entries()) view.setUint32(4 * index, value, this.little);
    return new Uint8Array(view.buffer);
  }
}

export function classicFile(
  { little, nano, linkType }: FileShape,
  packets: readonly TestPacket[],
): Uint8Array {
  const words = new Words(little);
  const parts = [
    words.u32(nano ? 0xa1b23c4d : 0xa1b2c3d4),
    words.u16(2, 4),
    words.u32(0, 0, 262_144, linkType),
  ];
  for (const { timeNs, data, originalLength = data.length } of packets) {
    const fraction = Number(timeNs % 1_000_000_000n);
    const seconds = Number(timeNs / 1_000_000_000n);
    parts.push(
      words.u32(seconds, nano ? fraction : Math.floor(fraction / 1000), data.length, originalLength),
      data,
    );
  }
  return concat(...parts);
}

const padded = (data: Uint8Array): Uint8Array => concat(data, new Uint8Array(-data.length & 3));

/** Blocks of pcapng. */
export class Blocks {
  readonly words: Words;

  constructor(little: boolean) {
    this.words = new Words(little);
  }

  block(type: number, ...body: Uint8Array[]): Uint8Array {
    const content = padded(concat(...body));
    const length = this.words.u32(content.length + 12);
    return concat(this.words.u32(type), length, content, length);
  }

  section(): Uint8Array {
    const { words } = this;
    return this.block(0x0a0d0d0a, words.u32(0x1a2b3c4d), words.u16(1, 0), words.u32(0xffffffff, 0xffffffff));
  }

  /** `options`: code and value. */
  face(
    linkType: number,
    options: readonly (readonly [number, Uint8Array])[] = [],
    snapLength = 0,
  ): Uint8Array {
    const { words } = this;
    const parts = options.map(([code, value]) => concat(words.u16(code, value.length), padded(value)));
    return this.block(1, words.u16(linkType, 0), words.u32(snapLength), ...parts, words.u32(0));
  }

  /** `units`: the time as the interface counts it. */
  packet(face: number, units: bigint, data: Uint8Array, originalLength = data.length): Uint8Array {
    const time = [Number(units >> 32n), Number(units & 0xffffffffn)];
    return this.block(6, this.words.u32(face, ...time, data.length, originalLength), data);
  }

  oldPacket(face: number, units: bigint, data: Uint8Array): Uint8Array {
    const time = [Number(units >> 32n), Number(units & 0xffffffffn)];
    return this.block(2, this.words.u16(face, 0), this.words.u32(...time, data.length, data.length), data);
  }

  simplePacket(data: Uint8Array, originalLength = data.length): Uint8Array {
    return this.block(3, this.words.u32(originalLength), data);
  }

  secrets(type: number, data: Uint8Array): Uint8Array {
    return this.block(10, this.words.u32(type, data.length), data);
  }
}

const TAG = Uint8Array.of(0x81, 0, 0x20, 7);
const OUTER_TAG = Uint8Array.of(0x88, 0xa8, 0, 9);

/** Puts an IP packet behind the header of each link there is, by name. */
export const LINKS: Record<string, { linkType: number; wrap(ip: Uint8Array): Uint8Array }> = {
  ethernet: {
    linkType: LINKTYPE.ethernet,
    wrap: (ip) => concat(new Uint8Array(12), etherType(ip), ip, new Uint8Array(6)),
  },
  vlan: { linkType: LINKTYPE.ethernet, wrap: (ip) => concat(new Uint8Array(12), TAG, etherType(ip), ip) },
  qinq: {
    linkType: LINKTYPE.ethernet,
    wrap: (ip) => concat(new Uint8Array(12), OUTER_TAG, TAG, etherType(ip), ip),
  },
  raw: { linkType: LINKTYPE.raw, wrap: (ip) => ip },
  ip: { linkType: LINKTYPE.ipv4, wrap: (ip) => ip },
  "Linux cooked": {
    linkType: LINKTYPE.linuxSll,
    wrap: (ip) => concat(new Uint8Array(14), etherType(ip), ip),
  },
  "Linux cooked 2": {
    linkType: LINKTYPE.linuxSll2,
    wrap: (ip) => concat(etherType(ip), new Uint8Array(18), ip),
  },
  loopback: { linkType: LINKTYPE.loop, wrap: (ip) => concat(new Words(false).u32(isV4(ip) ? 2 : 24), ip) },
  "null, little": {
    linkType: LINKTYPE.null,
    wrap: (ip) => concat(new Words(true).u32(isV4(ip) ? 2 : 30), ip),
  },
  "null, big": { linkType: LINKTYPE.null, wrap: (ip) => concat(new Words(false).u32(isV4(ip) ? 2 : 28), ip) },
};

const isV4 = (ip: Uint8Array): boolean => (ip[0] ?? 0) >>> 4 === 4;
const etherType = (ip: Uint8Array): Uint8Array =>
  isV4(ip) ? Uint8Array.of(8, 0) : Uint8Array.of(0x86, 0xdd);
