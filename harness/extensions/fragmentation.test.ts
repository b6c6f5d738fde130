import { expect } from "chai";
import fc from "fast-check";
import { encrTransform } from "../crypto/encr.ts";
import { integTransform } from "../crypto/integ.ts";
import { systemRandom } from "../crypto/seeded-random.ts";
import { Core } from "../ike/core.ts";
import type { Collected, Opener, OutgoingMessage } from "../ike/hooks.ts";
import { notify } from "../ike/payloads.ts";
import { ordinaryPolicy } from "../ike/policy.ts";
import { IkeSa } from "../ike/sa.ts";
import { openPayload, type Protection, sealMessage } from "../ike/sk.ts";
import { concat, hex } from "../wire/bytes.ts";
import { decodeMessage, encodeChain, isFrameError } from "../wire/index.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Header, Payload } from "../wire/types.ts";
import { REAL_CHAINS, REAL_MESSAGES } from "../wire/vectors.ts";
import { type FragmentationOptions, fragmentation } from "./fragmentation.ts";

const octets = (text: string) => Uint8Array.from(Buffer.from(text.replace(/\s/g, ""), "hex"));
const countingIv = (from: number, length: number) => Uint8Array.from({ length }, (_, i) => from + i);

const aesCbc = encrTransform(12, 256);
const aesGcm = encrTransform(20, 256);
if (!aesCbc || !aesGcm) throw new Error("no AES");

/** Keys of the vectors, which were computed with other software. */
const CBC: Protection = {
  encr: aesCbc,
  integ: integTransform(12),
  SK_e: octets("bb7a734293240c553e5b759d0a2463dd89d84b4fe1fbcac4ec588155f7e66e5b"),
  SK_a: octets("0af23adade0117db951a2b1f9610ce89226a162c89ad232df4441eae8aa32e39"),
  sealed: 0,
};
const GCM: Protection = {
  encr: aesGcm,
  SK_e: octets("0af23adade0117db951a2b1f9610ce89226a162c89ad232df4441eae8aa32e393deb9493"),
  SK_a: new Uint8Array(),
  sealed: 0,
};

const AUTH = octets(REAL_CHAINS["IKE_AUTH request"]?.octets ?? "");
const AUTH_1 = octets(REAL_MESSAGES["IKE_AUTH fragment 1 of 2"] ?? "");
const AUTH_2 = octets(REAL_MESSAGES["IKE_AUTH fragment 2 of 2"] ?? "");
const DELETE = octets("0000000801000000");
const DELETE_1 = octets(`a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b83520250800000004000000422a0000260001000200000000
  00000003cd4504fdee22407626644a3daf9955723392ce529aa0`);
const DELETE_2 = octets(`a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b83520250800000004000000400000002400020002000000
  00000000043f5e56a7d36318a98d96a834aa94e578e9a1f26d`);

const header = (exchangeType: number, messageId: number): Header => ({
  ...{ spiI: countingIv(0xa1, 8), spiR: countingIv(0xb1, 8), version: 0x20 },
  ...{ exchangeType, flags: 8, messageId },
});

const seal = (
  keys: Protection,
  head: Header,
  chunk: Uint8Array,
  type: number,
  numbers: [number, number],
  options: { iv?: Uint8Array; clear?: Payload[] } = {},
) => {
  const [number, total] = numbers;
  const { clear = [], ...rest } = options;
  return sealMessage(keys, systemRandom, head, clear, chunk, type, rest, { number, total });
};

