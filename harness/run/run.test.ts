import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { LabError } from "../../peers/runtime/errors.ts";
import { startTime } from "../../peers/runtime/process.ts";
import type { Results } from "../../reports/results.ts";
import { report } from "./report.ts";
import { type Observer, type RunOptions, run } from "./run.ts";
import { loadTests } from "./suites.ts";
import { UsageError } from "./usage-error.ts";

const quiet: Observer = {
  ...{ planned: () => {}, testStarted: () => {}, told: () => {}, testFinished: () => {} },
  ...{ tryingAgain: () => {}, triedAgain: () => {}, writing: () => {} },
};
const never = new AbortController().signal;

const SOME = "1.2/(sends-a-nonce|sets-up-ike-and-child-sa|initiates-ike-and-child-sa)$";

const options = (out: string, changes: Partial<RunOptions> = {}): RunOptions => ({
  ...{ documents: ["rfc7296"], peers: ["builtin"], role: "both", grep: SOME, jobs: 1, seed: "7", out },
  ...{ formats: ["json", "html"], resume: false, testLimitMs: 60_000, runLimitMs: 120_000 },
  ...changes,
});

/** A day within the year that an entry may last. */
const soon = (): string => new Date(Date.now() + 864e5).toISOString().slice(0, 10);

const eventFiles = (out: string): string[] =>
  readdirSync(join(out, "evidence"), { recursive: true, encoding: "utf8" })
    .filter((name) => /(events\.jsonl|capture\.pcap)$/.test(name))
    .sort();

