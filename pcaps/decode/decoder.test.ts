import { expect } from "chai";
import fc from "fast-check";
import { aesGcm } from "../../harness/crypto/encr-aead.ts";
import { SubspaceOutboundSa } from "../../harness/esp/subspaces.ts";
import type { Seen, SeenIke } from "../../harness/lint/seen.ts";
import { concat, EMPTY, fromHex } from "../../harness/wire/bytes.ts";
import { encodeMessage } from "../../harness/wire/index.ts";
import type { Datagram } from "../types.ts";
import { Decoder, type DecoderOptions } from "./decoder.ts";
import { KeyRing } from "./key-ring.ts";
import { datagrams, espKeys, espPacket, ikeKeys, nonce, octets, PEER, SPIS, sealed, US } from "./testing.ts";

const OLD = ikeKeys(0x10);
const KEYS = ikeKeys(0x20);
const OTHER = ikeKeys(0x30);
const MARKER = new Uint8Array(4);

function ring(...generations: (typeof KEYS)[]): KeyRing {
  const made = new KeyRing();
  for (const keys of generations) expect(made.addIke(keys)).to.equal(undefined);
  return made;
}

function seenIn(
  keys: KeyRing,
  all: readonly (Uint8Array | Partial<Datagram>)[],
  options?: DecoderOptions,
): Seen[] {
  const decoder = new Decoder(keys, options);
  return [...datagrams(all).flatMap((datagram) => decoder.datagram(datagram)), ...decoder.end()];
}

const openings = (seen: readonly Seen[]) => seen.map((one) => ("opening" in one ? one.opening : one.kind));
const only = (seen: readonly Seen[]): SeenIke => {
  const [one] = seen;
  if (seen.length !== 1 || one?.kind !== "ike") throw new Error(`${seen.length} seen`);
  return one;
};

