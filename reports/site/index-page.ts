/** The first page: what was run, what is not as it should be, and the matrix of documents and peers. */
import { groupBy } from "../group.ts";
import { isGolden, standingOf, VERDICTS, verdictMeaning } from "../results.ts";
import { formatDuration, plural, withheldText } from "../text.ts";
import type { RunFindings } from "./findings-page.ts";
import { type Fragment, html, type Markup } from "./markup.ts";
import type { DocumentPart, Entry, Run, Site, Subject } from "./model.ts";
import { rolesOf } from "./model.ts";
import { filtered, type Page } from "./page.ts";
import {
  BY_URGENCY,
  badge,
  byUrgency,
  countVerdicts,
  framed,
  glyph,
  scoreCell,
  verdictBar,
} from "./parts.ts";
import { GROUPS, sumOf } from "./score.ts";
import type { ScoreBoard } from "./score-board.ts";

/** More are in the list of tests, to which a link leads. */
const LISTED = 8;

export function indexPage(site: Site, board: ScoreBoard, fuzzed: readonly RunFindings[] = []): Page {
  return {
    path: "index.html",
    title: `Bake-off: ${plural(site.entries.length, "test")} on ${plural(site.subjects.length, "peer")}`,
    trail: [{ text: "Overview" }],
    body: html`${hero(site)}
${fuzzing(fuzzed)}
${deviating(site)}
${goldenChanges(site.runs)}
${baselineProblems(site.runs)}
${matrix(site)}
${peers(site, board)}
${runs(site.runs)}`,
  };
}

function hero({ entries, subjects, documents, runs: all }: Site): Markup {
  const counts = countVerdicts(entries);
  const chips = VERDICTS.filter((verdict) => counts.has(verdict)).map(
    (verdict) =>
      html`<a class="chip t-${verdict}" href="${filtered("tests.html", { verdict })}" title="${verdictMeaning(verdict)}">${glyph(verdict)}${verdict} <b>${counts.get(verdict) ?? 0}</b></a>
`,
  );
  return html`<section class="hero"><h1>${headline(entries, all)}</h1>
<p class="soft">${plural(entries.length, "result")} on ${plural(subjects.length, "peer")}, ${plural(documents.length, "document")}.</p>
${verdictBar(counts)}
<div class="chips">${chips}</div></section>`;
}

/** Where there was fuzzing, how much of it can be read. */
function fuzzing(all: readonly RunFindings[]): Fragment {
  const read = all.flatMap(({ read: one }) => (one && "findings" in one ? [one] : []));
  const count = read.reduce((sum, { findings }) => sum + findings.length, 0);
  const withheld = read.reduce((sum, one) => sum + one.withheld, 0);
  return (
    read.length > 0 &&
    html`<p class="card pad">Fuzzing: <a href="findings.html">${plural(count, "finding")}</a>${withheld > 0 && html`, and ${withheld} withheld until the maintainers had their time`}.</p>`
  );
}

function headline(entries: readonly Entry[], runs: readonly Run[]): string {
  if (entries.length === 0) return "No test has finished";
  const count = (standing: string) => entries.filter(({ test }) => standingOf(test) === standing).length;
  const [odd, unstable] = [count("deviates"), count("unstable")];
  const said = entries.some(({ test }) => test.baseline) ? "not as the baseline says" : "not as it should be";
  const golden = runs.flatMap(({ results }) => results.golden ?? []).filter((one) => !isGolden(one)).length;
  if (odd + unstable + golden === 0) return "Everything is as expected";
  return [
    ...(odd > 0 ? [`${odd} of ${entries.length} ${said}`] : []),
    ...(unstable > 0 ? [`${unstable} unstable`] : []),
    ...(golden > 0 ? [`${golden} otherwise than golden captures`] : []),
  ].join(", ");
}

