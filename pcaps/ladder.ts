/** A message ladder as text, at most 100 columns wide: time, our side, an arrow with the summary, the peer's side. */

/** One datagram. */
export interface LadderEvent {
  /** Milliseconds since the start of the test. */
  timeMs: number;
  from: "us" | "peer";
  /** Summary of the message, as in `IKE_SA_INIT request 0: SA KE Ni`. */
  text: string;
  /** What the reader should know of this datagram, as in `lost` or `changed: nonce of 15 octets`. */
  note?: string;
  /** The datagram; two with the same octets from the same side are marked as retransmission. */
  data?: Uint8Array;
}

const WIDTH = 100;
const TIME = 11;
/** Columns between the two lifelines. */
const SPAN = WIDTH - TIME - 4;
const TEXT = SPAN - 8;

/** The ladder, one or more lines for each event, with a newline at the end. Empty for no events. */
export function formatLadder(events: readonly LadderEvent[]): string {
  if (events.length === 0) return "";
  const seen = new Set<string>();
  const lines = [`${" ".repeat(TIME)} us${" ".repeat(SPAN - 5)}peer`];
  for (const event of events) lines.push(...formatEvent(event, isRepeated(seen, event)));
  return lines.join("\n") + "\n";
}

function isRepeated(seen: Set<string>, { from, data }: LadderEvent): boolean {
  if (!data) return false;
  const key = `${from} ${Buffer.from(data.buffer, data.byteOffset, data.length).toString("hex")}`;
  if (seen.has(key)) return true;
  seen.add(key);
  return false;
}

function formatEvent({ timeMs, from, text, note }: LadderEvent, repeated: boolean): string[] {
  const marks = [
    ...(repeated && note !== "retransmission" ? ["retransmission"] : []),
    ...(note ? [note] : []),
  ];
  const [first = "", ...rest] = wrap(printable(text));
  const below = [...rest, ...marks.flatMap((mark) => wrap(`(${printable(mark)})`))];
  const time = formatTime(timeMs).padStart(TIME);
  const blank = " ".repeat(TIME);
  return [`${time}  |${arrow(first, from)}|`, ...below.map((line) => `${blank}  |${side(line, from)}|`)];
}

/** Virtual time may jump by days; it then loses digits, not columns. */
function formatTime(timeMs: number): string {
  const seconds = timeMs / 1000;
  return `${seconds < 99_999 ? seconds.toFixed(3) : seconds.toExponential(2)} s`;
}

function arrow(text: string, from: "us" | "peer"): string {
  const line = "-".repeat(Math.max(0, SPAN - text.length - 7));
  return from === "us" ? ` -- ${text} ${line}> ` : ` <${line} ${text} -- `;
}

/** A continued line stands under the text of its arrow, on the side the message came from. */
function side(text: string, from: "us" | "peer"): string {
  return from === "us" ? `    ${text}`.padEnd(SPAN) : `${text}    `.padStart(SPAN);
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
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`);
}
