/**
 * Golden captures: `pcaps/golden/<peer>/<document>/` holds capture and keys of one test against one real peer, as
 * evidence does. What a peer says is compared by meaning with what it said when its golden capture was taken.
 */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { readSeen } from "../../pcaps/decode/index.ts";
import { type Comparison, compareViews } from "../../pcaps/diff/diff.ts";
import { DiffRules, joinRuleSets, ordinaryRuleSets, ruleFileSchema } from "../../pcaps/diff/rules.ts";
import { Sides, type View, viewOf } from "../../pcaps/view.ts";
import type { GoldenResult, Results, TestResult } from "../../reports/results.ts";
import { fileName } from "./evidence.ts";
import type { Plan } from "./plan.ts";
import { writable } from "./report.ts";
import { UsageError } from "./usage-error.ts";
import { parseYaml, readText } from "./yaml-file.ts";

/** Where ours are. They are not copied into the built tree, like the baselines. */
export const goldenFolder = ["../../pcaps/golden", "../../../pcaps/golden"]
  .map((path) => resolve(import.meta.dirname, path))
  .reduce((near, far) => (existsSync(near) ? near : far));

const INDEX = "index.yaml";
const CANDIDATES = "tests.yaml";
const RULES = "ignore.yaml";
/** As in evidence, so that `pcap diff` and `pcap show` take either folder. */
const FILES = ["capture.pcap", "keys/keys.json"] as const;

/** Peer -> document -> the test whose capture is kept. */
const indexSchema = z.record(z.string(), z.record(z.string(), z.string()));
type Index = z.infer<typeof indexSchema>;

/** Document -> tests; the first that passes against a peer gives its golden capture. */
const candidatesSchema = z.record(z.string(), z.array(z.string()).min(1, "names no test"));

export interface GoldenOptions {
  /** Not set: ours. */
  folder?: string;
  update: boolean;
}

/** A golden capture beside what the run saw. */
export interface Golden extends Pick<GoldenResult, "peer" | "document" | "test" | "state"> {
  comparison: Comparison;
  /** What could not be read of the captures or their keys; empty ordinarily. */
  faults: string[];
  /** Set when the files were written. */
  written?: true;
}

/** As the journal keeps it. */
export const goldenResult = ({ comparison, faults: _, written, ...golden }: Golden): GoldenResult => ({
  ...golden,
  differences: comparison.differences.length + comparison.more,
  written: written === true,
});

/** The tests that golden captures are of, or may be taken of. @throws UsageError where there are none */
export function onlyGolden(plan: Plan, { folder = goldenFolder, update }: GoldenOptions): Plan {
  const index = indexOf(folder);
  const candidates = update ? Object.values(candidatesOf(folder)).flat() : [];
  const lanes = plan.lanes
    .map((lane) => {
      const wanted = new Set([...Object.values(index[lane.id] ?? {}), ...candidates]);
      return { ...lane, tests: lane.tests.filter(({ id }) => wanted.has(id)) };
    })
    .filter(({ tests }) => tests.length > 0);
  const planned = lanes.reduce((sum, { tests }) => sum + tests.length, 0);
  if (planned === 0) {
    const known = Object.keys(index).join(", ") || "nobody";
    throw new UsageError(`no golden captures of the selected tests and peers; there are some of ${known}`);
  }
  return { lanes, planned };
}

/**
 * Compares what the run in `out` saw with the golden captures, and with `update` takes its captures for them.
 * @throws LabError where they cannot be written
 */
export function compareGolden(
  out: string,
  { tests }: Results,
  { folder = goldenFolder, update }: GoldenOptions,
): Golden[] {
  const index = indexOf(folder);
  const rules = new DiffRules(goldenRules(folder));
  const chosen = update ? chooseTests(tests, candidatesOf(folder), index) : entriesOf(index);
  const found = chosen.flatMap(({ peer, document, test }) => {
    const result = tests.find((t) => t.peer === peer && t.id === test && t.lie === undefined);
    if (!result) return [];
    const kept = join(folder, fileName(peer), fileName(document));
    const golden = compareOne({ peer, document, test }, kept, evidenceFolder(out, result), rules);
    return [update ? writable(folder, () => take(golden, kept, evidenceFolder(out, result))) : golden];
  });
  if (update) writable(folder, () => writeIndex(folder, index, found));
  return found;
}

