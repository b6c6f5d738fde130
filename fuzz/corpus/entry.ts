/** A trace that is kept because it brought something new. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { findOperator } from "../operators/index.ts";
import { findSetup } from "../setups.ts";
import { type Change, changesOf, STAGES, type Step, type Trace, traceSchema } from "../trace.ts";

/** Octets of an entry's file, at most. */
export const MOST_OCTETS = 1_048_576;

export const entrySchema = z
  .strictObject({
    corpus: z.literal(1).describe("Version of this format."),
    tool: z.string().max(64).describe("The version of ipsec-bakeoff that made it."),
    seed: z.string().max(256).describe("Of the case: with the trace it makes the same octets again."),
    stage: z.enum(STAGES),
    signature: z.string().max(64).describe("Of the behaviour that it brought about."),
    features: z.array(z.string().max(96)).max(64).describe("What of that was new; hashes."),
    trace: traceSchema,
  })
  .describe("An entry of a corpus of ipsec-bakeoff's fuzzer.");
export type CorpusEntry = z.infer<typeof entrySchema>;

const changeInOrder = ({ message, op, at, value, octets }: Change): Change => ({
  ...{ message, op },
  ...(at !== undefined && { at }),
  ...(value !== undefined && { value }),
  ...(octets !== undefined && { octets }),
});

const stepInOrder = ({ act, sa, together, changes }: Step): Step => ({
  act,
  ...(sa !== undefined && { sa }),
  ...(together && { together }),
  ...(changes && changes.length > 0 && { changes: changes.map(changeInOrder) }),
});

/** The same trace with its fields in the order of the format, and nothing that says nothing. */
export const canonical = ({ setup, peer, steps }: Trace): Trace => ({
  ...{ trace: 1, setup, peer },
  steps: steps.map(stepInOrder),
});

/** Equal for equal traces: 32 hex digits. */
export const nameOf = (trace: Trace): string =>
  createHash("sha256")
    .update(JSON.stringify(canonical(trace)))
    .digest("hex")
    .slice(0, 32);

export const textOf = (entry: CorpusEntry): string =>
  `${JSON.stringify({ ...entry, trace: canonical(entry.trace) })}\n`;

/** The entry in a text, or why it is none that this version can use. Never throws. */
export function readEntry(text: string): CorpusEntry | { reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { reason: "is no JSON" };
  }
  const version = z.looseObject({ corpus: z.int() }).safeParse(value);
  if (version.success && version.data.corpus !== 1)
    return { reason: `is of version ${version.data.corpus} of the format; this is 1` };
  const read = entrySchema.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    return { reason: `${issue?.path.join(".") || "the file"}: ${issue?.message ?? "is no entry"}` };
  }
  return unknownIn(read.data) ?? read.data;
}

function unknownIn({ trace }: CorpusEntry): { reason: string } | undefined {
  if (!findSetup(trace.setup)) return { reason: `there is no setup ${trace.setup}` };
  const change = changesOf(trace).find(({ op }) => !findOperator(op));
  return change && { reason: `there is no operator ${change.op}` };
}
