/** The page of a document: its scores, and its requirements with what every peer did. */
import type { CatalogueEntry, Role } from "../extras.ts";
import { groupBy } from "../group.ts";
import { outcomeOf } from "../results.ts";
import { plural } from "../text.ts";
import { type Fragment, html, type Markup } from "./markup.ts";
import type { DocumentPart, Entry, Site, Subject } from "./model.ts";
import { rolesOf } from "./model.ts";
import { encode, filtered, type Page } from "./page.ts";
import { countVerdicts, framed, glyph, scoreCell, toneOf, verdictBar } from "./parts.ts";
import {
  type Annotated,
  DEFINITION,
  GROUPS,
  groupOf,
  type RequirementStanding,
  STANDINGS,
  standingFor,
} from "./score.ts";
import type { ScoreBoard } from "./score-board.ts";

interface Column {
  subject: Subject;
  role: Role;
}

export function documentPage(part: DocumentPart, { subjects }: Site, board: ScoreBoard): Page {
  const columns = subjects.flatMap((subject) =>
    rolesOf(part.entries, subject).map((role) => ({ subject, role })),
  );
  const requirements = board.requirements(part);
  const title = part.catalogue?.title;
  return {
    path: `documents/${part.slug}.html`,
    title: title === undefined ? part.label : `${part.label}: ${title}`,
    trail: [{ text: "Overview", path: "index.html" }, { text: part.label }],
    scripts: ["document.js"],
    body: html`<h1>${part.label}${title !== undefined && html` <span class="soft">${title}</span>`}</h1>
<p class="soft">${plural(requirements.length, "requirement")}, ${plural(part.entries.length, "result")} of ${plural(new Set(part.entries.map(({ test }) => test.id)).size, "test")}${part.revision !== "" && `, revision ${part.revision}`}. <a href="../${filtered("tests.html", { document: part.label })}">All its tests as a list</a></p>
${part.provisional !== undefined && html`<p class="note"><b>Provisional, our own definition:</b> ${part.provisional}</p>`}
${scoreSection(part, board)}
${requirementSection(part, requirements, columns)}`,
  };
}

