/**
 * The results as SARIF 2.1.0, the format that code scanning reads: requirements are the rules, and each verdict that is
 * not good news is a result at its test's place in the suites.
 */
import { createHash } from "node:crypto";
import { baselineProblems, messageOf, sidesOf } from "./counted.ts";
import type { Finding } from "./findings.ts";
import { type Origins, sectionLink } from "./origins.ts";
import {
  type Level,
  outcomeOf,
  type Results,
  standingOf,
  type TestResult,
  testKey,
  verdictMeaning,
} from "./results.ts";
import { type FindingRule, findingResult, findingRule, findingRuleId } from "./sarif-findings.ts";
import { message, uriOf } from "./sarif-text.ts";
import { oneLine } from "./text.ts";

const SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json";

/**
 * Text of report.sarif. Counts of all verdicts, also of the good ones, are in the run's properties. `findings` are those
 * of fuzzing that may be told.
 */
export function toSarif(results: Results, origins: Origins = {}, findings: readonly Finding[] = []): string {
  const rules = new Rules(results.tests, origins);
  const open = findings.filter(({ embargo }) => !embargo);
  const found = open.map((finding) => findingResult(finding, rules.forFinding(finding)));
  const run = {
    tool: {
      driver: {
        name: oneLine(results.tool.name),
        version: oneLine(results.tool.version),
        rules: rules.all,
      },
    },
    invocations: [invocation(results)],
    originalUriBaseIds: {
      SRCROOT: { description: message("The root of the harness's source tree.") },
      OUT: { description: message("The folder of the run's report.") },
    },
    columnKind: "utf16CodeUnits",
    results: [
      ...results.tests
        .filter((test) => !isGood(test))
        .map((test) => resultOf(test, rules.indexOf(test), rules, origins)),
      ...found,
    ],
    properties: {
      seed: oneLine(results.seed),
      tests: results.totals.tests,
      verdicts: results.totals.verdicts,
      baselineProblems: baselineProblems(results).length,
    },
  };
  return JSON.stringify({ $schema: SCHEMA, version: "2.1.0", runs: [run] }, null, 1) + "\n";
}

const isGood = (test: TestResult): boolean =>
  outcomeOf(test.verdict) === "passed" && standingOf(test) === "expected";

/** A run that the lab spoilt did not succeed, whatever is wrong with peers. */
function invocation(results: Results) {
  const { started, finished, interrupted, tests } = results;
  const setups = tests.filter(({ verdict }) => verdict === "setup").length;
  const notes = [
    ...(interrupted === undefined ? [] : [`interrupted: ${interrupted}`]),
    ...(setups === 0 ? [] : [`the lab failed in ${setups} of ${tests.length} tests`]),
    ...(results.notes ?? []),
  ];
  const problems = baselineProblems(results).map(({ file, problem }) => `${file}: ${problem}`);
  const notification = (level: "error" | "warning") => (text: string) => ({ level, message: message(text) });
  return {
    executionSuccessful: interrupted === undefined && setups === 0,
    startTimeUtc: started,
    endTimeUtc: finished,
    toolExecutionNotifications: notes.map(notification("warning")),
    toolConfigurationNotifications: problems.map(notification("error")),
  };
}

interface Rule {
  id: string;
  shortDescription: { text: string };
  helpUri?: string;
  defaultConfiguration: { level: "error" | "warning" | "note" };
  properties: { tags: string[]; level: Level; section: string };
}

