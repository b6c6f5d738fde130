import { nearest } from "./nearest.ts";

/** Wrong usage or configuration: one line that names the field. The command ends with status 2. */
export class UsageError extends Error {}

/** A name that does not exist, with the valid one nearest to it. */
export function unknownName(what: string, given: string, valid: Iterable<string>): UsageError {
  const close = nearest(given, valid);
  return new UsageError(`unknown ${what} "${given}"${close === undefined ? "" : `, nearest: ${close}`}`);
}

/** The regular expression of an option. @throws UsageError naming it */
export function regExpOf(option: string, source: string, flags = ""): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new UsageError(`${option}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
