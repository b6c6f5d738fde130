import { expect } from "chai";
import fc from "fast-check";
import { type JournalRecord, recordsOf, resultsFromJournal } from "./journal.ts";
import { mergeJournals, type Part } from "./merge.ts";
import { makeResults, type Results, type TestResult, testKey } from "./results.ts";
import { sampleGolden, sampleResults } from "./sample.ts";

const sample = sampleResults();
const places = new Map(sample.tests.map((test, i) => [testKey(test), i]));
const inOrder = (a: TestResult, b: TestResult) =>
  (places.get(testKey(a)) ?? 0) - (places.get(testKey(b)) ?? 0);

/** The part of a run that these tests are, as a shard would leave it. */
function partOf(tests: readonly TestResult[], i: number, of: number, rest: Partial<Results> = {}): Part {
  const records = recordsOf(makeResults({ ...sample, ...rest, tests: [...tests] })).map(
    (record): JournalRecord =>
      record.kind === "run-started" ? { ...record, shard: `${i + 1}/${of}` } : record,
  );
  return { name: `part-${i + 1}`, records };
}

function merged(parts: readonly Part[]) {
  const made = mergeJournals(parts, inOrder);
  if ("conflicts" in made) throw new Error(made.conflicts.join("\n"));
  return made;
}

const conflictsOf = (...parts: Part[]): string[] => {
  const made = mergeJournals(parts, inOrder);
  return "conflicts" in made ? made.conflicts : [];
};

describe("merged parts of a run", () => {
  it("are the single run, test by test and in its order, however it was split", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 4 }), { minLength: 96, maxLength: 96 }), (shardOf) => {
        const parts = [0, 1, 2, 3, 4].map((i) =>
          partOf(
            sample.tests.filter((_, at) => shardOf[at] === i),
            i,
            5,
          ),
        );
        const { records, said, sources } = merged(parts);
        expect(resultsFromJournal(records)).to.deep.equal(sample);
        expect(said).to.deep.equal([]);
        for (const [at, test] of sample.tests.entries())
          expect(sources.get(testKey(test))).to.equal(`part-${(shardOf[at] ?? 0) + 1}`);
      }),
      { numRuns: 20 },
    );
  });

  it("say which shards are missing, and can be merged with them later", () => {
    const [a, b, c] = [0, 1, 2].map((i) =>
      partOf(
        sample.tests.filter((_, at) => at % 3 === i),
        i,
        3,
      ),
    );
    const most = merged([a!, c!]);
    expect(most.said).to.deep.equal(["of 3 shards there is no 2"]);
    expect(most.missing).to.deep.equal([2]);
    const whole = merged([{ name: "most", records: most.records }, b!]);
    expect([whole.said, whole.missing]).to.deep.equal([[], []]);
    expect(resultsFromJournal(whole.records)).to.deep.equal(sample);
  });

  it("keep what was held against golden captures", () => {
    const golden = sampleGolden("different");
    const parts = [0, 1].map((i) =>
      partOf(
        sample.tests.filter((_, at) => at % 2 === i),
        i,
        2,
      ),
    );
    const { records } = parts[1]!;
    const compared = { kind: "golden-compared" as const, time: sample.finished, golden: golden[0]! };
    parts[1]!.records = [...records.slice(0, -1), compared, ...records.slice(-1)];
    expect(resultsFromJournal(merged(parts).records)).to.deep.equal(makeResults({ ...sample, golden }));
  });

  it("sum what is withheld, span the time, and keep why a part ended early", () => {
    const withheld = [{ peer: sample.peers[0]!.id, file: "b.yaml", tests: 2 }];
    const early = { withheld, started: "2026-11-20T20:00:00.000Z", interrupted: "SIGINT" };
    const { records } = merged([
      partOf(sample.tests.slice(0, 50), 0, 2, early),
      partOf(sample.tests.slice(50), 1, 2, { withheld }),
    ]);
    const results = resultsFromJournal(records);
    expect(results).to.deep.include({
      ...{ started: early.started, finished: sample.finished, interrupted: "part-1: SIGINT" },
      withheld: [{ ...withheld[0], tests: 4 }],
    });
  });

  it("keep the first of equal results, with its further tries", () => {
    const [test] = sample.tests;
    const again = { verdict: "pass", reason: "as required", evidence: {} } as const;
    const { records, said } = merged([partOf([{ ...test!, again }], 0, 2), partOf([test!], 1, 2)]);
    expect(resultsFromJournal(records)).to.have.nested.property("tests[0].again.verdict", "pass");
    expect(said[0]).to.match(/^1 tests are in several folders with the same result/);
  });

  it("are refused, naming both sides, where they do not belong to one run", () => {
    const [test] = sample.tests;
    const one = partOf([test!], 0, 2);
    expect(conflictsOf(one, partOf([{ ...test!, verdict: "fail" }], 1, 2))).to.deep.equal([
      "rfc7296/1.2/nonce-too-short on strongswan@6.1:netns as initiator: pass (as the text asks) in part-1, fail (as the text asks) in part-2",
    ]);
    expect(conflictsOf(one, partOf([], 1, 2, { seed: "9" }))).to.deep.equal([
      "seed: 7296 in part-1, 9 in part-2",
    ]);
    expect(conflictsOf(one, partOf([], 1, 2, { tool: { name: "x", version: "2" } }))[0]).to.match(
      /^tool: .*0.1.0 in part-1, x 2/,
    );
    const peers = sample.peers.map((peer) => ({ ...peer, fullVersion: `${peer.fullVersion}x` }));
    expect(conflictsOf(one, partOf([], 1, 2, { peers }))[0]).to.match(
      /strongSwan 6.1.0, but strongSwan 6.1.0x in part-2/,
    );
    expect(conflictsOf(one, partOf([{ ...test!, id: "other" }], 1, 2))[0]).to.match(
      /capture.pcap is in part-1 and in part-2/,
    );
    expect(conflictsOf({ name: "none", records: [] }, one)).to.deep.equal(["none: the journal holds no run"]);
  });
});
