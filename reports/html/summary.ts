/** The top of the page: what came out, who took part, and the matrix of documents and peers. */
import { groupBy } from "../group.ts";
import {
  type Agreement,
  type Counts,
  documentLabel,
  outcomeOf,
  type PeerInfo,
  type Results,
  standingOf,
  type TestResult,
  VERDICTS,
  type Verdict,
  verdictMeaning,
} from "../results.ts";
import { formatDuration, plural, withheldText } from "../text.ts";
import { type Fragment, html, type Markup } from "./markup.ts";

/** Verdicts by how much they ask for a look: the first present one colours a cell of the matrix. */
export const BY_URGENCY: readonly Verdict[] = [
  "fail",
  "wrong-reason",
  "crash",
  "hang",
  "setup",
  "ambiguous",
  "tolerated",
  "behind",
  "unsupported",
  "pass",
];

export function header(results: Results): Markup {
  const { tool, seed, started, finished, interrupted, tests, totals, withheld = [] } = results;
  const took = formatDuration(Math.max(0, Date.parse(finished) - Date.parse(started)));
  return html`<header><div>
<h1>${headline(results)}</h1>
<p class="soft">${tool.name} ${tool.version} · ${plural(tests.length, "test")} on ${plural(results.peers.length, "peer")} · started <time datetime="${started}">${started.replace("T", " ").replace(/\.\d+/, "")}</time> · took ${took} · seed <code>${seed}</code></p>
${interrupted !== undefined && html`<p class="alert" role="note"><b>Interrupted:</b> ${interrupted}</p>`}
${withheld.map((row) => html`<p class="soft">${withheldText(row)}</p>`)}
${bar(totals.verdicts)}
<div class="chips" role="group" aria-label="Verdicts; press to filter the list of tests">${chips(totals.verdicts)}</div>
</div></header>`;
}

function headline({ tests, baselines }: Results): string {
  if (tests.length === 0) return "No test has finished";
  if (baselines) return comparedHeadline(tests, baselines);
  const count = (outcome: string) => tests.filter((test) => outcomeOf(test.verdict) === outcome).length;
  const parts: [number, string][] = [
    [count("failed"), "failed"],
    [count("broken"), "broke off"],
    [count("skipped"), "not decided"],
  ];
  const bad = parts.filter(([n]) => n > 0).map(([n, what]) => `${n} ${what}`);
  return [`${count("passed")} of ${tests.length} passed`, ...bad].join(", ");
}

/** Of a run that was judged by baselines it matters what is new. */
function comparedHeadline(
  tests: readonly TestResult[],
  baselines: NonNullable<Results["baselines"]>,
): string {
  const count = (agreement: Agreement) => tests.filter((test) => standingOf(test) === agreement).length;
  const unstable = count("unstable");
  const problems = baselines.reduce((sum, { problems }) => sum + problems.length, 0);
  return [
    `${count("expected")} of ${tests.length} as expected`,
    ...(count("deviates") > 0 ? [`${count("deviates")} not as the baseline says`] : []),
    ...(unstable > 0 ? [`${unstable} unstable`] : []),
    ...(problems > 0 ? [`${problems} wrong in the baselines`] : []),
  ].join(", ");
}

/** What is wrong with the baselines themselves. */
export function baselineProblems({ baselines = [] }: Results): Fragment {
  const lines = baselines.flatMap(({ file, problems }) =>
    problems.map((problem) => html`<li><code>${file}</code>: ${problem}</li>`),
  );
  return (
    lines.length > 0 &&
    html`<h2 id="baselines">Wrong in the baselines</h2>
<div class="card"><ul>${lines}</ul></div>`
  );
}

/** A stacked bar; every part has its count as a tooltip, and the chips below say the same in words. */
function bar(counts: Counts): Markup {
  const all = VERDICTS.reduce((sum, verdict) => sum + counts[verdict], 0) || 1;
  let left = 0;
  const parts = VERDICTS.filter((verdict) => counts[verdict] > 0).map((verdict) => {
    const width = (100 * counts[verdict]) / all;
    const part = html`<rect class="t-${verdict}" x="${left}%" y="0" width="${width}%" height="12"><title>${counts[verdict]} ${verdict}</title></rect>`;
    left += width;
    return part;
  });
  return html`<svg class="bar" aria-hidden="true">${parts}</svg>`;
}

