/** `bakeoff catch`: known faults, planted in the builtin peer, with the tests that name them. */
import { join } from "node:path";
import { Command } from "commander";
import { lies } from "../../peers/builtin/lies/index.ts";
import type { Lie } from "../../peers/builtin/lies/lie.ts";
import { lieSets } from "../../peers/builtin/lies/sets.ts";
import type { TestResult } from "../../reports/results.ts";
import { catalogue, documents, type Requirement } from "../run/catalogue.ts";
import { type Finished, runTest } from "../run/lane.ts";
import { memoryPeer } from "../run/live-peer.ts";
import { CAUGHT } from "../run/square.ts";
import { loadTests, type SuiteTest } from "../run/suites.ts";
import { unknownName } from "../run/usage-error.ts";
import { Failure } from "../script/verdicts.ts";
import { EXIT } from "./exit.ts";
import { hasColor, oneLine, type Paint, painter, printJson } from "./output.ts";
import type { Finish } from "./program.ts";
import { onSignals } from "./signals.ts";

const EXAMPLES = `
Examples:
  bakeoff catch summer-2026                     the faults of hybrid key exchange of that summer
  bakeoff catch omits-nonce --all               one bug of "bakeoff list lies", and every ladder
`;

const TEST_LIMIT_MS = 60_000;

interface Flags {
  out: string;
  all?: true;
  json?: true;
}

/** One planted bug and what its tests made of it. */
interface Catch {
  lie: Lie;
  finished: Finished[];
}

export function catchCommand(finish: Finish): Command {
  return new Command("catch")
    .description(
      "plants bugs in the builtin peer and shows which requirement each breaks, and how it is seen",
    )
    .argument(
      "<name...>",
      `bugs of \`bakeoff list lies\`, or sets of them: ${Object.keys(lieSets).join(", ")}`,
    )
    .option("--out <dir>", "folder of captures and ladders", "bakeoff-catch")
    .option("--all", "the ladder of every test, not only of the first for each role")
    .option("--json", "the results as JSON on standard output")
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: Flags) => {
      const wanted = [...new Set(names.flatMap(named))];
      const { signal, release } = onSignals(process.stderr, "ending");
      try {
        const all = await catchAll(wanted, flags, signal);
        if (flags.json) printJson(all.map(asJson));
        else process.stderr.write(`captures, keys and ladders: ${join(flags.out, "evidence")}\n`);
        finish(!signal.aborted && all.every(isCaught) ? EXIT.ok : EXIT.verdict);
      } finally {
        release();
      }
    });
}

/** Those whose tests all had their turn before the signal. */
async function catchAll(wanted: readonly Lie[], flags: Flags, signal: AbortSignal): Promise<Catch[]> {
  const tests = await loadTests();
  const all: Catch[] = [];
  for (const lie of wanted) {
    const one = await plant(lie, tests, flags.out, signal);
    if (signal.aborted) break;
    if (!flags.json) process.stdout.write(text(one, flags, painter(hasColor(process.stdout))));
    all.push(one);
  }
  return all;
}

function named(name: string): Lie[] {
  const names = Object.hasOwn(lieSets, name) ? (lieSets[name] ?? []) : [name];
  return names.map((one) => {
    const found = lies.find((lie) => lie.name === one);
    if (!found) throw unknownName("bug", one, [...Object.keys(lieSets), ...lies.map((lie) => lie.name)]);
    return found;
  });
}

async function plant(
  lie: Lie,
  tests: readonly SuiteTest[],
  out: string,
  signal: AbortSignal,
): Promise<Catch> {
  const finished: Finished[] = [];
  for (const test of tests.filter(({ facts }) => facts.lies.includes(lie.name))) {
    if (signal.aborted) break;
    const peer = memoryPeer(
      { peer: "builtin:memory", id: `builtin, ${lie.name}`, seed: "1", lie: lie.name },
      "",
    );
    finished.push(
      await runTest(test, peer, { out, lie: lie.name, epochMs: peer.epochMs, testLimitMs: TEST_LIMIT_MS }),
    );
  }
  return { lie, finished };
}

const isCaught = ({ finished }: Catch): boolean =>
  finished.length > 0 && finished.every(({ result }) => CAUGHT.includes(result.verdict));

function requirementOf({ breaks }: Lie): (Requirement & { title: string }) | undefined {
  for (const document of documents()) {
    const { title = document, requirements = {} } = catalogue(document) ?? {};
    const requirement = requirements[breaks];
    if (requirement) return { ...requirement, title };
  }
  return undefined;
}

function text({ lie, finished }: Catch, { all }: Flags, paint: Paint): string {
  const requirement = requirementOf(lie);
  const source =
    requirement && `, ${requirement.title}, section ${requirement.section}, ${requirement.level}`;
  const shown = all ? finished : firstOfEachRole(finished);
  const others = finished.length - shown.length;
  return [
    `${paint("bold", lie.name)}: ${lie.effect}`,
    `  breaks ${lie.breaks}${source ?? ""}`,
    ...(requirement ? [`  ${oneLine(requirement.text)}`] : []),
    "",
    ...shown.flatMap((one) => testLines(one, paint)),
    ...(others > 0 ? [`  and by ${others} more (--all)`, ""] : []),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

const firstOfEachRole = (finished: Finished[]): Finished[] =>
  finished.filter(({ result }, i) => finished.findIndex((f) => f.result.role === result.role) === i);

function testLines({ result, ladder }: Finished, paint: Paint): string[] {
  const caught = CAUGHT.includes(result.verdict);
  const verdict = paint(caught ? "red" : "yellow", result.verdict);
  return [
    `  ${caught ? "seen by" : "NOT seen by"} ${result.id}: ${verdict} (the peer is ${result.role})`,
    ...because(result),
    "",
    ...ladder.trimEnd().split("\n"),
    "",
  ];
}

/** A reason of two parts in two lines; one of a crash or a hang has more to say than they. */
function because({ reason, expected = "", actual = "" }: TestResult): string[] {
  return reason === new Failure(expected, actual).message
    ? [`  expected ${oneLine(expected)}`, `  but got  ${oneLine(actual)}`]
    : [`  ${oneLine(reason)}`];
}

const asJson = ({ lie, finished }: Catch) => ({
  ...{ name: lie.name, breaks: lie.breaks, effect: lie.effect },
  tests: finished.map(({ result }) => result),
});
