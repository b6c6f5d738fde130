/** What differs between two captures, for a terminal. */
import type { Comparison } from "../../pcaps/diff/diff.ts";
import { byMessage, whereText } from "../../pcaps/diff/grouped.ts";
import type { Difference } from "../../pcaps/diff/types.ts";
import { brief, plural } from "../../reports/text.ts";
import { oneLine, type Paint } from "./output.ts";
import { type Faults, faultLines } from "./pcap-source.ts";

/** Longer values are cut: hostile ones fill a screen. */
const MOST_SHOWN = 200;

/** Differences under the message they are in; no text where there are none. */
export function diffText({ differences, more }: Comparison, paint: Paint): string {
  if (differences.length === 0) return "";
  const groups = byMessage(differences).map(({ message, where, differences: found }) => {
    const head = `${paint("bold", oneLine(message))} ${paint("dim", `(${whereText(where)})`)}\n`;
    return `${head}${found.map((difference) => `  ${line(difference, paint)}\n`).join("")}`;
  });
  const total = `${plural(differences.length + more, "difference")}${more > 0 ? `, ${more} not listed` : ""}\n`;
  return `${groups.join("\n")}\n${total}`;
}

/** What could not be compared, for it could not be read; no text where all could. */
export function unreadText({ a, b }: Record<"a" | "b", Faults>): string {
  const lines = [
    ...faultLines(a).map((text) => `A: ${text}\n`),
    ...faultLines(b).map((text) => `B: ${text}\n`),
  ];
  return lines.length > 0 ? `Only what could be read is compared:\n${lines.join("")}` : "";
}

const value = (text: string): string => brief(oneLine(text), MOST_SHOWN);

function line({ kind, path, a, b }: Difference, paint: Paint): string {
  const at = oneLine(path);
  switch (kind) {
    case "added":
      return paint("green", `${at}: added${b === undefined ? "" : ` (${value(b)})`}`);
    case "missing":
      return paint("red", `${at}: missing${a === undefined ? "" : ` (${value(a)})`}`);
    case "reordered":
      return `${at}: ${paint("yellow", "reordered")}: ${value(a ?? "")} -> ${value(b ?? "")}`;
    default:
      return `${at}: ${paint("red", value(a ?? "none"))} -> ${paint("green", value(b ?? "none"))}`;
  }
}
