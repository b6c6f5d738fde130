import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Results } from "../../reports/results.ts";
import { said } from "../cli/said.ts";

/** Four tests of the builtin peer, of which it fails two by its lie. */
const RUN = [
  "run",
  "--grep",
  "7296/1.2/(sends-a-nonce|refuses-a-wrong|initiates-)",
  "--lie",
  "accepts-wrong-auth",
];

const FORMATS = ["--format", "json,junit,tap,sarif,md"];

const resultsIn = (folder: string): Results => JSON.parse(readFileSync(join(folder, "results.json"), "utf8"));

/** What two runs of the same have in common: all but times. */
const timeless = ({ started, finished, tests, ...rest }: Results) => ({
  ...rest,
  tests: tests.map(({ durationMs, ...test }) => test),
});

/** All files below a folder. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());

describe("folders of runs", function () {
  this.timeout(120_000);
  let folder: string;
  const at = (name: string) => join(folder, name);
  const shards = () => [at("shard-1"), at("shard-2")];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-merge-test-"));
    await said(...RUN, ...FORMATS, "--out", at("whole"));
    for (const i of [1, 2])
      await said(...RUN, "--format", "json", "--shard", `${i}/2`, "--out", at(`shard-${i}`));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("of shards are merged to the single run, with its evidence, and can be merged and compared again", async () => {
    const { status, err } = await said(
      "report",
      "merge",
      ...shards(),
      "--out",
      at("merged"),
      "--format",
      "json,md",
    );
    expect(status).to.equal(1);
    expect(err).to.not.include("there is no");
    expect(timeless(resultsIn(at("merged")))).to.deep.equal(timeless(resultsIn(at("whole"))));
    for (const { evidence } of resultsIn(at("merged")).tests)
      for (const path of Object.values(evidence))
        expect(existsSync(join(at("merged"), path)), path).to.equal(true);
    const same = await said("report", "compare", at("whole"), at("merged"), "--json");
    expect(same.status).to.equal(0);
    expect(JSON.parse(same.out).totals).to.include({ worse: 0, added: 0, gone: 0 });
    const one = await said("report", "merge", at("merged"), "--out", at("again"), "--format", "json");
    expect(one.status).to.equal(1);
    expect(resultsIn(at("again"))).to.deep.equal(resultsIn(at("merged")));
  });

  it("that are not of one run are refused in one line", async () => {
    cpSync(at("shard-2"), at("other"), { recursive: true });
    const journal = join(at("other"), "journal.jsonl");
    writeFileSync(journal, readFileSync(journal, "utf8").replace('"seed":"1"', '"seed":"2"'));
    const wrong: [string[], RegExp][] = [
      [
        ["merge", at("shard-1"), at("other"), "--out", at("x")],
        /cannot be merged: seed: 1 in .*shard-1, 2 in .*other\n$/,
      ],
      [["merge", at("shard-1"), `${at("shard-1")}/`, "--out", at("x")], /is the same folder as/],
      [["merge", at("shard-1"), "--out", at("shard-1")], /--out .*: is one of the folders to merge/],
      [["merge", at("shard-1")], /required option "--out <dir>" not specified/],
      [["compare", at("whole")], /a run to compare with is missing/],
      [["compare", at("whole"), "--peer-a", "builtin"], /--peer-b: is missing beside the other peer/],
      [
        ["compare", at("whole"), "--peer-a", "builtin", "--peer-b", "x"],
        /--peer-b: there is no peer x in .*builtin@/,
      ],
      [shards(), /--out: is missing/],
      [[at("whole"), "--out", at("shard-1")], /shard-1: is a folder with other things in it/],
    ];
    for (const [line, message] of wrong) {
      const { status, out, err } = await said("report", ...line);
      expect({ status, out }, line.join(" ")).to.deep.equal({ status: 2, out: "" });
      expect(err)
        .to.match(/^bakeoff: [^\n]+\n$/)
        .and.to.match(message);
    }
    expect(existsSync(at("x"))).to.equal(false);
  });

  it("are used as far as they go: without a journal, and with half of one, which is said", async () => {
    cpSync(at("whole"), at("bare"), { recursive: true });
    rmSync(join(at("bare"), "journal.jsonl"));
    const bare = await said("report", "compare", at("whole"), join(at("bare"), "results.json"));
    expect(bare.status).to.equal(0);
    const text = readFileSync(join(at("whole"), "journal.jsonl"), "utf8");
    cpSync(at("whole"), at("half"), { recursive: true });
    writeFileSync(join(at("half"), "journal.jsonl"), `garbage\n${text.slice(0, -300)}`);
    const half = await said("report", at("half"), "--format", "json,md");
    expect(half.err)
      .to.match(/journal: line 1 is no record: no JSON\n/)
      .and.to.match(/is half-written \(\d+ char/);
    expect(half.err).to.include("interrupted: the run ended without a word");
    expect(resultsIn(at("half")).tests.length).to.be.within(1, resultsIn(at("whole")).tests.length - 1);
    expect(readFileSync(join(at("half"), "report.md"), "utf8")).to.include("Journal: line 1 is no record");
  });

  it("of another version are refused, naming both versions", async () => {
    for (const [name, file] of [
      ["old", "results.json"],
      ["newer", "journal.jsonl"],
    ] as const) {
      cpSync(at("whole"), at(name), { recursive: true });
      const path = join(at(name), file);
      writeFileSync(path, readFileSync(path, "utf8").replace(/"schema": ?2/, '"schema": 7'));
      for (const line of [
        [at(name)],
        ["compare", at("whole"), at(name)],
        ["merge", at(name), "--out", at("x")],
      ]) {
        const { status, err } = await said("report", ...line);
        expect(status).to.equal(2);
        expect(err).to.match(/^bakeoff: .* is of schema version 7, and this program reads version 2\n$/);
      }
    }
  });

  it("bring along only evidence, whatever paths and links a journal names", async () => {
    writeFileSync(at("elsewhere.log"), "of somebody else");
    const names = [
      "evidence\n/../../elsewhere.log",
      "evidence/away/elsewhere.log",
      "journal.jsonl",
      "evidence/link.log",
    ];
    for (const [index, name] of names.entries()) {
      const part = at(`crafted-${index}`);
      cpSync(at("whole"), part, { recursive: true });
      symlinkSync(folder, join(part, "evidence/away"));
      symlinkSync(at("elsewhere.log"), join(part, "evidence/link.log"));
      const text = readFileSync(join(part, "journal.jsonl"), "utf8");
      const crafted = text.replace(/"events":"[^"]*"/, `"events":${JSON.stringify(name)}`);
      writeFileSync(join(part, "journal.jsonl"), crafted);
      const out = at(`merged/deeper/${index}`);
      await said("report", "merge", part, "--out", out, "--format", "json");
      expect(existsSync(at("merged/elsewhere.log"))).to.equal(false);
      for (const link of ["away", "link.log"])
        expect(existsSync(join(out, "evidence", link))).to.equal(false);
      expect(readFileSync(join(part, "journal.jsonl"), "utf8")).to.equal(crafted);
    }
  });

  it("tell no key in any report or log", () => {
    const evidence = filesIn(join(at("whole"), "evidence"));
    const keys = evidence
      .filter((path) => path.includes("/keys/"))
      .flatMap((path) => readFileSync(path, "utf8").match(/\b(?:0x)?[0-9a-f]{32,}\b/gi) ?? [])
      .map((key) => key.replace(/^0x/i, "").toLowerCase());
    expect(keys.length).to.be.above(5);
    const told = [
      ...["results.json", "junit.xml", "report.tap", "report.sarif", "report.md"].map((name) =>
        join(at("whole"), name),
      ),
      ...evidence.filter((path) => path.endsWith(".log")),
    ];
    expect(told.length).to.be.above(5);
    for (const path of told) {
      const text = readFileSync(path, "utf8").toLowerCase();
      expect(
        keys.filter((key) => text.includes(key)),
        path,
      ).to.deep.equal([]);
    }
  });
});
