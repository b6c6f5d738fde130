/** How a ladder looks: light and dark, and light on paper. */

const LIGHT = `--bl-bg:#ffffff;--bl-ink:#1b1f24;--bl-soft:#57606a;--bl-rail:#c3cad3;--bl-left:#0b5cad;--bl-right:#7b3aa3;--bl-panel:#f2f5f9;--bl-edge:#d5dce5;--bl-fault:#b3231a;--bl-fault-bg:#ffe7e4;--bl-divergence:#855000;--bl-divergence-bg:#fff0cc;`;
const DARK = `--bl-bg:#0d1117;--bl-ink:#e6edf3;--bl-soft:#9da7b3;--bl-rail:#3d4752;--bl-left:#79b8ff;--bl-right:#d2a8ff;--bl-panel:#161d27;--bl-edge:#2b3542;--bl-fault:#ff9a90;--bl-fault-bg:#431815;--bl-divergence:#f2c266;--bl-divergence-bg:#3d2c07;`;

const RULES = `
.bl text{font:12px/1.2 system-ui,"Segoe UI",Helvetica,Arial,sans-serif;fill:var(--bl-ink)}
.bl .bl-bg{fill:var(--bl-bg)}
.bl .bl-title{font-size:15px;font-weight:600}
.bl .bl-soft{fill:var(--bl-soft)}
.bl .bl-note{fill:var(--bl-soft);font-style:italic;font-weight:400}
.bl .bl-time,.bl .bl-mono{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;font-size:11px}
.bl .bl-time{fill:var(--bl-soft)}
.bl .bl-head{font-weight:600}
.bl .bl-name{font-weight:600}
.bl .bl-rail{stroke:var(--bl-rail);stroke-width:2}
.bl .bl-gap{stroke-dasharray:1 5;stroke-linecap:round}
.bl .bl-box{fill:var(--bl-panel);stroke:var(--bl-edge)}
.bl .bl-arrow{stroke-width:2;fill:none}
.bl .bl-tip{stroke:none}
.bl .bl-thin .bl-arrow{stroke-width:1}
.bl .bl-again .bl-arrow{stroke-dasharray:6 4}
.bl .bl-dropped .bl-arrow{opacity:.55}
.bl .bl-from-left .bl-arrow{stroke:var(--bl-left)}
.bl .bl-from-left .bl-tip{fill:var(--bl-left)}
.bl .bl-from-right .bl-arrow{stroke:var(--bl-right)}
.bl .bl-from-right .bl-tip{fill:var(--bl-right)}
.bl .bl-from-left .bl-side{stroke:var(--bl-left);stroke-width:3}
.bl .bl-from-right .bl-side{stroke:var(--bl-right);stroke-width:3}
.bl .bl-fault .bl-arrow{stroke:var(--bl-fault);stroke-width:3}
.bl .bl-fault .bl-tip{fill:var(--bl-fault)}
.bl .bl-divergence .bl-arrow{stroke:var(--bl-divergence);stroke-width:3}
.bl .bl-divergence .bl-tip{fill:var(--bl-divergence)}
.bl .bl-band-fault{fill:var(--bl-fault-bg);stroke:var(--bl-fault)}
.bl .bl-band-divergence{fill:var(--bl-divergence-bg);stroke:var(--bl-divergence)}
.bl .bl-tone-fault,.bl .bl-tone-fault tspan{fill:var(--bl-fault);font-weight:600}
.bl .bl-tone-divergence,.bl .bl-tone-divergence tspan{fill:var(--bl-divergence);font-weight:600}
.bl .bl-cross{stroke:var(--bl-fault);stroke-width:2.5;stroke-linecap:round}`;

/** For every ladder of a page; all names begin with `bl`. A page may set the variables itself. */
export const LADDER_CSS = `.bl{${LIGHT}}
@media (prefers-color-scheme:dark){.bl{${DARK}}}
@media print{.bl{${LIGHT}}}${RULES}
`;
