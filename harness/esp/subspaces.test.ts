import { expect } from "chai";
import fc from "fast-check";
import { encrTransform } from "../crypto/encr.ts";
import { integTransform } from "../crypto/integ.ts";
import { seededRandom } from "../crypto/seeded-random.ts";
import type { Encr, SuiteTransforms } from "../crypto/types.ts";
import { equal, fromHex, hex } from "../wire/bytes.ts";
import { InboundSa } from "./inbound.ts";
import { isSealRefusal, OutboundSa, type SealOptions } from "./outbound.ts";
import { NEXT_HEADER, type SaParameters } from "./sa.ts";
import { SubspaceInboundSa, SubspaceOutboundSa, subspaceNumber } from "./subspaces.ts";

const random = seededRandom("subspaces");

function parametersOf(transforms: SuiteTransforms): SaParameters {
  const { encr, integ } = transforms;
  const keys = { encr: random(encr.keyLength), integ: random(integ?.keyLength ?? 0) };
  return { spi: 0xc0ffee01, transforms, keys, esn: true };
}

const aes = (id: number, bits: number): Encr => {
  const encr = encrTransform(id, bits);
  if (!encr) throw new Error(`no cipher ${id}`);
  return encr;
};

const SUITES: Record<string, SuiteTransforms> = {
  "AES-GCM": { encr: aes(20, 256) },
  "AES-GCM with implicit IV": { encr: aes(30, 256) },
  "AES-CBC with HMAC-SHA2": { encr: aes(12, 128), integ: integTransform(12) },
};

interface Ends {
  sender: SubspaceOutboundSa;
  receiver: SubspaceInboundSa;
}

function pair(transforms: SuiteTransforms, limits: { send?: number; receive?: number } = {}): Ends {
  const parameters = parametersOf(transforms);
  return {
    sender: new SubspaceOutboundSa({ ...parameters, random, subspaces: limits.send ?? 4 }),
    receiver: new SubspaceInboundSa({ ...parameters, subspaces: limits.receive ?? 4 }),
  };
}

function seal({ sender }: Ends, options: SealOptions = {}): Uint8Array {
  const packet = sender.seal(fromHex("0102030405"), NEXT_HEADER.udp, options);
  if (isSealRefusal(packet)) throw new Error(packet.reason);
  return packet;
}

const outcome = ({ receiver }: Ends, packet: Uint8Array): string => {
  const result = receiver.open(packet);
  return result.ok ? "ok" : result.reason;
};

