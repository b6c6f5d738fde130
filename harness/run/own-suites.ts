/** Suite files that the user names, from outside of `suites`. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { documents } from "./catalogue.ts";
import { documentOf, isSuiteFile, loadTests, type SuiteTest, suitesFolder } from "./suites.ts";
import { UsageError, unknownName } from "./usage-error.ts";

/**
 * Whether Node takes files in this folder for ES modules. Others get instances of our modules that are not ours, whose
 * tests nobody knows; there a suite needs the ending `.mts`.
 */
export function holdsModules(folder: string): boolean {
  const file = join(folder, "package.json");
  if (existsSync(file)) return /"type"\s*:\s*"module"/.test(readFileSync(file, "utf8"));
  return dirname(folder) !== folder && holdsModules(dirname(folder));
}

/** @throws UsageError for a file that cannot be one */
function checkFile(file: string): void {
  const wrong = (problem: string) => new UsageError(`--suite ${file}: ${problem}`);
  if (!existsSync(file) || !statSync(file).isFile()) throw wrong("there is no such file");
  if (!isSuiteFile(file)) throw wrong("its name must be SECTION-NAME.suite.ts, as in 2.8-rekeying.suite.ts");
  if (!/\.m[tj]s$/.test(file) && !holdsModules(dirname(resolve(file))))
    throw wrong(
      'is no ES module to Node: end its name in .mts, or say "type": "module" in a package.json beside it',
    );
  const document = documentOf(file);
  if (documents().includes(document)) return;
  const { message } = unknownName("document", document, documents());
  throw wrong(`${message}; its folder is named for one, or a line in it says so: // document: rfc7296`);
}

/**
 * All tests, and of those the ones in these files; without files, all of them.
 * @throws UsageError for a file that cannot be used
 */
export async function testsOf(files: readonly string[]): Promise<{ all: SuiteTest[]; chosen: SuiteTest[] }> {
  for (const file of files) checkFile(file);
  if (files.length === 0) {
    const all = await loadTests();
    return { all, chosen: all };
  }
  const paths = files.map((file) => resolve(file));
  // The suites first: what is wrong after that is wrong with the files.
  await loadTests();
  try {
    const all = await loadTests(suitesFolder, paths);
    return { all, chosen: all.filter(({ file }) => paths.includes(file)) };
  } catch (error) {
    const [why = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new UsageError(`--suite ${files.join(" ")}: cannot be loaded: ${why}`);
  }
}
