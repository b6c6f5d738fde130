/** The filterable list of tests, each with its details. */

import type { Extras } from "../extras.ts";
import { groupBy } from "../group.ts";
import {
  documentLabel,
  outcomeOf,
  type Results,
  standingOf,
  type TestResult,
  testKey,
  verdictMeaning,
} from "../results.ts";
import { formatDuration, linkTo } from "../text.ts";
import { type Fragment, html, type Markup } from "./markup.ts";
import { BY_URGENCY } from "./summary.ts";

/** The list: what is not as it should be, then the rest; in both, most urgent verdicts first. */
export function testList({ tests }: Results, extras: Extras): Markup {
  const byVerdict = BY_URGENCY.flatMap((verdict) => tests.filter((test) => test.verdict === verdict));
  const compared = (test: TestResult) => test.baseline !== undefined && standingOf(test) === "deviates";
  const sorted = [...byVerdict.filter(compared), ...byVerdict.filter((test) => !compared(test))];
  const byId = groupBy(tests, (test) => test.id);
  const items = sorted.map((test) => item(test, byId.get(test.id) ?? [], extras));
  return html`<h2 id="tests">Tests <span class="soft" id="shown" aria-live="polite"></span></h2>
${filters(tests)}
<div class="card"><ul class="tests">${items}</ul><p class="none soft" id="none" hidden>No test fits these filters.</p></div>`;
}

function filters(tests: readonly TestResult[]): Markup {
  const options = (values: Iterable<string>) =>
    [...values].map((value) => html`<option value="${value}">${value}</option>`);
  const select = (field: "document" | "peer" | "role", of = (test: TestResult) => test[field]) => html`
<select data-field="${field}" aria-label="${field}"><option value="">every ${field}</option>${options(groupBy(tests, of).keys())}</select>`;
  const standings = new Set(tests.flatMap((test) => (test.baseline ? [standingLabel(test)] : [])));
  const baseline = html`
<select data-field="baseline" aria-label="baseline"><option value="">with and without baseline</option>${options(standings)}</select>`;
  return html`<div class="filters" role="search" hidden>
<input id="find" type="search" aria-label="Find in tests" placeholder="Find in ids, titles, reasons, requirements   ( / )">${select("document", documentLabel)}${select("peer")}${select("role")}${standings.size > 0 && baseline}
<button type="button" class="chip" id="clear">show all</button></div>`;
}

/** How a verdict stands to the baseline, in words. */
function standingLabel(test: TestResult): string {
  const standing = standingOf(test);
  if (standing === "deviates") return "not as the baseline says";
  if (standing === "unstable") return "unstable";
  return test.verdict === "pass" ? "pass, as expected" : "known";
}

/** A readable anchor that is the same in every report of the same test. */
function anchor(test: TestResult): string {
  const parts = [test.id, test.peer, test.role, ...(test.lie === undefined ? [] : [test.lie])];
  return parts.join(":").replace(/[^\w./:@-]/g, "-");
}

function item(test: TestResult, sameId: readonly TestResult[], extras: Extras): Markup {
  const text = [
    test.id,
    test.title,
    test.reason,
    test.expected,
    test.actual,
    test.lie ?? "",
    ...test.requirements,
    test.baseline?.deviation ?? "",
    test.baseline?.known?.why ?? "",
  ];
  const standing = test.baseline ? standingLabel(test) : "";
  const mark = standing !== "" && standing !== "pass, as expected";
  return html`
<li id="${anchor(test)}" class="t-${test.verdict}" data-verdict="${test.verdict}" data-document="${documentLabel(test)}" data-peer="${test.peer}" data-role="${test.role}" data-baseline="${standing}" data-text="${text.join(" ").toLowerCase()}"><details>
<summary><span class="badge">${test.verdict}</span><span class="what">${test.title}${test.verdict !== "pass" && html`<em>${test.reason}</em>`}${mark && html`<span class="mark m-${standingOf(test)}">${standing}</span>`}<code>${test.id}</code></span><span class="who">${test.peer}<span>as ${test.role}${test.lie !== undefined && ` · lie ${test.lie}`}</span></span></summary>
<div class="body">
${paragraph(extras.documentation?.get(test.id))}
${contrast(test)}
${facts(test, sameId)}
${ladder(extras.ladders?.get(testKey(test)))}
${links(test)}
</div></details></li>`;
}

/** What was asked and what came, side by side; the other verdicts have neither. */
function contrast({ verdict, expected, actual }: TestResult): Fragment {
  return (
    ["failed", "broken"].includes(outcomeOf(verdict)) &&
    html`<div class="two"><div><h3>expected</h3><p>${expected}</p></div><div><h3>actual</h3><p>${actual}</p></div></div>`
  );
}

function paragraph(text?: string): Fragment {
  return text !== undefined && html`<p class="prose">${text.trim()}</p>`;
}

function facts(test: TestResult, sameId: readonly TestResult[]): Markup {
  const others = sameId.filter((other) => other !== test);
  const document = [
    test.document,
    test.revision && `, revision ${test.revision}`,
    test.section && `, section ${test.section}`,
  ];
  return html`<dl>
<dt>verdict</dt><dd><b>${test.verdict}</b>: ${test.reason}<br><span class="soft">${verdictMeaning(test.verdict)}</span></dd>
${baselineFacts(test)}<dt>text</dt><dd>${document.join("")}${test.provisional !== undefined && html`<br><span class="soft">provisional, our own definition: ${test.provisional}</span>`}</dd>
<dt>requirements</dt><dd>${test.requirements.map((id, i) => html`${i > 0 && ", "}<code>${id}</code>`)} (${test.level})</dd>
<dt>took</dt><dd>${formatDuration(test.durationMs)}</dd>
${others.length > 0 && html`<dt>elsewhere</dt><dd>${others.map((other, i) => html`${i > 0 && ", "}<a href="#${encodeURIComponent(anchor(other))}">${other.peer} as ${other.role}${other.lie !== undefined && ` (lie ${other.lie})`}</a> ${other.verdict}`)}</dd>`}
</dl>`;
}

/** What the baseline says, and what a second try found. */
function baselineFacts({ baseline, again }: TestResult): Fragment {
  if (!baseline) return undefined;
  const { expected, deviation, known } = baseline;
  return html`<dt>baseline</dt><dd><b>${expected}</b>${deviation !== undefined && html`: ${deviation}`}${known && html`<br>${known.why}<br><span class="soft">${known.evidence} · ${known.section} · at fault: ${known.fault} · look again by ${known.expires}</span>`}</dd>
${again && html`<dt>again, alone</dt><dd><b>${again.verdict}</b>: ${again.reason}</dd>`}
`;
}

function ladder(text?: string): Fragment {
  return text !== undefined && html`<h3>Messages</h3><pre tabindex="0">${text.trimEnd()}</pre>`;
}

const EVIDENCE = [
  ["capture", "capture (pcap)"],
  ["keys", "keys for Wireshark"],
  ["events", "event stream"],
  ["ladder", "ladder"],
  ["log", "peer's log"],
] as const;

function links({ evidence, again }: TestResult): Fragment {
  const linksTo = (files: TestResult["evidence"], suffix: string) =>
    EVIDENCE.flatMap(([field, name]) => {
      const path = files[field];
      return path === undefined ? [] : [html`<a href="${linkTo(path)}">${name}${suffix}</a>`];
    });
  const present = [...linksTo(evidence, ""), ...(again ? linksTo(again.evidence, " (again)") : [])];
  return present.length > 0 && html`<p>${present.map((link, i) => [i > 0 && " · ", link])}</p>`;
}
