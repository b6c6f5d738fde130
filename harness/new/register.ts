/** Adds a file to a list of all files of its kind: one import, and one line of the list. */
import { basename, dirname } from "node:path";
import { UsageError } from "../run/usage-error.ts";

export interface Entry {
  /** The file as the list imports it: `./childless.ts`. */
  file: string;
  /** What it exports. */
  name: string;
  /** Its line in the list. */
  element: string;
  /** The line that the list begins with. */
  list: string;
}

const order = new Intl.Collator("en", { numeric: true });

/** `text` is the source of the list, `path` its name in errors. @throws UsageError where it has another form */
export function register(text: string, { file, name, element, list }: Entry, path: string): string {
  const begin = text.indexOf(`\n${list}\n`);
  const end = text.indexOf("\n]", begin + 1);
  const imports = [...text.matchAll(/^import [^;]*? from "(?<source>[^"]+)";\n/gm)];
  const beside = imports.filter(({ groups }) => dirname(groups?.source ?? "") === dirname(file));
  const last = beside.at(-1);
  if (begin < 0 || end < 0 || !last)
    throw new UsageError(`${path}: has no line "${list}": add ${element} by hand`);
  const after = beside.find(({ groups }) => comesAfter(groups?.source ?? "", file));
  const at = after?.index ?? last.index + last[0].length;
  return `${text.slice(0, at)}import { ${name} } from "${file}";\n${text.slice(at, end)}\n  ${element},${text.slice(end)}`;
}

/** As the linter wants imports in order, among those of the same folder. */
const comesAfter = (source: string, file: string): boolean =>
  order.compare(basename(source, ".ts"), basename(file, ".ts")) > 0;
