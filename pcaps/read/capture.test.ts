import { expect } from "chai";
import fc from "fast-check";
import { concat, hex } from "../../harness/wire/bytes.ts";
import type { CaptureItem } from "../types.ts";
import { openCapture, parseCapture } from "./capture.ts";
import { Blocks, classicFile, type TestPacket, Words } from "./testing.ts";

const packet: fc.Arbitrary<TestPacket> = fc.record({
  timeNs: fc.bigInt({ min: 0n, max: 4_294_967_295_999_999_999n }),
  data: fc.uint8Array({ maxLength: 90 }),
});
const shape = fc.record({ little: fc.boolean(), nano: fc.boolean(), linkType: fc.nat(300) });

/** What is yielded, copied. */
const read = (bytes: Uint8Array): CaptureItem[] =>
  [...parseCapture(bytes)].map((item) => ("data" in item ? { ...item, data: item.data.slice() } : item));

const only = (bytes: Uint8Array): CaptureItem => {
  const items = read(bytes);
  expect(items).to.have.length(1);
  return items[0]!;
};

function expectPackets(items: CaptureItem[], packets: readonly TestPacket[]): void {
  expect(items.map((item) => (item.kind === "packet" ? hex(item.data) : item))).to.deep.equal(
    packets.map(({ data }) => hex(data)),
  );
  items.forEach((item, index) => {
    if (item.kind !== "packet") return;
    expect(item.number).to.equal(index + 1);
    expect(item.timeMs).to.be.closeTo(Number(packets[index]!.timeNs) / 1e6, 0.002);
  });
}

describe("classic pcap", () => {
  it("is read as it was written, in both byte orders, in micro- and nanoseconds", () => {
    fc.assert(
      fc.property(shape, fc.array(packet, { maxLength: 6 }), (given, packets) => {
        const items = read(classicFile(given, packets));
        expectPackets(items, packets);
        for (const item of items) expect(item).to.include({ linkType: given.linkType });
      }),
    );
  });

  it("is read up to where it is cut, wherever that is", () => {
    const data = Uint8Array.of(1, 2, 3);
    const whole = classicFile({ little: true, nano: false, linkType: 1 }, [
      { timeNs: 0n, data },
      { timeNs: 1n, data },
    ]);
    for (let length = 0; length < whole.length; length++) {
      const items = read(whole.subarray(0, length));
      const complete = Math.max(0, Math.floor((length - 24) / 19));
      expect(items.filter(({ kind }) => kind === "packet")).to.have.length(complete);
      if (length >= 24 && (length - 24) % 19 === 0) expect(items).to.have.length(complete);
      else
        expect(items.at(-1)).to.include({
          kind: "fault",
          end: true,
          offset: length < 24 ? 0 : 24 + complete * 19,
        });
    }
  });

  it("takes no record larger than any link needs", () => {
    const file = classicFile({ little: false, nano: false, linkType: 1 }, [
      { timeNs: 0n, data: new Uint8Array(4) },
    ]);
    new DataView(file.buffer, file.byteOffset).setUint32(32, 0xffffffff);
    expect(only(file)).to.deep.equal({
      kind: "fault",
      offset: 32,
      packet: 1,
      reason: "a packet of 4294967295 octets; at most 262144 are taken",
      end: true,
    });
  });

  it("of another version is not read", () => {
    const file = classicFile({ little: true, nano: false, linkType: 1 }, []);
    file[4] = 3;
    expect(only(file)).to.include({ offset: 4, reason: "version 3.4 of pcap is not known, only 2.4" });
  });
});

