import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Results, TestResult } from "../../reports/results.ts";
import { said } from "../cli/said.ts";
import { type RunOptions, run } from "../run/run.ts";
import { shardOf, writeDurations } from "./durations.ts";
import { mergeCells } from "./merge-cells.ts";
import { cellsBegun, recordsIn, runCells } from "./run-cells.ts";
import { laneHere, noting, PROGRAM, quiet, type Written, written } from "./testing.ts";

const never = new AbortController().signal;

/** All but times, by id and role. */
const timeless = ({ tests }: Results) =>
  new Map(tests.map(({ durationMs: _, ...test }: TestResult) => [`${test.id} ${test.role}`, test]));

async function runShard({ cells, tests, folder }: Written, index: number, of: number): Promise<string> {
  const [shard, out] = [{ index, of }, join(folder, `shard-${index}`)];
  const options = { out, resume: false, jobs: 1, shard, laneRunner: laneHere };
  await runCells(shardOf(cells, shard, {}), tests, options, noting([]), never);
  return out;
}

const wholeRun = (out: string, documents: string[]): RunOptions => ({
  ...{ documents, peers: ["builtin"], role: "both", seed: "9", out, resume: false, formats: ["json"] },
  ...{ jobs: 1, testLimitMs: 60_000, runLimitMs: 60_000, laneRunner: laneHere },
});

const resultsIn = (path: string): Results => JSON.parse(readFileSync(join(path, "results.json"), "utf8"));

