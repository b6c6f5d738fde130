/** What differs between two captures, side by side, on one page that needs no other file. */
import type { Comparison } from "../pcaps/diff/diff.ts";
import { byMessage, type MessageDifferences, whereText } from "../pcaps/diff/grouped.ts";
import type { Difference } from "../pcaps/diff/types.ts";
import { type Fragment, html, render, trusted } from "./site/markup.ts";
import { brief, plural } from "./text.ts";

/** Longer values are cut: a certificate fills pages. */
const MOST_SHOWN = 2000;

/** The page; `names` are what the two are called in its head. */
export function diffPage({ differences, more }: Comparison, names: { a: string; b: string }): string {
  const total = plural(differences.length + more, "difference");
  return render(html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${total}: ${names.a} and ${names.b}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
<h1>${total}</h1>
<dl><dt>A</dt><dd>${names.a}</dd><dt>B</dt><dd>${names.b}</dd></dl>
${differences.length === 0 ? html`<p>Nothing differs in meaning.</p>` : byMessage(differences).map(section)}
${more > 0 && html`<p>${more} more are not listed.</p>`}
</main>
</body>
</html>
`);
}

const section = ({ message, where, differences }: MessageDifferences): Fragment => html`<section>
<h2>${message} <small>${whereText(where)}</small></h2>
<table>
<thead><tr><th scope="col">Field</th><th scope="col">A</th><th scope="col">B</th></tr></thead>
<tbody>
${differences.map(row)}</tbody>
</table>
</section>
`;

function row({ kind, path, message, a, b }: Difference): Fragment {
  const field = path.startsWith(message) ? path.slice(message.length).replace(/^ > /, "") : path;
  return html`<tr class="${kind}"><th scope="row">${field === "" ? "the whole message" : field} <small>${kind}</small></th>${cell(a, kind === "added")}${cell(b, kind === "missing")}</tr>
`;
}

const cell = (text: string | undefined, isAbsent: boolean): Fragment => {
  if (isAbsent) return html`<td class="absent">not there</td>`;
  return text === undefined ? html`<td>there</td>` : html`<td><code>${brief(text, MOST_SHOWN)}</code></td>`;
};

const STYLE = `
:root{--bg:#fff;--ink:#1b1f24;--soft:#57606a;--edge:#d5dce5;--panel:#f2f5f9;--a:#ffe7e4;--b:#ddf4e2}
@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--ink:#e6edf3;--soft:#9da7b3;--edge:#2b3542;--panel:#161d27;--a:#431815;--b:#12351c}}
@media print{:root{--bg:#fff;--ink:#1b1f24;--soft:#57606a;--edge:#d5dce5;--panel:#f2f5f9;--a:#ffe7e4;--b:#ddf4e2}}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",Helvetica,Arial,sans-serif}
main{max-width:75rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}
small{color:var(--soft);font-weight:400}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem}dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;table-layout:fixed}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border:1px solid var(--edge);overflow-wrap:anywhere}
th{font-weight:500}thead th{background:var(--panel)}
code{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:.9em;white-space:pre-wrap}
td:nth-child(2){background:var(--a)}td:nth-child(3){background:var(--b)}
td.absent{background:none;color:var(--soft);font-style:italic}
tr.reordered td{background:var(--panel)}
`;
