/** The loss experiment as an SVG: delay against loss, a line for each key exchange, a panel for each packet size. */

import { withEntities } from "../../pcaps/inert-text.ts";
import type { PqCell, PqResult } from "./pq.ts";
import { type Axis, axisOf, delayLabel } from "./pq-axis.ts";

/** All in pixels. */
const PANEL = { width: 270, height: 190 };
const GAP = { x: 26, y: 62 };
const MARGIN = { left: 66, top: 92, right: 20, bottom: 108 };
/** Points at one rate stand this far apart at most, so that none hides another. */
const MOST_APART = 5;

type Figure = "medianMs" | "p95Ms";
const FIGURES: readonly (readonly [Figure, string])[] = [
  ["medianMs", "median"],
  ["p95Ms", "95th percentile"],
];

const STYLE = `
  svg { --ground: #ffffff; --ink: #1f2328; --dim: #59636e; --grid: #d8dee4; font-family: system-ui, sans-serif; }
  .m0 { --line: #59636e; } .m1 { --line: #54a3e0; } .m2 { --line: #1f6fc0; } .m3 { --line: #0b3d7a; }
  .m4 { --line: #ee9440; } .m5 { --line: #cf5a00; } .m6 { --line: #7d2e00; }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #0d1117; --ink: #e6edf3; --dim: #9198a1; --grid: #30363d; }
    .m0 { --line: #9aa3ad; } .m1 { --line: #1f6fc0; } .m2 { --line: #54a3e0; } .m3 { --line: #b5dcff; }
    .m4 { --line: #b85000; } .m5 { --line: #f08c3a; } .m6 { --line: #ffd0a3; }
  }
  .ground { fill: var(--ground); } text { fill: var(--ink); font-size: 12px; } .dim { fill: var(--dim); }
  .title { font-size: 17px; font-weight: 600; } .panel { font-size: 13px; font-weight: 600; }
  .grid { stroke: var(--grid); stroke-width: 1; } .end { text-anchor: end; } .mid { text-anchor: middle; }
  .line { fill: none; stroke: var(--line); stroke-width: 1.8; stroke-linejoin: round; }
  .mark { fill: var(--line); stroke: var(--line); stroke-width: 1.5; } .hollow { fill: var(--ground); }`;

const round = (value: number): number => Math.round(value * 10) / 10;

const text = (x: number, y: number, classes: string, content: string): string =>
  `<text x="${round(x)}" y="${round(y)}" class="${classes}">${withEntities(content)}</text>`;

