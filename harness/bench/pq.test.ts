import { expect } from "chai";
import { measurePq, type PqOptions, percentile } from "./pq.ts";
import { chunkFor, lossyHandshake, RETRANSMISSION } from "./pq-handshake.ts";
import { PQ_METHODS, type PqMethod, readyPairs } from "./pq-methods.ts";

const method = (name: string): PqMethod => {
  const found = PQ_METHODS.find((known) => known.name.endsWith(name));
  if (!found) throw new Error(`no method ${name}`);
  return found;
};

const X25519 = method("X25519");
const ML_KEM = method("ML-KEM-768");
const FRODO = method("FrodoKEM-640");

const options = (changes: Partial<PqOptions>): PqOptions => ({
  ...{ losses: [0], rttMs: 50, runs: 3, seed: "test", methods: [X25519, ML_KEM], packets: [1280] },
  ...changes,
});

describe("loss experiment", () => {
  it("takes exactly one round trip for each exchange where nothing is lost", async () => {
    for (const rttMs of [50, 33]) {
      const methods = [X25519, ML_KEM, FRODO];
      const { cells } = await measurePq(options({ rttMs, methods, packets: [576, 1500] }));
      expect(cells).to.have.length(6);
      for (const cell of cells) {
        const exchanges = cell.method === "X25519" ? 2 : 3;
        expect(cell, cell.method).to.include({
          ...{ medianMs: exchanges * rttMs, p95Ms: exchanges * rttMs, failed: 0 },
        });
      }
    }
  });

  it("sends what one counts by hand", async () => {
    // IPv4, UDP, IKE header, SKF with number and total, IV, ICV, Pad Length.
    const overhead = 20 + 8 + 28 + 4 + 4 + 8 + 16 + 1;
    expect(chunkFor(576)).to.equal(576 - overhead);
    const { cells } = await measurePq(options({ methods: [X25519, FRODO], packets: [576], runs: 1 }));
    const [plain, hybrid] = cells;
    expect(plain?.packets).to.equal(4);
    // KE payloads of 9624 and 9760 octets, 487 in each fragment.
    const [there, back] = [20, 21];
    expect(hybrid?.packets).to.equal(4 + there + back);
    // A transform ADDKE1 and N(INTERMEDIATE_EXCHANGE_SUPPORTED) in either direction.
    const announced = 2 * (8 + 8);
    const rounds = 9624 + 9760 + (there + back) * overhead;
    expect(hybrid?.octets).to.equal((plain?.octets ?? 0) + announced + rounds);
  });

  it("is late by the waits of the exchanges that lost something", () => {
    const [pair] = readyPairs(ML_KEM).pairs;
    if (!pair) throw new Error("no pair");
    const at = { method: ML_KEM, packet: 576, loss: 10, rttMs: 50 };
    const outcomes = Array.from({ length: 40 }, (_, run) => lossyHandshake(`late ${run}`, at, pair));
    const delays = outcomes.flatMap(({ delayMs }) => delayMs ?? []);
    expect(new Set(delays).size).to.be.above(1);
    for (const delay of delays) expect((delay - 150) % RETRANSMISSION.firstMs).to.equal(0);
    for (const { delayMs, packets } of outcomes)
      expect(packets > 10, `${packets} packets`).to.equal(delayMs !== 150);
  });

  it("counts apart what never is completed", async () => {
    const { cells } = await measurePq(options({ methods: [X25519], losses: [99] }));
    expect(cells[0]).to.include({ medianMs: null, p95Ms: null, failed: 3 });
    expect(cells[0]?.packets).to.be.at.least(RETRANSMISSION.transmissions);
  });

  it("gives the same figures for the same seed, whatever other cells there are", async () => {
    const lossy = { losses: [0, 5, 20], runs: 20 };
    const { cells } = await measurePq(options(lossy));
    expect((await measurePq(options(lossy))).cells).to.deep.equal(cells);
    expect((await measurePq(options({ ...lossy, seed: "other" }))).cells).not.to.deep.equal(cells);
    const alone = await measurePq(options({ ...lossy, losses: [20], methods: [ML_KEM] }));
    expect(alone.cells).to.deep.equal(cells.slice(-1));
  });

  it("tells sizes and times of computing, and how far it has come", async () => {
    const seen: string[] = [];
    const progress = (cell: number, cells: number, what: string) => seen.push(`${cell}/${cells} ${what}`);
    const { computing } = await measurePq(options({ runs: 1, progress }));
    expect(seen).to.deep.equal(["1/2 X25519, 1280 octets, 0 %", "2/2 X25519 + ML-KEM-768, 1280 octets, 0 %"]);
    expect(computing[1]).to.include({ initiatorOctets: 1184, responderOctets: 1088 });
    for (const { keyGenMs, encapsMs, decapsMs } of computing)
      for (const ms of [keyGenMs, encapsMs, decapsMs]) expect(ms).to.be.above(0);
  });
});

describe("percentiles", () => {
  it("are values that occurred", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([50, 95, 100].map((percent) => percentile(hundred, percent))).to.deep.equal([50, 95, 100]);
    expect(percentile([7], 50)).to.equal(7);
    expect(percentile([3, 1, 2], 50)).to.equal(2);
    expect(percentile([], 50)).to.equal(null);
  });
});
