/** The page of a peer: what it is, how it stands in each document, what deviates, and what is known of it. */
import { outcomeOf, standingOf } from "../results.ts";
import { plural } from "../text.ts";
import { type Fragment, html, type Markup } from "./markup.ts";
import type { Entry, Subject } from "./model.ts";
import { filtered, type Page } from "./page.ts";
import { badge, byUrgency, countVerdicts, framed, isBad, scoreCell, verdictBar } from "./parts.ts";
import { GROUPS } from "./score.ts";
import type { ScoreBoard } from "./score-board.ts";

/** More are in the list of tests. */
const LISTED = 100;

export function peerPage(subject: Subject, board: ScoreBoard): Page {
  const { entries, label, slug } = subject;
  const odd = entries.filter(({ test }) => standingOf(test) !== "expected");
  const known = entries.filter(({ test }) => test.baseline?.known && standingOf(test) === "expected");
  const open = entries.filter(
    ({ test }) => !test.baseline && test.verdict !== "pass" && standingOf(test) === "expected",
  );
  return {
    path: `peers/${slug}.html`,
    title: `Peer ${label}`,
    trail: [{ text: "Overview", path: "index.html" }, { text: label }],
    body: html`<h1>${label}</h1>
${facts(subject)}
${totals(subject, board)}
${listSection("What asks for a look", odd, label, "not as the baseline says,not as it should be,unstable")}
${knownSection(known, label)}
${listSection("Neither passed nor failed", open, label, undefined)}`,
  };
}

function facts({ info, peer, lie, runs, entries }: Subject): Markup {
  const counts = countVerdicts(entries);
  const said = [...counts].map(([verdict, count]) => `${count} ${verdict}`).join(", ");
  return html`<dl class="facts">
<dt>implementation</dt><dd>${info ? `${info.name} ${info.version}` : peer}</dd>
<dt>version it states</dt><dd>${info?.fullVersion ?? "none"}</dd>
<dt>runs in</dt><dd>${info?.runtime ?? "unknown"}</dd>
${lie !== undefined && html`<dt>planted bug</dt><dd>told to lie: <code>${lie}</code></dd>`}
<dt>${runs.length === 1 ? "run" : "runs"}</dt><dd>${runs.map(({ name }) => name).join(", ")}</dd>
<dt>results</dt><dd>${said}${verdictBar(counts)}</dd></dl>`;
}

function totals(subject: Subject, board: ScoreBoard): Markup {
  const rows = board.rows
    .filter((row) => row.subject === subject)
    .map(({ part, role, scores }) => {
      const own = part.entries.filter((entry) => entry.subject === subject && entry.test.role === role);
      const passed = own.filter(({ test }) => outcomeOf(test.verdict) === "passed").length;
      const target = filtered(`documents/${part.slug}.html`, { peer: subject.slug, role });
      return html`<tr><th scope="row"><a href="../${target}">${part.label}</a><small>as ${role}</small></th><td><b class="figure">${passed} / ${own.length}</b>${verdictBar(countVerdicts(own))}<small>tests passed</small></td>${GROUPS.map((group) => html`<td>${scoreCell(scores[group])}</td>`)}</tr>
`;
    });
  return html`<section><h2>Documents</h2>
${framed(
  "Documents",
  html`<table class="scores"><thead><tr><th scope="col">document</th><th scope="col">tests</th>${GROUPS.map((group) => html`<th scope="col">${group}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`,
)}</section>`;
}

function listSection(
  title: string,
  entries: readonly Entry[],
  peer: string,
  standing: string | undefined,
): Fragment {
  if (entries.length === 0) return undefined;
  const items = byUrgency(entries)
    .slice(0, LISTED)
    .map(
      ({ test, place }) =>
        html`<li class="t-${test.verdict}"><a href="../${place}.html">${badge(test.verdict)}<span class="what"><b>${test.title}</b><span>${test.reason}</span>${test.baseline?.deviation !== undefined && html`<span class="mark">${test.baseline.deviation}</span>`}<code>${test.id}</code></span><span class="who">as ${test.role}</span></a></li>
`,
    );
  return html`<section><h2>${title} <span class="soft">${entries.length}</span></h2><div class="card"><ol class="list">${items}</ol></div>
${entries.length > LISTED && html`<p><a href="../${filtered("tests.html", { peer, standing })}">${plural(entries.length, "test")} in the list of tests</a></p>`}</section>`;
}

function knownSection(entries: readonly Entry[], peer: string): Fragment {
  if (entries.length === 0) return undefined;
  const sorted = byUrgency(entries).sort((a, b) => Number(isBad(b.test)) - Number(isBad(a.test)));
  const rows = sorted.slice(0, LISTED).map(({ test, place }) => {
    const known = test.baseline?.known;
    return (
      known &&
      html`<tr class="t-${test.verdict}"><td>${badge(test.verdict)}</td><th scope="row"><a href="../${place}.html">${test.title}</a><small><code>${test.id}</code></small></th><td class="text">${known.why}<small>${known.section}</small></td><td>${known.fault}</td><td><time datetime="${known.expires}">${known.expires}</time></td></tr>
`
    );
  });
  return html`<section><h2>Known <span class="soft">${entries.length}</span></h2>
${framed(
  "Known",
  html`<table class="known"><thead><tr><th scope="col">verdict</th><th scope="col">test</th><th scope="col">why</th><th scope="col">at fault</th><th scope="col">look again by</th></tr></thead><tbody>${rows}</tbody></table>`,
)}
${entries.length > LISTED && html`<p><a href="../${filtered("tests.html", { peer, standing: "known" })}">All ${entries.length} of them</a></p>`}</section>`;
}
