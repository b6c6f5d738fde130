/**
 * A message ladder as SVG: two lifelines, an arrow for each message with its payloads under it, and marks on what a
 * reader shall look at. For pages, where it may stand among others, and as a file.
 */
import { fieldsOfTree } from "../harness/wire/fields.ts";
import type { SideNames } from "./ladder.ts";
import { type Child, cut, element, type Svg } from "./ladder-svg-markup.ts";
import {
  type FoldedRow,
  type Line,
  type Mark,
  type Marks,
  type MessageRow,
  type Row,
  rowsOf,
} from "./ladder-svg-rows.ts";
import { LADDER_CSS } from "./ladder-svg-style.ts";
import type { View } from "./view.ts";

export type { Mark, Marks } from "./ladder-svg-rows.ts";
export { LADDER_CSS } from "./ladder-svg-style.ts";

export interface LadderSvgOptions extends SideNames {
  title: string;
  /** By index in the views. */
  marks?: Marks;
  /** Begins the ids in it: another for each ladder of a page. Not set: `ladder`. */
  id?: string;
  /** Set where the numbers of views are those of packets: they are shown. */
  numbered?: boolean;
  /** Set to false where thousands of ladders are drawn: without it a message has all its fields as a tooltip. */
  tooltips?: boolean;
  /** Set to false where the page has {@link LADDER_CSS} already. */
  styled?: boolean;
}

const WIDTH = 960;
const LEFT = 118;
const RIGHT = 942;
const TIME = 98;
const BODY = { from: LEFT + 26, to: RIGHT - 26 };
const HEAD = 76;
const LINE = 16;
/** Of 11 px monospace. */
const LETTER = 6.63;
/** A silence this long is drawn as a gap. */
const GAP_MS = 500;
/** Times after this are of a clock, those before it of a test. */
const CLOCK_MS = 1e11;
/** Characters of all tooltips. */
const TOOLTIPS = 200_000;

/** What the parts of a drawing need to know. */
interface Sheet {
  options: LadderSvgOptions;
  /** What is 0 in the time column. */
  startMs: number;
  /** Characters of each tooltip. */
  tooltip: number;
}

