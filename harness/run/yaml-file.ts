/** Files that people write: YAML of a schema, where a slip of the pen is named with its place. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { z } from "zod";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage-error.ts";

/** A file that cannot be used. `field` is its place, as in `versions[0].suite`; `nearest` a valid name for an unknown field. */
export class FileError extends UsageError {
  readonly file: string;
  readonly field: string;
  readonly nearest: string | undefined;

  constructor(file: string, field: string, problem: string, nearestName?: string) {
    super(`${file}: ${field}: ${problem}${nearestName ? `, nearest: ${nearestName}` : ""}`);
    this.name = "FileError";
    this.file = file;
    this.field = field;
    this.nearest = nearestName;
  }
}

/** The text of a file; `file` is its name in errors. @throws FileError */
export function readText(path: string, file: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/, .*/, "") : String(error);
    throw new FileError(file, "document", `cannot be read: ${why}`);
  }
}

type Path = readonly PropertyKey[];

/** `versions`, `0`, `suite` -> `versions[0].suite`. */
function place(path: Path): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === "number" ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key),
    "",
  );
}

/**
 * Reads YAML text of a schema; `fieldsAt` gives the names that are valid at a place.
 * @throws FileError for the first thing that is wrong, and an unknown field before what is missing for its sake
 */
export function parseYaml<T>(
  text: string,
  file: string,
  schema: z.ZodType<T>,
  fieldsAt: (path: Path) => string[],
): T {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new FileError(file, "document", `not YAML: ${String(error).split("\n")[0]}`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { issues } = result.error;
  const unknown = issues.find((issue) => issue.code === "unrecognized_keys");
  const key = unknown?.keys[0];
  if (unknown && key !== undefined)
    throw new FileError(
      file,
      place([...unknown.path, key]),
      "unknown field",
      nearest(key, fieldsAt(unknown.path)),
    );
  const [issue] = issues;
  throw new FileError(file, place(issue?.path ?? []) || "document", issue?.message ?? "not of its schema");
}
