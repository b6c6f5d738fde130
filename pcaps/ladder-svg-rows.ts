/** What stands in a drawn ladder, row by row, before it has any place. */
import {
  type FieldNode,
  fieldsOfNodes,
  labelsOf,
  nodeOfPayload,
  PATH_SEPARATOR,
} from "../harness/wire/fields.ts";
import { headerNode } from "./diff/message.ts";
import { PortWatch } from "./ladder.ts";
import type { FieldTree, View } from "./view.ts";

/** What a reader shall look at. */
export interface Mark {
  label: string;
  /** Path of the field, as in `SK > SA > proposal 1 > transform ENCR > key length`. */
  field?: string;
  tone: "fault" | "divergence";
}

/** A payload, or some, under an arrow. */
export interface Line {
  items: { name: string; text: string }[];
  /** Inside SK. */
  inside: boolean;
  tone?: Mark["tone"];
}

export interface MessageRow {
  kind: "message";
  /** Of the view. */
  index: number;
  view: View;
  /** What the ladder itself has to say of it. */
  remark?: string;
  lines: Line[];
  mark?: Mark;
}

/** Packets of ESP, or messages of one sort, that are not drawn one by one. */
export interface FoldedRow {
  kind: "folded";
  text: string;
  left: number;
  right: number;
  timeMs: number;
}

export type Row = MessageRow | FoldedRow | { kind: "left-out"; count: number };

export type Marks = ReadonlyMap<number, Mark>;

/** A run this long is folded. */
const LEAST_RUN = 4;
/** Rows that are drawn: from the start, to the end, and around a mark. */
const MOST = { first: 150, last: 60, around: 2 };

/** The rows of all views. Their number is bounded but for the marks. */
export function rowsOf(views: readonly View[], marks: Marks): Row[] {
  const hosts = new Set(views.slice(0, 10_000).flatMap(hostsOf));
  const ports = new PortWatch();
  const rows: Row[] = [];
  for (let index = 0; index < views.length; ) {
    const view = views[index]!;
    const end = runEnd(views, index, marks);
    const remark = hosts.size > 2 ? `${view.source} to ${view.destination}` : ports.change(view);
    // The first of a run of messages is drawn, and the run behind it; of ESP the run tells all.
    const drawn = end - index < LEAST_RUN ? 1 : view.kind === "esp" ? 0 : 1;
    if (drawn === 1) rows.push(messageRow(view, index, marks.get(index), remark));
    if (end - index >= LEAST_RUN) rows.push(folded(views.slice(index + drawn, end)));
    index = end - index >= LEAST_RUN ? end : index + 1;
  }
  return thinned(rows).map((row) => (row.kind === "message" ? { ...row, lines: linesUnder(row) } : row));
}

const hostsOf = ({ source, destination }: View): string[] =>
  [source, destination].flatMap((end) => (end ? [end.replace(/:\d+$/, "")] : []));

/** Behind the last view that is of the same sort as that at `index`. */
function runEnd(views: readonly View[], index: number, marks: Marks): number {
  const sort = sortOf(views[index]!);
  let end = index;
  while (end < views.length && !marks.has(end) && sortOf(views[end]!) === sort) end += 1;
  return Math.max(end, index + 1);
}

/** Views of one sort differ in numbers only. ESP goes both ways. */
function sortOf({ kind, from, text, dropped }: View): string {
  const fate = dropped ? "dropped" : "";
  if (kind === "esp") return `esp ${fate}`;
  return `${from} ${text.slice(0, 300).replace(/\d+/g, "#")} ${fate}`;
}

function folded(run: readonly View[]): FoldedRow {
  const [first] = run;
  const left = run.filter(({ from }) => from === "left").length;
  const what = first?.kind === "esp" ? "ESP packets" : `more like it: ${nameOf(first?.text ?? "")}`;
  const fate = first?.dropped ? ", dropped" : "";
  return {
    kind: "folded",
    text: `${run.length} ${what}${fate}`,
    ...{ left, right: run.length - left, timeMs: first?.timeMs ?? 0 },
  };
}