describe("pcapng", () => {
  it("is read as it was written, in both byte orders", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(packet, { maxLength: 6 }), (little, packets) => {
        const blocks = new Blocks(little);
        const parts = packets.map(({ timeNs, data }) => blocks.packet(0, timeNs / 1000n, data));
        expectPackets(read(concat(blocks.section(), blocks.face(101), ...parts)), packets);
      }),
    );
  });

  it("has sections of their own byte order and interfaces", () => {
    const [big, little] = [new Blocks(false), new Blocks(true)];
    const data = Uint8Array.of(7);
    const items = read(
      concat(
        ...[big.section(), big.face(1), big.face(113), big.packet(1, 5n, data)],
        ...[little.section(), little.face(276), little.packet(0, 6n, data), little.packet(1, 6n, data)],
      ),
    );
    expect(items.map((item) => (item.kind === "packet" ? item.linkType : item))).to.deep.equal([
      113,
      276,
      { kind: "fault", offset: 208, packet: 3, reason: "interface 1 of 1" },
    ]);
  });

  const TIMES: [string, readonly (readonly [number, Uint8Array])[], bigint, number][] = [
    ["microseconds when nothing is said", [], 1_500_000n, 1500],
    ["nanoseconds", [[9, Uint8Array.of(9)]], 1_500_000n, 1.5],
    ["seconds", [[9, Uint8Array.of(0)]], 3n, 3000],
    ["parts of two", [[9, Uint8Array.of(0x8a)]], 1536n, 1500],
    ["an offset of seconds", [[14, new Words(true).u32(0xfffffffe, 0xffffffff)]], 5_000_000n, 3000],
    [
      "options nobody knows before",
      [
        [2988, Uint8Array.of(1, 2, 3)],
        [9, Uint8Array.of(3)],
      ],
      2n,
      2,
    ],
  ];
  for (const [what, options, units, timeMs] of TIMES) {
    it(`counts time in ${what}`, () => {
      const blocks = new Blocks(true);
      const file = concat(
        blocks.section(),
        blocks.face(1, options),
        blocks.packet(0, units, Uint8Array.of(1)),
      );
      expect(only(file)).to.include({ timeMs });
    });
  }

  it("has packets in three kinds of blocks, secrets, and blocks that are passed over", () => {
    const blocks = new Blocks(true);
    const data = Uint8Array.of(1, 2, 3, 4, 5);
    const items = read(
      concat(
        ...[blocks.section(), blocks.face(1, [], 3), blocks.block(4, new Uint8Array(20))],
        ...[blocks.oldPacket(0, 2000n, data), blocks.simplePacket(data.subarray(0, 3), 5)],
        ...[blocks.secrets(0x544c534b, data), blocks.block(0xbad, data), blocks.packet(0, 3000n, data, 99)],
      ),
    );
    expect(items.map((item) => ("data" in item ? hex(item.data) : item))).to.deep.equal([
      "0102030405",
      "010203",
      "0102030405",
      "0102030405",
    ]);
    expect(items[1]).to.include({ kind: "packet", number: 2, timeMs: 2, originalLength: 5 });
    expect(items[2]).to.include({ kind: "secrets", type: 0x544c534b });
    expect(items[3]).to.include({ number: 3, timeMs: 3, originalLength: 99 });
  });

  it("is read up to where it is cut, wherever that is", () => {
    const blocks = new Blocks(true);
    const parts = [
      blocks.section(),
      blocks.face(1),
      blocks.packet(0, 0n, Uint8Array.of(1)),
      blocks.packet(0, 1n, Uint8Array.of(2)),
    ];
    const whole = concat(...parts);
    const ends = parts.map((_, index) => concat(...parts.slice(0, index + 1)).length);
    for (let length = 1; length <= whole.length; length++) {
      const items = read(whole.subarray(0, length));
      const complete = ends.filter((end) => end <= length).length;
      expect(items.filter(({ kind }) => kind === "packet")).to.have.length(Math.max(0, complete - 2));
      const isWhole = ends.includes(length);
      expect(items.some(({ kind }) => kind === "fault")).to.equal(!isWhole);
      if (!isWhole) expect(items.at(-1)).to.include({ end: true, offset: ends[complete - 1] ?? 0 });
    }
  });
});