describe("subspaces of ESP sequence numbers", () => {
  for (const [name, transforms] of Object.entries(SUITES)) {
    it(`carry packets with ${name}`, () => {
      const ends = pair(transforms);
      for (let subspace = 0; subspace < 4; subspace++) {
        for (let number = 1; number <= 3; number++) {
          const result = ends.receiver.open(seal(ends, { subspace }));
          expect(result).to.include({ ok: true, sequence: subspaceNumber(subspace, number) });
          if (result.ok) expect(hex(result.payload)).to.equal("0102030405");
        }
      }
    });

    it(`authenticate the subspace with ${name}`, () => {
      const ends = pair(transforms);
      const packet = seal(ends, { subspace: 1 });
      const moved = packet.slice();
      moved[5] = 2;
      expect(outcome(ends, moved)).to.equal("icv");
      expect(outcome(ends, packet)).to.equal("ok");
    });
  }

  it("stand in a header of 12 octets, which is the AAD and, of an implicit IV, the IV", () => {
    const transforms = SUITES["AES-GCM with implicit IV"]!;
    const ends = pair(transforms);
    const packet = seal(ends, { subspace: 3 });
    expect(hex(packet.subarray(0, 12))).to.equal("c0ffee010003000000000001");
    const { encr } = transforms;
    const key = ends.sender.parameters.keys.encr;
    const [aad, iv] = [packet.subarray(0, 12), fromHex("0003000000000001")];
    expect(encr.open(key, iv, packet.subarray(12), aad)).to.be.instanceOf(Uint8Array);
  });

  it("have windows of their own", () => {
    const ends = pair(SUITES["AES-GCM"]!);
    const first = [0, 1, 2, 3].map((subspace) => seal(ends, { subspace }));
    for (const packet of first) expect(outcome(ends, packet)).to.equal("ok");
    for (const packet of first) expect(outcome(ends, packet)).to.equal("replay");
    expect(outcome(ends, seal(ends, { sequence: subspaceNumber(2, 0) }))).to.equal("sequence-zero");
    expect(outcome(ends, seal(ends, { sequence: subspaceNumber(2, 2 ** 48 - 1) }))).to.equal("ok");
    expect(outcome(ends, seal(ends, { sequence: subspaceNumber(2, 2 ** 40) }))).to.equal("replay");
    expect(outcome(ends, seal(ends, { sequence: subspaceNumber(1, 2 ** 40) }))).to.equal("ok");
  });

  it("end where they were agreed to end, before any cryptography", () => {
    const ends = pair(SUITES["AES-GCM"]!, { send: 65_535, receive: 4 });
    for (const subspace of [4, 5, 65_534]) {
      expect(outcome(ends, seal(ends, { subspace }))).to.equal("subspace");
      expect(outcome(ends, seal(ends, { subspace, corruptIcv: true }))).to.equal("subspace");
    }
    expect(outcome(ends, seal(ends, { subspace: 3 }))).to.equal("ok");
    expect(ends.receiver.windowCount).to.equal(1);
  });

  it("take no memory for forged packets", () => {
    const ends = pair(SUITES["AES-GCM"]!, { send: 65_535, receive: 65_535 });
    const packet = seal(ends, { corruptIcv: true });
    for (let subspace = 0; subspace < 65_535; subspace += 13) {
      packet[4] = subspace >> 8;
      packet[5] = subspace & 255;
      expect(outcome(ends, packet)).to.equal("icv");
    }
    expect(ends.receiver.windowCount).to.equal(0);
    for (const subspace of [65_534, 0, 300]) expect(outcome(ends, seal(ends, { subspace }))).to.equal("ok");
    expect(ends.receiver.windowCount).to.equal(3);
  });

  it("are used in turn below the limit, each with a counter of its own", () => {
    for (const limit of [1, 2, 8]) {
      const ends = pair(SUITES["AES-GCM"]!, { send: limit, receive: limit });
      for (let count = 0; count < 20; count++) expect(outcome(ends, seal(ends))).to.equal("ok");
      expect(ends.receiver.windowCount).to.equal(Math.min(limit, 4));
    }
  });

  it("end with number 2^48 - 1", () => {
    const ends = pair(SUITES["AES-GCM"]!);
    ends.sender.counter = 2n ** 48n - 3n;
    expect(ends.sender.remaining).to.equal(2);
    for (const subspace of [0, 0, 1, 1]) expect(outcome(ends, seal(ends, { subspace }))).to.equal("ok");
    const refused = ends.sender.seal(fromHex("00"), NEXT_HEADER.udp, { subspace: 0 });
    expect(isSealRefusal(refused) && refused.error).to.equal("exhausted");
    expect(ends.sender.remaining).to.equal(0);
  });

  it("open nothing of any other octets", () => {
    const ends = pair(SUITES["AES-CBC with HMAC-SHA2"]!);
    const packet = seal(ends);
    for (let length = 0; length < packet.length; length++)
      expect(ends.receiver.open(packet.subarray(0, length)).ok).to.equal(false);
  });
});