function chips(counts: Counts): Fragment {
  return VERDICTS.filter((verdict) => counts[verdict] > 0).map(
    (verdict) =>
      html`<button type="button" class="chip t-${verdict}" data-verdict="${verdict}" aria-pressed="true" title="${verdictMeaning(verdict)}"><span class="dot"></span>${verdict} <b>${counts[verdict]}</b></button>
`,
  );
}

/** Documents down, peers across, one cell for each role. A cell links to the list, filtered to it. */
export function matrix({ totals, peers, tests }: Results): Fragment {
  if (tests.length === 0) return undefined;
  const known = new Map(peers.map((peer) => [peer.id, peer]));
  const columns = [...groupBy(totals.documents, (row) => row.peer)].map(([peer, rows]) => ({
    peer,
    info: known.get(peer),
    roles: (["initiator", "responder"] as const).filter((role) => rows.some((row) => row.role === role)),
  }));
  const provisional = new Set(tests.filter((test) => test.provisional !== undefined).map(documentLabel));
  const body = [...groupBy(totals.documents, documentLabel)].map(([document, rows]) => {
    const cells = columns.flatMap(({ peer, roles }) =>
      roles.map((role, index) => {
        const row = rows.find((r) => r.peer === peer && r.role === role);
        return html`<td${index === 0 && html` class="first"`}>${row ? cell(row) : html`<span class="soft">–</span>`}</td>`;
      }),
    );
    return html`<tr><th scope="row">${document}${provisional.has(document) && html` <span class="soft">provisional</span>`}</th>${cells}</tr>\n`;
  });
  return html`<h2 id="matrix">Documents and peers</h2>
<div class="card scroll" tabindex="0" role="region" aria-labelledby="matrix"><table class="matrix">
<thead><tr><td rowspan="2"></td>${columns.map(({ peer, info, roles }) => html`<th scope="colgroup" class="first" colspan="${roles.length}">${peerHead(peer, info)}</th>`)}</tr>
<tr>${columns.flatMap(({ roles }) => roles.map((role, i) => html`<th scope="col"${i === 0 && html` class="first"`}>as ${role}</th>`))}</tr></thead>
<tbody>${body}</tbody></table></div>
<p class="soft">A cell counts the tests that passed, and names what most asks for a look. Roles are the peer's.</p>`;
}

function peerHead(id: string, info?: PeerInfo): Fragment {
  return html`<span title="${info ? `${info.fullVersion}, runs in: ${info.runtime}` : id}">${id}</span>`;
}

function cell(row: Results["totals"]["documents"][number]): Markup {
  const worst = BY_URGENCY.find((verdict) => row.verdicts[verdict] > 0) ?? "pass";
  const passed = row.verdicts.pass + row.verdicts.tolerated;
  const note = BY_URGENCY.filter((verdict) => verdict !== "pass" && row.verdicts[verdict] > 0).map(
    (verdict) => `${row.verdicts[verdict]} ${verdict}`,
  );
  return html`<a class="cell t-${worst}" href="#tests" data-document="${documentLabel(row)}" data-peer="${row.peer}" data-role="${row.role}">${passed} / ${row.tests}<small>${note.slice(0, 2).join(", ") || "all pass"}${note.length > 2 && " …"}</small></a>`;
}

export function peerTable({ peers }: Results): Fragment {
  if (peers.length === 0) return undefined;
  return html`<h2 id="peers">Peers</h2>
<div class="card scroll" tabindex="0" role="region" aria-labelledby="peers"><table>
<thead><tr><th scope="col">peer</th><th scope="col">version it states</th><th scope="col">runs in</th></tr></thead>
<tbody>${peers.map((peer) => html`<tr><th scope="row">${peer.id}</th><td>${peer.fullVersion}</td><td>${peer.runtime}</td></tr>\n`)}</tbody></table></div>`;
}