function deviating({ entries }: Site): Fragment {
  const odd = byUrgency(entries.filter(({ test }) => standingOf(test) !== "expected"));
  if (odd.length === 0) return undefined;
  const items = odd.slice(0, LISTED).map(({ test, subject, place }) => {
    const { baseline, again } = test;
    const why = [
      ...(baseline?.deviation ? [baseline.deviation] : []),
      ...(again ? [`again, alone: ${again.verdict}`] : []),
    ].join("; ");
    return html`<li class="t-${test.verdict}"><a href="${place}.html">${badge(test.verdict)}<span class="what"><b>${test.title}</b><span>${test.reason}</span>${why !== "" && html`<span class="mark">${why}</span>`}<code>${test.id}</code></span><span class="who">${subject.label}<small>as ${test.role}</small></span></a></li>
`;
  });
  return html`<section><h2>What asks for a look</h2>
<div class="card"><ol class="list">${items}</ol></div>
${odd.length > LISTED && html`<p><a href="${filtered("tests.html", { standing: "not as the baseline says,not as it should be,unstable" })}">All ${odd.length} of them</a></p>`}</section>`;
}

/** What peers said otherwise than in their golden captures. */
function goldenChanges(all: readonly Run[]): Fragment {
  const lines = all
    .flatMap(({ results }) => results.golden ?? [])
    .filter(({ state }) => state !== "same")
    .map(
      ({ peer, test, state, differences, written }) =>
        html`<li>${peer} <code>${test}</code>: ${state === "different" ? plural(differences, "difference") : state}${written && ", written"}</li>`,
    );
  return (
    lines.length > 0 &&
    html`<section><h2>Otherwise than golden captures</h2><div class="card pad"><ul>${lines}</ul></div></section>`
  );
}

/** What is wrong with the baselines themselves. */
function baselineProblems(all: readonly Run[]): Fragment {
  const lines = all
    .flatMap(({ results }) => results.baselines ?? [])
    .flatMap(({ file, problems }) =>
      problems.map((problem) => html`<li><code>${file}</code>: ${problem}</li>`),
    );
  return (
    lines.length > 0 &&
    html`<section><h2>Wrong in the baselines</h2><div class="card pad"><ul>${lines}</ul></div></section>`
  );
}

/** Documents down, peers across, a column for each role. A cell leads to its tests on the document's page. */
function matrix({ documents, subjects, entries }: Site): Fragment {
  if (entries.length === 0) return undefined;
  const columns = subjects.map((subject) => ({ subject, roles: rolesOf(subject.entries, subject) }));
  const rows = documents.map((part) => {
    const groups = groupBy(part.entries, columnKey);
    const cells = columns.flatMap(({ subject, roles }) =>
      roles.map((role, index) => {
        const own = groups.get(JSON.stringify([subject.slug, role]));
        return html`<td${index === 0 && html` class="first"`}>${own ? cell(part, subject, role, own) : html`<span class="soft" title="no test here">·</span>`}</td>`;
      }),
    );
    return html`<tr><th scope="row"><a href="documents/${part.slug}.html">${part.label}</a>${documentNote(part)}</th>${cells}</tr>
`;
  });
  return html`<section><h2>Documents and peers</h2>
${framed(
  "Documents and peers",
  html`<table class="matrix">
<thead><tr><td rowspan="2"></td>${columns.map(({ subject, roles }) => html`<th scope="colgroup" class="first" colspan="${roles.length}"><a href="peers/${subject.slug}.html" title="${subject.info?.fullVersion ?? subject.peer}">${subject.label}</a></th>`)}</tr>
<tr>${columns.flatMap(({ roles }) => roles.map((role, i) => html`<th scope="col"${i === 0 && html` class="first"`}>as ${role}</th>`))}</tr></thead>
<tbody>${rows}</tbody></table>`,
)}
<p class="soft">A cell counts the tests that passed, and names what most asks for a look. Roles are the peer's.</p></section>`;
}

const columnKey = ({ subject, test }: Entry): string => JSON.stringify([subject.slug, test.role]);

