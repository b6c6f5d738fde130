/** What a run with golden captures found, for a terminal. */
import type { Golden } from "../run/golden.ts";
import { oneLine, type Paint } from "./output.ts";
import { diffText } from "./pcap-diff-text.ts";

const STATES = {
  same: "as before",
  different: "differs from its golden capture",
  new: "has no golden capture",
  lost: "left no capture",
} as const;

/** One line for each that is not as before, what differs below it, and the counts; no text without any. */
export function goldenText(golden: readonly Golden[], paint: Paint): string {
  if (golden.length === 0) return "";
  const odd = golden.filter(({ state }) => state !== "same");
  const count = `${golden.length - odd.length} of ${golden.length} golden captures as before`;
  const written = golden.filter((one) => one.written).length;
  const tail = written > 0 ? `, ${written} written` : "";
  return `${odd.map((one) => entry(one, paint)).join("")}${paint("bold", `${count}${tail}`)}\n`;
}

/** More faults of one capture are not told. */
const MOST_FAULTS = 5;

function entry({ peer, test, state, comparison, faults, written }: Golden, paint: Paint): string {
  const head = paint(written ? "yellow" : "red", `${peer}  ${oneLine(test)}: ${STATES[state]}`);
  const told = faults.slice(0, MOST_FAULTS).map((fault) => `${oneLine(fault)}\n`);
  const text = `${told.join("")}${diffText(comparison, paint)}`;
  return `${head}${written ? ": written" : ""}\n${text.replace(/^(?=.)/gm, "  ")}`;
}
