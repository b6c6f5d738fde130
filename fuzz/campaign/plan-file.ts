/** The cases of a plan, written down and not played. */
import { UsageError } from "../../harness/run/usage-error.ts";
import { fileReason } from "../../pcaps/text-file.ts";
import { Corpus } from "../corpus/corpus.ts";
import { OPEN, writeWhole } from "../findings/files.ts";
import { planOf } from "../generate/generator.ts";
import { generatorOf, makePlan, plannedCases, type Wishes } from "./plan.ts";

const USUAL_CASES = 1_000;

/** How many were written, as JSON lines. @throws UsageError where that cannot be */
export async function writePlan(
  file: string,
  options: Wishes & { cases?: number; corpus?: string },
): Promise<number> {
  const { cases = USUAL_CASES, corpus } = options;
  const known = corpus === undefined ? undefined : readable(corpus, () => Corpus.read(corpus));
  const generator = await generatorOf(makePlan(options), known);
  const planned = [...plannedCases(generator, cases)];
  readable(file, () => writeWhole(file, planOf(planned), OPEN));
  return planned.length;
}

function readable<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new UsageError(`${path}: ${fileReason(error)}`);
  }
}
