import { expect } from "chai";
import type { Outcome } from "../outcome.ts";
import type { FuzzCase } from "../trace.ts";
import { Differential, type Differing, type SharedBatch } from "./differential.ts";
import type { Pending } from "./recorder.ts";

const caseOf = (number: number): FuzzCase => ({
  ...{ number, seed: `s/${number}`, stage: "init" },
  trace: { trace: 1, setup: "psk", peer: "responder", steps: [{ act: "init" }] },
});

const outcomeOf = (played: FuzzCase, ended: "done" | "refused"): Outcome => ({
  ...{ case: played, probe: "answered", durationMs: 1, slowestMs: 1, entries: [], claims: [], messages: 1 },
  steps: [{ act: "init", ended, unfit: [], answers: [] }],
  unproven: { out: 0, in: 0 },
});

/** Gives batches of three cases. */
function batches(most: number): () => Pending | undefined {
  let number = 0;
  return () => {
    if (number >= most) return undefined;
    const batch = number++;
    const cases = [0, 1, 2].map((i) => caseOf(3 * batch + i));
    return { batch, setup: "psk", peer: "responder", cases, again: [], inHand: 0 };
  };
}

const quiet = new AbortController().signal;

/** Plays all there is, each peer in its turn. */
async function playAll(
  shared: Differential,
  peers: readonly ((played: FuzzCase, run: number) => "done" | "refused")[],
): Promise<SharedBatch[]> {
  const seen: SharedBatch[] = [];
  for (let run = 0; ; run++) {
    const taken = await Promise.all(peers.map((_, place) => shared.next(place, quiet)));
    const [first] = taken;
    if (!first) return seen;
    seen.push(first);
    for (const [place, batch] of taken.entries()) {
      expect(batch, "the same for all").to.equal(first);
      for (const one of [...first.pending.again, ...first.pending.cases]) {
        const ended = peers[place]?.(one, run) ?? "done";
        shared.played(first, place, outcomeOf(one, ended));
      }
      shared.ended(first, place);
    }
  }
}

describe("differential", () => {
  it("tells a difference that comes again each time, with other nonces and keys", async () => {
    const found: Differing[] = [];
    const shared = new Differential(2, batches(1), (one) => found.push(one));
    const seen = await playAll(shared, [() => "done", ({ number }) => (number === 1 ? "refused" : "done")]);
    expect(seen).to.have.lengthOf(3);
    expect(new Set(seen.flatMap(({ pending }) => pending.again).map(({ seed }) => seed)).size).to.equal(2);
    expect(found.map(({ case: one, a, b, difference }) => [one.seed, a, b, difference.step])).to.deep.equal([
      ["s/1", 0, 1, 0],
    ]);
  });

  it("does not tell one that comes and goes, nor any between peers that agree", async () => {
    const found: Differing[] = [];
    const fickle = new Differential(2, batches(2), (one) => found.push(one));
    await playAll(fickle, [() => "done", (_, run) => (run % 2 === 0 ? "refused" : "done")]);
    const alike = new Differential(3, batches(2), (one) => found.push(one));
    expect(await playAll(alike, [() => "done", () => "done", () => "done"])).to.have.lengthOf(2);
    expect(found).to.deep.equal([]);
  });

  it("lets the faster peer wait for what the slower one may show", async () => {
    const found: Differing[] = [];
    const shared = new Differential(2, batches(1), (one) => found.push(one));
    const play = async (place: number, ended: "done" | "refused"): Promise<number> => {
      for (let count = 0; ; count++) {
        const batch = await shared.next(place, quiet);
        if (!batch) return count;
        for (const one of [...batch.pending.again, ...batch.pending.cases])
          shared.played(batch, place, outcomeOf(one, ended));
        // The second peer takes its time.
        if (place === 1) await new Promise((resolve) => setImmediate(resolve));
        shared.ended(batch, place);
      }
    };
    expect(await Promise.all([play(0, "done"), play(1, "refused")])).to.deep.equal([3, 3]);
    expect(found).to.have.lengthOf(3);
  });

  it("lets no peer run far ahead, and waits for none that is lost", async () => {
    const shared = new Differential(2, batches(100), () => {});
    for (let i = 0; i < 3; i++) expect(await shared.next(0, quiet)).not.to.equal(undefined);
    const waits = shared.next(0, quiet);
    const first = await Promise.race([waits, new Promise((resolve) => setImmediate(resolve, "waits"))]);
    expect(first).to.equal("waits");
    shared.lost(1);
    expect(await waits).to.have.nested.property("pending.batch", 3);
    const stop = new AbortController();
    stop.abort();
    expect(await shared.next(0, stop.signal)).to.equal(undefined);
  });
});
