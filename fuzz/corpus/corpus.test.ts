import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import type { Act, Trace } from "../trace.ts";
import { Corpus } from "./corpus.ts";
import { type CorpusEntry, nameOf, readEntry, textOf } from "./entry.ts";
import { mergeCorpora, needless, trimCorpus } from "./folders.ts";

const traceOf = (...acts: Act[]): Trace => ({
  ...{ trace: 1, setup: "psk", peer: "responder" },
  steps: acts.map((act) => ({ act, changes: [{ message: 0, op: "payload-omit", at: "NONCE" }] })),
});

const entry = (trace: Trace, signature: string, features: string[] = []): CorpusEntry => ({
  ...{ corpus: 1, tool: "1.0.0", seed: "1/7", stage: "init", signature, features, trace },
});

describe("the corpus", () => {
  let folder: string;
  const at = (...names: string[]): string => join(folder, ...names);

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-corpus-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("keeps an entry in a file of its own, once, and reads it back", () => {
    const corpus = Corpus.open(at("c"));
    const first = entry(traceOf("init", "auth"), "aa", ["pair 01"]);
    expect(corpus.add(first).kept).to.equal(true);
    expect(corpus.add({ ...first, seed: "another" }).kept).to.equal(false);
    const again = Corpus.open(at("c"));
    expect([...again.entries]).to.deep.equal([[nameOf(first.trace), first]]);
    expect(readdirSync(at("c"))).to.deep.equal([`${nameOf(first.trace)}.json`]);
    expect(again.skipped).to.deep.equal([]);
  });

  it("names the same trace the same, however it is written", () => {
    const { steps, ...rest } = traceOf("init");
    const other: Trace = { steps: steps.map(({ changes, act }) => ({ changes, act })), ...rest };
    expect(nameOf(other)).to.equal(nameOf(traceOf("init")));
    expect(nameOf(traceOf("auth"))).not.to.equal(nameOf(traceOf("init")));
  });

  it("names and skips what is damaged, foreign, of another version or hostile", () => {
    const good = entry(traceOf("init"), "aa");
    Corpus.open(folder).add(good);
    const file = (fill: string): string => at(`${fill.repeat(32)}.json`);
    writeFileSync(file("0"), textOf(good).slice(0, 40));
    writeFileSync(file("1"), textOf(good));
    writeFileSync(file("2"), textOf(good).replace('"corpus":1', '"corpus":2'));
    writeFileSync(file("3"), "");
    truncateSync(file("3"), 2 ** 31);
    symlinkSync(at(`${nameOf(good.trace)}.json`), file("4"));
    execFileSync("mkfifo", [file("5")]);
    mkdirSync(file("6"));
    writeFileSync(file("7"), "[".repeat(500_000));
    writeFileSync(file("8"), textOf(good).replace("payload-omit", "payload-nonsense"));
    writeFileSync(file("9"), textOf(good).replace('"psk"', '"__proto__"'));
    writeFileSync(at("notes.txt"), "foreign");
    const { entries, skipped } = Corpus.read(folder);
    expect([...entries.keys()]).to.deep.equal([nameOf(good.trace)]);
    const reasons = Object.fromEntries(skipped.map(({ file: name, reason }) => [name[0], reason]));
    expect(Object.keys(reasons).sort().join("")).to.equal("0123456789n");
    expect(reasons["1"]).to.equal("is damaged: its name is not that of its trace");
    expect(reasons["2"]).to.equal("is of version 2 of the format; this is 1");
    expect(reasons["8"]).to.equal("there is no operator payload-nonsense");
  });

  it("never throws on a text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(readEntry(text)).to.have.property("reason");
      }),
    );
  });

  it("is merged out of several folders, and trimmed to what shows the same", () => {
    const [a, b] = [Corpus.open(at("a")), Corpus.open(at("b"))];
    a.add(entry(traceOf("init"), "aa", ["pair 01"]));
    a.add(entry(traceOf("init", "auth"), "aa"));
    b.add(entry(traceOf("init"), "aa", ["pair 01"]));
    b.add(entry(traceOf("init", "esp"), "bb", ["pair 01", "edge 5"]));
    writeFileSync(at("b", "x.json"), "{}");
    const merged = mergeCorpora([at("a"), at("b")], at("c"));
    expect(merged).to.deep.include({ added: 3, known: 1, entries: 3 });
    expect(merged.skipped.map(({ file }) => file)).to.deep.equal(["x.json"]);
    const trimmed = trimCorpus(at("c"));
    expect(trimmed).to.deep.equal({ kept: 2, removed: 1, features: 4, skipped: [] });
    expect(trimCorpus(at("c")).removed).to.equal(0);
    expect(Corpus.read(at("c")).entries.has(nameOf(traceOf("init", "auth")))).to.equal(false);
  });

  it("shows after trimming all that it showed before, with nothing needless", () => {
    const features = fc.array(fc.constantFrom("1", "2", "3", "4", "5"), { maxLength: 4 });
    fc.assert(
      fc.property(fc.array(features, { maxLength: 12 }), (all) => {
        const entries = new Map(all.map((list, i) => [String(i), entry(traceOf("init"), "s", list)]));
        const shown = (of: typeof entries): Set<string> =>
          new Set([...of.values()].flatMap((one) => one.features));
        const gone = needless(entries);
        const left = new Map([...entries].filter(([name]) => !gone.includes(name)));
        expect([...shown(left)].sort()).to.deep.equal([...shown(entries)].sort());
        expect(needless(left)).to.deep.equal([]);
      }),
    );
  });
});