const rule = (x1: number, y1: number, x2: number, y2: number): string =>
  `<line class="grid" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;

/** A diamond for the first; circle, square, triangle in turn for the others: lines of one colour differ in print, too. */
function mark(series: number, x: number, y: number, hollow: boolean): string {
  const shapes = [
    "m0-4.4l4.4 4.4-4.4 4.4-4.4-4.4z",
    "m-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0z",
    "m-3-3h6v6h-6z",
    "m0-4l3.8 6.8h-7.6z",
  ];
  const shape = shapes[series === 0 ? 0 : 1 + ((series - 1) % 3)];
  return `<path class="mark${hollow ? " hollow" : ""}" d="M${round(x)} ${round(y)}${shape}"/>`;
}

interface Layout {
  methods: string[];
  packets: number[];
  losses: number[];
  delays: Axis;
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

function layoutOf({ cells, rttMs }: PqResult): Layout {
  const delays = cells.flatMap(({ medianMs, p95Ms }) => [medianMs ?? [], p95Ms ?? []].flat());
  return {
    methods: unique(cells.map(({ method }) => method)),
    packets: unique(cells.map(({ packet }) => packet)),
    losses: unique(cells.map(({ loss }) => loss)),
    delays: axisOf(delays.length > 0 ? delays : [rttMs]),
  };
}

/** Where a rate of loss stands in a panel: at equal distances, as the rates of interest are small ones. */
const across = ({ losses }: Layout, loss: number): number =>
  ((losses.indexOf(loss) + 0.5) / losses.length) * PANEL.width;

/** How far the points of neighbouring methods stand apart: they must not reach the next rate. */
const apart = ({ losses, methods }: Layout): number =>
  Math.min(MOST_APART, (0.8 * PANEL.width) / losses.length / methods.length);

function seriesOf(layout: Layout, cells: readonly PqCell[], figure: Figure, series: number): string {
  const shift = (series - (layout.methods.length - 1) / 2) * apart(layout);
  const points = cells.flatMap((cell) => {
    const value = cell[figure];
    if (value === null) return [];
    const x = across(layout, cell.loss) + shift;
    return [{ x, y: (1 - layout.delays.place(value)) * PANEL.height, hollow: cell.failed > 0 }];
  });
  const line = points.map(({ x, y }) => `${round(x)},${round(y)}`).join(" ");
  const marks = points.map(({ x, y, hollow }) => mark(series, x, y, hollow)).join("");
  return `<g class="m${series % 7}"><polyline class="line" points="${line}"/>${marks}</g>`;
}

function gridOf(layout: Layout, labels: boolean): string[] {
  const { delays, losses } = layout;
  const bottom = PANEL.height;
  return [
    ...delays.ticks.flatMap((tick) => {
      const y = (1 - delays.place(tick)) * bottom;
      const line = rule(0, y, PANEL.width, y);
      return labels ? [line, text(-8, y + 4, "dim end", delayLabel(tick))] : [line];
    }),
    ...losses.map((loss) => text(across(layout, loss), bottom + 18, "dim mid", `${loss} %`)),
  ];
}

function panel(result: PqResult, layout: Layout, column: number, row: number): string {
  const [figure, name] = FIGURES[row] ?? ["medianMs", ""];
  const packet = layout.packets[column] ?? 0;
  const x = MARGIN.left + column * (PANEL.width + GAP.x);
  const y = MARGIN.top + row * (PANEL.height + GAP.y);
  const lines = layout.methods.map((method, series) => {
    const own = result.cells.filter((cell) => cell.method === method && cell.packet === packet);
    return seriesOf(layout, own, figure, series);
  });
  const title = text(0, -12, "panel", `${name}, ${packet.toLocaleString("en-US")} octets`);
  const content = [title, ...gridOf(layout, column === 0), ...lines].join("\n");
  return `<g transform="translate(${x} ${y})">\n${content}\n</g>`;
}

/** X25519 by itself, then a row for the three sets of each KEM. */
function legend({ methods }: Layout, width: number, y: number): string {
  const step = (width - MARGIN.left - MARGIN.right) / 4;
  const entries = methods.map((method, series) => {
    const x = MARGIN.left + (series === 0 ? 0 : 1 + ((series - 1) % 3)) * step;
    const at = y + (series > 3 ? 22 : 0);
    const line = `<path class="line" d="M${round(x)} ${at}h26"/>`;
    const key = `<g class="m${series % 7}">${line}${mark(series, x + 13, at, false)}</g>`;
    return `${key}${text(x + 34, at + 4, "", method)}`;
  });
  return entries.join("\n");
}

/** Follows light and dark as the reader's program asks for it. */
export function pqPlot(result: PqResult): string {
  const layout = layoutOf(result);
  const columns = layout.packets.length;
  const width = MARGIN.left + columns * PANEL.width + (columns - 1) * GAP.x + MARGIN.right;
  const height = MARGIN.top + 2 * PANEL.height + GAP.y + MARGIN.bottom;
  const { firstMs, transmissions } = result.retransmission;
  const conditions =
    `By the largest IP packet. ${result.rttMs} ms round trip; a message is sent again whole after ${firstMs} ms, ` +
    `doubling, ${transmissions} transmissions; ${result.runs} handshakes a point.`;
  const hint =
    "Points at one rate of loss stand side by side. A hollow point: some handshakes never were completed.";
  const panels = FIGURES.flatMap((_, row) =>
    layout.packets.map((_size, column) => panel(result, layout, column, row)),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    "<title>Handshake delay against packet loss</title>",
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    text(MARGIN.left, 28, "title", "Delay of IKEv2 handshakes against packet loss"),
    text(MARGIN.left, 48, "dim", conditions),
    ...panels,
    legend(layout, width, height - 66),
    text(MARGIN.left, height - 14, "dim", hint),
    "</svg>\n",
  ].join("\n");
}
