/** A message ladder as text, at most 100 columns wide: time, the left side, an arrow with the summary, the right side. */
import type { View } from "./view.ts";

/** Names of the sides. */
export interface SideNames {
  left: string;
  right: string;
}

/** Of event streams. */
const OURS: SideNames = { left: "us", right: "peer" };

const WIDTH = 100;
const TIME = 11;
/** Columns between the two lifelines. */
const SPAN = WIDTH - TIME - 4;
const TEXT = SPAN - 8;

/** The ladder, one or more lines for each view, with a newline at the end. Empty for no views. */
export function formatLadder(views: readonly View[], sides: SideNames = OURS): string {
  if (views.length === 0) return "";
  const ports = new PortWatch();
  const lines = [ladderHead(sides), ...views.flatMap((view) => ladderLines(view, ports.change(view)))];
  return `${lines.join("\n")}\n`;
}

/** The names above their lifelines. */
export function ladderHead({ left, right }: SideNames): string {
  const most = SPAN / 2 - 2;
  const [a, b] = [printable(left).slice(0, most), printable(right).slice(0, most)];
  return `${" ".repeat(TIME)} ${a}${b.padStart(SPAN + 1 - a.length)}`;
}

/** One view; `remark` is what the ladder itself has to say of it. */
export function ladderLines({ timeMs, from, text, note, again }: View, remark?: string): string[] {
  const marks = [
    ...(again && !note?.includes("retransmission") ? ["retransmission"] : []),
    ...(note ? [note] : []),
    ...(remark ? [remark] : []),
  ];
  const [first = "", ...rest] = wrap(printable(text));
  const below = [...rest, ...marks.flatMap((mark) => wrap(`(${printable(mark)})`))];
  const time = formatTime(timeMs).padStart(TIME);
  const blank = " ".repeat(TIME);
  return [`${time}  |${arrow(first, from)}|`, ...below.map((line) => `${blank}  |${side(line, from)}|`)];
}

/** Notices when a side speaks from another address or port than before: the move to port 4500, and a NAT. */
export class PortWatch {
  readonly #ends = new Map<View["from"], string>();

  /** As in `port 500 -> 4500`; not set when nothing changed. */
  change({ from, source }: View): string | undefined {
    const end = /^(.+):(\d+)$/.exec(source ?? "");
    if (!source || !end || end[2] === "0") return undefined;
    const before = this.#ends.get(from);
    this.#ends.set(from, source);
    if (before === undefined || before === source) return undefined;
    const was = /^(.+):(\d+)$/.exec(before);
    return was?.[1] === end[1] ? `port ${was?.[2]} -> ${end[2]}` : `${before} -> ${source}`;
  }
}

/** Virtual time may jump by days; it then loses digits, not columns. */
function formatTime(timeMs: number): string {
  const seconds = timeMs / 1000;
  return `${seconds < 99_999 ? seconds.toFixed(3) : seconds.toExponential(2)} s`;
}

function arrow(text: string, from: View["from"]): string {
  const line = "-".repeat(Math.max(0, SPAN - text.length - 7));
  return from === "left" ? ` -- ${text} ${line}> ` : ` <${line} ${text} -- `;
}

/** A continued line stands under the text of its arrow, on the side the message came from. */
function side(text: string, from: View["from"]): string {
  return from === "left" ? `    ${text}`.padEnd(SPAN) : `${text}    `.padStart(SPAN);
}

/** At word boundaries where there are any; a longer word is cut. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap(cut)) {
    if (line && line.length + 1 + word.length > TEXT) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line];
}

function cut(word: string): string[] {
  return word.match(new RegExp(`.{1,${TEXT}}`, "g")) ?? [];
}

/** Columns are only counted right in ASCII; everything else is shown as an escape. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`);
}
