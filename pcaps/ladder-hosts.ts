/**
 * A ladder of several hosts as text: a lifeline for each, arrows of single datagrams and of multicasts, and beside them
 * what was sent.
 */
import { ascii, wrap } from "./inert-text.ts";

/** One datagram from one host to another. */
export interface Unicast {
  timeMs: number;
  from: string;
  to: string;
  /** As in `GSA_AUTH request 1: IDi AUTH IDg`. */
  text: string;
  note?: string;
}

/** One datagram to a group, which has a lifeline of its own. */
export interface Multicast {
  timeMs: number;
  from: string;
  group: string;
  /** Hosts that took it, and hosts that it reached but that got nothing out of it. */
  taken: readonly string[];
  dropped: readonly string[];
  text: string;
  note?: string;
}

/** What is no datagram. */
export interface Remark {
  timeMs: number;
  remark: string;
}

export type HostLadderEvent = Unicast | Multicast | Remark;

const TIME = 9;
/** Columns from one lifeline to the next. */
const STEP = 11;
const TEXT = 60;
const REMARK = 100;

const LEGEND = [
  "-->  to one host     ==>  to the group     o  takes it     x  gets it, but nothing out of it",
  "KD: each key by its id, in braces the id of the key that wraps it; 0{..} the keys of the SA, ..{0} GSK_w",
];

export interface HostLadderOptions {
  /** Columns; not set: 60 for what was sent, beside the lifelines. */
  width?: number;
  /** Columns from one lifeline to the next; names are cut to one less. Not set: 11. */
  step?: number;
  /** Set to false to leave the signs of groups unexplained. */
  legend?: boolean;
}

/** The ladder, with a newline at the end. `hosts` are the lifelines from left to right, groups among them. */
export function formatHostLadder(
  hosts: readonly string[],
  events: readonly HostLadderEvent[],
  { width, step = STEP, legend = true }: HostLadderOptions = {},
): string {
  const last = lifelineAt(step, hosts.length - 1);
  const sheet: Sheet = {
    hosts,
    step,
    last,
    room: width === undefined ? TEXT : Math.max(20, width - last - 5),
  };
  const lines = [heading(sheet), ...events.flatMap((event) => formatEvent(sheet, event))];
  if (legend) lines.push("", ...LEGEND);
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

/** Where things stand. */
interface Sheet {
  hosts: readonly string[];
  step: number;
  /** Column of the last lifeline. */
  last: number;
  /** Columns for what was sent. */
  room: number;
}

const lifelineAt = (step: number, index: number): number => TIME + 3 + index * step;

/** Names centred above their lifelines. */
function heading(sheet: Sheet): string {
  const { hosts, step } = sheet;
  const row = blankRow(sheet).fill(" ");
  for (const [index, host] of hosts.entries()) {
    const name = ascii(host).slice(0, step - 1);
    put(row, Math.max(0, lifelineAt(step, index) - (name.length >> 1)), name);
  }
  return row.join("");
}

function formatEvent(sheet: Sheet, event: HostLadderEvent): string[] {
  const { last, room } = sheet;
  const time = `${(event.timeMs / 1000).toFixed(3)} s`.padStart(TIME);
  if ("remark" in event) {
    const said = wrap(ascii(event.remark), Math.min(REMARK, last + room)).map(
      (line) => `${" ".repeat(TIME + 2)}${line}`,
    );
    return ["", ...said, ""];
  }
  const row = "group" in event ? multicastRow(sheet, event) : unicastRow(sheet, event);
  const [first = "", ...rest] = [
    ...wrap(ascii(event.text), room),
    ...(event.note === undefined ? [] : wrap(`(${ascii(event.note)})`, room)),
  ];
  put(row, 0, time);
  const below = rest.map((line) => `${blankRow(sheet).join("")}    ${line}`);
  return [`${row.join("")}  ${first}`, ...below];
}

function unicastRow(sheet: Sheet, { from, to }: Unicast): string[] {
  const row = blankRow(sheet);
  const [start, end] = [columnOf(sheet, from), columnOf(sheet, to)];
  const [left, right] = start < end ? [start, end] : [end, start];
  row.fill("-", left + 1, right);
  if (start < end) row[right - 1] = ">";
  else row[left + 1] = "<";
  return row;
}

function multicastRow(sheet: Sheet, { from, group, taken, dropped }: Multicast): string[] {
  const row = blankRow(sheet);
  const start = columnOf(sheet, from);
  const end = columnOf(sheet, group);
  const reached = [...taken, ...dropped].map((host) => columnOf(sheet, host));
  const left = Math.min(start, end, ...reached);
  const right = Math.max(start, end, ...reached);
  row.fill("=", left + 1, right);
  row[start] = "*";
  for (const host of taken) row[columnOf(sheet, host)] = "o";
  for (const host of dropped) row[columnOf(sheet, host)] = "x";
  if (end > start) row[end - 1] = ">";
  else row[end + 1] = "<";
  return row;
}

/** @throws Error for a host without a lifeline */
function columnOf({ hosts, step }: Sheet, host: string): number {
  const index = hosts.indexOf(host);
  if (index < 0) throw new Error(`no lifeline of "${host}"`);
  return lifelineAt(step, index);
}

function blankRow({ hosts, step, last }: Sheet): string[] {
  const row = Array.from({ length: last + 1 }, () => " ");
  for (const index of hosts.keys()) row[lifelineAt(step, index)] = "|";
  return row;
}

function put(row: string[], at: number, text: string): void {
  for (const [index, letter] of [...text].entries()) row[at + index] = letter;
}
