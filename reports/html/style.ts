/** The style sheet of the report page. Light and dark by the reader's own setting; no font, image or file from outside. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --bg: #f6f7f9; --card: #fff; --ink: #1b2430; --soft: #5b6775; --line: #dde2e8; --accent: #1f5fbf; --hover: #eef2f8;
  --pass: #1f8a4c; --tolerated: #6f8f1d; --wrong-reason: #c56a00; --fail: #cf2a35; --unsupported: #77828f;
  --ambiguous: #7a4fc4; --crash: #a01774; --hang: #8a5a3b; --setup: #3f6f8f; --behind: #4f7a86;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #12161c; --card: #1a2028; --ink: #e4e9ef; --soft: #9aa6b4; --line: #2d3641; --accent: #7fb0ff; --hover: #222a35;
    --pass: #45b877; --tolerated: #a3bf4a; --wrong-reason: #f0a04b; --fail: #ff6b73; --unsupported: #8e99a6;
    --ambiguous: #b394f0; --crash: #ef6fc6; --hang: #cf9a76; --setup: #79acd0; --behind: #7fb3c2;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
main, header > div { max-width: 74rem; margin: 0 auto; padding: 0 1.25rem; }
header { background: var(--card); border-bottom: 1px solid var(--line); padding: 1.4rem 0 1.2rem; }
h1 { font-size: 1.55rem; line-height: 1.25; margin: 0 0 .3rem; letter-spacing: -.01em; }
h2 { font-size: 1.1rem; margin: 2rem 0 .7rem; }
p { margin: .3rem 0; }
a { color: var(--accent); }
code, pre, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .87em; }
.soft { color: var(--soft); }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .4rem .8rem; z-index: 2; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.alert { border-left: 4px solid var(--wrong-reason); background: var(--bg); padding: .5rem .8rem; margin-top: .8rem; }
.bar { display: block; width: 100%; height: 12px; border-radius: 6px; margin: .9rem 0 .7rem; background: var(--line); }
.chips, .filters { display: flex; flex-wrap: wrap; gap: .45rem; align-items: center; }
.chip { display: inline-flex; align-items: center; gap: .4rem; border: 1px solid var(--line); border-radius: 99px; padding: .12rem .7rem .12rem .55rem; background: var(--card); color: inherit; font: inherit; font-size: .9rem; cursor: pointer; }
.chip:hover { background: var(--hover); }
.chip[aria-pressed="false"] { opacity: .45; }
.chip b { font-variant-numeric: tabular-nums; }
.dot { width: .65rem; height: .65rem; border-radius: 50%; background: currentColor; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .45rem .75rem; border-bottom: 1px solid var(--line); vertical-align: middle; white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { font-size: .84rem; font-weight: 600; color: var(--soft); }
.matrix td { padding: .3rem .4rem; min-width: 7rem; height: 1px; }
.matrix td .cell { height: 100%; }
.matrix .first { border-left: 1px solid var(--line); }
.cell { display: block; border-radius: 7px; padding: .25rem .5rem; text-decoration: none; color: var(--ink); font-variant-numeric: tabular-nums; background: color-mix(in srgb, var(--tone) 14%, transparent); border-left: 4px solid var(--tone); }
.cell:hover { background: color-mix(in srgb, var(--tone) 26%, transparent); }
.cell small { display: block; white-space: normal; color: var(--soft); font-size: .76rem; line-height: 1.2; }
.badge { display: inline-block; width: 7.4rem; text-align: center; border-radius: 5px; padding: .05rem .45rem; font-size: .8rem; font-weight: 600; color: var(--tone); background: color-mix(in srgb, var(--tone) 13%, transparent); border: 1px solid color-mix(in srgb, var(--tone) 45%, transparent); }
.filters { position: sticky; top: 0; background: var(--bg); padding: .6rem 0; z-index: 1; }
.filters input, .filters select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 7px; padding: .3rem .6rem; max-width: 100%; }
.filters input { flex: 1 1 16rem; }
.tests { list-style: none; margin: 0; padding: 0; overflow: hidden; }
.tests > li { scroll-margin-top: 4rem; }
.tests > li + li { border-top: 1px solid var(--line); }
summary { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; gap: .2rem .8rem; align-items: baseline; padding: .5rem .8rem; cursor: pointer; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary:hover, details[open] > summary { background: var(--hover); }
summary .what { min-width: 0; overflow-wrap: anywhere; }
summary .what code { display: block; color: var(--soft); font-size: .78rem; }
summary .what em { display: block; font-style: normal; font-size: .88rem; color: var(--tone); }
.mark { display: table; border: 1px solid var(--line); border-radius: 5px; padding: 0 .4rem; color: var(--soft); font-size: .76rem; }
.mark.m-deviates { color: var(--fail); border-color: var(--fail); font-weight: 600; } .mark.m-unstable { color: var(--wrong-reason); border-color: var(--wrong-reason); }
summary .who { text-align: right; font-size: .86rem; }
summary .who span { display: block; color: var(--soft); font-size: .78rem; }
.body { padding: .4rem 1rem 1.1rem; }
.body > p, .body dd { overflow-wrap: anywhere; }
.prose { white-space: pre-line; max-width: 62rem; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem; margin: .8rem 0; }
.two > div { border: 1px solid var(--line); border-radius: 8px; padding: .5rem .8rem; border-top: 3px solid var(--tone); min-width: 0; }
.body h3 { margin: .1rem 0 .2rem; font-size: .78rem; text-transform: uppercase; letter-spacing: .05em; color: var(--soft); }
.two p { white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem 1rem; margin: .7rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
pre { background: var(--bg); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; overflow: auto; max-height: 34rem; line-height: 1.4; margin: .3rem 0 .8rem; }
.none { padding: 1.2rem; text-align: center; }
footer { max-width: 74rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; color: var(--soft); font-size: .88rem; }
[hidden] { display: none !important; }
.t-pass { --tone: var(--pass); } .t-tolerated { --tone: var(--tolerated); } .t-wrong-reason { --tone: var(--wrong-reason); }
.t-fail { --tone: var(--fail); } .t-unsupported { --tone: var(--unsupported); } .t-ambiguous { --tone: var(--ambiguous); }
.t-behind { --tone: var(--behind); } .t-crash { --tone: var(--crash); } .t-hang { --tone: var(--hang); } .t-setup { --tone: var(--setup); }
.dot { color: var(--tone); } rect { fill: var(--tone); }
@media (max-width: 40rem) {
  .two { grid-template-columns: 1fr; }
  summary { grid-template-columns: 1fr; }
  summary .what em { display: block; font-style: normal; font-size: .88rem; color: var(--tone); }
summary .who { text-align: left; }
  .badge { justify-self: start; }
}
@media print { .filters, .skip { display: none; } }
`;
