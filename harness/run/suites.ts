/** Finds the suites and their tests. The place of a test is its id. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import Mocha from "mocha";
import { type RegisteredTest, registeredTest } from "../script/test.ts";
import { factsOf } from "../wire/documents/index.ts";

export interface SuiteTest extends RegisteredTest {
  /** `rfc7296/2.8/initiator-reuses-old-spi`. */
  id: string;
  document: string;
  /** Of the document; empty for one that has none. Stands in the id where it is not the newest: `esp-ping@E3/4/...`. */
  revision: string;
  section: string;
  title: string;
  file: string;
}

/** Where the suites and their catalogues are, in the source tree and in the built one alike. */
export const suitesFolder = resolve(import.meta.dirname, "../../suites");

const SUITE_FILE = /^(?<section>[0-9A-Za-z.]+)-[a-z0-9-]+\.suite\.m?(?:ts|js)$/;

export function suiteFiles(folder = suitesFolder): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => SUITE_FILE.test(basename(name)))
    .map((name) => join(folder, name))
    .sort();
}

/**
 * Loads all suites, and `others`: suite files from elsewhere, each of the document that its folder or a line
 * `// document: rfc7296` names. Rejects if two tests would have the same id or a file holds something else than tests.
 */
export const loadTests = (folder = suitesFolder, others: readonly string[] = []): Promise<SuiteTest[]> =>
  loadFiles([...suiteFiles(folder), ...others]);

/** The same for these suite files alone. */
export async function loadFiles(files: readonly string[]): Promise<SuiteTest[]> {
  const all: SuiteTest[] = [];
  for (const file of new Set(files.map((file) => resolve(file)))) all.push(...(await loadOnce(file)));
  return withOwnIds(all);
}

/** A module registers its tests when it is loaded, which happens once. */
const loaded = new Map<string, Promise<SuiteTest[]>>();

/** One after another: what registers a test is global. */
let loading: Promise<unknown> = Promise.resolve();

function loadOnce(file: string): Promise<SuiteTest[]> {
  const known = loaded.get(file);
  if (known) return known;
  const tests = loading.then(() => load(file));
  loaded.set(file, tests);
  loading = tests.catch(() => {});
  return tests;
}

function withOwnIds(tests: SuiteTest[]): SuiteTest[] {
  const ids = new Set<string>();
  for (const { id } of tests) {
    if (ids.has(id)) throw new Error(`two tests have the id ${id}`);
    ids.add(id);
  }
  return tests;
}

/** Whether this can be the name of a suite file: `2.8-rekeying.suite.ts`. */
export const isSuiteFile = (file: string): boolean => SUITE_FILE.test(basename(file));

/** A line that says what document the tests of a file are about, where its folder does not. */
const DOCUMENT = /^\/\/ document: (?<document>\S+)$/m;

/** The document that the tests of a file are about. Throws what the file system throws. */
export const documentOf = (file: string): string =>
  DOCUMENT.exec(readFileSync(file, "utf8"))?.groups?.document ?? basename(dirname(resolve(file)));

async function load(file: string): Promise<SuiteTest[]> {
  const registered = await register(file);
  const document = documentOf(file);
  const section = SUITE_FILE.exec(basename(file))?.groups?.section ?? "";
  return registered.flatMap((mochaTest) => {
    const found = registeredTest(mochaTest);
    if (!found) throw new Error(`${file}: ${mochaTest.title} is not registered by test()`);
    return revisionsOf(found, { document, section, file, name: mochaTest.title });
  });
}

/**
 * Has Mocha's interface register the tests of a file. It is imported here and not by Mocha, whose loader would give
 * it a second instance of our modules.
 */
async function register(file: string): Promise<Mocha.Test[]> {
  const mocha = new Mocha();
  mocha.suite.emit("pre-require", globalThis, file, mocha);
  await import(pathToFileURL(file).href);
  return mocha.suite.tests;
}

type Place = Pick<SuiteTest, "document" | "section" | "file"> & { name: string };

/** The test once for each revision of its document that it is true for. */
function revisionsOf(found: RegisteredTest, { name, ...place }: Place): SuiteTest[] {
  const { document, section } = place;
  const known = factsOf(document)?.revisions.map((revision) => revision.name) ?? [];
  const [newest = ""] = known;
  return (found.facts.revisions ?? [newest]).map((revision) => {
    if (revision !== newest && !known.includes(revision))
      throw new Error(`${place.file}: ${name}: ${document} has no revision ${revision}`);
    const folder = revision === newest ? document : `${document}@${revision}`;
    const title = name.replaceAll("-", " ");
    return { ...found, ...place, id: `${folder}/${section}/${name}`, revision, title };
  });
}

/**
 * What a test is about: the `/** ... *\/` right above `test("name"`. The name may be a template, as in a loop; then the
 * page has the words of this test in the place of the template's expressions. Throws what the file system throws.
 */
export function pageOf({ file, id }: Pick<SuiteTest, "file" | "id">): string {
  const source = readFileSync(file, "utf8");
  const { at, words } = placeOfName(source, basename(id));
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*test\(\s*$/.exec(source.slice(0, at))?.[1] ?? "";
  return comment
    .split("\n")
    .map((line) => line.replace(/^\s*\*? ?/, ""))
    .join("\n")
    .trim()
    .replace(EXPRESSION, (whole, expression) => words.get(expression)?.replaceAll("-", " ") ?? whole);
}

const EXPRESSION = /\$\{([^}]*)\}/g;

/** The line on which the name of a test is written in the source of its suite, counted from 1; undefined if it cannot be found. */
export function lineOfName(source: string, name: string): number | undefined {
  const { at } = placeOfName(source, name);
  return at === 0 ? undefined : source.slice(0, at).split("\n").length;
}

/** Where the name of the test is written, 0 if it cannot be found; and what the expressions in it stand for. */
function placeOfName(source: string, name: string): { at: number; words: Map<string, string> } {
  const plain = source.indexOf(`"${name}"`);
  if (plain >= 0) return { at: plain, words: new Map() };
  for (const found of source.matchAll(/(?<=\btest\(\s*)`(?<template>[^`]+)`/g)) {
    const template = found.groups?.template ?? "";
    const parts = template.split(/\$\{[^}]*\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const match = new RegExp(`^${parts.join("(.+)")}$`).exec(name);
    if (!match) continue;
    const expressions = [...template.matchAll(EXPRESSION)].map(([, expression = ""]) => expression);
    return { at: found.index, words: new Map(expressions.map((e, i) => [e, match[i + 1] ?? ""])) };
  }
  return { at: 0, words: new Map() };
}