async function refusal(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("a run", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-run-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("passes on the builtin peer, and leaves a report with evidence", async () => {
    const { results, files } = await run(options(folder), quiet, never);
    expect(results.tests.map(({ verdict }) => verdict)).to.deep.equal(["pass", "pass", "pass"]);
    expect(results.peers.map(({ id }) => id)).to.deep.equal(["builtin@current:memory"]);
    for (const file of files) expect(existsSync(file), file).to.equal(true);
    for (const path of Object.values(results.tests[0]?.evidence ?? {}))
      expect(existsSync(join(folder, path)), path).to.equal(true);
    const { id, role } = results.tests[0]!;
    const page = join(folder, "site/tests", id, `builtin@current_memory.${role}.html`);
    expect(readFileSync(page, "utf8")).to.include("Both SAs come up");
  });

  it("gives the same events and captures, octet by octet, for the same seed", async () => {
    const [a, b, c] = ["a", "b", "c"].map((name) => join(folder, name)) as [string, string, string];
    await run(options(a), quiet, never);
    await run(options(b), quiet, never);
    await run(options(c, { seed: "8" }), quiet, never);
    expect(eventFiles(a)).to.have.length(6);
    expect(eventFiles(b)).to.deep.equal(eventFiles(a));
    for (const name of eventFiles(a)) {
      const [left, right, other] = [a, b, c].map((out) => readFileSync(join(out, "evidence", name)));
      expect(right?.equals(left ?? Buffer.of()), name).to.equal(true);
      expect(other?.equals(left ?? Buffer.of()), name).to.equal(false);
    }
  });

  it("goes on with a run that was cut short, without a second verdict", async () => {
    const stop = new AbortController();
    const stopping = { ...quiet, testFinished: () => stop.abort("SIGINT") };
    const many = { documents: ["rfc7296/1.2", "rfc4303"], grep: undefined };
    const first = await run(options(folder, many), stopping, stop.signal);
    expect(first.results.interrupted).to.equal("SIGINT");
    let planned = 0;
    const counting: Observer = { ...quiet, planned: (plan) => (planned = plan.planned) };
    const changes = { ...many, resume: true, seed: undefined };
    const { results } = await run(options(folder, changes), counting, never);
    expect(planned).to.be.greaterThan(0);
    const ids = new Set(results.tests.map(({ id }) => id));
    expect(ids.size).to.equal(planned + first.results.tests.length);
    expect(results.interrupted).to.equal(undefined);
    expect(results.seed).to.equal("7");
    const lines = readFileSync(join(folder, "journal.jsonl"), "utf8").split("\n");
    expect(lines.filter((line) => line.includes('"test-finished"'))).to.have.length(ids.size);
  });

  it("has a hard end, which the report names", async () => {
    const { results } = await run(options(folder, { runLimitMs: 1 }), quiet, never);
    expect(results.interrupted).to.match(/hard end/);
  });

  it("fails on a lie for the stated reason", async () => {
    const changes = { lie: "omits-nonce", grep: "1.2/sends-a-nonce$" };
    const { results } = await run(options(folder, changes), quiet, never);
    expect(results.tests[0]).to.include({ verdict: "fail", lie: "omits-nonce" });
    expect(results.tests[0]?.reason).to.match(/^expected NONCE/);
  });

  it("says before it starts that it cannot write", async () => {
    writeFileSync(join(folder, "file"), "");
    const error = await refusal(run(options(join(folder, "file", "out")), quiet, never));
    expect(error).to.be.instanceOf(UsageError);
    expect(String(error)).to.match(/--out .*cannot be written/);
  });

  it("says before it starts that the folder's name is empty, or that another run is at work in it", async () => {
    expect(String(await refusal(run(options(""), quiet, never)))).to.match(/--out: .*empty/);
    const other = spawn("sleep", ["60"]);
    try {
      writeFileSync(join(folder, ".running"), `${other.pid} ${startTime(other.pid ?? 0)}`);
      const error = await refusal(run(options(folder), quiet, never));
      expect(error).to.be.instanceOf(UsageError);
      expect(String(error)).to.match(/another run \(process \d+\) writes into it/);
      expect(readdirSync(folder)).to.deep.equal([".running"]);
    } finally {
      other.kill();
      await once(other, "exit");
    }
    await run(options(folder, { grep: "1.2/sends-a-nonce$" }), quiet, never);
    expect(existsSync(join(folder, ".running"))).to.equal(false);
  });

  it("ends in good order when its folder cannot be written any more", async function () {
    if (process.geteuid?.() !== 0 || process.platform !== "linux") this.skip();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=192k", "tmpfs", folder]);
    try {
      const many = { documents: ["rfc7296/1.2", "rfc7296/2.1"], grep: undefined };
      const error = await refusal(run(options(folder, many), quiet, never));
      expect(error).to.be.instanceOf(LabError);
      expect(String(error)).to.match(/cannot be written: ENOSPC/);
    } finally {
      execFileSync("umount", [folder]);
    }
  });

  it("tries again what is not as the baseline says, and keeps the first and the last", async () => {
    const file = join(folder, "mine.yaml");
    writeFileSync(file, "[]");
    const out = join(folder, "out");
    const changes = { lie: "omits-nonce", grep: "1.2/sends-a-nonce$", baseline: file };
    const tried: string[] = [];
    const watching = { ...quiet, triedAgain: ({ verdict }: { verdict: string }) => tried.push(verdict) };
    const { results } = await run(options(out, changes), watching, never);
    expect(tried).to.deep.equal(["fail"]);
    const [test] = results.tests;
    expect(test).to.have.nested.property("baseline.agreement", "deviates");
    expect(test?.again?.verdict).to.equal("fail");
    expect(test?.again?.evidence.ladder).to.match(/^again\/evidence\//);
    for (const path of Object.values({ ...test?.evidence, ...test?.again?.evidence }))
      expect(existsSync(join(out, path)), path).to.equal(true);
    expect(report(out, [], await loadTests()).results).to.deep.equal(results);
    expect(report(out, [], await loadTests(), "none").results.baselines).to.equal(undefined);
  });

  it("leaves out what the baseline withholds, and says how much that is", async () => {
    const file = join(folder, "mine.yaml");
    const entry = { tests: "rfc7296/1.2/*", verdict: "withheld", why: "Held back.", expires: soon() };
    writeFileSync(file, JSON.stringify([entry]));
    const out = join(folder, "out");
    const lies = {
      lie: "omits-nonce",
      grep: "(1.2/sends-a-nonce|2.1/tells-initiators-with-the-same-spi-apart)$",
    };
    const { results } = await run(options(out, { ...lies, baseline: file }), quiet, never);
    const sections = (found: Results) => new Set(found.tests.map(({ section }) => section));
    expect([...sections(results)]).to.deep.equal(["2.1"]);
    expect(results.withheld).to.deep.equal([{ peer: "builtin@current:memory", file, tests: 1 }]);
    expect(readFileSync(join(out, "journal.jsonl"), "utf8")).to.not.include("sends-a-nonce");
    const tests = await loadTests();
    expect(report(out, ["md", "html"], tests).results).to.deep.equal(results);
    for (const name of ["report.md", "site/index.html"])
      expect(readFileSync(join(out, name), "utf8")).to.match(/1 test withheld by /);
    await run(options(out, { ...lies, baseline: "none", resume: true }), quiet, never);
    expect(report(out, [], tests, file).results.withheld).to.deep.equal(results.withheld);
    const all = report(out, [], tests, "none").results;
    expect([...sections(all)].sort()).to.deep.equal(["1.2", "2.1"]);
    expect(all.withheld).to.equal(undefined);
  });

  it("reads the baseline before anything starts", async () => {
    const file = join(folder, "mine.yaml");
    writeFileSync(file, "- tests: x");
    const out = join(folder, "out");
    expect(await refusal(run(options(out, { baseline: file }), quiet, never))).to.be.instanceOf(UsageError);
    expect(existsSync(out)).to.equal(false);
  });

  it("keeps what it did not make", async () => {
    writeFileSync(join(folder, "notes.txt"), "mine");
    await run(options(folder, { grep: "1.2/sends-a-nonce$" }), quiet, never);
    expect(readFileSync(join(folder, "notes.txt"), "utf8")).to.equal("mine");
  });

  it("resumes nothing where there is nothing, nor with another seed", async () => {
    expect(String(await refusal(run(options(folder, { resume: true }), quiet, never)))).to.match(
      /--resume: /,
    );
    await run(options(folder, { grep: "1.2/sends-a-nonce$" }), quiet, never);
    const other = await refusal(run(options(folder, { resume: true, seed: "9" }), quiet, never));
    expect(String(other)).to.match(/--seed 9: the run to resume has the seed 7/);
  });

  it("writes the reports again from the journal", async () => {
    const { results } = await run(options(folder, { formats: [] }), quiet, never);
    expect(existsSync(join(folder, "results.json"))).to.equal(false);
    expect(report(folder, ["json", "md"], []).results).to.deep.equal(results);
    expect(existsSync(join(folder, "report.md"))).to.equal(true);
    expect(() => report(join(folder, "none"), ["json"], [])).to.throw(UsageError, /journal\.jsonl/);
  });
});