function scoreSection(part: DocumentPart, board: ScoreBoard): Markup {
  const rows = board.rows
    .filter((row) => row.part === part)
    .map(({ subject, role, scores }) => {
      const own = part.entries.filter((entry) => entry.subject === subject && entry.test.role === role);
      const counts = countVerdicts(own);
      const passed = own.filter(({ test }) => outcomeOf(test.verdict) === "passed").length;
      const cells = GROUPS.map(
        (group) =>
          html`<td data-level="${group}" data-met="${scores[group].met}" data-run="${scores[group].run}">${scoreCell(scores[group])}</td>`,
      );
      return html`<tr data-subject="${subject.label}" data-role="${role}"><th scope="row"><a href="../peers/${subject.slug}.html">${subject.label}</a><small>as ${role}</small></th><td><b class="figure">${passed} / ${own.length}</b>${verdictBar(counts)}<small>tests passed</small></td>${cells}</tr>
`;
    });
  return html`<section><h2 id="score">Scores</h2>
${framed(
  "Scores by level",
  html`<table class="scores"><thead><tr><th scope="col">peer</th><th scope="col">tests</th>${GROUPS.map((group) => html`<th scope="col">${group}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`,
)}
<details class="define"><summary>How a score is counted</summary><ol>${DEFINITION.map((line) => html`<li>${line}</li>`)}</ol></details></section>`;
}

function requirementSection(
  part: DocumentPart,
  requirements: readonly Annotated[],
  columns: readonly Column[],
): Markup {
  const sections = [...groupBy(requirements, ({ section }) => section)].map(
    ([section, own]) =>
      html`<tbody><tr class="head"><th scope="rowgroup" colspan="${columns.length + 1}">${section === "" ? "No section" : `Section ${section}`}</th></tr>
${own.map((requirement) => requirementRow(part, requirement, columns))}</tbody>
`,
  );
  const heads = columns.map(
    ({ subject, role }, index) =>
      html`<th scope="col" data-column="${index}" data-peer="${subject.slug}" data-role="${role}">${subject.label}<small>as ${role}</small></th>`,
  );
  return html`<section><h2 id="requirements">Requirements <span class="soft count" id="count" role="status"></span></h2>
${filters(columns)}
${framed(
  "Requirements",
  html`<table class="requirements" id="rows"><thead><tr><th scope="col">requirement, in our words</th>${heads}</tr></thead>
${sections}</table>`,
)}
<p class="none soft" id="none" hidden>No requirement fits these filters.</p></section>`;
}

function filters(columns: readonly Column[]): Markup {
  const peers = new Map(columns.map(({ subject }) => [subject.slug, subject.label]));
  const options = (pairs: Iterable<readonly [string, string]>) =>
    [...pairs].map(([value, text]) => html`<option value="${value}">${text}</option>`);
  const same = (values: Iterable<string>) => [...values].map((value) => [value, value] as const);
  const roles = new Set(columns.map(({ role }) => role));
  return html`<form class="filters" role="search" aria-label="Requirements" hidden>
<input type="search" name="q" aria-label="Find in requirements" placeholder="Find in requirements and tests   ( / )">
<select name="peer" aria-label="Peer"><option value="">every peer</option>${options(peers)}</select>
<select name="role" aria-label="Role"><option value="">every role</option>${options(same(roles))}</select>
<select name="level" aria-label="Level"><option value="">every level</option>${options(same(GROUPS))}</select>
<select name="standing" aria-label="Standing"><option value="">every standing</option>${options(same(STANDINGS))}</select>
<button type="reset">show all</button></form>`;
}

function requirementRow(part: DocumentPart, requirement: Annotated, columns: readonly Column[]): Markup {
  const { id, level, known } = requirement;
  const cells = columns.map((column, index) => {
    const standing = standingFor(requirement, column.subject, column.role);
    return html`<td data-column="${index}" data-standing="${standing}">${standingCell(part, requirement, column, standing)}</td>`;
  });
  return html`<tr id="${id}" data-level="${groupOf(level)}"><th scope="row"><span class="ids"><a href="#${encode(id)}"><code>${id}</code></a> <span class="level l-${groupOf(level)}">${level === "stmt" ? "statement" : level}</span>${known && html` <span class="soft">${known.who}</span>`}</span>
<span class="text">${known?.text ?? "Not in the catalogue."}</span>${untestable(known)}
${tests(requirement)}</th>${cells}</tr>
`;
}

function untestable(known?: CatalogueEntry): Fragment {
  const why = known?.untestable;
  if (why === undefined) return undefined;
  const lines =
    typeof why === "string" ? [why] : Object.entries(why).map(([role, reason]) => `as ${role}: ${reason}`);
  return html`<span class="why"><b>Not testable</b> ${lines.join("; ")}</span>`;
}

function standingCell(
  part: DocumentPart,
  { id, entries }: Annotated,
  { subject, role }: Column,
  standing: RequirementStanding,
): Markup {
  const own = entries.filter((entry) => entry.subject === subject && entry.test.role === role);
  const [only] = own;
  if (!only) return html`<span class="idle">${standing === "not bound" ? "–" : standing}</span>`;
  const passed = own.filter(({ test }) => outcomeOf(test.verdict) === "passed").length;
  const target =
    own.length === 1
      ? `${only.place}.html`
      : filtered("tests.html", { document: part.label, peer: subject.label, role, requirement: id });
  return html`<a class="cell ${toneOf(standing)}" href="../${target}"><b class="figure">${passed} / ${own.length}</b><small>${standing}</small></a>`;
}

/** The tests that name it, each with the verdict of every peer. */
function tests({ entries, known }: Annotated): Fragment {
  if (entries.length === 0) return undefined;
  const groups = [...groupBy(entries, ({ test }) => test.id).values()];
  const several = new Set(entries.map(({ subject }) => subject)).size > 1;
  const items = groups.map(
    (own) =>
      html`<li>${several && own[0]?.test.title} ${own.map((entry) => verdictLink(entry, several ? `${entry.subject.label} as ${entry.test.role}` : `${entry.test.title} (as ${entry.test.role})`))}</li>
`,
  );
  return html`<details><summary>${plural(groups.length, "test")}</summary>${known?.observed !== undefined && html`<p class="soft">How it is seen: ${known.observed}</p>`}<ul>${items}</ul></details>`;
}

const verdictLink = ({ test, place }: Entry, text: string): Markup =>
  html`<a class="mini t-${test.verdict}" href="../${place}.html" title="${test.verdict}">${glyph(test.verdict)}<span class="sr">${test.verdict}: </span>${text}</a> `;
