/** Where tests are written, and the names of the texts that documents stand for: for reports that point there. */
import { existsSync, readFileSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import type { Origins, Place } from "../../reports/origins.ts";
import { documentLabel } from "../../reports/results.ts";
import { documentFacts } from "../wire/documents/index.ts";
import { lineOfName, type SuiteTest, suitesFolder } from "./suites.ts";

/** The suites as they are written: in the source tree, or from the built one beside it. */
const sourceFolders = [suitesFolder, resolve(import.meta.dirname, "../../../suites")];

export const originsOf = (tests: readonly SuiteTest[]): Required<Pick<Origins, "places" | "texts">> => ({
  places: placesOf(tests),
  texts: textNames(),
});

function placesOf(tests: readonly SuiteTest[]): Map<string, Place> {
  const sources = new Map<string, string | undefined>();
  return new Map(
    tests.flatMap(({ id, file }) => {
      // One from elsewhere is at no place that a reader of the report has.
      if (relative(suitesFolder, file).startsWith("..")) return [];
      const path = relative(suitesFolder, file).replace(/\.js$/, ".ts").split(sep).join("/");
      if (!sources.has(path)) sources.set(path, sourceOf(path));
      const source = sources.get(path);
      const line = source === undefined ? undefined : lineOfName(source, id.split("/").at(-1) ?? "");
      return [[id, { file: `suites/${path}`, ...(line === undefined ? {} : { line }) }] as const];
    }),
  );
}

/** Undefined where only the built tree is there. */
function sourceOf(path: string): string | undefined {
  const file = sourceFolders.map((folder) => resolve(folder, path)).find((name) => existsSync(name));
  return file === undefined ? undefined : readFileSync(file, "utf8");
}

/** Of a draft that several numbers stand for, the first. */
function textNames(): Map<string, string> {
  const names = documentFacts.flatMap(({ name, text, revisions }) => [
    ...(text === undefined ? [] : [[name, text] as const]),
    ...revisions.flatMap((revision) => {
      const [draft] = /draft-[a-z0-9-]+-\d\d\b/.exec(revision.text) ?? [];
      return draft === undefined
        ? []
        : [[documentLabel({ document: name, revision: revision.name }), draft] as const];
    }),
  ]);
  return new Map(names);
}
