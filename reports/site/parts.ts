/** Small pieces that several pages are made of. */
import { groupBy } from "../group.ts";
import {
  outcomeOf,
  standingOf,
  type TestResult,
  VERDICTS,
  type Verdict,
  verdictMeaning,
} from "../results.ts";
import { type Fragment, html, type Markup } from "./markup.ts";
import type { Entry } from "./model.ts";
import type { RequirementStanding, Score } from "./score.ts";

/** Verdicts by how much they ask for a look. */
export const BY_URGENCY: readonly Verdict[] = [
  ...(["fail", "wrong-reason", "crash", "hang", "setup"] as const),
  ...(["ambiguous", "tolerated", "behind", "unsupported", "pass"] as const),
];

export const GLYPHS: Record<Verdict, string> = {
  pass: "✓",
  tolerated: "≈",
  "wrong-reason": "≠",
  fail: "✕",
  unsupported: "–",
  behind: "‹",
  ambiguous: "?",
  crash: "!",
  hang: "…",
  setup: "∗",
};

/** Colours, by the verdicts that have the same. */
const TONES: Record<RequirementStanding, Verdict | "idle"> = {
  failed: "fail",
  setup: "setup",
  ambiguous: "ambiguous",
  behind: "behind",
  unsupported: "unsupported",
  met: "pass",
  "not run": "idle",
  "not testable": "idle",
  "not bound": "idle",
};
export const toneOf = (standing: RequirementStanding): string => `t-${TONES[standing]}`;

export const glyph = (verdict: Verdict): Markup =>
  html`<span class="glyph" aria-hidden="true">${GLYPHS[verdict]}</span>`;

export const badge = (verdict: Verdict): Markup =>
  html`<span class="badge t-${verdict}" title="${verdictMeaning(verdict)}">${glyph(verdict)}${verdict}</span>`;

type VerdictCounts = ReadonlyMap<Verdict, number>;

export function countVerdicts(entries: readonly Entry[]): VerdictCounts {
  const counts = new Map<Verdict, number>();
  for (const { test } of entries) counts.set(test.verdict, (counts.get(test.verdict) ?? 0) + 1);
  return counts;
}

/** A stacked bar of parts that are told in words beside it. */
function bar(parts: readonly { tone: string; count: number }[]): Markup {
  const all = parts.reduce((sum, { count }) => sum + count, 0) || 1;
  let left = 0;
  const shown = parts
    .filter(({ count }) => count > 0)
    .map(({ tone, count }) => {
      const width = (100 * count) / all;
      const part = html`<rect class="${tone}" x="${left.toFixed(3)}%" width="${width.toFixed(3)}%" height="100%"/>`;
      left += width;
      return part;
    });
  return html`<svg class="bar" aria-hidden="true">${shown}</svg>`;
}

export const verdictBar = (counts: VerdictCounts): Markup =>
  bar(VERDICTS.map((verdict) => ({ tone: `t-${verdict}`, count: counts.get(verdict) ?? 0 })));

const IN_SCORES = ["met", "unsupported", "behind", "ambiguous", "setup", "failed"] as const;

/** `92 / 101` with a bar, and in words what is not met and what was not run. */
export function scoreCell({ counts, met, run }: Score): Fragment {
  const apart = IN_SCORES.filter((standing) => standing !== "met" && counts[standing] > 0)
    .reverse()
    .map((standing) => `${counts[standing]} ${standing}`);
  const idle = (["not run", "not testable"] as const)
    .filter((standing) => counts[standing] > 0)
    .map((standing) => `${counts[standing]} ${standing}`);
  if (run === 0 && idle.length === 0) return html`<span class="soft">none</span>`;
  return html`<b class="figure">${met} / ${run}</b>${run > 0 && bar(IN_SCORES.map((standing) => ({ tone: toneOf(standing), count: counts[standing] })))}<small>${[...apart, ...idle].join(", ") || "all met"}</small>`;
}

export const isBad = ({ verdict }: TestResult): boolean => ["failed", "broken"].includes(outcomeOf(verdict));

/** How a verdict stands to the baseline, in words; without a baseline only whether it is good news. */
export function standingText(test: TestResult): string {
  const standing = standingOf(test);
  if (standing === "unstable") return "unstable";
  if (standing === "deviates") return test.baseline ? "not as the baseline says" : "not as it should be";
  if (test.baseline?.known) return "known";
  return "as expected";
}

/** What asks for a look first; of equals, the order they came in. */
export const byUrgency = (entries: readonly Entry[]): Entry[] => {
  const groups = groupBy(entries, ({ test }) => test.verdict);
  return BY_URGENCY.flatMap((verdict) => groups.get(verdict) ?? []);
};

/** Text in which `code` stands in back quotes. */
export function prose(text: string): Fragment {
  return text
    .trim()
    .split(/\n\s*\n/)
    .map(
      (paragraph) =>
        html`<p>${paragraph.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}</p>\n`,
    );
}

/** A table in a frame that scrolls by itself on narrow screens, which the keyboard can reach. */
export const framed = (label: string, table: Fragment): Markup =>
  html`<div class="card scroll" tabindex="0" role="region" aria-label="${label}">${table}</div>`;
