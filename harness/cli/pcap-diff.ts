/** `bakeoff pcap diff`. */
import { existsSync, statSync } from "node:fs";
import { Command } from "commander";
import { type Comparison, compareViews } from "../../pcaps/diff/diff.ts";
import {
  DiffRules,
  joinRuleSets,
  ordinaryRuleSets,
  type RuleSet,
  ruleFileSchema,
} from "../../pcaps/diff/rules.ts";
import { readTextFile } from "../../pcaps/text-file.ts";
import { Sides, type View, viewOf } from "../../pcaps/view.ts";
import { viewsOfEvents } from "../../pcaps/view-events.ts";
import { diffPage } from "../../reports/diff-page.ts";
import { UsageError, unknownName } from "../run/usage-error.ts";
import { parseYaml, readText } from "../run/yaml-file.ts";
import { EXIT } from "./exit.ts";
import { hasColor, oneLine, painter, printJson } from "./output.ts";
import { diffText } from "./pcap-diff-text.ts";
import { captureAt, keysFor, Output, seenIn, writeOutput } from "./pcap-source.ts";
import type { Finish } from "./program.ts";

const EXAMPLES = `
A and B are captures, folders of evidence with capture.pcap and keys, or event streams (events.jsonl).
Random values, timing and retransmissions are left out; --show compares it all the same.
Exit status: 0 nothing differs, 1 something does, 2 wrong usage.

Examples:
  bakeoff pcap diff old.pcap new.pcap --keys-a old-keys/ --keys-b new-keys/
  bakeoff pcap diff out-1/evidence/NAME out-2/evidence/NAME
  bakeoff pcap diff a.pcap b.pcap --show nonces,spis --html diff.html
`;

interface Flags {
  keysA?: string[];
  keysB?: string[];
  json?: true;
  html?: string;
  show?: string[];
  strict?: true;
  rules?: string;
}

const again = (path: string, before: string[] = []): string[] => [...before, path];
const names = (text: string, before: string[] = []): string[] => [
  ...before,
  ...text.split(",").map((name) => name.trim()),
];

export function diffCommand(finish: Finish): Command {
  return new Command("diff")
    .description("compares two captures by meaning")
    .argument("<a>", "capture, folder of evidence or event stream")
    .argument("<b>", "what it is compared with")
    .option("--keys-a <path>", "file or folder of keys for A, may be given again", again)
    .option("--keys-b <path>", "file or folder of keys for B, may be given again", again)
    .option("--show <sets>", "compare these sets of values too, as in nonces,spis", names)
    .option("--strict", "leave out nothing")
    .option("--rules <file>", "further sets of what to leave out; one of the same name replaces ours")
    .option("--json", "the differences as JSON")
    .option("--html <file>", "write a page with both side by side")
    .addHelpText("after", () => `${setsText()}${EXAMPLES}`)
    .action(async (a: string, b: string, flags: Flags) => finish(await run(a, b, flags)));
}

const setsText = (): string =>
  `\nSets for --show:\n${ordinaryRuleSets()
    .map(({ name, about }) => `  ${name.padEnd(16)} ${about}`)
    .join("\n")}\n`;

async function run(a: string, b: string, flags: Flags): Promise<number> {
  if (a === "-" && b === "-") throw new UsageError("only one of the two can be standard input");
  const sources = [sourceOf(a, flags.keysA, "--keys-a"), sourceOf(b, flags.keysB, "--keys-b")] as const;
  const isMixed = sources[0].isStream !== sources[1].isStream;
  const rules = rulesOf(flags, isMixed ? [NOT_IN_STREAMS] : []);
  const comparison = compareViews(sources[0].views(), sources[1].views(), rules);
  if (flags.html !== undefined) writeOutput("--html", flags.html, diffPage(comparison, { a, b }));
  if (flags.json) printJson({ a, b, ...comparison });
  else await printText(comparison);
  return comparison.differences.length === 0 ? EXIT.ok : EXIT.verdict;
}

async function printText(comparison: Comparison): Promise<void> {
  const output = new Output();
  await output.write(diffText(comparison, painter(hasColor(process.stdout))));
  await output.flush();
}

/** Event streams tell nothing of these. */
const NOT_IN_STREAMS: RuleSet = {
  name: "not-in-event-streams",
  about: "What event streams do not tell.",
  rules: ["* > header", "* > SK > fragments", "ESP > encapsulation", "ESP > padding"].map((path) => ({
    ...{ path, compare: "nothing" },
  })),
};

/** @throws UsageError for a set that is not there, and for a file that is not of its form */
function rulesOf({ rules, show = [], strict }: Flags, further: readonly RuleSet[]): DiffRules {
  const own =
    rules === undefined ? [] : parseYaml(readText(rules, rules), rules, ruleFileSchema, fieldsAt).sets;
  const sets = joinRuleSets(ordinaryRuleSets(), own);
  const all = sets.map(({ name }) => name);
  for (const name of show) if (!all.includes(name)) throw unknownName("set of --show", name, all);
  return new DiffRules([...(strict ? [] : sets.filter(({ name }) => !show.includes(name))), ...further]);
}

const fieldsAt = (place: readonly PropertyKey[]): string[] =>
  place.length === 0 ? ["sets"] : place.length === 2 ? ["name", "about", "rules"] : ["path", "compare"];

interface Source {
  isStream: boolean;
  views: () => Iterable<View>;
}

/** Octets of an event stream, which is held as a whole: that of a test has some thousand. */
const MOST_OF_STREAM = 16 * 1024 * 1024;

/** What stands at a path. @throws UsageError */
function sourceOf(path: string, keys: readonly string[] | undefined, option: string): Source {
  if (path === "-") return captureSource(path, keys, option);
  if (!existsSync(path)) throw new UsageError(`${oneLine(path)}: there is no such file`);
  if (statSync(path).isDirectory() || !path.endsWith(".jsonl"))
    return captureSource(captureAt(path), keys, option);
  if (keys) throw new UsageError(`${option}: ${oneLine(path)} is an event stream, which needs no keys`);
  const text = readTextFile(path, { most: MOST_OF_STREAM, pipes: true });
  if (typeof text !== "string") throw new UsageError(`${oneLine(path)}: ${oneLine(text.reason)}`);
  return { isStream: true, views: () => viewsOfEvents(text) };
}

function captureSource(path: string, keys: readonly string[] | undefined, option: string): Source {
  for (const key of keys ?? [])
    if (!existsSync(key)) throw new UsageError(`${option} ${oneLine(key)}: there is no such file`);
  return { isStream: false, views: () => viewsOf(path, keysFor(path, keys)) };
}

function* viewsOf(capture: string, keys: readonly string[]): Generator<View> {
  const sides = new Sides();
  for (const seen of seenIn(capture, keys)) yield viewOf(seen, sides);
}