/** As in `IKE_AUTH request`. */
const nameOf = (text: string): string => text.replace(/ \d+:.*$/, "");

/** Without the middle of a very long ladder. */
function thinned(rows: readonly Row[]): Row[] {
  if (rows.length <= MOST.first + MOST.last) return [...rows];
  const kept = new Set<number>();
  for (const [at, row] of rows.entries()) {
    if (at < MOST.first || at >= rows.length - MOST.last) kept.add(at);
    if (row.kind === "message" && row.mark)
      for (let near = at - MOST.around; near <= at + MOST.around; near++) kept.add(near);
  }
  const out: Row[] = [];
  for (const [at, row] of rows.entries()) {
    const before = out.at(-1);
    if (kept.has(at)) out.push(row);
    else if (before?.kind === "left-out") before.count += countOf(row);
    else out.push({ kind: "left-out", count: countOf(row) });
  }
  return out;
}

const countOf = (row: Row): number => (row.kind === "folded" ? row.left + row.right : 1);

/** Its lines come later, if it is drawn at all. */
const messageRow = (view: View, index: number, mark?: Mark, remark?: string): MessageRow => ({
  ...{ kind: "message", index, view, lines: [] },
  ...(mark && { mark }),
  ...(remark && { remark }),
});

/** ESP and retransmissions need none, unless a reader shall look at them. */
function linesUnder({ view, mark }: MessageRow): Line[] {
  const isBrief = view.kind !== "ike" || view.again === true;
  return isBrief && !mark ? [] : linesOf(view, mark);
}

/** Payload lines of a message that are drawn. */
const MOST_LINES = 12;
/** Characters of a line. */
const WIDTH = 104;
/** Payloads that share no line with others. */
const ALONE = new Set(["SA", "TSi", "TSr", "GSA", "KD", "CP"]);

interface Item {
  name: string;
  text: string;
  alone: boolean;
  tone?: Mark["tone"];
}

function linesOf(view: View, mark: Mark | undefined): Line[] {
  const place = mark && placeOf(view, mark);
  const parts = [
    { trees: view.clear, inside: false },
    { trees: view.inner ?? [], inside: true },
  ];
  const lines = parts.flatMap(({ trees, inside }) =>
    packed(itemsOf(trees, place?.inside === inside ? place : undefined)).map((line) => ({ ...line, inside })),
  );
  const shown = shortened(lines);
  if (mark?.field === undefined || place?.node !== undefined) return shown;
  return [
    { items: [{ name: mark.field, text: place?.value ?? "" }], inside: false, tone: mark.tone },
    ...shown,
  ];
}

/** The marked lines stay. */
function shortened(lines: readonly Line[]): Line[] {
  if (lines.length <= MOST_LINES) return [...lines];
  const shown = lines.filter((line, at) => at < MOST_LINES - 1 || line.tone);
  const inside = lines.at(-1)?.inside === true;
  const text = `and ${lines.length - shown.length} more lines`;
  return [...shown, { items: [{ name: "", text }], inside }];
}

/** Where a mark points to: a payload, and the words of its field. */
interface Place {
  inside: boolean;
  /** Number of the payload; not set when it is of the header, or not there. */
  node?: number;
  /** Below the payload. */
  path: string;
  value: string;
  tone: Mark["tone"];
}

