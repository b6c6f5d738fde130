/** The list of all results, which a script filters and pages; and its data, which the page loads as a script. */
import { documentLabel, VERDICTS } from "../results.ts";
import { printable } from "../text.ts";
import { html, type Markup } from "./markup.ts";
import { type Entry, ROLES, type Site } from "./model.ts";
import type { Page } from "./page.ts";
import { byUrgency, GLYPHS, standingText } from "./parts.ts";

/** Columns of the list's data: texts of their own, then words that come again. */
const TEXTS = ["place", "id", "title", "reason", "requirement"] as const;
const WORDS = ["document", "peer", "role", "verdict", "level", "standing"] as const;

const LEVELS = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "stmt"];
const STANDINGS = ["not as the baseline says", "not as it should be", "unstable", "known", "as expected"];

export function testsPage(site: Site): Page {
  return {
    path: "tests.html",
    title: "All tests",
    trail: [{ text: "Overview", path: "index.html" }, { text: "Tests" }],
    scripts: ["tests.js", "list.js"],
    body: html`<h1>Tests <span class="soft count" id="count" role="status">${site.entries.length}</span></h1>
<form class="filters" role="search" aria-label="Tests" hidden>
<input type="search" name="q" aria-label="Find in tests" placeholder="Find in ids, titles and reasons   ( / )">${selects(site)}
<input type="search" name="requirement" aria-label="Requirement" placeholder="requirement id" size="14">
<button type="reset">show all</button></form>
<noscript><p class="note">This list is filtered by a script of this folder. Without scripts, every document's page in the overview lists its tests.</p></noscript>
<div class="card"><ol class="list" id="list"></ol></div>
<p class="none soft" id="none" hidden>No test fits these filters.</p>
<nav class="pages" aria-label="Pages of the list" hidden><button type="button" id="previous">previous</button><span id="page"></span><button type="button" id="next">next</button></nav>`,
  };
}

/** A filter for each column of words, with the values that there are. */
function selects({ entries, subjects, documents }: Site): Markup[] {
  const present = (values: readonly string[], of: (entry: Entry) => string) => {
    const seen = new Set(entries.map(of));
    return values.filter((value) => seen.has(value));
  };
  const values: Record<(typeof WORDS)[number], readonly string[]> = {
    document: documents.map(({ label }) => label),
    peer: subjects.map(({ label }) => label),
    role: present(ROLES, ({ test }) => test.role),
    verdict: present(VERDICTS, ({ test }) => test.verdict),
    level: present(LEVELS, ({ test }) => test.level),
    standing: present(STANDINGS, ({ test }) => standingText(test)),
  };
  return WORDS.map((name) => select(name, values[name]));
}

const select = (name: string, values: readonly string[]): Markup =>
  html`<select name="${name}" aria-label="${name}"><option value="">every ${name}</option>${values.map((value) => html`<option value="${value}">${value === "stmt" ? "statement" : value}</option>`)}</select>
`;

/** A reason longer than this is cut in the list; the page of the result has all of it. */
const LONGEST_REASON = 220;

/**
 * The data of the list: `const bakeoff = { glyphs, columns, firstWord, words, rows }`. The columns of a row from
 * `firstWord` on are numbers of words, for these come again and again.
 */
export function testsData({ entries }: Site): string {
  const words = new Map<string, number>();
  const word = (text: string) => {
    const known = words.get(text) ?? words.size;
    words.set(text, known);
    return known;
  };
  const rows = sorted(entries).map(({ test, subject, place }) => [
    place.slice("tests/".length),
    ...[test.id, test.title, test.verdict === "pass" ? "" : cut(test.reason)].map(printable),
    test.requirements.map(printable).join(" "),
    ...[
      ...[printable(documentLabel(test)), printable(subject.label)],
      ...[test.role, test.verdict, test.level, standingText(test)],
    ].map(word),
  ]);
  const lines = rows.map((row) => JSON.stringify(row)).join(",\n");
  const head = {
    ...{ glyphs: GLYPHS, columns: [...TEXTS, ...WORDS], firstWord: TEXTS.length },
    words: [...words.keys()],
  };
  return `"use strict";\nconst bakeoff = { ...${JSON.stringify(head)}, rows: [\n${lines}\n] };\n`;
}

/** What is not as it should be first. */
function sorted(entries: readonly Entry[]): Entry[] {
  const urgent = byUrgency(entries);
  const odd = ({ test }: Entry) => STANDINGS.indexOf(standingText(test)) < 3;
  return [...urgent.filter(odd), ...urgent.filter((entry) => !odd(entry))];
}

const cut = (text: string): string =>
  text.length > LONGEST_REASON ? `${text.slice(0, LONGEST_REASON)} …` : text;
