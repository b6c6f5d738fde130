/** Progress of a run: one live line on a terminal, plain lines elsewhere. */
import { outcomeOf, type TestResult } from "../../reports/results.ts";
import type { Observer } from "../run/run.ts";
import { hasColor, oneLine, painter } from "./output.ts";

const STYLE = { passed: "green", failed: "red", broken: "red", skipped: "yellow" } as const;

const CLEAR = "\r\x1b[2K";

/** Reports of so many tests take seconds. */
const LONG = 500;

/** What standard error offers. */
interface Screen {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** Writes to `stream`; `close` ends the live line. */
export function progress(stream: Screen): Observer & { close(): void } {
  const live = stream.isTTY === true;
  const paint = painter(hasColor(stream));
  let planned = 0;
  let finished = 0;
  const width = () => (stream.columns || 80) - 1;
  const line = ({ verdict, peer, id, reason }: TestResult): string => {
    const why = verdict === "pass" ? "" : `: ${oneLine(reason)}`;
    return `${paint(STYLE[outcomeOf(verdict)], verdict)}  ${peer}  ${id}${why}\n`;
  };
  return {
    planned(plan, seed) {
      planned = plan.planned;
      const peers = plan.lanes.map(({ id }) => id).join(", ") || "no peer";
      stream.write(`${planned} tests against ${peers}, seed ${seed}\n`);
    },
    testStarted(test, peer) {
      if (live)
        stream.write(`${CLEAR}${`[${finished + 1}/${planned}] ${peer} ${test.id}`.slice(0, width())}`);
    },
    testFinished(result) {
      finished += 1;
      if (!live) stream.write(`[${finished}/${planned}] ${line(result)}`);
      else if (result.verdict !== "pass") stream.write(`${CLEAR}${line(result)}`);
    },
    told(text) {
      stream.write(`${live ? CLEAR : ""}${oneLine(text)}\n`);
    },
    tryingAgain({ lanes }) {
      stream.write(`${live ? CLEAR : ""}${lanes.length} not as the baseline says; once more, each alone\n`);
    },
    triedAgain(result) {
      stream.write(`${live ? CLEAR : ""}again: ${line(result)}`);
    },
    writing({ tests }) {
      if (tests.length >= LONG) stream.write(`${live ? CLEAR : ""}writing the reports\n`);
    },
    close() {
      if (live) stream.write(CLEAR);
    },
  };
}
