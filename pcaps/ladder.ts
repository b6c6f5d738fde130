/** A message ladder as text, at most 100 columns wide: time, the left side, an arrow with the summary, the right side. */
import { ascii, wrap } from "./inert-text.ts";
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
function ladderHead({ left, right }: SideNames): string {
  const most = SPAN / 2 - 2;
  const [a, b] = [ascii(left).slice(0, most), ascii(right).slice(0, most)];
  return `${" ".repeat(TIME)} ${a}${b.padStart(SPAN + 1 - a.length)}`;
}

/** One view; `remark` is what the ladder itself has to say of it. */
function ladderLines({ timeMs, from, text, note, again }: View, remark?: string): string[] {
  const marks = [
    ...(again && !note?.includes("retransmission") ? ["retransmission"] : []),
    ...(note ? [note] : []),
    ...(remark ? [remark] : []),
  ];
  const [first = "", ...rest] = wrap(ascii(text), TEXT);
  const below = [...rest, ...marks.flatMap((mark) => wrap(`(${ascii(mark)})`, TEXT))];
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
