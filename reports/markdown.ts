/** A short page for a pull request or a step summary: what is not as expected first, then a matrix. */
import { baselineProblems, endingSoon, sidesOf } from "./counted.ts";
import { type Published, SEVERITIES } from "./findings.ts";
import { groupBy } from "./group.ts";
import { cell, code, page, type Section, tableHead, tableRow } from "./markdown-page.ts";
import { documentLabel, outcomeOf, type Results, standingOf, type TestResult, VERDICTS } from "./results.ts";
import { formatDuration, plural, withheldText } from "./text.ts";

/** Columns of the matrix; a run has few peers, and a page is not wider. */
const COLUMNS = 6;

/** Text of report.md, of 60 lines at most. What a baseline knows stands apart from what is new. */
export function toMarkdown(results: Results, found: Published = { findings: [], withheld: 0 }): string {
  const tests = [...results.tests].sort((a, b) => rank(a) - rank(b));
  const deviating = tests.filter((test) => test.baseline && standingOf(test) === "deviates");
  const isFixed = ({ verdict, baseline }: TestResult) =>
    outcomeOf(verdict) === "passed" && baseline !== undefined && outcomeOf(baseline.expected) !== "passed";
  const odd = (test: TestResult) => `${told(test)} (${cell(test.baseline?.deviation ?? "")})${again(test)}`;
  const sections: Section[] = [
    { title: "Not as the baseline says", rows: deviating.filter((test) => !isFixed(test)).map(odd) },
    { title: "Otherwise than golden captures", rows: golden(results) },
    { title: "Better than the baseline says", rows: deviating.filter(isFixed).map(odd) },
    { title: "Wrong in the baselines", rows: problems(results) },
    fuzzed(found),
    { title: "Not pass", rows: tests.filter((test) => !test.baseline && test.verdict !== "pass").map(told) },
    { title: "Unstable", rows: tests.filter((test) => standingOf(test) === "unstable").map(odd) },
    { title: "Baseline entries that end soon", rows: endingSoon(results).map(known) },
    matrix(results),
    { title: "Known", rows: tests.filter(isKnown).map(known) },
    { title: "Provisional: our own definition", rows: provisional(results) },
  ];
  const good =
    results.tests.every(({ verdict }) => verdict === "pass") &&
    golden(results).length + found.findings.length + found.withheld === 0;
  const above = [...summary(results), ...(good ? ["Every verdict is `pass`.", ""] : [])];
  const fuzzedAlone = results.tests.length === 0 && found.findings.length + found.withheld > 0;
  return page(above, sections, fuzzedAlone ? BELOW_FINDINGS : below(results));
}

const isKnown = ({ baseline }: TestResult): boolean =>
  baseline?.known !== undefined && baseline.agreement === "expected";

const rank = (test: TestResult): number =>
  ["failed", "broken", "skipped", "passed"].indexOf(outcomeOf(test.verdict)) * VERDICTS.length +
  VERDICTS.indexOf(test.verdict);

/** Lines of withheld tests and of notes that are told one by one. */
const SAID = 2;

function summary(results: Results): string[] {
  const { tool, seed, started, finished, interrupted, tests, totals, withheld = [], notes = [] } = results;
  const counts = VERDICTS.filter((verdict) => totals.verdicts[verdict] > 0);
  const took = formatDuration(Date.parse(finished) - Date.parse(started));
  const said = [
    ...(interrupted === undefined ? [] : [`**Interrupted:** ${cell(interrupted)}`]),
    ...few(withheld.map((row) => `${cell(withheldText(row))}.`)),
    ...few(notes.map((note) => `Journal: ${cell(note)}.`)),
  ];
  return [
    `# Bake-off: ${plural(tests.length, "test")}, ${counts.map((v) => `${totals.verdicts[v]} ${v}`).join(", ") || "no verdict"}`,
    "",
    `${cell(tool.name)} ${cell(tool.version)}, seed ${code(seed)}, started ${cell(started)}, took ${took}.`,
    ...said.flatMap((line) => ["", line]),
    "",
  ];
}

const few = (lines: readonly string[]): string[] =>
  lines.length <= SAID ? [...lines] : [...lines.slice(0, SAID - 1), `And ${lines.length - SAID + 1} more.`];

