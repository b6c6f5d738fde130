/** A suite to begin with: the catalogue of a document, what it pins, and a first test with its lie. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../run/usage-error.ts";
import { camelCase, documentName, revisionName, rowPrefix, titleText } from "./names.ts";
import { type PlannedTest, testFiles } from "./new-test.ts";
import { register } from "./register.ts";
import { type Changes, filled, readIn } from "./tree.ts";

export interface SuiteWishes {
  /** `rfc9999`, `draft-foo-bar`. */
  document: string;
  /** Not set: the name. */
  title?: string;
  /** Of a draft; not set: 00. */
  revision?: string;
}

const DOCUMENTS = "harness/wire/documents";
const LIST = `${DOCUMENTS}/index.ts`;
const NOTIFIES = "harness/wire/registry/notify-types.ts";
const SECTION = "1";

/** @throws UsageError for what cannot be, by its field */
export function planSuite(root: string, wishes: SuiteWishes): PlannedTest {
  const document = documentName(wishes.document);
  const revision = revisionName(document, wishes.revision);
  const title = titleText(wishes.title ?? document);
  if (existsSync(join(root, "suites", document)))
    throw new UsageError(
      `name "${document}": suites/${document} is there already; a test more: bakeoff new test ${document} SECTION`,
    );
  const requirement = firstRow(root, document);
  const row = requirement.toLowerCase();
  const first = testFiles(root, {
    ...{ document, section: SECTION, peer: "responder", requirement },
    ...{ name: `keeps-${row}`, lie: `breaks-${row}` },
  });
  const facts = revision === undefined ? undefined : factFiles(root, document, title, revision);
  const words = { "the-document": document, '"The title"': JSON.stringify(title), "THE-ID": requirement };
  return {
    ...first,
    made: {
      [`suites/${document}/requirements.yaml`]: filled(root, "requirements.yaml", words),
      ...first.made,
      ...facts?.made,
    },
    extended: { ...first.extended, ...facts?.extended },
  };
}

/** Its id; that of the whole name where another document has it. */
function firstRow(root: string, document: string): string {
  const short = `${rowPrefix(document)}-01`;
  const isTaken = readdirSync(join(root, "suites"))
    .map((other) => `suites/${other}/requirements.yaml`)
    .some((file) => existsSync(join(root, file)) && readIn(root, file).includes(`\n  ${short}:`));
  return isTaken ? `${document.toUpperCase()}-01` : short;
}

const WIDTH = 110;

function factFiles(root: string, document: string, title: string, revision: string): Changes {
  const name = camelCase(document);
  const quoted = JSON.stringify(title);
  const line = `  title: ${quoted},`;
  const words = {
    ...{ theFacts: name, "the-document": document, "the-revision": revision },
    'title: "The title"': line.length > WIDTH ? `title:\n    ${quoted}` : `title: ${quoted}`,
    "../../wire/documents/": "./",
  };
  const added = (path: string, from: string, element: string, list: string): string =>
    register(readIn(root, path), { file: `${from}/${document}.ts`, name, element, list }, path);
  return {
    made: { [`${DOCUMENTS}/${document}.ts`]: filled(root, "facts.ts", words) },
    extended: {
      [LIST]: added(LIST, ".", name, "const all = ["),
      [NOTIFIES]: added(NOTIFIES, "../documents", `...${name}.codePoints.NOTIFY`, "const table = ["),
    },
  };
}
