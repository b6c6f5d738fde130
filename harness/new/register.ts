/** Adds a file to a list of all files of its kind: one import, and one line of the list. */
import { UsageError } from "../run/usage-error.ts";

export interface Entry {
  /** The file's name without `.ts`, in the folder of the list. */
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
  const last = imports.at(-1);
  if (begin < 0 || end < 0 || !last)
    throw new UsageError(`${path}: has no line "${list}": add ${element} by hand`);
  const after = imports.find(({ groups }) => comesAfter(groups?.source ?? "", file));
  const at = after?.index ?? last.index + last[0].length;
  return `${text.slice(0, at)}import { ${name} } from "./${file}.ts";\n${text.slice(at, end)}\n  ${element},${text.slice(end)}`;
}

/** As the linter wants imports in order. */
const comesAfter = (source: string, file: string): boolean =>
  source.startsWith("./") && order.compare(source.slice(2).replace(/\.ts$/, ""), file) > 0;
