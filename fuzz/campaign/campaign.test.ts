import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { nodeCommand } from "../../harness/run/lane-process.ts";
import { UsageError } from "../../harness/run/usage-error.ts";
import { runCampaign } from "./campaign.ts";
import { boundsOf, type JournalRecord, readJournal } from "./journal.ts";
import { JOURNAL_FILE } from "./recorder.ts";

/** Dies of IKE_AUTH without TSr, as case 31 of this seed is. */
const LIE = "dies-without-one-selector";
const CASES = 60;
const WHAT = ["--stage", "auth", "--setup", "psk", "--role", "responder", "--no-guidance", "--seed", "3"];
const ARGUMENTS = [...WHAT, "--lie", LIE];

const OPTIONS = {
  ...{ cases: CASES, timeMs: 60_000, jobs: 1, window: 4, rate: 20_000, restartsAnHour: 1_000 },
  muted: new Set<string>(),
};

/** Records of a journal; none while there is none. */
function journalOf(out: string): JournalRecord[] {
  const path = join(out, JOURNAL_FILE);
  if (!existsSync(path)) return [];
  const read = readJournal(path);
  return "records" in read ? read.records : [];
}

const numbersIn = (records: readonly JournalRecord[]): number[] =>
  records.flatMap((record) => {
    if (record.kind !== "played") return [];
    return record.cases.flatMap((range) => {
      const [from, to] = boundsOf(range);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    });
  });

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(10);
}

/** Starts the command, and kills it without a word once some cases are played. */
async function killed(out: string): Promise<void> {
  const [node = "", ...args] = nodeCommand(join(import.meta.dirname, "../../harness/cli"), "main");
  const own = ["--cases", `${CASES}`, "--jobs", "1", "--window", "4", "--out", out];
  const child = spawn(node, [...args, "fuzz", ...ARGUMENTS, ...own], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("close", resolve));
  await until(() => numbersIn(journalOf(out)).length > 0 || child.exitCode !== null);
  child.kill("SIGKILL");
  await ended;
}

/** Kills a lane's process of ours. */
function killLane(): void {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8");
  for (const pid of children.split(" ").filter(Boolean))
    if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("lane-main"))
      process.kill(Number(pid), "SIGKILL");
}

describe("campaign", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-campaign-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("finds a crash, and goes on after kills of itself and of its lane with no case twice", async () => {
    const out = join(folder, "out");
    await killed(out);
    const before = numbersIn(journalOf(out));
    let kills = 0;
    const tick = () => {
      if (kills > 0 || numbersIn(journalOf(out)).length < before.length + 5) return;
      kills += 1;
      killLane();
    };
    const end = await runCampaign(
      { ...OPTIONS, out, resume: true },
      { say: () => {}, tick },
      new AbortController().signal,
    );
    const records = journalOf(out);
    const numbers = numbersIn(records);
    expect(numbers.slice(0, before.length), "what was recorded").to.deep.equal(before);
    expect(new Set(numbers).size, "each once").to.equal(numbers.length);
    expect(numbers.length).to.be.within(CASES - 2 * OPTIONS.window, CASES);
    expect(end.campaign.cases).to.equal(numbers.length);
    expect(end).to.include({ findings: 1, full: false, reason: "there was nothing left to play" });
    expect(end.campaign.findings).to.deep.equal({ crash: 1 });
    expect(JSON.stringify(records), "under embargo").not.to.include("SIGSEGV");
    const embargo = join(out, "findings", "embargo");
    expect(statSync(join(embargo, readdirSync(embargo)[0] ?? "")).mode & 0o077).to.equal(0);
  });

  it("refuses a folder that holds a campaign, and to go on with another plan", async () => {
    const out = join(folder, "out");
    const ended = (more: object) =>
      runCampaign(
        { ...OPTIONS, out, resume: false, ...more },
        { say: () => {}, tick: () => {} },
        new AbortController().signal,
      ).then(
        () => "nothing",
        (error: unknown) => (error instanceof UsageError ? error.message : String(error)),
      );
    expect(await ended({})).to.equal(
      `--out ${out}: holds a campaign or a run already: --resume goes on with a campaign`,
    );
    expect(await ended({ resume: true, seed: "2" })).to.equal('--resume: seed was "3", and is "2" now');
    expect(await ended({ resume: true, out: join(folder, "none") })).to.match(
      /^--resume: there is no journal/,
    );
  });

  it("gives a lane up that may start its peer no more, and starts no other process for it", async () => {
    const limited = { ...OPTIONS, out: join(folder, "limited"), resume: false, restartsAnHour: 1 };
    const what = { stages: ["auth"], setups: ["psk"], guided: false, seed: "3", lie: LIE };
    const end = await runCampaign(
      { ...limited, ...what, role: "responder", cases: 1_000 },
      { say: () => {}, tick: () => {} },
      new AbortController().signal,
    );
    expect(end.lost).to.have.lengthOf(1);
    expect(end.reason).to.equal("1 of 1 peers were lost");
    const starts = journalOf(limited.out).filter(
      ({ kind }) => kind === "peer-started" || kind === "restarted",
    );
    expect(starts).to.have.lengthOf(2);
  });
});
