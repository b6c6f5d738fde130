import { expect } from "chai";
import { type SeededRandom, seededRandom } from "../crypto/seeded-random.ts";
import type { Datagram } from "../link/types.ts";
import { makePair, type Pair } from "../run/pair.ts";
import { concat } from "../wire/bytes.ts";
import { decodeMessage, encodeMessage, isFrameError } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { FLAG, type Payload } from "../wire/types.ts";
import { MANY_HALF_OPEN, MOST_HALF_OPEN } from "./half-open.ts";

/** 100,000 datagrams by default. */
const COUNT = Number(process.env.BAKEOFF_HOSTILE ?? 100_000);

const CONFIG = { ikeProposals: ["aes256gcm16-prfsha256-x25519"], espProposals: ["aes256gcm16"] };

interface Recorded {
  pair: Pair;
  /** Every datagram both ends sent, in order. */
  datagrams: Datagram[];
}

/** A pair whose IKE SA is up and has done something of everything. */
function recorded(fragments = false): Recorded {
  const datagrams: Datagram[] = [];
  let recording = true;
  const pair = makePair({
    ...{ seed: `hostile ${fragments}`, config: CONFIG },
    fragmentation: fragments ? { chunk: 60, always: true } : undefined,
    event: (_end, event) => {
      if (recording && event.type === "datagram-sent")
        datagrams.push({ ...event.datagram, data: Uint8Array.from(event.datagram.data) });
    },
  });
  const { a, b, network, addresses } = pair;
  a.endpoint.connect(addresses.a, addresses.b);
  a.settle();
  network.run(100);
  const [sa] = b.endpoint.core.sas.values();
  const child = sa?.children[0];
  if (!sa || !child) throw new Error("the pair did not come up");
  b.endpoint.rekeyChild(child);
  network.run(100);
  b.endpoint.rekeyIke(sa);
  network.run(100);
  const [pipe] = a.pipes;
  const echo = {
    from: "203.0.113.1",
    to: "203.0.113.17",
    identifier: 1,
    sequence: 1,
    data: new Uint8Array(40),
  };
  if (pipe) a.sendEcho(pipe, echo);
  network.run(100);
  recording = false;
  return { pair, datagrams };
}

const number = (random: SeededRandom, below: number): number => {
  const [a = 0, b = 0, c = 0] = random(3);
  return ((a << 16) | (b << 8) | c) % below;
};

/** Changes octets here and there; sometimes cuts, doubles or mixes. */
function mutated(random: SeededRandom, data: Uint8Array, other: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(data);
  const manner = number(random, 10);
  if (manner === 0) return copy.subarray(0, number(random, copy.length + 1));
  if (manner === 1) return concat(copy, random(number(random, 40)));
  if (manner === 2)
    return concat(
      copy.subarray(0, number(random, copy.length + 1)),
      other.subarray(number(random, other.length)),
    );
  for (let changes = 1 + number(random, 4); changes > 0; changes--) {
    // Half of the changes hit the header, where the decisions are.
    const at = number(random, manner < 6 ? Math.min(32, copy.length) : copy.length);
    copy[at] = manner % 2 ? (random(1)[0] ?? 0) : (copy[at] ?? 0) ^ (1 << number(random, 8));
  }
  return copy;
}

function hostile(random: SeededRandom, { datagrams }: Recorded): Datagram {
  const base = datagrams[number(random, datagrams.length)];
  const other = datagrams[number(random, datagrams.length)];
  if (!base || !other) throw new Error("nothing was recorded");
  const data = number(random, 8) === 0 ? random(number(random, 200)) : mutated(random, base.data, other.data);
  return { ...base, data };
}

/** Both ends keep the SA they had, and it works. */
function expectUnharmed({ a, b, network }: Pair, spi: string): void {
  for (const { endpoint } of [a, b]) {
    const established = [...endpoint.core.sas.values()].filter((sa) => sa.established);
    expect(established.map((sa) => sa.spiR.join())).to.deep.equal([spi]);
    expect(endpoint.core.children()).to.have.length(1);
    expect(endpoint.core.halfOpen.waiting).to.be.most(MOST_HALF_OPEN);
    expect(endpoint.core.sas.size).to.be.most(MOST_HALF_OPEN + 1);
    expect(endpoint.core.timers.size).to.be.most(MOST_HALF_OPEN + 1);
  }
  const [sa] = a.endpoint.core.sas.values();
  let alive: boolean | undefined;
  if (sa) a.endpoint.liveness(sa, (answer) => (alive = answer));
  a.settle();
  network.run(60_000);
  expect(alive, "the SA still answers").to.equal(true);
}

describe("hostile input", () => {
  for (const fragments of [false, true]) {
    it(`harms no SA: random octets and mutated datagrams${fragments ? " of fragments" : ""}`, () => {
      const all = recorded(fragments);
      const { a, b, addresses, network } = all.pair;
      const spi = [...a.endpoint.core.sas.values()][0]?.spiR.join() ?? "";
      const random = seededRandom(`hostile ${fragments}`);
      for (let i = 0; i < COUNT / 2; i++) {
        const datagram = hostile(random, all);
        (datagram.destination.host === addresses.a.host ? a : b).take(datagram);
        network.run(1);
      }
      expectUnharmed(all.pair, spi);
    }).timeout(0);
  }

  it("of IKE_SA_INIT requests in a flood fills a bounded table, and an honest initiator still gets through", () => {
    const all = recorded();
    const { a, b, network, addresses } = all.pair;
    const request = decodeMessage(all.datagrams[0]?.data ?? new Uint8Array());
    if (isFrameError(request)) throw new Error(request.error);
    const random = seededRandom("flood");
    for (let i = 0; i < 3 * MOST_HALF_OPEN; i++) {
      const data = encodeMessage({ ...request, header: { ...request.header, spiI: random(8) } });
      b.take({ protocol: "udp", source: addresses.a, destination: addresses.b, data });
    }
    const { core } = b.endpoint;
    // Beyond, who does not return a cookie gets no state.
    expect(core.halfOpen.waiting).to.equal(MANY_HALF_OPEN);
    expect(core.timers.size).to.equal(MANY_HALF_OPEN);
    const sa = a.endpoint.connect(addresses.a, addresses.b);
    a.settle();
    network.run(1000);
    expect(sa.state).to.equal("established");
    network.run(60_000);
    expect([core.halfOpen.waiting, core.sas.size, core.timers.size]).to.deep.equal([0, 2, 0]);
  });

  it("in clear does not reach an established SA, however its payloads look", () => {
    const { pair } = recorded();
    const { a, b, addresses } = pair;
    const [sa] = b.endpoint.core.sas.values();
    if (!sa) throw new Error("no SA");
    const payloads: Payload[] = [{ kind: "Nonce", type: 40, data: new Uint8Array(3) }];
    const spi = sa.spiR.join();
    for (const exchangeType of Object.values(EXCHANGE)) {
      for (const response of [0, FLAG.response]) {
        const flags = (sa.role === "responder" ? FLAG.initiator : 0) | response;
        const { spiI, spiR, expectedMessageId: messageId } = sa;
        const data = encodeMessage({
          header: { spiI, spiR, version: 0x20, exchangeType, flags, messageId },
          payloads,
        });
        b.take({ protocol: "udp", source: addresses.a, destination: addresses.b, data });
      }
    }
    expectUnharmed({ ...pair, a, b }, spi);
  });
});
