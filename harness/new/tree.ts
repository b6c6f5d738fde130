/** The source tree that new files go to. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UsageError } from "../run/usage-error.ts";

/** What a command is to do, by path from the root of the tree. */
export interface Changes {
  /** Files that must not be there yet. */
  made: Record<string, string>;
  /** Files that get lines more. */
  extended: Record<string, string>;
}

const SIGN = "peers/builtin/lies/index.ts";

/**
 * The tree of which `here`, a folder of this program's, is a part; in a checkout that holds for what is built as well.
 * @throws UsageError for an installed package, which has no sources
 */
export function sourceTree(here = import.meta.dirname): string {
  const root = ["../..", "../../.."].map((up) => join(here, up)).find((at) => existsSync(join(at, SIGN)));
  if (root !== undefined) return root;
  throw new UsageError(
    "new: needs the source tree, and this is an installed package without it: call it in a checkout of ipsec-bakeoff (a suite file of your own runs here, by run --suite FILE)",
  );
}

export const readIn = (root: string, path: string): string => readFileSync(join(root, path), "utf8");

/** The text of a template with the words of `by` in the place of those it has. */
export function filled(root: string, template: string, by: Readonly<Record<string, string>>): string {
  const text = readIn(root, `harness/new/templates/${template}`);
  return Object.entries(by).reduce((done, [word, own]) => done.replaceAll(word, () => own), text);
}

/** Writes all or, where one of the new files is there already, nothing. @throws UsageError */
export function write(root: string, { made, extended }: Changes): void {
  for (const path of Object.keys(made))
    if (existsSync(join(root, path))) throw new UsageError(`${path}: is there already`);
  for (const [path, text] of Object.entries(made)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { flag: "wx" });
  }
  for (const [path, text] of Object.entries(extended)) writeFileSync(join(root, path), text);
}