function placeOf(view: View, { field, tone }: Mark): Place | undefined {
  if (field === undefined) return undefined;
  const steps = field.split(PATH_SEPARATOR);
  const sides = [true, false] as const;
  for (const inside of steps.includes("SK") || !view.clear.length ? sides : [...sides].reverse()) {
    const nodes = ((inside ? view.inner : view.clear) ?? []).map(nodeOfPayload);
    const labels = labelsOf(nodes);
    const from = steps.findIndex((step) => labels.includes(step));
    if (from < 0) continue;
    const [label = "", ...path] = steps.slice(from);
    const value = valueAt(fieldsOfNodes(nodes), steps.slice(from).join(PATH_SEPARATOR));
    return { inside, node: labels.indexOf(label), path: path.join(PATH_SEPARATOR), value, tone };
  }
  const header = fieldsOfNodes(headerNode(view).children);
  return { inside: false, path: field, value: valueAt(header, steps.at(-1) ?? ""), tone };
}

const valueAt = (fields: readonly { path: string; value: string }[], path: string): string =>
  fields.find((each) => each.path === path)?.value ?? "";

function itemsOf(trees: readonly FieldTree[], place: Place | undefined): Item[] {
  const nodes = trees.map(nodeOfPayload);
  const labels = labelsOf(nodes);
  return nodes.flatMap((node, at) => {
    const name = labels[at] ?? node.name;
    const isMarked = place?.node === at;
    const tone = isMarked ? { tone: place.tone } : {};
    const rows = proposalsOf(node);
    const own = rows.map((text, row) => ({
      ...{ name: row === 0 ? name : " ".repeat(name.length), text },
      ...{ alone: ALONE.has(node.name) || isMarked, ...(isMarked && place.path === "" && tone) },
    }));
    const [first, ...others] = own;
    if (!isMarked || place.path === "" || !first) return own;
    const field = { name: `  ${place.path}`, text: place.value, alone: true, ...tone };
    return [{ ...first, ...tone }, ...others, field];
  });
}

/** Of SA a text for each proposal. */
function proposalsOf(node: FieldNode): string[] {
  const proposals = node.children.filter(({ name }) => name === "proposal");
  if (proposals.length === 0) return [summary(node)];
  const most = 4;
  const texts = proposals.slice(0, most).map((proposal, at) => {
    const number = proposal.children.find(({ name }) => name === "number")?.value ?? String(at + 1);
    return `${number}: ${proposal.detail ?? ""}`;
  });
  return proposals.length > most ? [...texts, `and ${proposals.length - most} more proposals`] : texts;
}

/** Values that say nothing. */
const NOTHING = new Set(["empty", "NONE", ""]);

/** The fields of a node in a few words: long octets by their number. */
function summary(node: FieldNode): string {
  const words = node.children.slice(0, 12).flatMap(({ name, detail, value, octets, children, ...rest }) => {
    if (detail !== undefined) return [detail];
    if (name === "SPI size") return [];
    if (children.length > 0) return [`${name} ${summary({ name, children, ...rest })}`.trim()];
    if (value === undefined || NOTHING.has(value)) return [];
    if (octets !== undefined && value === `0x${value.slice(2)}`)
      return [octets > 8 ? `${octets} octets` : `${name === "data" ? "" : `${name} `}${value}`];
    return [UNNAMED.has(name) ? value : `${name} ${value}`];
  });
  if (node.children.length > 12) words.push("...");
  return words.join(", ");
}

/** Fields whose value tells what they are. */
const UNNAMED = new Set([
  "data",
  "method",
  "group",
  "encoding",
  "ID type",
  "CFG type",
  "code",
  "value",
  "identity",
]);

/** Items in lines, as many as there is room for. */
function packed(items: readonly Item[]): Omit<Line, "inside">[] {
  const lines: (Omit<Line, "inside"> & { room: number })[] = [];
  for (const { name, text, alone, tone } of items) {
    const length = name.length + text.length + 3;
    const last = lines.at(-1);
    const item = { name, text };
    if (last && !alone && last.room >= length) {
      last.items.push(item);
      last.room -= length;
    } else lines.push({ items: [item], room: alone ? 0 : WIDTH - length, ...(tone && { tone }) });
  }
  return lines.map(({ items: row, tone }) => ({ items: row, ...(tone && { tone }) }));
}
