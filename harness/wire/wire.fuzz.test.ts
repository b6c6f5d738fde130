/**
 * The decoder against octets nobody sane would send. `BAKEOFF_FUZZ_CASES` sets the number of cases (at most
 * 1,000,000), `BAKEOFF_FUZZ_SEED` the seed.
 */
import { expect } from "chai";
import fc from "fast-check";
import {
  concat,
  decodeChain,
  decodeMessage,
  encodeChain,
  encodeMessage,
  equal,
  firstPayloadType,
  fromHex,
  hex,
  isFrameError,
  type Message,
  type Payload,
} from "./index.ts";
import { describeMessage, messageToTree } from "./text.ts";
import { REAL_CHAINS, REAL_MESSAGES } from "./vectors.ts";

const CASES = Math.min(1_000_000, Number(process.env.BAKEOFF_FUZZ_CASES ?? 20_000) || 20_000);
const SEED = Number(process.env.BAKEOFF_FUZZ_SEED ?? 1) || 1;

/** Marsaglia's xorshift: cheap, and the same cases from the same seed. Gives 32 bits. */
function xorshift(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Values that sit on the edges of length and count fields. */
const EDGES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 40, 0x7f, 0x80, 0xfe, 0xff];

/** Real messages, and real chains behind a header in clear, so that every payload is under attack. */
const SEEDS: Uint8Array[] = [
  ...Object.values(REAL_MESSAGES).map(fromHex),
  ...Object.values(REAL_CHAINS).map(({ first, octets }) => {
    const { payloads } = decodeChain(first, fromHex(octets));
    const spi = new Uint8Array(8).fill(1);
    const header = { spiI: spi, spiR: spi, version: 0x20, exchangeType: 35, flags: 8, messageId: 1 };
    return encodeMessage({ header, payloads });
  }),
];

/** Some octets, often with a header that leads into a payload the decoder knows. */
function randomCase(random: () => number): Uint8Array {
  const bytes = new Uint8Array(random() % 200);
  for (let at = 0; at < bytes.length; at++) bytes[at] = random();
  if (bytes.length < 32 || random() % 8 === 0) return bytes;
  bytes[16] = 33 + (random() % 21);
  bytes[28] = random() % 2 === 0 ? 0 : 33 + (random() % 21);
  bytes[30] = 0;
  bytes[31] = random() % 4 === 0 ? random() : bytes.length - 28;
  for (let at = 32; at < bytes.length; at++)
    if (random() % 3 === 0) bytes[at] = EDGES[random() % EDGES.length]!;
  return bytes;
}

/** A real message with one to six faults in it, now and then cut or spliced with another. */
function mutatedCase(random: () => number): Uint8Array {
  const source = SEEDS[random() % SEEDS.length]!;
  let bytes: Uint8Array = source.slice(
    0,
    random() % 8 === 0 ? random() % (source.length + 1) : source.length,
  );
  if (random() % 8 === 0) {
    const other = SEEDS[random() % SEEDS.length]!;
    const cut = random() % (bytes.length + 1);
    bytes = concat(bytes.subarray(0, cut), other.subarray(random() % other.length));
  }
  for (let faults = 1 + (random() % 6); faults > 0 && bytes.length > 0; faults--) {
    const at = random() % bytes.length;
    const edge = random() % 2 === 0;
    bytes[at] = edge ? EDGES[random() % EDGES.length]! : bytes[at]! ^ (1 << (random() % 8));
  }
  return bytes;
}

/** Decodes and encodes; throws with the octets as hex if anything is lost or thrown. */
function check(bytes: Uint8Array): void {
  try {
    const message = decodeMessage(bytes);
    if (isFrameError(message)) {
      if (bytes.length >= 28) throw new Error("a readable frame was refused");
      return;
    }
    if (!equal(encodeMessage(message), bytes)) throw new Error("encode(decode(b)) is not b");
  } catch (error) {
    throw new Error(`${String(error)} for ${hex(bytes)}`);
  }
}

describe(`${CASES} hostile datagrams through the decoder`, () => {
  it("random octets: nothing thrown, nothing lost", () => {
    const random = xorshift(SEED);
    for (let i = 0; i < CASES / 4; i++) check(randomCase(random));
  });

  it("mutated real messages: nothing thrown, nothing lost", () => {
    const random = xorshift(SEED + 1);
    for (let i = 0; i < (CASES * 3) / 4; i++) check(mutatedCase(random));
  });

  it("what was decoded can be shown", () => {
    const random = xorshift(SEED + 2);
    for (let i = 0; i < 2000; i++) {
      const message = decodeMessage(mutatedCase(random));
      if (isFrameError(message)) continue;
      expect(describeMessage(message, message.payloads)).to.match(/^[ -~]+$/);
      JSON.stringify(messageToTree(message));
    }
  });
});