describe("a campaign", function () {
  this.timeout(60_000);
  let campaign: Written;
  afterEach(() => rmSync(campaign.folder, { recursive: true }));

  it("in four shards comes to the results and the evidence of one run, id by id", async () => {
    campaign = await written(`
documents: [{ name: rfc7296, sections: ["1.4", "1.5"] }, rfc5998]
roles: [initiator, responder]
parameters: [{ name: plain, seed: 9 }]
`);
    const { folder, cells, tests } = campaign;
    expect(cells).to.have.length(4);
    const shards = [];
    for (const index of [1, 2, 3, 4]) shards.push(await runShard(campaign, index, 4));
    const merged = mergeCells(cells, shards, join(folder, "all"), tests);
    expect(merged).to.deep.include({ said: [], missing: [] });
    expect(Object.keys(merged.durations)).to.have.members(cells.map(({ name }) => name));
    const out = join(folder, "one");
    const { results } = await run(wholeRun(out, ["rfc7296/1.4", "rfc7296/1.5", "rfc5998"]), quiet, never);
    const [plain] = merged.results;
    if (!plain) throw new Error("nothing was merged");
    expect(timeless(plain.outcome.results)).to.deep.equal(timeless(results));
    expect(plain.outcome.results.totals).to.deep.equal(results.totals);
    const octets = results.tests.filter(({ document }) => document === "rfc7296");
    for (const { evidence } of octets)
      for (const path of [evidence.events, evidence.capture].flatMap((each) => each ?? []))
        expect(
          readFileSync(join(folder, "all/merged/plain", path)).equals(readFileSync(join(out, path))),
          path,
        ).to.equal(true);
    expect(readFileSync(merged.site, "utf8")).to.include("rfc5998");
  });

  it("goes on with a shard that was killed: nothing is lost, and nothing run twice", async () => {
    campaign = await written("documents: [rfc7427, rfc6023, rfc5998]");
    const { folder, path, file, cells, tests } = campaign;
    const [shard, out] = [{ index: 1, of: 2 }, join(folder, "shard-1")];
    const mine = shardOf(cells, shard, {});
    const argv = [...PROGRAM.options, PROGRAM.main, "campaign", path, "--shard", "1/2", "--out", out];
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "ignore", "pipe"] });
    const ended = once(child, "close");
    let told = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      told += text;
      if (told.includes("[20/")) child.kill("SIGKILL");
    });
    expect(await ended, told).to.deep.equal([null, "SIGKILL"]);
    const first = mine[0]?.name ?? "";
    const before = recordsIn(join(out, first)).filter(({ kind }) => kind === "test-finished");
    expect(before.length).to.be.within(20, (mine[0]?.tests ?? 0) - 1);
    // By what is known now, others would have these cells.
    writeDurations(file.durations, { [cells[2]?.name ?? ""]: { ms: 90_000, tests: 11 } });
    const resumed = cellsBegun(cells, { out, shard }) ?? [];
    expect(resumed).to.deep.equal(mine);
    const options = { out, resume: true, jobs: 1, shard, laneRunner: laneHere };
    const ends = await runCells(resumed, tests, options, noting([]), never);
    expect(ends.map(({ how }) => how)).to.deep.equal(mine.map(() => "run"));
    for (const { name, tests: planned } of mine) {
      const finished = recordsIn(join(out, name)).flatMap((record) =>
        record.kind === "test-finished" ? [`${record.test.id} ${record.test.role}`] : [],
      );
      expect(finished, name).to.have.length(planned);
      expect(new Set(finished).size, name).to.equal(planned);
    }
    expect(
      recordsIn(join(out, first))
        .filter(({ kind }) => kind === "test-finished")
        .slice(0, before.length),
    ).to.deep.equal(before);
  });

  it("runs a cell again that is not what it was, and says which cells of a shard are missing", async () => {
    campaign = await written("documents: [rfc5998, { name: rfc7296, sections: ['1.3'] }]");
    const { folder, path, cells, tests } = campaign;
    const out = await runShard(campaign, 1, 2);
    const again: string[] = [];
    const options = { out, resume: true, jobs: 1, laneRunner: laneHere };
    const [cell] = cells;
    if (!cell) throw new Error("the campaign has cells");
    await runCells([cell], tests, options, noting(again), never);
    expect(again).to.deep.equal([]);
    const other = { ...cell, parameters: { ...cell.parameters, seed: "2" } };
    await runCells([other], tests, options, noting(again), never);
    expect(again).to.deep.equal([cell.name]);
    expect(resultsIn(join(out, cell.name)).seed).to.equal("2");
    expect(() => cellsBegun([other], { out, shard: { index: 1, of: 2 } })).to.throw(/is not what it was/);
    const merged = await said("campaign", path, "--merge", out, "--out", join(folder, "all"));
    expect(merged.status).to.equal(1);
    expect(merged.err).to.include(`missing: ${cells[1]?.name}\n`);
    const nothing = await said("campaign", path, "--merge", folder, "--out", join(folder, "none"));
    expect(nothing).to.deep.include({ status: 2, out: "" });
    expect(nothing.err).to.match(/^bakeoff: \S+: no cell of this campaign is there\n$/);
  });

  it("stops in good order and goes on later, and runs the other cells where one cannot be run", async () => {
    campaign = await written(`
documents: [{ name: rfc7296, sections: ["1.5"] }, { name: rfc7296, sections: ["1.4"] }]
parameters: [{ name: plain }, { name: known, baseline: there-is-none.yaml }]
`);
    const { folder: out, cells, tests } = campaign;
    const options = { out, jobs: 1, laneRunner: laneHere };
    const stop = new AbortController();
    const stopping = { ...noting([]), ended: () => stop.abort("SIGINT") };
    const first = await runCells(cells, tests, { ...options, resume: false }, stopping, stop.signal);
    expect(first.map(({ how }) => how)).to.deep.equal(["run"]);
    const ends = await runCells(cells, tests, { ...options, resume: true }, noting([]), never);
    expect(ends.map(({ how }) => how)).to.deep.equal(["found", "run", "not-run", "not-run"]);
    const merged = mergeCells(cells, [out], out, tests);
    expect(merged.results.map(({ parameters }) => parameters)).to.deep.equal(["plain"]);
    expect(merged.missing).to.deep.equal(cells.slice(2).map(({ name }) => name));
  });

  it("needs neither the secret of a box nor a way to it where nothing is run", async () => {
    campaign = await written("documents: [rfc5998]");
    const { path, folder } = campaign;
    writeFileSync(join(folder, "box.yaml"), "{ name: box, address: 192.0.2.7, psk-file: there-is-none }\n");
    writeFileSync(path, "{ peers: [box.yaml], documents: [rfc5998] }\n");
    expect(await said("campaign", path, "--list")).to.deep.include({ status: 0, err: "" });
    const merged = await said("campaign", path, "--merge", folder, "--out", join(folder, "all"));
    expect(merged.err).to.match(/no cell of this campaign is there\n$/);
    const run = await said("campaign", path, "--out", join(folder, "all"));
    expect(run.err).to.match(/--psk-file \S+there-is-none: /);
  });

  it("lists its cells, and refuses what does not go together", async () => {
    campaign = await written("{ documents: [rfc5998, rfc6023], durations: took.json }");
    const { path, folder, cells } = campaign;
    expect((await said("campaign", path, "--list", "--shard", "1/2")).out).to.equal(
      `14 tests    ${cells[1]?.name}\n`,
    );
    writeDurations(join(folder, "took.json"), { [cells[0]?.name ?? ""]: { ms: 22_000, tests: 11 } });
    const listed = await said("campaign", path, "--list", "--json");
    expect(JSON.parse(listed.out)).to.deep.equal([
      { cell: cells[0]?.name, tests: 11, expectedMs: 22_000 },
      { cell: cells[1]?.name, tests: 14, expectedMs: 28_000 },
    ]);
    for (const [line, message] of [
      [["--list", "--resume"], /^bakeoff: --resume: --list runs nothing\n$/],
      [["--merge", "x", "--shard", "1/2"], /^bakeoff: --shard: --merge runs nothing\n$/],
      [["--shard", "3/2"], /^bakeoff: --shard 3\/2: must be I\/N/],
    ] as const) {
      const refused = await said("campaign", path, ...line);
      expect(refused).to.deep.include({ status: 2, out: "" });
      expect(refused.err).to.match(message);
    }
    expect((await said("campaign", join(folder, "none.yaml"))).err).to.match(
      /none\.yaml: document: cannot be read/,
    );
  });
});