/** Deterministic, and well-formed whatever the views and names are. */
export function ladderSvg(views: readonly View[], options: LadderSvgOptions): string {
  const rows = rowsOf(views, options.marks ?? new Map());
  const first = views[0]?.timeMs ?? 0;
  const sheet: Sheet = {
    options,
    startMs: first > CLOCK_MS ? first : 0,
    tooltip: Math.min(4000, Math.ceil(TOOLTIPS / Math.max(1, rows.length))),
  };
  const { drawn, height } = drawAll(rows, sheet);
  const id = (options.id ?? "ladder").replace(/[^A-Za-z0-9_-]/g, "_");
  const end = height + 14;
  return element(
    "svg",
    {
      ...{ xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${WIDTH} ${end}`, width: WIDTH, height: end },
      ...{ role: "img", class: "bl", id, "aria-labelledby": `${id}-title ${id}-desc` },
    },
    element("title", { id: `${id}-title` }, cut(options.title, 300)),
    element("desc", { id: `${id}-desc` }, description(views, options)),
    options.styled !== false && element("style", {}, LADDER_CSS),
    element("rect", { class: "bl-bg", width: WIDTH, height: end, rx: 8 }),
    ...head(options),
    ...drawn,
  ).text;
}

/** What the picture shows, for who cannot see it; the text ladder has the rest. */
function description(views: readonly View[], { left, right, marks }: LadderSvgOptions): string {
  const from = (side: View["from"]) => views.filter((view) => view.from === side).length;
  const marked = [...(marks ?? [])].slice(0, 10).flatMap(([index, mark]) => {
    const view = views[index];
    return view ? [` Marked as ${mark.tone}: ${cut(view.text, 120)}: ${cut(mark.label, 200)}.`] : [];
  });
  const names = [cut(left, 80), cut(right, 80)];
  return `${views.length} messages: ${from("left")} from ${names[0]}, ${from("right")} from ${names[1]}.${marked.join("")}`;
}

function head({ title, left, right }: LadderSvgOptions): Svg[] {
  const box = (x: number, name: string, anchor: "start" | "end", from: View["from"]): Svg => {
    const text = cut(name, 44);
    const width = Math.max(64, [...text].length * 7.2 + 24);
    const at = anchor === "start" ? x - 22 : x + 14 - width;
    return element(
      "g",
      { class: `bl-from-${from}` },
      element("rect", { class: "bl-box", x: at, y: 38, width, height: 26, rx: 5 }),
      element("line", { class: "bl-side", x1: at + 3, x2: at + width - 3, y1: 63, y2: 63 }),
      element("text", { class: "bl-head", x: at + width / 2, y: 55, "text-anchor": "middle" }, text),
    );
  };
  return [
    element("text", { class: "bl-title", x: 16, y: 24 }, cut(title, 120)),
    box(LEFT, left, "start", "left"),
    box(RIGHT, right, "end", "right"),
  ];
}

function drawAll(rows: readonly Row[], sheet: Sheet): { drawn: Svg[]; height: number } {
  const drawn: Svg[] = [];
  let y = HEAD;
  let before: number | undefined;
  drawn.push(rails(64, HEAD, false));
  for (const row of rows) {
    if (row.kind !== "left-out") {
      const silence = before === undefined ? 0 : row.kind === "message" ? row.view.timeMs - before : 0;
      if (silence >= GAP_MS) {
        drawn.push(rails(y, y + 22, true), gapText(y, silence));
        y += 22;
      }
      before = row.kind === "message" ? row.view.timeMs : row.timeMs;
    }
    const { parts, height } = draw(row, y, sheet);
    drawn.push(rails(y, y + height, row.kind === "left-out"), ...parts);
    y += height;
  }
  drawn.push(rails(y, y + 8, false));
  return { drawn, height: y };
}

function rails(from: number, to: number, dotted: boolean): Svg {
  const line = (x: number) =>
    element("line", { class: `bl-rail${dotted ? " bl-gap" : ""}`, x1: x, x2: x, y1: from, y2: to });
  return element("g", {}, line(LEFT), line(RIGHT));
}

const gapText = (y: number, ms: number): Svg =>
  element(
    "text",
    { class: "bl-note", x: (LEFT + RIGHT) / 2, y: y + 15, "text-anchor": "middle" },
    `${seconds(ms)} later`,
  );

function draw(row: Row, y: number, sheet: Sheet): { parts: Svg[]; height: number } {
  switch (row.kind) {
    case "message":
      return drawMessage(row, y, sheet);
    case "folded":
      return { parts: [drawFolded(row, y, sheet)], height: 38 };
    case "left-out": {
      const text = `${row.count} messages are not drawn`;
      const at = { class: "bl-note", x: (LEFT + RIGHT) / 2, y: y + 20, "text-anchor": "middle" };
      return { parts: [element("text", at, text)], height: 32 };
    }
  }
}

function drawMessage(row: MessageRow, y: number, sheet: Sheet): { parts: Svg[]; height: number } {
  const { view, mark, lines } = row;
  const arrowAt = y + 26;
  const label = mark ? markLabel(mark, arrowAt + 8) : [];
  const below = arrowAt + 8 + (mark ? 22 : 0);
  const body = drawLines(lines, below);
  const height = below + body.height - y + (lines.length > 0 ? 8 : 2);
  const again = view.again ? " bl-again" : "";
  const thin = view.kind === "ike" ? "" : " bl-thin";
  const classes = `bl-from-${view.from}${again}${thin}${view.dropped ? " bl-dropped" : ""}${mark ? ` bl-${mark.tone}` : ""}`;
  const group = element(
    "g",
    { class: classes },
    sheet.options.tooltips !== false && element("title", {}, tooltip(view, sheet)),
    heading(row, y + 18),
    ...arrow(view, arrowAt),
    ...times(view.timeMs, sheet, arrowAt, sheet.options.numbered ? view.at : undefined),
    ...body.parts,
    ...label,
  );
  return { parts: [group], height };
}

/** Name and number of the message with what is to be known of it, on the side it comes from. */
function heading({ view, lines, remark }: MessageRow, y: number): Svg {
  const isListed = view.kind === "ike" && (lines.length > 0 || view.again === true);
  const name = isListed ? view.text.replace(/: .*$/s, "") : view.text;
  const text = cut(name, view.kind === "ike" ? 100 : 110);
  const notes = [view.note, remark].filter((note) => note !== undefined).join(", ");
  const room = Math.max(12, 118 - [...text].length);
  const fromLeft = view.from === "left";
  return element(
    "text",
    { x: fromLeft ? LEFT + 14 : RIGHT - 14, y, "text-anchor": fromLeft ? "start" : "end" },
    element("tspan", { class: view.kind === "ike" ? "bl-name" : "bl-soft" }, text),
    notes !== "" && element("tspan", { class: "bl-note", dx: 10 }, cut(notes, room)),
  );
}

function arrow({ from, dropped, kind }: View, y: number): Svg[] {
  const towards = from === "left" ? 1 : -1;
  const [start, tip] = from === "left" ? [LEFT + 3, RIGHT - 3] : [RIGHT - 3, LEFT + 3];
  const end = dropped ? tip - towards * 70 : tip;
  const size = kind === "ike" ? 9 : 7;
  const back = end - towards * size;
  const points = `${end},${y} ${back},${y - size / 2} ${back},${y + size / 2}`;
  return [
    element("line", { class: "bl-arrow", x1: start, x2: back, y1: y, y2: y }),
    element("polygon", { class: "bl-tip", points }),
    ...(dropped ? cross(end + towards * 12, y) : []),
  ];
}

const cross = (x: number, y: number): Svg[] =>
  [5, -5].map((slope) =>
    element("line", { class: "bl-cross", x1: x - 5, x2: x + 5, y1: y - slope, y2: y + slope }),
  );

function times(timeMs: number, { startMs }: Sheet, y: number, number?: number): Svg[] {
  const at = { class: "bl-time", x: TIME, "text-anchor": "end" };
  return [
    element("text", { ...at, y: y + 4 }, seconds(timeMs - startMs)),
    ...(number === undefined ? [] : [element("text", { ...at, y: y - 9 }, `#${number}`)]),
  ];
}

const seconds = (ms: number): string =>
  Math.abs(ms) < 1e8 ? `${(ms / 1000).toFixed(3)} s` : `${(ms / 1000).toExponential(2)} s`;

function markLabel({ label, tone }: Mark, y: number): Svg[] {
  const text = cut(label, 112);
  const width = Math.min(BODY.to - BODY.from, [...text].length * 7.9 + 22);
  return [
    element("rect", { class: `bl-band-${tone}`, x: BODY.from, y, width, height: 18, rx: 4 }),
    element("text", { class: `bl-tone-${tone}`, x: BODY.from + 8, y: y + 13 }, text),
  ];
}

/** Lines one under another; behind those of SK there is a panel. */
function drawLines(lines: readonly Line[], top: number): { parts: Svg[]; height: number } {
  const parts: Svg[] = [];
  const firstInside = lines.findIndex(({ inside }) => inside);
  const panelTop = top + Math.max(0, firstInside) * LINE + (firstInside > 0 ? 3 : 0);
  const count = lines.filter(({ inside }) => inside).length;
  if (count > 0) parts.push(...panel(panelTop, count * LINE + 6));
  for (const [at, line] of lines.entries()) {
    const y = line.inside ? panelTop + (at - firstInside) * LINE + 3 : top + at * LINE;
    parts.push(...drawLine(line, y));
  }
  const height = lines.length * LINE + (count > 0 ? 6 : 0) + (firstInside > 0 ? 3 : 0);
  return { parts, height };
}

function panel(y: number, height: number): Svg[] {
  const [x, width] = [BODY.from, BODY.to - BODY.from];
  return [
    element("rect", { class: "bl-box", x, y, width, height, rx: 4 }),
    element("line", { class: "bl-side", x1: x + 1.5, x2: x + 1.5, y1: y + 2, y2: y + height - 2 }),
    element("text", { class: "bl-time", x: x + width - 8, y: y + 14, "text-anchor": "end" }, "decrypted"),
  ];
}

function drawLine({ items, tone }: Line, y: number): Svg[] {
  const most = Math.floor((BODY.to - BODY.from - 110) / LETTER);
  const spans = items.flatMap(({ name, text }, at): Child[] => [
    at > 0 && element("tspan", {}, "   "),
    element("tspan", { class: "bl-name" }, cut(name, most)),
    text !== "" && element("tspan", { class: "bl-soft" }, ` ${cut(text, Math.max(8, most - name.length))}`),
  ]);
  const band = { class: `bl-band-${tone}`, x: BODY.from + 4, y: y + 0.5, height: LINE - 1, rx: 3 };
  return [
    ...(tone ? [element("rect", { ...band, width: BODY.to - BODY.from - 8 })] : []),
    element(
      "text",
      {
        class: `bl-mono${tone ? ` bl-tone-${tone}` : ""}`,
        x: BODY.from + 12,
        y: y + 12,
        "xml:space": "preserve",
      },
      ...spans,
    ),
  ];
}

function drawFolded({ text, left, right, timeMs }: FoldedRow, y: number, sheet: Sheet): Svg {
  const ways = left > 0 && right > 0 ? ` (${left} to the right, ${right} to the left)` : "";
  const at = y + 26;
  const tips = [
    ...(left > 0 ? [`${RIGHT - 3},${at} ${RIGHT - 10},${at - 3.5} ${RIGHT - 10},${at + 3.5}`] : []),
    ...(right > 0 ? [`${LEFT + 3},${at} ${LEFT + 10},${at - 3.5} ${LEFT + 10},${at + 3.5}`] : []),
  ];
  return element(
    "g",
    { class: `bl-thin bl-from-${left >= right ? "left" : "right"}` },
    element(
      "text",
      { class: "bl-note", x: (LEFT + RIGHT) / 2, y: y + 18, "text-anchor": "middle" },
      `${cut(text, 90)}${ways}`,
    ),
    element("line", {
      class: "bl-arrow",
      x1: LEFT + 8,
      x2: RIGHT - 8,
      y1: at,
      y2: at,
      "stroke-dasharray": "2 3",
    }),
    ...tips.map((points) => element("polygon", { class: "bl-tip", points })),
    ...times(timeMs, sheet, at),
  );
}

/** All fields of a message, as far as there is room. */
function tooltip(view: View, { tooltip: most }: Sheet): string {
  const fields = (trees: View["clear"], above: string) =>
    trees
      .slice(0, 60)
      .flatMap((tree) => fieldsOfTree(tree).map(({ path, value }) => `${above}${path}: ${cut(value, 120)}`));
  const lines = [
    `${view.text}${view.note === undefined ? "" : ` (${view.note})`}`,
    ...fields(view.clear, ""),
    ...fields(view.inner ?? [], "SK > "),
  ];
  const shown: string[] = [];
  let room = most;
  for (const line of lines.map((each) => cut(each, 400))) {
    room -= line.length + 1;
    if (room < 0) break;
    shown.push(line);
  }
  return [...shown, ...(shown.length < lines.length ? ["..."] : [])].join("\n");
}