describe("Decoder", () => {
  it("opens both directions by the I flag, and shows what is inside", () => {
    const ours = sealed(KEYS, [nonce(32)]);
    const theirs = sealed(KEYS, [nonce(32), nonce(16)], { fromInitiator: false });
    const seen = seenIn(ring(KEYS), [...ours, ...theirs]);
    expect(openings(seen)).to.deep.equal(["opened", "opened"]);
    expect(seen.map((one) => one.kind === "ike" && one.inner?.payloads.length)).to.deep.equal([1, 2]);
  });

  it("opens with the generation that fits, whichever it is", () => {
    const both = [...sealed(OLD, [nonce(32)]), ...sealed(KEYS, [nonce(32)], { messageId: 3 })];
    expect(openings(seenIn(ring(OLD, KEYS), both))).to.deep.equal(["opened", "opened"]);
    expect(openings(seenIn(ring(KEYS), both))).to.deep.equal(["icv", "opened"]);
  });

  it("tells apart missing keys, wrong keys and damage", () => {
    const [whole = EMPTY] = sealed(KEYS, [nonce(32)]);
    const cut = concat(whole.subarray(0, 28), fromHex("2a000008 00000000"));
    const away = { ...KEYS, spiR: octets(8, 1) };
    const all = [whole, ...sealed(away, [nonce(32)]), cut];
    expect(openings(seenIn(ring(KEYS), all))).to.deep.equal(["opened", "no-keys", "damaged"]);
    expect(openings(seenIn(ring(OTHER), all))).to.deep.equal(["icv", "no-keys", "damaged"]);
  });

  it("finds the SA of keys without SPIs, and tries no more than is worth it", () => {
    const { spiI, spiR, ...unbound } = KEYS;
    const keys = new KeyRing();
    for (const value of [0x40, 0x50, 0x60])
      keys.addUnbound([{ ...unbound, SK_ai: octets(32, value), SK_ar: octets(32, value) }]);
    expect(keys.addUnbound([{ ...unbound, integId: 5 }, unbound])).to.equal(undefined);
    const strangers = Array.from({ length: 6 }, () =>
      sealed({ ...OTHER, spiR: octets(8, 3) }, [nonce(32)]),
    ).flat();
    const seen = seenIn(keys, [...strangers, ...sealed(KEYS, [nonce(32)])]);
    expect(openings(seen)).to.deep.equal([...strangers.map(() => "no-keys"), "opened"]);
    expect(keys.ikeOf(spiI, spiR)).to.have.length(1);
    expect(keys.addUnbound([{ ...unbound, SK_ei: octets(3, 0) }])).to.include("fit no transforms");
    let trials = 0;
    const none = () => ++trials < 0;
    for (let n = 0; n < 10; n++) keys.bind(octets(8, 1), octets(8, 2), none);
    expect(trials, "4 messages by 3 sets").to.equal(12);
  });

  it("joins fragments in any order", () => {
    const parts = sealed(KEYS, [nonce(200)], { chunk: 50 });
    fc.assert(
      fc.property(fc.shuffledSubarray(parts, { minLength: parts.length }), (order) => {
        const one = only(seenIn(ring(KEYS), order));
        expect(one.opening).to.equal("opened");
        expect(one.packets).to.deep.equal([1, 2, 3, 4, 5]);
        expect([one.fragments, one.pieces]).to.deep.equal([5, parts]);
        expect(one.octets).to.deep.equal(parts[0]);
        expect(one.inner?.payloads).to.deep.equal([nonce(200)]);
      }),
      { numRuns: 20 },
    );
  });

  it("joins a repeated message once more, as a repeat of the first", () => {
    const parts = sealed(KEYS, [nonce(100)], { chunk: 60 });
    const seen = seenIn(ring(KEYS), [...parts, ...parts]);
    expect(seen.map(({ packets, repeats }) => [packets, repeats])).to.deep.equal([
      [[1, 2], undefined],
      [[3, 4], 2],
    ]);
  });

  it("shows a repeated fragment of a message that was complete in its place, as what it is", () => {
    const parts = sealed(KEYS, [nonce(150)], { chunk: 60 });
    const [first = EMPTY, second = EMPTY] = parts;
    const [next = EMPTY] = sealed(KEYS, [nonce(9)], { messageId: 3 });
    expect(parts).to.have.length(3);
    const shown = (all: Uint8Array[]) =>
      seenIn(ring(KEYS), all).map((one) => [
        ...[one.packets.join(), one.repeats],
        ...(one.kind === "ike" ? [one.opening, one.completeIn] : []),
      ]);
    const whole = ["1,2,3", undefined, "opened", undefined];
    expect(shown([...parts, first, second, next, ...parts.slice(2)])).to.deep.equal([
      whole,
      ["4", 1, "waiting", 3],
      ["5", 2, "waiting", 3],
      ["6", undefined, "opened", undefined],
      ["7", 3, "waiting", 3],
    ]);
    expect(shown([...parts, first, ...parts])).to.deep.equal([
      whole,
      ["4", 1, "waiting", 3],
      ["5,6,7", 3, "opened", undefined],
    ]);
  });

  it("begins anew when the total grows, and leaves aside what does not fit", () => {
    const [few = [], many = [], fewer = []] = [80, 40, 150].map((chunk) =>
      sealed(KEYS, [nonce(150)], { chunk }),
    );
    expect([few.length, many.length, fewer.length]).to.deep.equal([2, 4, 2]);
    const grown = seenIn(ring(KEYS), [few[0]!, ...many]);
    expect(grown.map(({ packets }) => packets)).to.deep.equal([[1], [2, 3, 4, 5]]);
    expect(openings(grown)).to.deep.equal(["waiting", "opened"]);
    const shrunk = seenIn(ring(KEYS), [many[0]!, few[0]!, ...many.slice(1)]);
    expect(shrunk.map(({ packets }) => packets)).to.deep.equal([[2], [1, 3, 4, 5]]);
    const overlap = seenIn(ring(KEYS), [few[0]!, fewer[0]!, few[1]!]);
    expect(overlap.map(({ packets }) => packets)).to.deep.equal([[2], [1, 3]]);
    expect(openings(overlap)).to.deep.equal(["waiting", "opened"]);
  });

  it("gives up fragments beyond its bounds, and at the end of the capture", () => {
    const firsts = Array.from(
      { length: 6 },
      (_, messageId) => sealed(KEYS, [nonce(100)], { chunk: 60, messageId })[0]!,
    );
    const limits = { fragments: { sets: 4 } };
    const decoder = new Decoder(ring(KEYS), limits);
    const given = datagrams(firsts).map((datagram) =>
      decoder.datagram(datagram).map(({ packets }) => packets[0]),
    );
    expect(given).to.deep.equal([[], [], [], [], [1], [2]]);
    expect(decoder.end().map(({ packets }) => packets[0])).to.deep.equal([3, 4, 5, 6]);
    for (const fragments of [{ octets: 130 }, { octetsOfMessage: 50 }]) {
      const seen = seenIn(ring(KEYS), firsts, { fragments });
      expect(openings(seen)).to.deep.equal(firsts.map(() => "waiting"));
    }
    const long = sealed(KEYS, [nonce(100)], { chunk: 60 });
    expect(openings(seenIn(ring(KEYS), long, { fragments: { octetsOfMessage: 50 } }))).to.deep.equal([
      ...["waiting", "waiting"],
    ]);
  });

  it("shows fragments one by one where there are no keys, or wrong ones", () => {
    const parts = sealed(KEYS, [nonce(100)], { chunk: 60 });
    const seen = seenIn(ring(), parts);
    expect(openings(seen)).to.deep.equal(["no-keys", "no-keys"]);
    expect(seen.map((one) => one.kind === "ike" && one.fragments)).to.deep.equal([2, 2]);
    expect(openings(seenIn(ring(OTHER), parts))).to.deep.equal(["icv", "icv"]);
  });

  it("marks octets that went the same way before, for as long as it remembers", () => {
    const [a, b, c] = [0, 1, 2].map((messageId) => sealed(KEYS, [nonce(32)], { messageId })[0]!);
    const back = { data: a!, source: PEER, destination: US };
    const repeats = (all: (Uint8Array | Partial<Datagram>)[], most?: number) =>
      seenIn(ring(), all, { repeats: most }).map((one) => one.repeats);
    expect(repeats([a!, b!, back, a!, a!])).to.deep.equal([undefined, undefined, undefined, 1, 1]);
    expect(repeats([a!, b!, c!, a!], 2)).to.deep.equal([undefined, undefined, undefined, undefined]);
  });

  it("knows IKE and ESP by port, marker and looks", () => {
    const header = { ...SPIS, version: 0x20, exchangeType: 34, flags: 8, messageId: 0 };
    const ike = encodeMessage({ header, payloads: [nonce(32)] });
    const esp = espPacket(espKeys(0xc0de), octets(32, 2), 1);
    const on = (port: number, data: Uint8Array): Partial<Datagram> => ({
      data,
      source: { ...US, port: 40_000 },
      destination: { ...PEER, port },
    });
    const all = [
      ...[on(500, ike), on(848, ike), on(4500, concat(MARKER, ike)), on(4500, esp), on(4500, octets(1, 255))],
      ...[
        on(4500, octets(2, 255)),
        on(500, esp),
        on(50_000, ike),
        on(50_000, concat(MARKER, ike)),
        on(50_000, esp),
      ],
      ...[
        { protocol: "esp" as const, data: esp },
        { protocol: "tcp" as const, data: concat(MARKER, ike) },
      ],
      ...[
        { protocol: "tcp" as const, data: esp },
        { protocol: "esp" as const, data: octets(5, 1) },
      ],
    ];
    const seen = seenIn(ring(), all);
    expect(seen.map((one) => ("transport" in one ? `${one.kind} ${one.transport}` : one.kind))).to.deep.equal(
      [
        ...["ike udp", "ike udp", "ike udp", "esp udp", "keepalive"],
        ...["unreadable", "ike udp", "ike udp", "ike udp", "esp udp"],
        ...["esp ip", "ike tcp", "esp tcp", "unreadable"],
      ],
    );
  });

  it("opens ESP wherever the capture begins, in any order and again", () => {
    const keys = espKeys(0xc0de, true);
    const made = new KeyRing();
    made.addEsp(keys);
    const plaintext = concat(octets(20, 0x45), fromHex("01020204"));
    const at = (high: number, low: number) => ({
      protocol: "esp" as const,
      data: espPacket(keys, plaintext, low, high),
    });
    const packets = [at(3, 0xfffffff0), at(4, 5), at(3, 0xfffffff1), at(3, 0xffff0000), at(4, 5), at(4, 6)];
    expect(openings(seenIn(made, packets))).to.deep.equal(packets.map(() => "opened"));
    const late = [at(4, 0x60000000), at(3, 0xf0000000), at(5, 0x10000000)];
    expect(openings(seenIn(made, late)), "one that came late").to.deep.equal(late.map(() => "opened"));
    const unknown = new KeyRing();
    unknown.addEsp({ ...keys, esn: undefined });
    const plain = { protocol: "esp" as const, data: espPacket(keys, plaintext, 1) };
    expect(openings(seenIn(unknown, packets)), "ESN found").to.deep.equal(packets.map(() => "opened"));
    expect(openings(seenIn(unknown, [plain])), "no ESN found").to.deep.equal(["opened"]);
  });

  it("opens ESP with subspaces of sequence numbers, which no file of keys tells", () => {
    const keys = espKeys(0xc0de, true);
    const made = new KeyRing();
    made.addEsp(keys);
    const sa = new SubspaceOutboundSa({
      ...{ spi: keys.spi, transforms: { encr: aesGcm(128, 16) }, esn: true, subspaces: 8 },
      ...{ keys: { encr: keys.encrKey, integ: keys.integKey }, random: (count) => octets(count, 1) },
    });
    const packets = Array.from({ length: 9 }, () => sa.seal(octets(30, 5), 59));
    const seen = packets.flatMap((data) =>
      data instanceof Uint8Array ? [{ protocol: "esp" as const, data }] : [],
    );
    expect(openings(seenIn(made, seen))).to.deep.equal(packets.map(() => "opened"));
  });

  it("chooses among ESP SAs of one SPI, and tells wrong keys and damage", () => {
    const keys = espKeys(0xc0de, false);
    const made = new KeyRing();
    made.addEsp({ ...keys, encrKey: octets(20, 1) });
    const packet = (plaintext: Uint8Array) => ({
      protocol: "esp" as const,
      data: espPacket(keys, plaintext, 1),
    });
    const all = [
      packet(octets(32, 2)),
      packet(octets(32, 200)),
      { protocol: "esp" as const, data: octets(20, 0) },
    ];
    expect(openings(seenIn(made, all))).to.deep.equal(["icv", "icv", "no-keys"]);
    made.addEsp(keys);
    const seen = seenIn(made, [...all, { protocol: "esp" as const, data: all[0]!.data!.subarray(0, 20) }]);
    expect(openings(seen)).to.deep.equal(["opened", "damaged", "no-keys", "damaged"]);
    expect(seen[0]).to.deep.include({ spi: 0xc0de, sequence: 1 });
    expect(seen[0]?.kind === "esp" && seen[0].content).to.deep.equal({
      ...{ nextHeader: 2, payload: octets(28, 2), padding: octets(2, 2) },
    });
  });

  it("shows every datagram once, whatever it holds", () => {
    const parts = sealed(KEYS, [nonce(200)], { chunk: 50 });
    const esp = espPacket(espKeys(0xc0de), octets(32, 2), 1);
    const damaged = fc
      .record({
        of: fc.constantFrom(...parts, esp, ...sealed(OLD, [nonce(9)])),
        at: fc.nat(90),
        by: fc.uint8Array({ maxLength: 9 }),
        cut: fc.nat(150),
      })
      .map(({ of, at, by, cut }) =>
        concat(of.subarray(0, at), by, of.subarray(at + by.length)).subarray(0, cut + 20),
      );
    const data = fc.oneof(fc.constantFrom(...parts), damaged, fc.uint8Array({ maxLength: 64 }));
    const datagram = fc.record({
      data,
      protocol: fc.constantFrom("udp" as const, "tcp" as const, "esp" as const),
      source: fc.constantFrom(US, { ...US, port: 4500 }, { ...US, port: 7 }),
    });
    const keys = ring(OLD, KEYS);
    keys.addEsp(espKeys(0xc0de));
    fc.assert(
      fc.property(fc.array(datagram, { maxLength: 30 }), (all) => {
        const packets = seenIn(keys, all, { fragments: { sets: 2, octets: 300 } }).flatMap(
          (one) => one.packets,
        );
        expect(packets.toSorted((a, b) => a - b)).to.deep.equal(all.map((_, index) => index + 1));
      }),
      { numRuns: 300 },
    );
  });
});