describe("hostile packets to subspaces", () => {
  it("throw nothing, deliver nothing and leave no window", () => {
    for (const transforms of Object.values(SUITES)) {
      const { receiver } = pair(transforms, { receive: 65_535 });
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 120 }), (octets) => {
          octets.set(fromHex("c0ffee01").subarray(0, octets.length));
          expect(receiver.open(octets).ok).to.equal(false);
        }),
      );
      expect(receiver.windowCount).to.equal(0);
    }
  });

  it("change nothing for the packets among them: each number of each subspace is taken once", () => {
    const step = fc.record({
      subspace: fc.nat(4),
      number: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 2 ** 48 - 90, max: 2 ** 48 - 1 })),
      corruptIcv: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ends = pair(SUITES["AES-GCM"]!);
        const taken = new Map<number, number[]>();
        for (const { subspace, number, corruptIcv } of steps) {
          const packet = seal(ends, { sequence: subspaceNumber(subspace, number), corruptIcv });
          const expected = verdictOf(taken, subspace, number, corruptIcv);
          expect(outcome(ends, packet)).to.equal(expected);
          if (expected === "ok") taken.set(subspace, [...(taken.get(subspace) ?? []), number]);
        }
        expect(ends.receiver.windowCount).to.equal(taken.size);
      }),
    );
  });
});

/** What a receiver of four subspaces with windows of 64 does with a packet, after it took these. */
function verdictOf(
  taken: Map<number, number[]>,
  subspace: number,
  number: number,
  corruptIcv: boolean,
): string {
  if (subspace >= 4) return "subspace";
  if (number === 0) return "sequence-zero";
  const before = taken.get(subspace) ?? [];
  if (before.includes(number) || number <= Math.max(0, ...before) - 64) return "replay";
  return corruptIcv ? "icv" : "ok";
}

/** Costs little, so that many packets do: the AAD stands for the ICV. */
const transparent: Encr = {
  ...aes(20, 256),
  seal: (_key, _iv, plaintext, aad) => {
    const sealed = new Uint8Array(plaintext.length + 16);
    sealed.set(plaintext);
    sealed.set(aad, plaintext.length);
    return sealed;
  },
  open: (_key, _iv, ciphertext, aad) =>
    equal(ciphertext.subarray(-16, aad.length - 16), aad) ? ciphertext.slice(0, -16) : undefined,
};

describe("two cores with a skew of 100,000 packets", () => {
  const SKEW = 100_000;
  const BEHIND = 5_000;
  const parameters = parametersOf({ encr: transparent });
  const payload = fromHex("2a");

  /** Seals packets of both cores in turn; those of core 1 arrive later by the skew. Counts what is dropped. */
  function dropped(
    sealed: (core: number) => Uint8Array | { error: string },
    open: (packet: Uint8Array) => { ok: boolean },
  ): number {
    const late: Uint8Array[] = [];
    let drops = 0;
    const receive = (packet: Uint8Array | undefined) => {
      if (packet && !open(packet).ok) drops++;
    };
    for (let turn = 0; turn < SKEW + BEHIND; turn++) {
      for (const core of [0, 1]) {
        const packet = sealed(core);
        if (!(packet instanceof Uint8Array)) throw new Error(packet.error);
        if (core === 1) late.push(packet);
        else receive(packet);
      }
      if (turn >= SKEW) receive(late[turn - SKEW]);
    }
    return drops;
  }

  it("loses nothing with two subspaces", () => {
    const sender = new SubspaceOutboundSa({ ...parameters, random, subspaces: 2 });
    const receiver = new SubspaceInboundSa({ ...parameters, subspaces: 2, window: { size: 1024 } });
    const drops = dropped(
      (subspace) => sender.seal(payload, NEXT_HEADER.udp, { subspace }),
      (packet) => receiver.open(packet),
    );
    expect(drops).to.equal(0);
  }).timeout(20_000);

  it("loses all that is late on plain ESP with a window of 1,024", () => {
    const sender = new OutboundSa({ ...parameters, random });
    const receiver = new InboundSa({ ...parameters, window: { size: 1024 } });
    const drops = dropped(
      () => sender.seal(payload, NEXT_HEADER.udp),
      (packet) => receiver.open(packet),
    );
    expect(drops).to.equal(BEHIND);
  }).timeout(20_000);
});
