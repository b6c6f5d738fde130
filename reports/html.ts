/**
 * The report as one HTML file. It opens from disk, asks nothing of any server, and shows text of peers as text:
 * markup is escaped by construction and the page's policy lets no script run but its own.
 */
import { createHash } from "node:crypto";
import type { Extras } from "./extras.ts";
import { html, render, trusted } from "./html/markup.ts";
import { SCRIPT } from "./html/script.ts";
import { STYLE } from "./html/style.ts";
import { baselineProblems, header, matrix, peerTable } from "./html/summary.ts";
import { testList } from "./html/tests.ts";
import type { Results } from "./results.ts";

function digest(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** Text of report.html. */
export function toHtml(results: Results, extras: Extras = {}): string {
  const policy = `default-src 'none'; base-uri 'none'; form-action 'none'; style-src ${digest(STYLE)}; script-src ${digest(SCRIPT)}`;
  return render(html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bake-off of ${results.started.slice(0, 10)}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<a class="skip" href="#tests">Skip to the tests</a>
${header(results)}
<main>
${baselineProblems(results)}
${matrix(results)}
${testList(results, extras)}
${peerTable(results)}
</main>
<footer>The same results are in results.json, and each test's capture, keys and log lie beside this file.</footer>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`);
}