const documentNote = ({ catalogue, provisional }: DocumentPart): Fragment => [
  catalogue && html`<small>${catalogue.title}</small>`,
  provisional !== undefined && html`<small class="mark">provisional</small>`,
];

function cell(part: DocumentPart, subject: Subject, role: string, own: readonly Entry[]): Markup {
  const counts = countVerdicts(own);
  const worst = BY_URGENCY.find((verdict) => counts.has(verdict)) ?? "pass";
  const passed = (counts.get("pass") ?? 0) + (counts.get("tolerated") ?? 0);
  const notes = BY_URGENCY.filter((verdict) => verdict !== "pass" && counts.has(verdict)).map(
    (verdict) => `${counts.get(verdict)}\u00a0${verdict}`,
  );
  const note = notes.length > 2 ? `${notes.slice(0, 2).join(", ")}\u00a0…` : notes.join(", ") || "all pass";
  const target = filtered(`documents/${part.slug}.html`, { peer: subject.slug, role });
  return html`<a class="cell t-${worst}" href="${target}"><b class="figure">${passed} / ${own.length}</b>${verdictBar(counts)}<small>${note}</small></a>`;
}

/** Who took part, and how much of all documents each meets. */
function peers({ subjects }: Site, board: ScoreBoard): Fragment {
  if (subjects.length === 0) return undefined;
  const cards = subjects.map((subject) => {
    const rows = rolesOf(subject.entries, subject).map((role) => {
      const scores = board.of(subject, role);
      const cells = GROUPS.map(
        (group) => html`<td>${scoreCell(sumOf(scores.map((one) => one.scores[group])))}</td>`,
      );
      return html`<tr><th scope="row">${role}</th>${cells}</tr>`;
    });
    return html`<tbody><tr class="head"><th scope="rowgroup" colspan="${GROUPS.length + 1}"><a href="peers/${subject.slug}.html">${subject.label}</a> <span class="soft">${subject.info?.fullVersion}</span></th></tr>${rows}</tbody>
`;
  });
  return html`<section><h2>Peers and requirements</h2>
${framed(
  "Peers and requirements",
  html`<table class="scores"><thead><tr><th scope="col">as</th>${GROUPS.map((group) => html`<th scope="col">${group}</th>`)}</tr></thead>${cards}</table>`,
)}
<p class="soft">Requirements met of those run, over all documents; <a href="${`documents/${board.firstSlug}.html#score`}">how this is counted</a>.</p></section>`;
}

function runs(all: readonly Run[]): Markup {
  const cards = all.map((run) => {
    const { tool, seed, started, finished, interrupted, withheld = [], baselines = [], tests } = run.results;
    const took = formatDuration(Math.max(0, Date.parse(finished) - Date.parse(started)));
    return html`<article class="card pad"><h3>${run.name}</h3><dl>
<dt>started</dt><dd><time datetime="${started}">${started.replace("T", " ").replace(/\.\d+/, "")}</time>, took ${took}</dd>
<dt>tool</dt><dd>${tool.name} ${tool.version}, seed <code>${seed}</code></dd>
<dt>tests</dt><dd>${tests.length}</dd>
${interrupted !== undefined && html`<dt>interrupted</dt><dd><b>${interrupted}</b></dd>`}
${baselines.length > 0 && html`<dt>baselines</dt><dd>${baselines.map(({ file, missing, problems }) => html`<code>${file}</code>${missing && " (there is none: everything must pass)"}${problems.length > 0 && html`, <b>${plural(problems.length, "problem")}</b>`}<br>`)}</dd>`}
${withheld.length > 0 && html`<dt>withheld</dt><dd>${withheld.map((row) => html`${withheldText(row)}<br>`)}</dd>`}
<dt>all of it</dt><dd><a href="runs/${run.number}/results.json">results.json</a></dd></dl></article>
`;
  });
  return html`<section><h2>${all.length === 1 ? "The run" : "The runs"}</h2><div class="grid">${cards}</div></section>`;
}