/** A test is filed under the first of its requirements that has its level; one without any under its section. */
class Rules {
  readonly all: (Rule | FindingRule)[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #catalogues: ReadonlyMap<string, Readonly<Record<string, { level: Level }>>>;

  constructor(tests: readonly TestResult[], origins: Origins) {
    const catalogues = new Map(origins.catalogues?.map((one) => [one.document, one.requirements]));
    this.#catalogues = catalogues;
    for (const test of tests) {
      const id = this.#idOf(test);
      if (this.#indexes.has(id)) continue;
      this.#indexes.set(id, this.all.length);
      const requirement = catalogues.get(test.document)?.[this.#mainOf(test) ?? ""];
      this.all.push(ruleOf(id, { ...test, ...requirement }, requirement?.text ?? test.title, origins));
    }
  }

  indexOf(test: TestResult): number {
    return this.#indexes.get(this.#idOf(test)) ?? -1;
  }

  /** The index of a finding's rule, which is made where no test has made it. */
  forFinding(finding: Finding): number {
    const id = findingRuleId(finding);
    const known = this.#indexes.get(id);
    if (known !== undefined) return known;
    this.#indexes.set(id, this.all.length);
    return this.all.push(findingRule(finding)) - 1;
  }

  #mainOf({ document, requirements, level }: TestResult): string | undefined {
    const known = this.#catalogues.get(document);
    return requirements.find((id) => known?.[id]?.level === level) ?? requirements[0];
  }

  #idOf(test: TestResult): string {
    return oneLine(`${test.document}/${this.#mainOf(test) ?? test.section}`);
  }
}

function ruleOf(id: string, test: TestResult, text: string, origins: Origins): Rule {
  const link = sectionLink(test, origins.texts);
  const { document, section, level } = test;
  return {
    id,
    shortDescription: message(`${document}, section ${section}, ${level}: ${text}`),
    ...(link === undefined ? {} : { helpUri: link }),
    defaultConfiguration: { level: severityOf(level) },
    properties: { tags: [oneLine(document), level], level, section: oneLine(section) },
  };
}

const severityOf = (level: Level): "error" | "warning" | "note" =>
  level.startsWith("MUST") ? "error" : level.startsWith("SHOULD") ? "warning" : "note";

type Kind = "fail" | "review" | "notApplicable" | "open";

/**
 * What deviates from a baseline is an error; without a baseline the level of the requirement decides. What a baseline
 * knows is a note. A verdict that says nothing of the peer has a kind that says so, and no level.
 */
function gradeOf(test: TestResult): { kind: Kind; level: "error" | "warning" | "note" | "none" } {
  const standing = standingOf(test);
  if (test.verdict === "setup") return { kind: "open", level: "none" };
  if (standing === "unstable") return { kind: "review", level: "none" };
  if (standing === "deviates") {
    const broken = outcomeOf(test.verdict) === "broken";
    return { kind: "fail", level: test.baseline || broken ? "error" : severityOf(test.level) };
  }
  if (test.verdict === "ambiguous") return { kind: "review", level: "none" };
  if (outcomeOf(test.verdict) === "skipped") return { kind: "notApplicable", level: "none" };
  return { kind: "fail", level: "note" };
}

function resultOf(test: TestResult, ruleIndex: number, rules: Rules, origins: Origins) {
  const link = sectionLink(test, origins.texts);
  const rule = rules.all[ruleIndex];
  return {
    ...(rule ? { ruleId: rule.id, ruleIndex } : {}),
    ...gradeOf(test),
    message: message(textOf(test)),
    locations: [locationOf(test, origins)],
    ...(link === undefined ? {} : { relatedLocations: [sectionOf(test, link)] }),
    partialFingerprints: fingerprints(test),
    ...suppressions(test),
    attachments: attachments(test),
    properties: {
      ...{ verdict: test.verdict, standing: standingOf(test), requirements: test.requirements.map(oneLine) },
      ...{ test: oneLine(test.id), peer: oneLine(test.peer), role: test.role, level: test.level },
    },
  };
}

function textOf(test: TestResult): string {
  const { peer, role } = test;
  const contrast = sidesOf(test);
  const sides = contrast ? ` Expected: ${contrast.expected}. Seen: ${contrast.actual}.` : "";
  return `${peer} as ${role}: ${messageOf(test)}.${sides} ${verdictMeaning(test.verdict)}`;
}

function locationOf(test: TestResult, { places }: Origins) {
  const place = places?.get(test.id);
  const lie = test.lie === undefined ? "" : `+lie:${test.lie}`;
  const peer = oneLine(`${test.peer}${lie}`);
  const logical = { name: peer, fullyQualifiedName: `${peer}/${test.role}`, kind: "module" };
  if (!place) return { logicalLocations: [logical] };
  const artifactLocation = { uri: uriOf(place.file), uriBaseId: "SRCROOT" };
  return {
    physicalLocation: { artifactLocation, region: { startLine: place.line ?? 1 } },
    logicalLocations: [logical],
  };
}

const sectionOf = (test: TestResult, link: string) => ({
  id: 1,
  physicalLocation: { artifactLocation: { uri: link } },
  message: message(`${test.document}, section ${test.section}`),
});

/** The same for the same test, role, peer and lie in every run. The second is the one that GitHub knows. */
function fingerprints(test: TestResult) {
  const digest = createHash("sha256").update(testKey(test)).digest("hex");
  return { "bakeoffTest/v1": digest, primaryLocationLineHash: `${digest.slice(0, 16)}:1` };
}

function suppressions({ baseline }: TestResult) {
  if (!baseline?.known || baseline.agreement !== "expected") return {};
  const { why, expires, fault } = baseline.known;
  const justification = oneLine(`${why} (fault: ${fault}; until ${expires})`);
  return { suppressions: [{ kind: "external", status: "accepted", justification }] };
}

/** The keys are left where they are: a report of code scanning travels further than the folder of a run. */
const attachments = ({ evidence: { capture, ladder, log } }: TestResult) =>
  Object.entries({ capture, ladder, log }).flatMap(([what, path]) =>
    path === undefined
      ? []
      : [{ description: message(what), artifactLocation: { uri: uriOf(path), uriBaseId: "OUT" } }],
  );