const octets = (maxLength: number, minLength = 0) => fc.uint8Array({ minLength, maxLength });
const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const attribute = fc.record({ type: fc.nat(0x7fff), value: fc.oneof(u16, octets(6)) });
const transform = fc.record({ type: u8, id: u16, attributes: fc.array(attribute, { maxLength: 2 }) });
const proposal = fc.record({
  number: u8,
  protocolId: u8,
  spi: octets(8),
  transforms: fc.array(transform, { maxLength: 4 }),
});
const ipv4 = octets(4, 4);
const ipv6 = octets(16, 16);
const range = (tsType: number, address: fc.Arbitrary<Uint8Array>) =>
  fc.record({
    tsType: fc.constant(tsType),
    ipProtocol: u8,
    startPort: u16,
    endPort: u16,
    startAddress: address,
    endAddress: address,
  });
const data = octets(24);

/** Payloads as an ordinary sender makes them: no overrides. */
const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.record({
    kind: fc.constant("SA"),
    type: fc.constant(33),
    proposals: fc.array(proposal, { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant("KE"), type: fc.constant(34), group: u16, data }),
  fc.record({ kind: fc.constant("ID"), type: fc.constantFrom(35, 36, 50), idType: u8, data }),
  fc.record({ kind: fc.constant("CERT"), type: fc.constant(37), encoding: u8, data }),
  fc.record({ kind: fc.constant("CERTREQ"), type: fc.constant(38), encoding: u8, data }),
  fc.record({ kind: fc.constant("AUTH"), type: fc.constant(39), method: u8, data }),
  fc.record({ kind: fc.constant("Nonce"), type: fc.constant(40), data }),
  fc.record({
    kind: fc.constant("Notify"),
    type: fc.constant(41),
    protocolId: u8,
    spi: octets(8),
    notifyType: u16,
    data,
  }),
  fc.record({
    kind: fc.constant("Delete"),
    type: fc.constant(42),
    protocolId: u8,
    spiSize: fc.constant(4),
    spis: fc.array(ipv4, { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant("VendorID"), type: fc.constant(43), data }),
  fc.record({
    kind: fc.constant("TS"),
    type: fc.constantFrom(44, 45),
    selectors: fc.array(fc.oneof(range(7, ipv4), range(8, ipv6)), { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant("CP"),
    type: fc.constant(47),
    cfgType: u8,
    attributes: fc.array(fc.record({ type: fc.nat(0x7fff), data }), { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant("EAP"), type: fc.constant(48), code: u8, identifier: u8, data }),
  fc.record({ kind: fc.constant("raw"), type: fc.integer({ min: 54, max: 255 }), data }),
);
const encrypted: fc.Arbitrary<Payload> = fc.oneof(
  fc.record({ kind: fc.constant("SK"), type: fc.constant(46), innerType: u8, data }),
  fc.record({
    kind: fc.constant("SKF"),
    type: fc.constant(53),
    innerType: u8,
    fragmentNumber: u16,
    totalFragments: u16,
    data,
  }),
);
const spi = octets(8, 8);
const header = fc.record({
  spiI: spi,
  spiR: spi,
  version: u8,
  exchangeType: u8,
  flags: u8,
  messageId: fc.nat(0xffffffff),
});
const message = fc
  .record({ header, clear: fc.array(payload, { maxLength: 6 }), last: fc.option(encrypted) })
  .map(
    ({ header, clear, last }): Message => ({ header, payloads: last === null ? clear : [...clear, last] }),
  );

/** Overrides of any field, with numbers that may not fit it. */
const overrides = fc.record(
  {
    next: fc.integer(),
    length: fc.integer(),
    reserved: fc.integer(),
    critical: fc.boolean(),
    trailing: octets(9),
  },
  { requiredKeys: [] },
);

describe("messages made by hand", () => {
  it("come back as they were made", () => {
    fc.assert(
      fc.property(message, (made) => {
        const read = decodeMessage(encodeMessage(made));
        if (isFrameError(read)) throw new Error(read.error);
        const { findings, ...rest } = read;
        expect(rest).to.deep.equal(made);
      }),
      { numRuns: 1000 },
    );
  });

  it("come back as they were made inside an Encrypted payload", () => {
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 6 }), (made) => {
        const chain = decodeChain(firstPayloadType(made), encodeChain(made));
        expect(chain.payloads).to.deep.equal(made);
        expect(chain.trailing).to.have.length(0);
      }),
      { numRuns: 500 },
    );
  });

  it("with any overrides give octets, and these are kept", () => {
    fc.assert(
      fc.property(message, fc.array(overrides, { maxLength: 7 }), overrides, (made, changes, headChange) => {
        const payloads = made.payloads.map((one, i) => ({ ...one, ...changes[i] }));
        const { next: nextPayload, length, trailing } = headChange;
        check(encodeMessage({ header: { ...made.header, nextPayload, length }, payloads, trailing }));
      }),
      { numRuns: 1000 },
    );
  });
});
