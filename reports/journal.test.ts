import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import {
  finishedTests,
  type JournalContent,
  type JournalRecord,
  openJournal,
  parseJournal,
  readJournal,
  recordsOf,
  resultsFromJournal,
} from "./journal.ts";
import { testKey } from "./results.ts";
import { sampleResults } from "./sample.ts";

const sample = sampleResults();

function read(path: string): JournalContent {
  const content = readJournal(path);
  if ("error" in content) throw new Error(content.reason);
  return content;
}

describe("journal", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-journal-"));
    path = join(folder, "journal.jsonl");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(records: JournalRecord[]): void {
    const journal = openJournal(path);
    for (const record of records) journal.append(record);
    journal.close();
  }

  it("holds all there is in the results", () => {
    write(recordsOf(sample));
    const content = read(path);
    expect(content).to.include.keys("records").and.not.have.property("note");
    expect(content.findings).to.deep.equal([]);
    expect(resultsFromJournal(content.records)).to.deep.equal(sample);
  });

  it("of a killed run gives interrupted results and the tests to leave out", () => {
    write(recordsOf(sample).slice(0, 10));
    appendFileSync(path, '{"kind":"test-fin');
    const content = read(path);
    expect(content.note).to.include("half-written");
    const results = resultsFromJournal(content.records);
    expect(results).to.have.property("interrupted").that.is.a("string");
    expect(finishedTests(content.records)).to.deep.equal(new Set(sample.tests.slice(0, 6).map(testKey)));
  });

  it("goes on after a killed run as if nothing had been", () => {
    const all = recordsOf(sample);
    write(all.slice(0, 10));
    appendFileSync(path, '{"kind":"test-fin');
    write([all[0]!, ...all.slice(10)]);
    const content = read(path);
    expect(content.findings).to.deep.equal([]);
    expect(resultsFromJournal(content.records)).to.deep.equal(sample);
  });

  it("is appended to, never written anew", () => {
    write(recordsOf(sample).slice(0, 2));
    const before = readFileSync(path, "utf8");
    write(recordsOf(sample).slice(2, 4));
    expect(readFileSync(path, "utf8").startsWith(before)).to.equal(true);
  });

  it("keeps the first verdict of a test", () => {
    const [test] = sample.tests;
    const again = { ...test!, verdict: "fail" as const };
    const records = recordsOf({ ...sample, tests: [test!, again] });
    const results = resultsFromJournal(records);
    expect(results).to.have.nested.property("tests.length", 1);
    expect(results).to.have.nested.property("tests[0].verdict", "pass");
  });

  it("keeps what a second try found beside the verdict", () => {
    const [test] = sample.tests;
    const { evidence } = test!;
    const again: JournalRecord = {
      ...{ kind: "test-tried-again", time: sample.finished },
      test: { ...test!, verdict: "hang", reason: "silent" },
    };
    const results = resultsFromJournal([...recordsOf(sample), again]);
    expect(results).to.have.nested.property("tests[0].verdict", test!.verdict);
    expect(results)
      .to.have.nested.property("tests[0].again")
      .deep.equal({
        ...{ verdict: "hang", reason: "silent", evidence },
      });
    expect(finishedTests([again]).size).to.equal(0);
  });

  it("names the line of what is no record", () => {
    const [first, , third] = recordsOf(sample).map((record) => JSON.stringify(record));
    const { records, findings } = parseJournal([first, "garbage", '{"kind":"other"}', third, ""].join("\n"));
    expect(records).to.have.length(2);
    expect(findings.map(({ line }) => line)).to.deep.equal([2, 3]);
    expect(findings[1]?.reason).to.include("kind");
  });

  it("that is missing or empty is an error", () => {
    expect(readJournal(join(folder, "none"))).to.deep.include({ error: "unreadable" });
    expect(readJournal(folder)).to.deep.include({ error: "unreadable", reason: "is no file" });
    expect(resultsFromJournal([])).to.deep.include({ error: "no-run" });
  });

  it("cut anywhere loses only what is behind the cut", () => {
    const records = recordsOf({ ...sample, tests: sample.tests.slice(0, 5) });
    const text = records.map((record) => JSON.stringify(record) + "\n").join("");
    fc.assert(
      fc.property(fc.integer({ min: 0, max: text.length }), (cut) => {
        const content = parseJournal(text.slice(0, cut));
        expect(content.findings).to.deep.equal([]);
        expect(content.records).to.deep.equal(records.slice(0, content.records.length));
        expect(content.note === undefined).to.equal(cut === 0 || text[cut - 1] === "\n");
      }),
    );
  });
});