/** A receiver with these keys; the peer announced fragmentation. */
function receiver(keys: Protection = CBC, options: Partial<FragmentationOptions> = {}) {
  let time = 0;
  const id = { type: 2, data: new Uint8Array() };
  const core = new Core({
    policy: {
      ...ordinaryPolicy,
      date: 0,
      ...{ localId: id, remoteId: id, psk: new Uint8Array(), ike: [], esp: [], localTs: [], remoteTs: [] },
      mode: "tunnel",
    },
    ...{ extensions: [], random: systemRandom, natPort: 4500, remoteNatPort: 4500 },
    ...{ now: () => time, send: () => {}, event: () => {} },
  });
  const at = { host: "192.0.2.1", port: 500 };
  const sa = new IkeSa("responder", countingIv(0xa1, 8), at, at);
  sa.announced.add(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED);
  const extension = fragmentation(options);
  const take = (datagram: Uint8Array): Collected => {
    const message = decodeMessage(datagram);
    if (isFrameError(message)) throw new Error(message.error);
    const last = message.payloads.at(-1);
    if (last?.kind !== "SKF") return undefined;
    const open: Opener = () => {
      const opened = openPayload(keys, datagram, last);
      return "error" in opened ? { error: opened.error } : opened;
    };
    return extension.collect?.(core, sa, message, datagram, open);
  };
  const later = (ms: number) => {
    time += ms;
    core.timers.run(time);
  };
  return { core, sa, take, later, timers: () => core.timers.next };
}

const spoiled = (datagram: Uint8Array) =>
  concat(datagram.subarray(0, -1), Uint8Array.of((datagram.at(-1) ?? 0) ^ 1));

/** A set cut from the IKE_AUTH payloads. */
const cut = (total: number, head = header(35, 1)) => {
  const size = Math.ceil(AUTH.length / total);
  return Array.from({ length: total }, (_, i) =>
    seal(CBC, head, AUTH.subarray(i * size, (i + 1) * size), i === 0 ? 35 : 0, [i + 1, total]),
  );
};

/** What the last of these datagrams gave: the inner payloads in hex, or a word. */
function outcome(take: (datagram: Uint8Array) => Collected, datagrams: (Uint8Array | undefined)[]): string {
  const last = datagrams.map((d) => take(d ?? new Uint8Array())).at(-1);
  if (typeof last !== "object") return String(last);
  return "error" in last ? "drop" : hex(last.plaintext);
}

describe("fragmentation: vectors", () => {
  it("opens both fragments of the IKE_AUTH vector, in either order", () => {
    for (const order of [
      [AUTH_1, AUTH_2],
      [AUTH_2, AUTH_1],
    ]) {
      expect(outcome(receiver().take, order)).to.equal(hex(AUTH));
    }
  });

  it("seals the IKE_AUTH vector octet by octet", () => {
    const head = header(35, 1);
    const first = seal(CBC, head, AUTH.subarray(0, 100), 35, [1, 2], { iv: countingIv(0x80, 16) });
    const second = seal(CBC, head, AUTH.subarray(100), 0, [2, 2], { iv: countingIv(0x90, 16) });
    expect([hex(first), hex(second)]).to.deep.equal([hex(AUTH_1), hex(AUTH_2)]);
  });

  it("takes Fragment Number and Total Fragments into the AAD of AES-GCM", () => {
    const iv = (last: number) => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, last);
    const head = header(37, 4);
    const first = seal(GCM, head, DELETE.subarray(0, 5), 42, [1, 2], { iv: iv(3) });
    const second = seal(GCM, head, DELETE.subarray(5), 0, [2, 2], { iv: iv(4) });
    expect([hex(first), hex(second)]).to.deep.equal([hex(DELETE_1), hex(DELETE_2)]);
    expect(outcome(receiver(GCM).take, [DELETE_2, DELETE_1])).to.equal(hex(DELETE));
    const renumbered = DELETE_2.slice();
    renumbered[35] = 3;
    expect(outcome(receiver(GCM).take, [DELETE_1, renumbered])).to.equal("drop");
  });

  it("cuts as the vector is cut, and names the first payload in fragment 1 only", () => {
    const { sa } = receiver();
    const message: OutgoingMessage = {
      ...{ sa, header: header(35, 1), isResponse: false, clear: [], seal: {}, protected: true },
      payloads: [notify(60_000)],
    };
    const pieces: unknown[] = [];
    fragmentation({ chunk: 100 }).split?.(message, AUTH, (chunk, type, fragment) => {
      pieces.push([chunk.length, type, fragment]);
      return chunk;
    });
    expect(pieces).to.deep.equal([
      [100, 41, { number: 1, total: 2 }],
      [53, 0, { number: 2, total: 2 }],
    ]);
  });
});

