import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { boundsOf, eachRecord, type JournalRecord, openJournal, rangesOf, readJournal } from "./journal.ts";
import { makePlan } from "./plan.ts";
import { writePlan } from "./plan-file.ts";
import { JOURNAL_FILE, stateFolder } from "./recorder.ts";
import { whatWasBefore } from "./resume.ts";

const PLAN = makePlan({ setups: ["psk"], stages: ["init"], role: "responder" });
const TIME = "2026-01-01T00:00:00.000Z";

const started: JournalRecord = {
  ...{ kind: "campaign-started", time: TIME, format: 1, seed: "1", peers: ["builtin"] },
  ...{ tool: { name: "ipsec-bakeoff", version: "0" }, plan: JSON.stringify(PLAN) },
};
const batch: JournalRecord = {
  ...{ kind: "batch-started", batch: 4, peer: 0, first: 400, cases: 100, setup: "psk", role: "responder" },
};
const played: JournalRecord = {
  ...{ kind: "played", batch: 4, peer: 0, cases: ["400-402", "405"], stages: {}, alarms: {} },
  ...{ messages: 9, novel: 1, silent: 0, unfit: 0 },
};

describe("journal of a campaign", () => {
  let out = "";
  let path = "";
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), "bakeoff-journal-"));
    path = join(out, JOURNAL_FILE);
    const journal = openJournal(path);
    for (const record of [started, batch, played]) journal.append(record);
    journal.close();
  });
  afterEach(() => rmSync(out, { recursive: true }));

  it("gives numbers as ranges and back", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(50)), (numbers) => {
        const back = rangesOf(numbers).flatMap((range) => {
          const [from, to] = boundsOf(range);
          return Array.from({ length: to - from + 1 }, (_, i) => from + i);
        });
        expect(back).to.deep.equal([...numbers].sort((a, b) => a - b));
      }),
    );
  });

  it("cuts off the half line of a kill, and goes on behind it", () => {
    appendFileSync(path, '{"kind":"clock","m');
    const journal = openJournal(path);
    journal.append({ kind: "clock", ms: 7 });
    journal.close();
    expect(readJournal(path)).to.deep.equal({
      ...{ records: [started, batch, played, { kind: "clock", ms: 7 }], problems: [] },
    });
  });

  it("is read however long it is, and leaves out a line that is too long", () => {
    const clock = (ms: number): JournalRecord => ({ kind: "clock", ms });
    appendFileSync(path, `${JSON.stringify(clock(1))}\n${" ".repeat(3 * 1024 * 1024)}\n`);
    appendFileSync(path, `${`${JSON.stringify(clock(2))}\n`.repeat(50_000)}{"kind":"clock","ms":3}`);
    const seen = new Map<string, number>();
    const read = eachRecord(path, (record) => {
      const key = JSON.stringify(record);
      seen.set(key, (seen.get(key) ?? 0) + 1);
    });
    expect(read).to.deep.equal({ problems: ["line 5: longer than 1048576 octets: left out"] });
    expect([1, 2, 3].map((ms) => seen.get(JSON.stringify(clock(ms))))).to.deep.equal([1, 50_000, 1]);
  });

  it("leaves out lines that are no records, and says so", () => {
    appendFileSync(
      path,
      'null\n[]\nx\n{"kind":"played","batch":-1}\n{"kind":"clock","ms":1e400}\n{"kind":"what"}\n',
    );
    const read = readJournal(path);
    expect(read).to.have.deep.property("records", [started, batch, played]);
    expect(read).to.have.property("problems").with.lengthOf(6);
  });

  it("goes on behind what was handed out, with what nobody had begun", () => {
    const generator = { number: 400, seed: "1/400", stage: "init", trace: traceOf() };
    const cases = Array.from({ length: 10 }, (_, i) => ({ ...generator, number: 400 + i }));
    pending("0-0", { batch: 4, setup: "psk", peer: "responder", cases, again: [], inHand: 2 });
    const { generators, pending: left, problems, tally } = whatWasBefore(out);
    // 400 to 402 and 405 were played, 403 and 404 may have been in hand.
    expect(left.map(({ held }) => held.cases.map(({ number }) => number))).to.deep.equal([
      [406, 407, 408, 409],
    ]);
    expect(generators.get(0)).to.include({ next: 5 });
    expect(problems)
      .to.have.lengthOf(1)
      .and.match(/generator-0.json: is missing: what was learned is forgotten/);
    expect(tally.campaign).to.include({ cases: 4, messages: 9 });
    expect(whatWasBefore(out).pending, "as often as it is read").to.deep.equal(left);
  });

  it("does without files of its state that are damaged or hostile", () => {
    pending("0-0", { batch: 4, setup: "psk" });
    pending("0-1", "x".repeat(100));
    writeFileSync(join(stateFolder(out), "generator-0.json"), '{"generator":1,"next":-1}');
    const { pending: left, problems } = whatWasBefore(out);
    expect(left).to.deep.equal([]);
    expect(problems).to.have.lengthOf(3);
  });

  it("does not go on from what is no journal of a campaign", () => {
    for (const text of [
      "",
      "x\n",
      `${JSON.stringify(batch)}\n`,
      `${JSON.stringify({ ...started, plan: "{}" })}\n`,
    ]) {
      writeFileSync(path, text);
      expect(() => whatWasBefore(out), text).to.throw(
        /^--resume: .*does not begin as the journal of a campaign/,
      );
    }
  });

  it("writes the same plan for the same seed, octet for octet", async () => {
    const [one, two, other] = ["one", "two", "other"].map((name) => join(out, name));
    const wishes = { setups: ["psk"], stages: ["init", "auth"], cases: 250 };
    await writePlan(one ?? "", { ...wishes, seed: "7" });
    await writePlan(two ?? "", { ...wishes, seed: "7" });
    await writePlan(other ?? "", { ...wishes, seed: "8" });
    const [first, second, third] = [one, two, other].map((file) => readFileSync(file ?? "", "utf8"));
    expect(first?.split("\n")).to.have.lengthOf(251);
    expect(second).to.equal(first);
    expect(third).not.to.equal(first);
  });

  const traceOf = () => ({ trace: 1, setup: "psk", peer: "responder", steps: [{ act: "init" }] });
  function pending(name: string, value: unknown): void {
    mkdirSync(stateFolder(out), { recursive: true });
    writeFileSync(join(stateFolder(out), `pending-${name}.json`), JSON.stringify(value));
  }
});
