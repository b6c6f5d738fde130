/** The list of all results, which a script filters and pages; and its data, which the page loads as a script. */
import { VERDICTS } from "../results.ts";
import { printable } from "../text.ts";
import { html, type Markup } from "./markup.ts";
import type { Entry, Site } from "./model.ts";
import type { Page } from "./page.ts";
import { byUrgency, standingText } from "./parts.ts";

const LEVELS = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "stmt"];
const STANDINGS = ["not as the baseline says", "not as it should be", "unstable", "known", "as expected"];

export function testsPage({ entries, subjects, documents }: Site): Page {
  const present = (values: readonly string[], of: (entry: Entry) => string) => {
    const seen = new Set(entries.map(of));
    return values.filter((value) => seen.has(value));
  };
  const selects = [
    select(
      "document",
      documents.map(({ label }) => label),
    ),
    select(
      "peer",
      subjects.map(({ label }) => label),
    ),
    select(
      "role",
      present(["initiator", "responder"], ({ test }) => test.role),
    ),
    select(
      "verdict",
      present(VERDICTS, ({ test }) => test.verdict),
    ),
    select(
      "level",
      present(LEVELS, ({ test }) => test.level),
    ),
    select(
      "standing",
      present(STANDINGS, ({ test }) => standingText(test)),
    ),
  ];
  return {
    path: "tests.html",
    title: "All tests",
    trail: [{ text: "Overview", path: "index.html" }, { text: "Tests" }],
    scripts: ["tests.js", "list.js"],
    body: html`<h1>Tests <span class="soft count" id="count" role="status">${entries.length}</span></h1>
<form class="filters" role="search" aria-label="Tests" hidden>
<input type="search" name="q" aria-label="Find in tests" placeholder="Find in ids, titles and reasons   ( / )">${selects}
<input type="search" name="requirement" aria-label="Requirement" placeholder="requirement id" size="14">
<button type="reset">show all</button></form>
<noscript><p class="note">This list is filtered by a script of this folder. Without scripts, every document's page in the overview lists its tests.</p></noscript>
<div class="card"><ol class="list" id="list"></ol></div>
<p class="none soft" id="none" hidden>No test fits these filters.</p>
<nav class="pages" aria-label="Pages of the list" hidden><button type="button" id="previous">previous</button><span id="page"></span><button type="button" id="next">next</button></nav>`,
  };
}

const select = (name: string, values: readonly string[]): Markup =>
  html`<select name="${name}" aria-label="${name}"><option value="">every ${name}</option>${values.map((value) => html`<option value="${value}">${value === "stmt" ? "statement" : value}</option>`)}</select>
`;

/** A reason longer than this is cut in the list; the page of the result has all of it. */
const LONGEST_REASON = 220;

/**
 * The data of the list: `const bakeoff = { words, rows }`. A row is place, id, title, reason, requirements, and numbers
 * of words: document, peer, role, verdict, level, standing.
 */
export function testsData({ entries }: Site): string {
  const words = new Map<string, number>();
  const word = (text: string) => {
    const known = words.get(text) ?? words.size;
    words.set(text, known);
    return known;
  };
  const parts = new Map<string, string>();
  const label = ({ document, revision }: Entry["test"]) => {
    const key = `${document}\n${revision}`;
    const made = parts.get(key) ?? printable(revision === "" ? document : `${document}@${revision}`);
    parts.set(key, made);
    return made;
  };
  const rows = sorted(entries).map(({ test, subject, place }) => [
    place.slice("tests/".length),
    ...[test.id, test.title, test.verdict === "pass" ? "" : cut(test.reason)].map(printable),
    test.requirements.map(printable).join(" "),
    ...[label(test), printable(subject.label), test.role, test.verdict, test.level, standingText(test)].map(
      word,
    ),
  ]);
  const lines = rows.map((row) => JSON.stringify(row)).join(",\n");
  return `"use strict";\nconst bakeoff = { words: ${JSON.stringify([...words.keys()])}, rows: [\n${lines}\n] };\n`;
}

/** What is not as it should be first. */
function sorted(entries: readonly Entry[]): Entry[] {
  const urgent = byUrgency(entries);
  const odd = ({ test }: Entry) => STANDINGS.indexOf(standingText(test)) < 3;
  return [...urgent.filter(odd), ...urgent.filter((entry) => !odd(entry))];
}

const cut = (text: string): string =>
  text.length > LONGEST_REASON ? `${text.slice(0, LONGEST_REASON)} …` : text;
