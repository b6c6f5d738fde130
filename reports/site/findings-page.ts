/** The page of what fuzzing found. What is under embargo is counted and not shown. */
import { type Finding, type FindingsError, type Published, SEVERITIES } from "../findings.ts";
import { plural } from "../text.ts";
import { type Brought, REPRODUCER } from "./evidence.ts";
import { type Fragment, html, type Markup } from "./markup.ts";
import type { Run, Site } from "./model.ts";
import { encode, type Page } from "./page.ts";

/** What the folder of a run holds of fuzzing. */
export interface RunFindings {
  run: Run;
  read: Published | FindingsError | undefined;
  /** Files of a finding, by its id. */
  files: ReadonlyMap<string, Brought>;
}

export function findingsPage(site: Site, all: readonly RunFindings[]): Page {
  const listed = all.flatMap(({ read, files }) =>
    read && "findings" in read
      ? read.findings.map((finding) => ({ finding, files: files.get(finding.id) }))
      : [],
  );
  const bySeverity = SEVERITIES.flatMap((severity) =>
    listed.filter(({ finding }) => finding.severity === severity),
  );
  const withheld = all.reduce((sum, { read }) => sum + (read && "findings" in read ? read.withheld : 0), 0);
  return {
    path: "findings.html",
    title: "What fuzzing found",
    trail: [{ text: "Overview", path: "index.html" }, { text: "Fuzzing" }],
    body: html`<h1>What fuzzing found</h1>
${summary(all, listed.length)}
${withheld > 0 && html`<p class="note">${plural(withheld, "finding")} withheld until the maintainers had their time.</p>`}
${problems(all)}
${bySeverity.map(({ finding, files }) => article(finding, files, site))}`,
  };
}

function summary(all: readonly RunFindings[], listed: number): Markup {
  const fuzzed = all.filter(({ read }) => read !== undefined).length;
  if (fuzzed === 0)
    return html`<p class="card pad">${all.length === 1 ? "This folder holds" : "These folders hold"} no findings of fuzzing: no fuzzer has run here, or it left none.</p>`;
  return html`<p class="soft">${plural(listed, "finding")} from ${plural(fuzzed, "folder")}.</p>`;
}

const problems = (all: readonly RunFindings[]): Fragment =>
  all.map(
    ({ run, read }) =>
      read &&
      "error" in read &&
      html`<p class="note"><b>${run.name}:</b> its findings cannot be shown: ${read.reason}</p>`,
  );

function article(finding: Finding, files: Brought | undefined, { documents }: Site): Markup {
  const { requirement, seen, role } = finding;
  const part = documents.find(({ document }) => document === requirement?.document);
  const known = requirement && part?.catalogue?.requirements[requirement.id];
  return html`<article class="card pad finding s-${finding.severity}" id="${finding.id}"><h2>${finding.title}</h2><dl>
<dt>severity</dt><dd><b>${finding.severity}</b>, seen by ${finding.oracle}</dd>
<dt>peer</dt><dd>${finding.peer}${role && html` as ${role}`}, ${finding.fullVersion}</dd>
<dt>stage</dt><dd>${finding.stage}</dd>
${requirement && html`<dt>breaks</dt><dd>${part && known ? html`<a href="documents/${part.slug}.html#${encode(requirement.id)}"><code>${requirement.id}</code></a> ${known.text}` : html`<code>${requirement.document} ${requirement.id}</code>`}</dd>`}
${finding.setup && html`<dt>setup</dt><dd><code>${finding.setup}</code></dd>`}
<dt>seed</dt><dd><code>${finding.seed}</code></dd>
${seen && html`<dt>seen</dt><dd>${plural(seen.count, "time")}, first ${seen.first}, last ${seen.last}</dd>`}
${files && html`<dt>files</dt><dd>${files.files.map(({ path, says }) => html`<a href="${path}">${says}</a> `)}${files.lost.map((one) => html`${one} (lost) `)}</dd>`}</dl>
${conversation(finding)}
${replay(files)}
${detail(finding)}</article>
`;
}

const conversation = ({ steps = [], messages }: Finding): Fragment =>
  steps.length > 0 &&
  html`<h3>What is sent${messages !== undefined && html`: ${plural(messages, "message")}`}</h3><pre class="steps" tabindex="0">${steps.join("\n")}</pre>`;

/** By the name that the file has in the site. */
function replay(files: Brought | undefined): Fragment {
  const file = files?.files.find(({ says }) => says === REPRODUCER);
  return file && html`<p>To see it again: <code>bakeoff fuzz replay ${file.path}</code></p>`;
}

const detail = ({ detail: text = "" }: Finding): Fragment =>
  text.trim() !== "" && html`<details><summary>Detail</summary><pre tabindex="0">${text}</pre></details>`;
