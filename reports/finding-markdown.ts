/** A finding of fuzzing on one page of Markdown. */
import type { Finding } from "./findings.ts";
import { cell, code } from "./markdown-page.ts";
import { plural, printable } from "./text.ts";

/** Lines of a detail; the rest is in the finding's file. */
const LINES = 40;

export function findingMarkdown(finding: Finding): string {
  const { title, severity, oracle, requirement, peer, fullVersion, role, stage, setup, seed, seen } = finding;
  const facts: [string, string | undefined][] = [
    ["Peer", `${code(peer)}${role ? ` as ${role}` : ""}: ${cell(fullVersion)}`],
    ["Severity", `${severity}, seen by ${oracle}`],
    ["Breaks", requirement && code(`${requirement.document} ${requirement.id}`)],
    ["Stage", cell(stage)],
    ["Setup", setup && code(setup)],
    ["Seed", code(seed)],
    ["Seen", seen && `${plural(seen.count, "time")}, first ${seen.first}, last ${seen.last}`],
    ["Id", code(finding.id)],
  ];
  return [
    `# ${cell(title)}`,
    "",
    ...facts.flatMap(([name, text]) => (text ? [`- **${name}:** ${text}`] : [])),
    ...conversation(finding),
    ...replay(finding),
    ...detail(finding),
    "",
  ].join("\n");
}

const conversation = ({ steps = [], messages }: Finding): string[] =>
  steps.length === 0
    ? []
    : [
        "",
        `## What is sent${messages === undefined ? "" : `: ${plural(messages, "message")}`}`,
        "",
        ...steps.map((step) => `${/^ */.exec(step)?.[0] ?? ""}${cell(step)}`),
      ];

const replay = ({ reproducer }: Finding): string[] =>
  reproducer === undefined
    ? []
    : ["", "## To see it again", "", fenced(`bakeoff fuzz replay ${printable(reproducer)}`)];

function detail({ detail: text = "" }: Finding): string[] {
  if (text.trim() === "") return [];
  const lines = printable(text).split("\n");
  const rest = lines.length - LINES;
  const shown = rest > 0 ? [...lines.slice(0, LINES), `(${plural(rest, "more line")})`] : lines;
  return ["", "## Detail", "", fenced(shown.join("\n"))];
}

/** With a fence longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${fence}text\n${text}\n${fence}`;
}
