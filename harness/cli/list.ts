import { Command } from "commander";
import { lies } from "../../peers/builtin/lies/index.ts";
import { loadDefinitions, runtimesOf } from "../../peers/definition.ts";
import { isInstalled } from "../../peers/install/cache.ts";
import { catalogue, documents } from "../run/catalogue.ts";
import { revisionFilter } from "../run/revisions.ts";
import { loadTests, pageOf, type SuiteTest } from "../run/suites.ts";
import { unknownName } from "../run/usage-error.ts";
import type { DocumentFacts } from "../wire/documents/document.ts";
import { documentFacts, factsOf } from "../wire/documents/index.ts";
import { printJson, table } from "./output.ts";

interface Listing {
  /** What `--json` prints. */
  items: readonly object[];
  rows: string[][];
}

const LISTS: { [what: string]: () => Promise<Listing> } = {
  suites: listSuites,
  documents: listDocuments,
  peers: listPeers,
  requirements: listRequirements,
  lies: listLies,
  tests: listTests,
};

const EXAMPLES = `
Examples:
  bakeoff list suites
  bakeoff list documents         revisions and code points of the drafts
  bakeoff list tests --json
`;

export function listCommand(): Command {
  const names = Object.keys(LISTS);
  return new Command("list")
    .description(`what there is: ${names.join(", ")}`)
    .argument("<what>", names.join(", "))
    .option("--json", "as JSON on standard output")
    .addHelpText("after", EXAMPLES)
    .action(async (what: string, { json }: { json?: true }) => {
      const make = Object.hasOwn(LISTS, what) ? LISTS[what] : undefined;
      if (!make) throw unknownName("list", what, names);
      const { items, rows } = await make();
      if (json) printJson(items);
      else process.stdout.write(table(rows));
    });
}

async function listSuites(): Promise<Listing> {
  const all = await loadTests();
  const isNewest = revisionFilter([]);
  const items = documents().map((document) => {
    const own = all.filter((test) => test.document === document);
    const sections = [...new Set(own.map(({ section }) => section))];
    const tests = own.filter(isNewest).length;
    return { document, title: catalogue(document)?.title ?? "", sections, tests, older: own.length - tests };
  });
  const count = ({ tests, older }: { tests: number; older: number }): string =>
    older === 0 ? `${tests} tests` : `${tests} tests, ${older} of older revisions`;
  return { items, rows: items.map((i) => [i.document, count(i), i.title]) };
}

async function listDocuments(): Promise<Listing> {
  const named = [...new Set([...documents(), ...documentFacts.map(({ name }) => name)])].sort();
  const items = named.map((document) => documentItem(document, factsOf(document)));
  return { items, rows: items.flatMap(documentRows) };
}

function documentItem(document: string, facts?: DocumentFacts) {
  return {
    document,
    title: facts?.title ?? catalogue(document)?.title ?? "",
    /** Newest first. */
    revisions: facts?.revisions ?? [],
    ...(facts?.provisional === undefined ? {} : { provisional: facts.provisional }),
    codePoints: Object.entries(facts?.codePoints ?? {}).flatMap(([registry, table]) =>
      table.map(({ name, value, state }) => ({ registry, name, value, state })),
    ),
  };
}

const documentRows = (item: ReturnType<typeof documentItem>): string[][] => [
  [item.document, item.title],
  ...item.revisions.map(({ name, text }) => ["", `  revision ${name}: ${text}`]),
  ...(item.provisional === undefined ? [] : [["", `  provisional, our own definition: ${item.provisional}`]]),
  ...item.codePoints.map((p) => ["", `  ${p.registry} ${p.name} = ${p.value}, ${p.state}`]),
];

async function listPeers(): Promise<Listing> {
  const items = loadDefinitions().flatMap((definition) =>
    definition.versions.map((version) => ({
      name: definition.name,
      version: version.version,
      runtimes: runtimesOf(definition, version),
      installed: version.suite === undefined || isInstalled(definition.name, version.version),
    })),
  );
  const rows = items.map((i) => [
    `${i.name}@${i.version}`,
    i.runtimes.join(", "),
    i.installed ? "ready" : `npx bakeoff peers install ${i.name}@${i.version}`,
  ]);
  return { items, rows };
}

async function listRequirements(): Promise<Listing> {
  const tests = await loadTests();
  const items = documents().flatMap((document) =>
    Object.entries(catalogue(document)?.requirements ?? {}).map(([id, requirement]) => ({
      ...{ id, document, ...requirement },
      tests: testsFor(id, document, tests),
    })),
  );
  return { items, rows: items.map((i) => [i.id, i.document, i.section, i.level, i.text]) };
}

const testsFor = (id: string, document: string, tests: SuiteTest[]): string[] =>
  tests
    .filter((test) => test.document === document && test.facts.requirements.includes(id))
    .map((test) => test.id);

async function listLies(): Promise<Listing> {
  const tests = await loadTests();
  const items = lies.map(({ name, breaks, effect }) => ({
    ...{ name, breaks, effect },
    tests: tests.filter(({ facts }) => facts.lies.includes(name)).map(({ id }) => id),
  }));
  return { items, rows: items.map((i) => [i.name, i.breaks, i.effect]) };
}

async function listTests(): Promise<Listing> {
  const items = (await loadTests()).map(({ id, title, document, revision, section, facts, file }) => ({
    ...{ id, title, document, revision, section, role: facts.peer },
    ...{ requirements: facts.requirements, lies: facts.lies, page: pageOf({ id, file }) },
  }));
  return { items, rows: items.map((i) => [i.id, i.role, i.requirements.join(" ")]) };
}