type Entry = Pick<Golden, "peer" | "document" | "test">;

const entriesOf = (index: Index): Entry[] =>
  Object.entries(index).flatMap(([peer, documents]) =>
    Object.entries(documents).map(([document, test]) => ({ peer, document, test })),
  );

/** For each peer of the run and document the first candidate that passed; the one of before where none did. */
function chooseTests(
  tests: readonly TestResult[],
  candidates: Readonly<Record<string, readonly string[]>>,
  index: Index,
): Entry[] {
  const passed = new Set(
    tests.flatMap(({ peer, id, verdict }) => (verdict === "pass" ? [JSON.stringify([peer, id])] : [])),
  );
  return [...new Set(tests.map(({ peer }) => peer))].flatMap((peer) =>
    Object.entries(candidates).flatMap(([document, ids]) => {
      const first = ids.find((id) => passed.has(JSON.stringify([peer, id]))) ?? index[peer]?.[document];
      return first === undefined ? [] : [{ peer, document, test: first }];
    }),
  );
}

const NOTHING: Comparison = { differences: [], more: 0 };

function compareOne(entry: Entry, kept: string, seen: string | undefined, rules: DiffRules): Golden {
  const faults: string[] = [];
  if (seen === undefined) return { ...entry, state: "lost", comparison: NOTHING, faults };
  if (!existsSync(join(kept, FILES[0]))) return { ...entry, state: "new", comparison: NOTHING, faults };
  const comparison = compareViews(viewsIn(kept, faults), viewsIn(seen, faults), rules);
  const same = comparison.differences.length + faults.length === 0;
  return { ...entry, state: same ? "same" : "different", comparison, faults };
}

/** Files that say the same stay as they are, so that an update changes no more than there is to change. */
function take(golden: Golden, kept: string, seen: string | undefined): Golden {
  if (seen === undefined || golden.state === "same") return golden;
  for (const file of FILES) {
    mkdirSync(join(kept, file, ".."), { recursive: true });
    copyFileSync(join(seen, file), join(kept, file));
  }
  return { ...golden, written: true };
}

function writeIndex(folder: string, index: Index, found: readonly Golden[]): void {
  for (const { peer, document, test, state } of found)
    if (state !== "lost") index[peer] = { ...index[peer], [document]: test };
  writeFileSync(join(folder, INDEX), `${HEAD}${stringify(index, { lineWidth: 0, sortMapEntries: true })}`);
}

const HEAD = "# Which test each golden capture is of. Written by `bakeoff run --update-golden`.\n";

function* viewsIn(folder: string, faults: string[]): Generator<View> {
  const sides = new Sides();
  const [capture, keys] = [join(folder, FILES[0]), join(folder, FILES[1])];
  for (const seen of readSeen(capture, [keys])) {
    if (seen.kind === "fault") faults.push(`${capture}, octet ${seen.offset}: ${seen.reason}`);
    else if (seen.kind === "key-fault") faults.push(`${seen.path}: ${seen.reason}`);
    else yield viewOf(seen, sides);
  }
}

const evidenceFolder = (out: string, { evidence }: TestResult): string | undefined =>
  evidence.capture === undefined ? undefined : join(out, evidence.capture, "..");

function indexOf(folder: string): Index {
  const path = join(folder, INDEX);
  return existsSync(path) ? parseYaml(readText(path, path), path, indexSchema, () => []) : {};
}

/** @throws UsageError when the folder has no such file */
function candidatesOf(folder: string): Record<string, string[]> {
  const own = join(folder, CANDIDATES);
  const path = existsSync(own) ? own : join(goldenFolder, CANDIDATES);
  return parseYaml(readText(path, path), path, candidatesSchema, () => []);
}

/** The ordinary rules, and those of the folder if it has some: what a daemon does another way every time. */
function goldenRules(folder: string): ReturnType<typeof ordinaryRuleSets> {
  const path = join(folder, RULES);
  const own = existsSync(path)
    ? parseYaml(readText(path, path), path, ruleFileSchema, () => ["name", "about", "rules"]).sets
    : [];
  return joinRuleSets(ordinaryRuleSets(), own);
}
