/** Exit status, and what is thrown to leave a command with one. */
import { LabError } from "../../peers/runtime/errors.ts";
import { printable } from "../../reports/text.ts";
import { UsageError } from "../run/usage-error.ts";

export const EXIT = {
  /** All as expected. */
  ok: 0,
  /** A verdict is not as expected. */
  verdict: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  /** The lab could not be set up. */
  lab: 3,
} as const;

/** Says an error in one line on standard error where it is the user's or the lab's, with its stack where it is ours. */
export function fail(error: unknown): number {
  const known = error instanceof UsageError || error instanceof LabError;
  const text =
    error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
  // A message may quote what stands in a file.
  process.stderr.write(`bakeoff: ${printable(text)}\n`);
  return error instanceof UsageError ? EXIT.usage : known ? EXIT.lab : EXIT.verdict;
}