describe("a damaged pcapng", () => {
  const blocks = new Blocks(false);
  const head = concat(blocks.section(), blocks.face(1));
  const at = head.length;
  const good = blocks.packet(0, 0n, Uint8Array.of(1));

  /** The packet before the damage is yielded, and the fault; with `goesOn` the one behind it too. */
  function faultIn(block: Uint8Array, goesOn: boolean): CaptureItem {
    const items = read(concat(head, good, block, good));
    expect(items.map(({ kind }) => kind)).to.deep.equal(
      goesOn ? ["packet", "fault", "packet"] : ["packet", "fault"],
    );
    const fault = items[1]!;
    if (fault.kind === "fault") expect(fault.end ?? false).to.equal(!goesOn);
    return { ...fault, offset: fault.offset - at - good.length };
  }

  function changed(block: Uint8Array, at: number, value: number): Uint8Array {
    const copy = block.slice();
    new DataView(copy.buffer).setUint32(at, value);
    return copy;
  }

  const FATAL: [string, Uint8Array, number, string][] = [
    [
      "a length of 0, which leads nowhere",
      changed(good, 4, 0),
      4,
      "a block of 0 octets; one of type 6 has 32",
    ],
    [
      "a length that leads back",
      changed(good, 4, 0xfffffff0),
      4,
      "a block of 4294967280 octets; at most 16777216 are taken",
    ],
    [
      "a length of no whole words",
      changed(good, 4, 37),
      4,
      "a block of 37 octets, which is no multiple of 4",
    ],
    [
      "a block too small to be anything",
      blocks.block(0xbad).fill(0, 4, 8),
      4,
      "a block of 0 octets; one of type 2989 has 12",
    ],
    ["two lengths", changed(good, 32, 40), 32, "a block of 36 octets says at its end that it has 40"],
    [
      "a section without byte order",
      changed(blocks.section(), 8, 1),
      8,
      "a section of byte order 00000001, which is none",
    ],
    [
      "a section of another version",
      changed(blocks.section(), 12, 0x20000),
      12,
      "version 2.0 of pcapng is not known, only 1",
    ],
  ];
  for (const [what, block, offset, reason] of FATAL) {
    it(`ends with ${what}`, () => {
      expect(faultIn(block, false)).to.deep.equal({ kind: "fault", offset, reason, end: true });
    });
  }

  const HARMLESS: [string, Uint8Array, number, string][] = [
    [
      "a packet of 4 GiB in a small block",
      changed(good, 20, 0xffffffff),
      20,
      "a packet of 4294967295 octets where 4 are the most",
    ],
    ["a packet of no interface", changed(good, 8, 0xffffffff), 8, "interface 4294967295 of 1"],
    [
      "secrets that lead out of their block",
      changed(blocks.secrets(1, good), 12, 99),
      12,
      "secrets of 99 octets in a block with room for 36",
    ],
    [
      "an option that leads out of its block",
      changed(blocks.face(1, [[9, Uint8Array.of(6)]]), 16, 0x9ffff),
      16,
      "option 9 of 65535 octets, 8 are left in the block",
    ],
  ];
  for (const [what, block, offset, reason] of HARMLESS) {
    it(`is read on behind ${what}`, () => {
      expect(faultIn(block, true)).to.include({ kind: "fault", offset, reason });
    });
  }

  it("has no time that is no date", () => {
    const ages = blocks.face(1, [[9, Uint8Array.of(0)]]);
    const items = read(
      concat(blocks.section(), ages, blocks.packet(0, 77n, good), blocks.packet(0, 1n << 63n, good)),
    );
    expect(items.map(({ kind }) => kind)).to.deep.equal(["packet", "fault", "packet"]);
    expect(items[2]).to.include({ timeMs: 77_000 });
  });
});

describe("a file", () => {
  const KINDS: [string, Uint8Array, RegExp][] = [
    ["empty", new Uint8Array(0), /^the file is empty$/],
    ["short", Uint8Array.of(0xa1, 0xb2), /^the file has 2 octets, too few/],
    ["of text", Buffer.from("hello\n"), /^neither pcap nor pcapng: the file begins with 68656c6c$/],
    ["of gzip", Uint8Array.of(0x1f, 0x8b, 8, 0), /gzip: the file is compressed; decompress it first$/],
    ["of zstd", Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd), /zstd/],
    [
      "of modified pcap",
      Uint8Array.of(0x34, 0xcd, 0xb2, 0xa1),
      /pcap as modified by a patch of libpcap.*editcap/,
    ],
    ["of snoop", Buffer.from("snoop\0\0\0"), /snoop; editcap/],
    ["of pcapng, sent as text", Uint8Array.of(13, 10, 13, 13, 13, 10), /damaged by a transfer as text/],
  ];
  for (const [what, bytes, reason] of KINDS) {
    it(`that is ${what} is told from captures`, () => {
      const item = only(bytes);
      expect(item).to.include({ kind: "fault", offset: 0, end: true });
      if (item.kind === "fault") expect(item.reason).to.match(reason);
    });
  }

  it("that is not there, or is a folder, is a fault like any other", () => {
    const reasonOf = (path: string) =>
      [...openCapture(path)].map((item) => item.kind === "fault" && item.reason);
    expect(reasonOf("no/such/file.pcap")).to.match(/ENOENT/);
    expect(reasonOf(".")).to.match(/EISDIR/);
  });

  it("of any octets behind any header is read without harm", () => {
    const blocks = new Blocks(true);
    const heads = fc.constantFrom(
      classicFile({ little: true, nano: false, linkType: 1 }, []),
      concat(blocks.section(), blocks.face(1)),
      blocks.section().subarray(0, 8),
      new Uint8Array(0),
    );
    const type = fc.constantFrom(1, 2, 3, 6, 10, 0x0a0d0d0a);
    const block = fc
      .tuple(type, fc.uint8Array({ maxLength: 60 }))
      .map(([of, body]) => blocks.block(of, body));
    fc.assert(
      fc.property(heads, fc.array(fc.oneof(block, fc.uint8Array({ maxLength: 20 }))), (head, parts) => {
        const bytes = concat(head, ...parts);
        const items = read(bytes);
        for (const item of items) expect(item.offset).to.be.within(0, bytes.length);
        const ends = items.filter((item) => item.kind === "fault" && item.end);
        expect(ends.length).to.be.at.most(1);
        if (ends.length > 0) expect(items.at(-1)).to.equal(ends[0]);
      }),
    );
  });
});
