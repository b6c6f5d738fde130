/** What a run came to, in a few lines. */
import { outcomeOf, type Results, type TestResult, VERDICTS } from "../../reports/results.ts";
import type { RunOutcome } from "../run/run.ts";
import { EXIT } from "./exit.ts";
import { hasColor, oneLine, painter } from "./output.ts";

/** 1 as soon as the peer is at fault, 3 if only the lab was; a run that was cut short is not as expected either. */
export function exitOf(results: Results): number {
  const bad = results.tests.filter(isBad);
  if (bad.length === 0) return results.interrupted === undefined ? EXIT.ok : EXIT.verdict;
  return bad.every(({ verdict }) => verdict === "setup") ? EXIT.lab : EXIT.verdict;
}

const isBad = ({ verdict }: TestResult): boolean => ["failed", "broken"].includes(outcomeOf(verdict));

export function summary({ results, files }: RunOutcome): string {
  const paint = painter(hasColor(process.stderr));
  const bad = results.tests.filter(isBad);
  const counts = VERDICTS.filter((verdict) => results.totals.verdicts[verdict] > 0).map(
    (verdict) => `${results.totals.verdicts[verdict]} ${verdict}`,
  );
  const lines = [
    ...bad.map((test) => `${paint("red", test.verdict)}  ${test.peer}  ${test.id}: ${oneLine(test.reason)}`),
    ...(results.interrupted === undefined ? [] : [paint("yellow", `interrupted: ${results.interrupted}`)]),
    paint("bold", `${results.tests.length} tests: ${counts.join(", ") || "none"}`),
    `seed ${results.seed}; written: ${files.join(" ")}`,
  ];
  return lines.map((line) => `${line}\n`).join("");
}