/** A test in one line: what it found, where, and against what. */
function told(test: TestResult): string {
  const { verdict, id, lie, peer, role, level, reason } = test;
  const contrast = sidesOf(test);
  const planted = lie === undefined ? "" : ` lie ${code(lie)}`;
  const sides = contrast ? ` Expected ${cell(contrast.expected)}, seen ${cell(contrast.actual)}.` : "";
  return `**${verdict}** ${code(id)}${planted}, ${code(peer)} as ${role}, ${level}: ${cell(reason)}.${sides}`;
}

const again = ({ again }: TestResult): string =>
  again ? ` Again, alone: **${again.verdict}** ${cell(again.reason)}.` : "";

function known(test: TestResult): string {
  const { why = "", fault = "", expires = "" } = test.baseline?.known ?? {};
  return `**${test.verdict}** ${code(test.id)}, ${code(test.peer)}: ${cell(why)} (fault: ${fault}; until ${cell(expires)})`;
}

const golden = (results: Results): string[] =>
  (results.golden ?? [])
    .filter((one) => one.state !== "same")
    .map(({ peer, test, state, differences, written }) => {
      const what = state === "different" ? plural(differences, "difference") : state;
      return `${code(peer)} ${code(test)}: ${what}${written ? ", written" : ""}`;
    });

const problems = (results: Results): string[] =>
  baselineProblems(results).map(({ file, problem }) => `${code(file)}: ${cell(problem)}`);

/** What fuzzing found, the worst first; of what is under embargo the number. */
function fuzzed({ findings, withheld }: Published): Section {
  const worst = SEVERITIES.flatMap((severity) => findings.filter((one) => one.severity === severity));
  const rows = worst.map(
    ({ severity, title, id, peer, stage }) =>
      `**${severity}** ${code(id)}, ${code(peer)}, stage ${cell(stage)}: ${cell(title)}`,
  );
  const hidden = `${plural(withheld, "finding")} withheld until the maintainers had their time`;
  return { title: "Found by fuzzing", rows: withheld === 0 ? rows : [...rows, hidden] };
}

/** Documents and peers; a cell tells how many are proven to be good, and each kind of what is not. */
function matrix({ totals, peers }: Results): Section {
  const ids = [...new Set(totals.documents.map(({ peer }) => peer))];
  const shown = ids.slice(0, COLUMNS);
  const documents = [...groupBy(totals.documents, documentLabel)];
  const rows = documents.map(([label, all]) =>
    tableRow([code(label), ...shown.map((peer) => matrixCell(all.filter((row) => row.peer === peer)))]),
  );
  const rest = ids.length - shown.length;
  const names = peers
    .filter(({ id }) => shown.includes(id))
    .map(({ id, fullVersion, runtime }) => `${code(id)} is ${cell(fullVersion)} (${cell(runtime)})`);
  const more = rest > 0 ? [`${plural(rest, "more peer")} in results.json`] : [];
  const lead = [...names, ...more].join("; ");
  return {
    title: "Totals",
    rows,
    ...(lead === "" ? {} : { lead: `${lead}.` }),
    head: tableHead(["document", ...shown.map(code)]),
  };
}

function matrixCell(rows: Results["totals"]["documents"]): string {
  const sum = (verdict: (typeof VERDICTS)[number]) =>
    rows.reduce((all, { verdicts }) => all + verdicts[verdict], 0);
  const tests = rows.reduce((all, row) => all + row.tests, 0);
  if (tests === 0) return "";
  const others = VERDICTS.filter((verdict) => verdict !== "pass" && sum(verdict) > 0);
  return [`${sum("pass")}/${tests} pass`, ...others.map((verdict) => `${sum(verdict)} ${verdict}`)].join(
    ", ",
  );
}

/** What of the documents is our own definition. */
const provisional = ({ tests }: Results): string[] =>
  [...groupBy(tests, documentLabel)].flatMap(([label, [test]]) =>
    test?.provisional === undefined ? [] : [`${code(label)}: ${cell(test.provisional)}`],
  );

const BELOW_FINDINGS = ["What shows a finding, its capture and its keys lie in `findings/`."];

const below = ({ tests }: Results): string[] =>
  tests.length === 0
    ? ["No test has finished."]
    : ["Everything is in results.json; each test's ladder, capture and log lie in `evidence/`."];