describe("fragmentation: reassembly", () => {
  it("takes fragments in any order, with duplicates and forged ones between", () => {
    const pick = fc.record({ index: fc.nat(), forged: fc.boolean() });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(pick, { maxLength: 60 }), (total, picks) => {
        const set = cut(total);
        const { take } = receiver();
        const seen = new Set<number>();
        const results = picks.map(({ index, forged }) => {
          const fragment = set[index % set.length] ?? AUTH_1;
          const result = take(forged ? spoiled(fragment) : fragment);
          if (!forged) seen.add(index % set.length);
          const complete = seen.size === set.length && !forged;
          if (complete) seen.clear();
          const whole = typeof result === "object" && "plaintext" in result;
          return complete === (whole && hex(result.plaintext) === hex(AUTH));
        });
        return results.every((right) => right);
      }),
      { numRuns: 60 },
    );
  });

  it("drops numbers out of range", () => {
    for (const numbers of [
      [0, 3],
      [4, 3],
      [1, 0],
      [0, 0],
    ] as [number, number][]) {
      const { take } = receiver();
      const [one, two, three] = cut(3);
      expect(outcome(take, [one, seal(CBC, header(35, 1), AUTH, 0, numbers)])).to.equal("drop");
      expect(outcome(take, [two, three])).to.equal(hex(AUTH));
    }
  });

  it("begins again at a larger total, unless the ICV is wrong, and drops a smaller one", () => {
    const [two, three] = [cut(2), cut(3)];
    expect(outcome(receiver().take, [two[0], ...three])).to.equal(hex(AUTH));
    expect(outcome(receiver().take, [two[0], spoiled(three[0] ?? AUTH_1), two[1]])).to.equal(hex(AUTH));
    expect(outcome(receiver().take, [three[0], ...two])).to.equal("drop");
    expect(outcome(receiver().take, [three[0], ...two, three[1], three[2]])).to.equal(hex(AUTH));
  });

  it("drops a fragment with other flags or another exchange type", () => {
    const { take } = receiver();
    const [one, two] = cut(2);
    expect(outcome(take, [one, cut(2, header(36, 1))[1]])).to.equal("drop");
    expect(outcome(take, [two])).to.equal(hex(AUTH));
  });

  it("takes Next Payload and clear payloads in fragment 1 only", () => {
    const head = header(35, 1);
    const half = AUTH.subarray(0, 80);
    const clear = [notify(60_000)];
    expect(outcome(receiver().take, [seal(CBC, head, half, 35, [2, 2])])).to.equal("drop");
    expect(outcome(receiver().take, [seal(CBC, head, half, 0, [2, 2], { clear })])).to.equal("drop");
    expect(outcome(receiver().take, [seal(CBC, head, half, 35, [1, 2], { clear })])).to.equal("wait");
    expect(outcome(receiver().take, [seal(CBC, head, half, 0, [1, 1])])).to.equal("drop");
    expect(outcome(receiver().take, [seal(CBC, head, encodeChain([]), 0, [1, 1])])).to.equal("");
  });

  it("forgets a set that stays incomplete, and leaves no timer behind a complete one", () => {
    const { take, later, timers } = receiver(CBC, { timeoutMs: 1000 });
    const [one, two] = cut(2);
    expect(outcome(take, [one])).to.equal("wait");
    later(1000);
    expect(outcome(take, [two])).to.equal("wait");
    expect(outcome(take, [one])).to.equal(hex(AUTH));
    expect(timers()).to.equal(undefined);
  });

  it("begins no set of too many fragments, and gives the IKE SA up beyond the bound of octets", () => {
    const { take, sa } = receiver(CBC, { maxFragments: 10, maxOctets: 100 });
    expect(outcome(take, [cut(11)[0]])).to.equal("drop");
    expect(outcome(take, [cut(4)[0], cut(4)[1]])).to.equal("wait");
    expect(sa.state).not.to.equal("closed");
    expect(outcome(take, [cut(4)[2]])).to.equal("drop");
    expect(sa.state).to.equal("closed");
  });

  it("drops SKF from a peer that announced nothing", () => {
    const { take, sa } = receiver();
    sa.announced.clear();
    expect(outcome(take, cut(1))).to.equal("drop");
  });
});
