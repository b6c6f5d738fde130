/** What a run came to, in a few lines. */
import { endingSoon } from "../../reports/counted.ts";
import { isGolden, type Results, standingOf, type TestResult, VERDICTS } from "../../reports/results.ts";
import { withheldText } from "../../reports/text.ts";
import type { RunOutcome } from "../run/report.ts";
import { EXIT } from "./exit.ts";
import { hasColor, oneLine, type Paint, painter } from "./output.ts";

/**
 * 1 as soon as a verdict is not as expected, a baseline has an entry for nothing or a golden capture differs, 3 if only the lab is at fault; a
 * run that was cut short is not as expected either.
 */
export function exitOf(results: Results): number {
  const bad = results.tests.filter(deviates);
  const problems = problemsOf(results);
  const changed = (results.golden ?? []).some((golden) => !isGolden(golden));
  const isWhole = results.interrupted === undefined && !changed;
  if (bad.length + problems.length === 0) return isWhole ? EXIT.ok : EXIT.verdict;
  const lab = problems.length === 0 && bad.every(({ verdict }) => verdict === "setup");
  return lab ? EXIT.lab : EXIT.verdict;
}

const deviates = (test: TestResult): boolean => standingOf(test) === "deviates";

const problemsOf = ({ baselines = [] }: Results): string[] =>
  baselines.flatMap(({ file, problems }) => problems.map((problem) => `${file}: ${problem}`));

export function summary({ results, files }: RunOutcome): string {
  const paint = painter(hasColor(process.stderr));
  const unstable = results.tests.filter((test) => standingOf(test) === "unstable");
  const counts = VERDICTS.filter((verdict) => results.totals.verdicts[verdict] > 0).map(
    (verdict) => `${results.totals.verdicts[verdict]} ${verdict}`,
  );
  const lines = [
    ...unstable.map((test) => `${paint("yellow", "unstable")}  ${told(test)}`),
    ...results.tests.filter(deviates).map((test) => `${paint("red", test.verdict)}  ${told(test)}`),
    ...problemsOf(results).map((problem) => paint("red", problem)),
    ...(results.interrupted === undefined ? [] : [paint("yellow", `interrupted: ${results.interrupted}`)]),
    paint("bold", `${results.tests.length} tests: ${counts.join(", ") || "none"}`),
    ...baselineLines(results, paint),
    ...(results.withheld ?? []).map(withheldText),
    ...endingLines(results, paint),
    ...(results.notes ?? []).map((note) => paint("yellow", `journal: ${oneLine(note)}`)),
    `seed ${results.seed}; written: ${files.join(" ")}`,
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** What is said beside results, a line for each. */
export const said = (sentences: readonly string[]): string =>
  sentences.map((one) => `${oneLine(one)}\n`).join("");

function told({ peer, id, reason, verdict, again, baseline, offence }: TestResult): string {
  const second = again ? `; again, alone: ${again.verdict}: ${again.reason}` : "";
  const deviation = baseline?.deviation === undefined ? "" : ` (${baseline.deviation})`;
  const first = baseline?.agreement === "unstable" ? `${verdict}: ` : "";
  const place = offence?.field === undefined ? "" : ` (event ${offence.event}: ${offence.field})`;
  return `${peer}  ${id}: ${oneLine(`${first}${reason}${place}${second}${deviation}`)}`;
}

/** Which entries somebody has to look at again before long, the first of them by its day. */
function endingLines(results: Results, paint: Paint): string[] {
  const soon = endingSoon(results);
  const [first] = soon;
  if (!first) return [];
  const day = first.baseline?.known?.expires ?? "";
  return [
    paint("yellow", `baseline entries of ${soon.length} tests end soon, the first on ${day}: ${first.id}`),
  ];
}

/** How many verdicts are known, beside those that pass, and which file is not there yet. */
function baselineLines({ baselines, tests }: Results, paint: Paint): string[] {
  if (!baselines) return [];
  const count = (standing: string) =>
    tests.filter((test) => test.baseline && test.verdict !== "pass" && standingOf(test) === standing).length;
  const deviating = tests.filter((test) => test.baseline && deviates(test)).length;
  return [
    paint(
      "bold",
      `against the baselines: ${count("expected")} known, ${count("unstable")} unstable, ${deviating} not as they say`,
    ),
    ...baselines
      .filter(({ missing }) => missing)
      .map(({ file }) => `there is no ${file}: everything had to pass`),
  ];
}
