/** A file of findings that are known. */
import { UsageError } from "../../harness/run/usage-error.ts";
import { readTextFile } from "../../pcaps/text-file.ts";

const MOST_OCTETS = 1_048_576;
const MOST_LENGTH = 200;

/** A signature or an id a line; empty lines and those that begin with `#` say nothing. @throws UsageError */
export function readMuted(file: string): ReadonlySet<string> {
  const text = readTextFile(file, { most: MOST_OCTETS });
  if (typeof text !== "string") throw new UsageError(`--mute ${file}: ${text.reason}`);
  const lines = text.split("\n").map((line) => line.trim());
  const long = lines.findIndex((line) => line.length > MOST_LENGTH);
  if (long >= 0) throw new UsageError(`--mute ${file}: line ${long + 1}: is longer than a signature`);
  return new Set(lines.filter((line) => line !== "" && !line.startsWith("#")));
}
