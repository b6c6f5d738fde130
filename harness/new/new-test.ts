/** A test to begin with, and its lie. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { PeerRole } from "../../peers/contract.ts";
import { binds, type Catalogue, parseCatalogue, untestableIn } from "../run/catalogue.ts";
import { UsageError, unknownName } from "../run/usage-error.ts";
import { camelCase, sectionName, sentence } from "./names.ts";
import { register } from "./register.ts";
import { type Changes, filled, readIn } from "./tree.ts";

export interface TestWishes {
  document: string;
  section: string;
  /** Not set: made of the requirement. */
  name?: string;
  /** Not set: the same. */
  lie?: string;
  /** Not set: the first of the section that no test names yet, or the first of all. */
  requirement?: string;
  /** The peer's role. */
  peer: PeerRole;
}

export interface PlannedTest extends Changes {
  /** Of the test, as `bakeoff run` takes it. */
  id: string;
  requirement: string;
}

const LIES = "peers/builtin/lies";
const LIST = `${LIES}/index.ts`;

/** @throws UsageError for what cannot be, by its field */
export function planTest(root: string, wishes: TestWishes): PlannedTest {
  const { document, peer } = wishes;
  const section = sectionName(wishes.section);
  const requirement = chooseRequirement(root, { ...wishes, section });
  const name = sentence("--name", wishes.name ?? `keeps-${requirement.toLowerCase()}`);
  if (isTest(root, document, section, name))
    throw new UsageError(`--name ${name}: there is a test ${document}/${section}/${name}`);
  return testFiles(root, {
    document,
    section,
    peer,
    requirement,
    name,
    lie: lieName(root, wishes.lie, requirement, name),
  });
}

interface Names {
  document: string;
  section: string;
  peer: PeerRole;
  requirement: string;
  name: string;
  lie: string;
}

/** The files of a test with these names, whose lie is registered. */
export function testFiles(root: string, names: Names): PlannedTest {
  const { document, section, peer, requirement, name, lie } = names;
  const words = { "the-name": name, "THE-ID": requirement, "the-lie": lie };
  const id = `${document}/${section}/${name}`;
  const lies = `${camelCase(lie)}Lies`;
  const places = { "../../../peers/builtin/lies/": "./", "../../script/": "../../harness/script/" };
  return {
    ...{ id, requirement },
    made: {
      [`suites/${document}/${section}-${name}.suite.ts`]: filled(root, `${peer}.suite.ts`, {
        ...places,
        ...words,
      }),
      [`${LIES}/${lie}.ts`]: filled(root, "lie.ts", { ...places, ...words, theLies: lies, "the-test": id }),
    },
    extended: {
      [LIST]: register(
        readIn(root, LIST),
        {
          file: `./${lie}.ts`,
          name: lies,
          element: `...${lies}`,
          list: "export const lies: readonly Lie[] = [",
        },
        LIST,
      ),
    },
  };
}

function chooseRequirement(root: string, { document, section, requirement, peer }: TestWishes): string {
  const known = catalogueIn(root, document);
  const rows = Object.entries(known.requirements);
  const file = `suites/${document}/requirements.yaml`;
  if (requirement !== undefined) return namedRequirement(known, requirement, peer);
  const fit = rows.filter(
    ([, row]) => row.section === section && binds(row, peer) && untestableIn(row, peer) === undefined,
  );
  const named = suiteTexts(root, document);
  const free = fit.find(([id]) => !named.includes(`"${id}"`));
  const [id] = free ?? fit[0] ?? [];
  if (id !== undefined) return id;
  throw new UsageError(
    `section ${section}: ${file} has no requirement of it that can be tested with the peer as ${peer}: add one, or name another by --requirement`,
  );
}

function namedRequirement({ document, requirements }: Catalogue, id: string, peer: PeerRole): string {
  const row = requirements[id];
  if (!row) throw unknownName(`--requirement of ${document}`, id, Object.keys(requirements));
  const why = binds(row, peer) ? untestableIn(row, peer) : "it does not bind it";
  if (why === undefined) return id;
  throw new UsageError(`--requirement ${id}: cannot be tested with the peer as ${peer}: ${why}`);
}

/** As it stands in the sources; what is built may be older. @throws UsageError */
function catalogueIn(root: string, document: string): Catalogue {
  const folder = join(root, "suites");
  const known = readdirSync(folder).filter((name) => existsSync(join(folder, name, "requirements.yaml")));
  if (!known.includes(document)) {
    const { message } = unknownName("document", document, known);
    throw new UsageError(`${message}; a new one begins with: bakeoff new suite ${document}`);
  }
  const file = `suites/${document}/requirements.yaml`;
  return parseCatalogue(readIn(root, file), file);
}

const suiteNames = (root: string, document: string): string[] =>
  readdirSync(join(root, "suites", document)).filter((name) => name.endsWith(".suite.ts"));

const suiteTexts = (root: string, document: string): string =>
  suiteNames(root, document)
    .map((name) => readIn(root, `suites/${document}/${name}`))
    .join("\n");

const isTest = (root: string, document: string, section: string, name: string): boolean =>
  suiteNames(root, document)
    .filter((file) => file.startsWith(`${section}-`))
    .some((file) => readIn(root, `suites/${document}/${file}`).includes(`test("${name}"`));

/** Whether a lie has this name. */
function isLie(root: string, name: string): boolean {
  const files = readdirSync(join(root, LIES)).filter((file) => file.endsWith(".ts"));
  return (
    files.includes(`${name}.ts`) ||
    files.some((file) => readIn(root, `${LIES}/${file}`).includes(`"${name}"`))
  );
}

function lieName(root: string, wished: string | undefined, requirement: string, test: string): string {
  const short = `breaks-${requirement.toLowerCase()}`;
  const lie = sentence("--lie", wished ?? (isLie(root, short) ? `${short}-for-${test}` : short));
  if (isLie(root, lie)) throw new UsageError(`--lie ${lie}: there is such a lie or a file of that name`);
  return lie;
}
