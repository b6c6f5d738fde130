import { expect } from "chai";
import fc from "fast-check";
import { counting } from "../crypto/bytes.ts";
import { ALL_ENCR, encrTransform } from "../crypto/encr.ts";
import { ALL_INTEG, integTransform } from "../crypto/integ.ts";
import { seededRandom } from "../crypto/seeded-random.ts";
import type { SuiteTransforms } from "../crypto/types.ts";
import { concat, fromHex, hex } from "../wire/bytes.ts";
import { InboundSa, type OpenedPacket } from "./inbound.ts";
import { OutboundSa, type SealOptions } from "./outbound.ts";
import type { WindowOptions } from "./replay-window.ts";
import type { SaParameters } from "./sa.ts";

const AES_KEY = counting(0, 16);
const SALT4 = fromHex("a0a1a2a3");
const INNER = fromHex("4500001c000100004001f68cc0a80102c0a802010800f7fd00010001");
const EMPTY = new Uint8Array(0);

function parameters(
  encr: [id: number, bits?: number],
  encrKey: Uint8Array,
  integ?: [id: number, key: Uint8Array],
  esn = false,
): SaParameters {
  return {
    spi: 0xc0ffee01,
    transforms: { encr: encrTransform(...encr)!, ...(integ && { integ: integTransform(integ[0])! }) },
    keys: { encr: encrKey, integ: integ?.[1] ?? EMPTY },
    esn,
  };
}

const outboundOf = (sa: SaParameters, counter?: bigint): OutboundSa =>
  new OutboundSa({ ...sa, random: seededRandom("esp"), ...(counter !== undefined && { counter }) });
const sealed = (sa: OutboundSa, payload: Uint8Array, next: number, options?: SealOptions): Uint8Array => {
  const packet = sa.seal(payload, next, options);
  if (!(packet instanceof Uint8Array)) throw new Error(packet.reason);
  return packet;
};
const opened = (sa: InboundSa, packet: Uint8Array): OpenedPacket => {
  const result = sa.open(packet);
  if (!result.ok) throw new Error(`${result.reason}: ${result.detail}`);
  return result;
};
const reasonOf = (sa: InboundSa, packet: Uint8Array): string => {
  const result = sa.open(packet);
  return result.ok ? "ok" : result.reason;
};

const GCM = parameters([20, 128], concat(AES_KEY, SALT4));
const CBC = parameters([12, 128], AES_KEY, [12, counting(0x20, 32)]);
const esn = (sa: SaParameters): SaParameters => ({ ...sa, esn: true });

interface PacketVector {
  name: string;
  sa: SaParameters;
  iv: Uint8Array;
  packet: string;
  payload?: Uint8Array;
  nextHeader?: number;
}

const IV8 = fromHex("1011121314151617");
const CBC_BODY =
  "c0ffee0100000001000102030405060708090a0b0c0d0e0f8291c2bbef80e0dc37d68935c4a07c4ca6d95fd5de77094e2de96cb8d14fb8a9";
