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
import { diffText, unreadText } from "./pcap-diff-text.ts";
import { captureAt, type Faults, keysFor, Output, portOption, Source, writeOutput } from "./pcap-source.ts";
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
  port?: number[];
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
    .option(...portOption)
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
  const sources = [
    sourceOf(a, flags.keysA, "--keys-a", flags.port),
    sourceOf(b, flags.keysB, "--keys-b", flags.port),
  ] as const;
  const isMixed = sources[0].isStream !== sources[1].isStream;
  const rules = rulesOf(flags, isMixed ? [NOT_IN_STREAMS] : []);
  const comparison = compareViews(sources[0].views(), sources[1].views(), rules);
  if (flags.html !== undefined) writeOutput("--html", flags.html, diffPage(comparison, { a, b }));
  const faults = { a: faultsOf(sources[0]), b: faultsOf(sources[1]) };
  if (flags.json) printJson({ a, b, ...comparison, faults });
  else await printText(comparison, faults);
  return comparison.differences.length === 0 ? EXIT.ok : EXIT.verdict;
}

async function printText(comparison: Comparison, faults: Record<"a" | "b", Faults>): Promise<void> {
  const output = new Output();
  await output.write(diffText(comparison, painter(hasColor(process.stdout))));
  await output.write(unreadText(faults));
  await output.flush();
}

/** Without what the teller has beside them. */
const faultsOf = ({ faults: { faults, moreFaults } }: Compared): Faults => ({ faults, moreFaults });

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

/** One of the two. */
interface Compared {
  isStream: boolean;
  views: () => Iterable<View>;
  /** Of a capture, once its views were read. */
  faults: Faults;
}

/** Octets of an event stream, which is held as a whole: that of a test has some thousand. */
const MOST_OF_STREAM = 16 * 1024 * 1024;

/** What stands at a path. @throws UsageError */
function sourceOf(
  path: string,
  keys: readonly string[] | undefined,
  option: string,
  ports: readonly number[] | undefined,
): Compared {
  if (path === "-") return captureSource(path, keys, option, ports);
  if (!existsSync(path)) throw new UsageError(`${oneLine(path)}: there is no such file`);
  if (statSync(path).isDirectory() || !path.endsWith(".jsonl"))
    return captureSource(captureAt(path), keys, option, ports);
  if (keys) throw new UsageError(`${option}: ${oneLine(path)} is an event stream, which needs no keys`);
  const text = readTextFile(path, { most: MOST_OF_STREAM, pipes: true });
  if (typeof text !== "string") throw new UsageError(`${oneLine(path)}: ${oneLine(text.reason)}`);
  return { isStream: true, views: () => viewsOfEvents(text), faults: { faults: [], moreFaults: 0 } };
}

function captureSource(
  path: string,
  keys: readonly string[] | undefined,
  option: string,
  ports: readonly number[] | undefined,
): Compared {
  for (const key of keys ?? [])
    if (!existsSync(key)) throw new UsageError(`${option} ${oneLine(key)}: there is no such file`);
  const source = new Source(path, keysFor(path, keys), ports);
  return { isStream: false, views: () => viewsOf(source), faults: source.faults };
}

function* viewsOf(source: Source): Generator<View> {
  const sides = new Sides();
  for (const seen of source.seen()) yield viewOf(seen, sides);
}
