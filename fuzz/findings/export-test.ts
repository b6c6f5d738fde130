/** A finding as a test of the suites: it fails on the faulty peer and passes on one that is in order. */
import { extname, join, relative, resolve, sep } from "node:path";
import { lies } from "../../peers/builtin/lies/index.ts";
import { oneLine } from "../../reports/text.ts";
import type { Expectation, SuiteTrace } from "../in-suite.ts";
import { findOperator } from "../operators/index.ts";
import type { StoredFinding } from "./finding.ts";
import { literal, quoted, valueAfter } from "./literal.ts";
import { type ChosenRequirement, requirementOf } from "./requirement.ts";
import { inWords } from "./words.ts";

export interface ExportedTest {
  /** `rfc7296/2.21.3-survives-payload-omit-in-auth-55b0e5.suite.ts`: below `suites`, or any other folder. */
  path: string;
  text: string;
}

export interface ExportOptions {
  /** The folder that `path` is relative to; not set: that of the suites. */
  into?: string;
  /** Not set where the file lies below a package.json that says "module": its name must end in `.mts`. */
  moduleName?: boolean;
}

/** A difference between two peers is no fault of one, and what one conversation does not show no test of it can. */
export interface NoTest {
  error: "difference" | "not alone";
  reason: string;
}

const root = resolve(import.meta.dirname, "../..");
/** `.ts` in the source tree, `.js` in the built one. */
const EXTENSION = extname(import.meta.filename);

export function exportTest(finding: StoredFinding, options: ExportOptions = {}): ExportedTest | NoTest {
  if (finding.oracle === "difference")
    return {
      error: "difference",
      reason: "a difference between peers is not for a test of one of them to judge",
    };
  if (!finding.alone)
    return { error: "not alone", reason: "its conversation does not show it without others before it" };
  const requirement = requirementOf(finding);
  const { must } = expectationOf(finding);
  const name = nameOf(finding, must);
  const section = /^[0-9A-Za-z.]+/.exec(requirement.section)?.[0] ?? "0";
  const ending = options.moduleName ? EXTENSION.replace(".", ".m") : EXTENSION;
  const path = join(requirement.document, `${section}-${name}.suite${ending}`);
  const folder = resolve(options.into ?? join(root, "suites"), requirement.document);
  return { path, text: textOf(finding, name, requirement, folder) };
}

const VERBS: Record<Expectation["must"], string> = {
  ...{ survive: "survives", obey: "keeps-to-the-text-after", "give back": "gives-memory-back-after" },
};

function nameOf({ operators, stage, id }: StoredFinding, must: Expectation["must"]): string {
  const ops = operators.slice(0, 2).map((op) => op.toLowerCase().replace(/[^a-z0-9]+/g, "-"));
  const what = ops.length > 0 ? ops.join("-and-") : "an-honest-conversation";
  return `${VERBS[must]}-${what}-in-${stage}-${id.slice(0, 6)}`.replace(/-+/g, "-");
}

export function expectationOf({ oracle, signature }: StoredFinding): Expectation {
  if (oracle === "crash" || oracle === "hang") return { must: "survive" };
  return oracle === "memory" ? { must: "give back" } : { must: "obey", signature };
}

function textOf(
  finding: StoredFinding,
  name: string,
  requirement: ChosenRequirement,
  folder: string,
): string {
  const { trace, seed, setup } = finding;
  const { config, outer, inner, speaks } = setup.wishes;
  const drafts = speaks && { drafts: { ...config?.drafts, [speaks.document]: speaks.revision } };
  const told = { ...config, ...drafts };
  const facts = {
    requirements: [requirement.id],
    peer: trace.peer,
    // A planted fault is no lie: no test of the suites is for it.
    lies: lies.filter(({ name }) => name === finding.lie).map(({ name }) => name),
    ...(Object.keys(told).length > 0 && { config: told }),
    ...{ outer, inner },
  };
  const played: SuiteTrace = { setup: setup.name, peer: trace.peer, seed, steps: trace.steps };
  const imports = [
    ["playInSuite", importOf(folder, "fuzz/in-suite")],
    ["test", importOf(folder, "harness/script/index")],
  ] as const;
  const call = ["  await playInSuite(", "    s,"];
  return [
    ...[...imports]
      .sort(([, one], [, other]) => stepsUp(other) - stepsUp(one))
      .map(([what, path]) => `import { ${what} } from ${quoted(path)};`),
    "",
    ...docComment(finding, requirement),
    `test(${quoted(name)}, ${expanded(facts)}, async (s) => {`,
    ...call,
    `    ${expandedAt(played, 4)},`,
    `    ${literal(expectationOf(finding), 4, 4)},`,
    "  );",
    "});",
    "",
  ].join("\n");
}

/** Of a folder inside of the project, or anywhere else on this machine. */
function importOf(folder: string, path: string): string {
  const way = relative(folder, join(root, `${path}${EXTENSION}`))
    .split(sep)
    .join("/");
  return way.startsWith(".") ? way : `./${way}`;
}

/** What is farther away is imported first. */
const stepsUp = (path: string): number => path.split("../").length;

const expanded = (value: object): string => expandedAt(value, 0);

/** An object with a line for each field, however short. */
function expandedAt(value: object, indent: number): string {
  const pad = " ".repeat(indent + 2);
  const lines = Object.entries(value).flatMap(([key, item]) =>
    item === undefined ? [] : [`${pad}${key}:${valueAfter(`${key}:`, item, indent + 2)},`],
  );
  return `{\n${lines.join("\n")}\n${" ".repeat(indent)}}`;
}

/** What the peer must do, in words. */
const DUTIES: Record<Expectation["must"], string> = {
  survive: "The peer must live on, and have a handshake for who comes next.",
  obey: "The peer must do as the requirement says, live on, and have a handshake for who comes next.",
  "give back":
    "The peer must give back what many such conversations took, and have a handshake for who comes next.",
};

function docComment(finding: StoredFinding, requirement: ChosenRequirement): string[] {
  const { title, trace, peer, seed, number, id, setup } = finding;
  const effectOf = (op: string) => findOperator(op)?.effect;
  const duty = DUTIES[expectationOf(finding).must];
  const rule =
    requirement.text === "" ? "" : ` ${requirement.document} ${requirement.section}: ${requirement.text}.`;
  const paragraphs = [
    [`The peer ${lowered(title)}: a fuzzed conversation, with the setup ${setup.name}.`],
    inWords(trace, effectOf),
    [`${duty}${rule}`],
    [
      `Found by bakeoff fuzz on ${peer.fullVersion} (${peer.id}): finding ${id}, case ${number} of seed ${seed}.`,
    ],
  ];
  const lines = paragraphs.flatMap((lines, index) => [...(index === 0 ? [] : [""]), ...lines]);
  return ["/**", ...lines.map((line) => ` *${line === "" ? "" : " "}${inComment(line)}`), " */"];
}

const lowered = (title: string): string => title.slice(0, 1).toLowerCase() + title.slice(1);

/** One line that cannot end the comment; the indentation stays. */
const inComment = (line: string): string =>
  (/^ */.exec(line)?.[0] ?? "") + oneLine(line).replaceAll("*/", "* /").replaceAll("/*", "/ *");