const VECTORS: PacketVector[] = [
  {
    name: "AES-GCM-16",
    sa: GCM,
    iv: IV8,
    packet:
      "c0ffee010000000110111213141516171c92ea0df71a9baf62aa24bdd99454e8fa7540caa05829f5cfb61477bf91ca9bb1c3d53e11eb8c54e9b89fd0fbcf606a",
  },
  {
    name: "AES-GCM-16 with ESN",
    sa: esn(GCM),
    iv: IV8,
    packet:
      "c0ffee010000000110111213141516171c92ea0df71a9baf62aa24bdd99454e8fa7540caa05829f5cfb61477bf91ca9b9e09666cfd6b0d7c545939a8f359225d",
  },
  {
    name: "AES-CCM-16",
    sa: parameters([16, 128], concat(AES_KEY, fromHex("a0a1a2"))),
    iv: IV8,
    packet:
      "c0ffee010000000110111213141516178baa7a61e0fd0ab0b6ce3eb31a45f53bbde48f3f2177e49eac58d4b04de89575f5312ee7c770d750f3c58c14dfdc9bdf",
  },
  {
    name: "AES-CCM-16 with ESN",
    sa: esn(parameters([16, 128], concat(AES_KEY, fromHex("a0a1a2")))),
    iv: IV8,
    packet:
      "c0ffee010000000110111213141516178baa7a61e0fd0ab0b6ce3eb31a45f53bbde48f3f2177e49eac58d4b04de89575f3658ca51c781cd8c3dcff4764e84875",
  },
  {
    name: "ChaCha20-Poly1305",
    sa: parameters([28], concat(counting(0x80, 32), SALT4)),
    iv: IV8,
    packet:
      "c0ffee01000000011011121314151617240394601f8c417e3c1364ce499e6d7c676b52e2a7fa1d3eb8dd66ee14430bd2057ec103187888f85ee66d3460ba008a",
  },
  {
    name: "AES-GMAC",
    sa: parameters([21, 128], concat(AES_KEY, SALT4)),
    iv: IV8,
    packet:
      "c0ffee010000000110111213141516174500001c000100004001f68cc0a80102c0a802010800f7fd000100010102020443bcf06160bf8577246fe33979934151",
  },
  {
    name: "AES-GMAC with ESN",
    sa: esn(parameters([21, 128], concat(AES_KEY, SALT4))),
    iv: IV8,
    packet:
      "c0ffee010000000110111213141516174500001c000100004001f68cc0a80102c0a802010800f7fd0001000101020204647e9167eb12e3a1afa2b153bffbdb70",
  },
  {
    name: "AES-CBC, SHA2-256-128",
    sa: CBC,
    iv: AES_KEY,
    packet: `${CBC_BODY}c2a7b6ffd8fc113fcaeae75632face8e`,
  },
  {
    name: "AES-CBC, SHA2-256-128 with ESN",
    sa: esn(CBC),
    iv: AES_KEY,
    packet: `${CBC_BODY}b8e73dfc1b02471e9f5bc56f1a97835c`,
  },
  {
    name: "AES-CBC, SHA1-96",
    sa: parameters([12, 128], AES_KEY, [2, counting(0x20, 20)]),
    iv: AES_KEY,
    packet: `${CBC_BODY}7e385591b2a5533ec9e9323c`,
  },
  {
    name: "AES-CBC, SHA2-384-192",
    sa: parameters([12, 128], AES_KEY, [13, counting(0x20, 48)]),
    iv: AES_KEY,
    packet: `${CBC_BODY}6bea7589bef1f6958663752188f101e7e7d07813b62c17a1`,
  },
  {
    name: "AES-CBC, SHA2-512-256",
    sa: parameters([12, 128], AES_KEY, [14, counting(0x20, 64)]),
    iv: AES_KEY,
    packet: `${CBC_BODY}285c4548d528fc304aa09210ceda9c14e3ab8b101ef6754faeaf556c19d17a53`,
  },
  {
    name: "AES-CTR, SHA2-256-128",
    sa: parameters([13, 128], concat(AES_KEY, fromHex("00000030")), [12, counting(0x20, 32)]),
    iv: IV8,
    packet:
      "c0ffee01000000011011121314151617522efd12aa137067844ec1e6cd525d64d37c031641d68bd5cbce7e215c0a7576a7d4e85c87dfa752c7cf8f426d7d2843",
  },
  {
    name: "NULL, SHA2-256-128",
    sa: parameters([11], EMPTY, [12, counting(0x20, 32)]),
    iv: EMPTY,
    packet:
      "c0ffee01000000014500001c000100004001f68cc0a80102c0a802010800f7fd0001000101020204edc61988007207ff70c8e313b1c31f50",
  },
  {
    name: "dummy packet, AES-GCM-16",
    sa: GCM,
    iv: IV8,
    payload: new Uint8Array(16),
    nextHeader: 59,
    packet:
      "c0ffee010000000110111213141516175992ea11f71b9baf22abd231193c55ea3bdf40f0df6cc9c2b6bfa457839e3b3dcd67ca3b",
  },
];

describe("esp: packet vectors of the RFC 4303 digest", () => {
  for (const { name, sa, iv, packet, payload = INNER, nextHeader = 4 } of VECTORS) {
    it(name, () => {
      // The ESN vectors have 1 as their high half, which a receiver has reached before.
      const sequence = sa.esn ? 0x100000001n : 1n;
      expect(hex(sealed(outboundOf(sa), payload, nextHeader, { iv, sequence }))).to.equal(packet);
      const inbound = new InboundSa(sa);
      if (sa.esn) inbound.window.update(0, 0xfffffff0);
      const result = opened(inbound, fromHex(packet));
      expect(result.payload).to.deep.equal(payload);
      expect(result).to.include({ sequence, nextHeader, tfcLength: 0, dummy: nextHeader === 59 });
      expect(hex(result.padding)).to.equal("0102".slice(0, 2 * result.padding.length));
    });
  }

  it("RFC 7634 appendix A", () => {
    const sa = { ...parameters([28], concat(counting(0x80, 32), SALT4)), spi: 0x01020304 };
    const payload = fromHex(
      "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f10111213" +
        "1415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637",
    );
    const packet = sealed(outboundOf(sa, 4n), payload, 4, { iv: IV8 });
    expect(hex(packet)).to.equal(
      "0102030400000005101112131415161724039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c6" +
        "14ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b502773f6fb94e664da" +
        "9165b82829f641e076aaa8266b7fb0f7b11b369907e1ad43",
    );
    expect(opened(new InboundSa(sa), packet)).to.deep.include({ payload, sequence: 5n });
  });
});

describe("esp: every transform, number and size", () => {
  const suites: SuiteTransforms[] = ALL_ENCR.flatMap((encr) =>
    encr.aead ? [{ encr }] : ALL_INTEG.map((integ) => ({ encr, integ })),
  );

  it("opens what was sealed, and refuses any changed bit", () => {
    fc.assert(
      fc.property(
        fc.record({
          suite: fc.constantFrom(...suites),
          extended: fc.boolean(),
          payload: fc.uint8Array({ maxLength: 200 }),
          padding: fc.nat(255),
          bit: fc.nat(),
          counter: fc.bigInt({ min: 0n, max: 2n ** 32n - 2n }),
        }),
        ({ suite, extended, payload, padding, bit, counter }) => {
          const random = seededRandom("keys");
          const keys = {
            encr: random(suite.encr.keyLength),
            integ: random(suite.integ?.keyLength ?? 0),
          };
          const sa: SaParameters = { spi: 0x12345678, transforms: suite, keys, esn: extended };
          const packet = sealed(outboundOf(sa, counter), payload, 17, { padding });
          const inbound = new InboundSa(sa);
          inbound.window.update(0, Number(counter));
          expect(packet.length % 4).to.equal(0);
          const flipped = Uint8Array.from(packet);
          flipped[Math.floor(bit / 8) % packet.length]! ^= 1 << (bit % 8);
          expect(["spi", "icv", "replay", "sequence-zero"]).to.include(reasonOf(inbound, flipped));
          const result = opened(inbound, packet);
          expect(result.payload).to.deep.equal(payload);
          expect(result.sequence).to.equal(counter + 1n);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("never throws on hostile octets", () => {
    fc.assert(
      fc.property(fc.constantFrom(GCM, CBC, esn(CBC)), fc.uint8Array({ maxLength: 120 }), (sa, octets) => {
        expect(new InboundSa(sa).open(octets).ok).to.equal(false);
        expect(new InboundSa(sa).open(concat(fromHex("c0ffee01"), octets)).ok).to.equal(false);
      }),
    );
  });
});

describe("esp: sequence numbers", () => {
  it("begin with 1 and count every packet; an override does not count", () => {
    const outbound = outboundOf(GCM);
    const numbers = [undefined, 77n, undefined, 0n, undefined].map((sequence) =>
      hex(sealed(outbound, INNER, 4, sequence === undefined ? {} : { sequence }).subarray(4, 8)),
    );
    expect(numbers).to.deep.equal(["00000001", "0000004d", "00000002", "00000000", "00000003"]);
    expect(outbound.counter).to.equal(3n);
  });

  it("no IV comes twice, also when a number does", () => {
    const outbound = outboundOf(GCM);
    const ivs = [1n, 1n, 1n].map((sequence) => hex(sealed(outbound, INNER, 4, { sequence }).subarray(8, 16)));
    expect(new Set(ivs).size).to.equal(3);
  });

  it("do not cycle: the sender refuses after 2^32-1, with ESN after 2^64-1", () => {
    for (const [sa, last] of [
      [GCM, 2n ** 32n - 1n],
      [esn(GCM), 2n ** 64n - 1n],
    ] as const) {
      const outbound = outboundOf(sa, last - 1n);
      sealed(outbound, INNER, 4);
      expect(outbound.seal(INNER, 4)).to.have.property("error", "exhausted");
      expect(outbound.counter).to.equal(last);
    }
  });

  it("walk over 2^32 with ESN, with loss and reordering", () => {
    for (const sa of [esn(GCM), esn(CBC)]) {
      const outbound = outboundOf(sa, 2n ** 32n - 4n);
      const packets = Array.from({ length: 9 }, () => sealed(outbound, INNER, 4));
      const inbound = new InboundSa(sa);
      inbound.window.update(0, 0xfffffff0);
      const order = [0, 4, 2, 7, 6, 1, 8];
      const numbers = order.map((index) => opened(inbound, packets[index]!).sequence);
      expect(numbers).to.deep.equal(order.map((index) => 2n ** 32n - 3n + BigInt(index)));
      for (const index of order) expect(reasonOf(inbound, packets[index]!)).to.equal("replay");
    }
  });

  it("0 is refused, without ESN also after a wrap", () => {
    const inbound = new InboundSa(GCM);
    expect(reasonOf(inbound, sealed(outboundOf(GCM), INNER, 4, { sequence: 0n }))).to.equal("sequence-zero");
  });
});

describe("esp: replay protection", () => {
  const at = (sequence: bigint, options: SealOptions = {}): Uint8Array =>
    sealed(outboundOf(GCM), INNER, 4, { sequence, ...options });
  const verdicts = (numbers: bigint[], window?: WindowOptions): string[] => {
    const inbound = new InboundSa({ ...GCM, ...(window && { window }) });
    return numbers.map((number) => reasonOf(inbound, at(number)));
  };

  it("refuses duplicates and what is left of the window", () => {
    expect(verdicts([1n, 2n, 3n, 2n])).to.deep.equal(["ok", "ok", "ok", "replay"]);
    expect(verdicts([1n, 100n, 40n, 40n])).to.deep.equal(["ok", "ok", "ok", "replay"]);
    expect(verdicts([100n, 37n, 35n])).to.deep.equal(["ok", "ok", "replay"]);
    expect(verdicts([100n, 69n, 67n], { size: 32 })).to.deep.equal(["ok", "ok", "replay"]);
  });

  it("can be turned off", () => {
    expect(verdicts([5n, 5n, 0n, 1n], { enabled: false })).to.deep.equal(["ok", "ok", "ok", "ok"]);
  });

  it("comes before the ICV: a duplicate with a broken ICV is a replay", () => {
    const inbound = new InboundSa(GCM);
    opened(inbound, at(9n));
    expect(reasonOf(inbound, at(9n, { corruptIcv: true }))).to.equal("replay");
  });

  it("a forged high number does not move the window", () => {
    const inbound = new InboundSa(GCM);
    opened(inbound, at(1n));
    expect(reasonOf(inbound, at(0x80000000n, { corruptIcv: true }))).to.equal("icv");
    expect(opened(inbound, at(2n)).sequence).to.equal(2n);
  });
});

describe("esp: padding and lengths", () => {
  for (const [name, sa, align] of [
    ["GCM", GCM, 4],
    ["CBC", CBC, 16],
  ] as const) {
    it(`${name}: all payload sizes end on ${align} octets with 1, 2, 3...`, () => {
      for (let size = 0; size <= 64; size++) {
        const outbound = outboundOf(sa);
        const payload = counting(0, size);
        const result = opened(new InboundSa(sa), sealed(outbound, payload, 17));
        expect(result.payload).to.deep.equal(payload);
        expect((size + result.padding.length + 2) % align).to.equal(0);
        expect(result.padding.length).to.be.lessThan(align);
      }
    });

    it(`${name}: more padding on request, up to the limit`, () => {
      const result = opened(new InboundSa(sa), sealed(outboundOf(sa), INNER, 4, { padding: 255 }));
      expect(result.padding.length).to.be.within(256 - align, 255);
      expect(result.padding).to.deep.equal(counting(1, result.padding.length));
    });
  }

  it("refuses other padding, unless told not to look", () => {
    const packet = sealed(outboundOf(GCM), INNER, 4, { padding: Uint8Array.of(1, 3) });
    expect(reasonOf(new InboundSa(GCM), packet)).to.equal("padding");
    expect(reasonOf(new InboundSa({ ...GCM, checkPadding: false }), packet)).to.equal("ok");
  });

  it("drops a Pad Length beyond the packet; its number is used up", () => {
    const inbound = new InboundSa(GCM);
    const mutatePlaintext = (plaintext: Uint8Array): Uint8Array => {
      plaintext[plaintext.length - 2] = 200;
      return plaintext;
    };
    const packet = sealed(outboundOf(GCM), INNER, 4, { mutatePlaintext });
    expect(reasonOf(inbound, packet)).to.equal("length");
    expect(reasonOf(inbound, packet)).to.equal("replay");
  });

  it("trims TFC padding by the inner length field", () => {
    for (const tfc of [1, 255, 1000]) {
      const result = opened(new InboundSa(GCM), sealed(outboundOf(GCM), INNER, 4, { tfc }));
      expect(result.payload).to.deep.equal(INNER);
      expect(result.tfcLength).to.equal(tfc);
    }
  });

  it("drops an inner packet shorter than it says, and one of the other IP version", () => {
    const inner = (payload: Uint8Array, next: number): string =>
      reasonOf(new InboundSa(GCM), sealed(outboundOf(GCM), payload, next));
    expect(inner(INNER.subarray(0, 24), 4)).to.equal("length");
    expect(inner(new Uint8Array(48).fill(0x45), 41)).to.equal("version");
    expect(inner(new Uint8Array(3), 4)).to.equal("length");
  });

  it("drops packets too short, of another SPI, or of a broken block before any cryptography", () => {
    const packet = sealed(outboundOf(CBC), INNER, 4);
    expect(reasonOf(new InboundSa(CBC), packet.subarray(0, 30))).to.equal("short");
    expect(reasonOf(new InboundSa({ ...CBC, spi: 256 }), packet)).to.equal("spi");
    expect(reasonOf(new InboundSa(CBC), packet.subarray(0, packet.length - 4))).to.equal("length");
    expect(reasonOf(new InboundSa(CBC), sealed(outboundOf(CBC), INNER, 4, { spi: 7 }))).to.equal("spi");
  });
});
