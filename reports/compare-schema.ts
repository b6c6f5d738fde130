/** The format of `bakeoff report compare --json`; `reports/compare.schema.json` is generated from it (`npm run schema`). */
import { z } from "zod";
import { peerSchema, testSchema, toolSchema, withheldSchema } from "./results.ts";

/** Version of the format. Raised when a reader of the old one would misread the new one. */
export const COMPARE_SCHEMA = 1;

const changeSchema = z
  .enum(["worse", "better", "other", "unstable"])
  .describe(
    "other: another verdict that is neither, or another reason. unstable: on one side at least, tries of the test did not agree.",
  );
export type Change = z.infer<typeof changeSchema>;

/** Worst first. */
export const CHANGES: readonly Change[] = changeSchema.options;

const foundSchema = z
  .strictObject({
    ...testSchema.pick({ verdict: true, reason: true }).shape,
    agreement: z
      .string()
      .describe("How it stands to its baseline: expected, unstable, deviates; absent without one.")
      .optional(),
    known: z
      .strictObject({ why: z.string(), expires: z.iso.date() })
      .describe("What its baseline says of it.")
      .optional(),
    again: testSchema.pick({ verdict: true, reason: true }).describe("What a further try found.").optional(),
  })
  .describe("What a run found.");
export type Found = z.infer<typeof foundSchema>;

const subjectSchema = testSchema
  .pick({
    ...{ id: true, title: true, document: true, revision: true, section: true, level: true },
    ...{ peer: true, role: true, lie: true },
  })
  .describe("A test on a peer; where two peers are compared, the peer is the new one.");

const rowSchema = subjectSchema.extend({
  change: changeSchema,
  why: z.string().describe("What makes it so, in a few words."),
  old: foundSchema,
  new: foundSchema,
});
export type Row = z.infer<typeof rowSchema>;

const loneSchema = subjectSchema.extend({ found: foundSchema });
export type Lone = z.infer<typeof loneSchema>;

const count = z.int().nonnegative();
const countsSchema = z.strictObject({
  compared: count.describe("Tests that are on both sides."),
  same: count,
  worse: count,
  better: count,
  other: count,
  unstable: count,
  added: count.describe("Tests that only the new side has: no regression, whatever they found."),
  gone: count.describe("Tests that only the old side has."),
});
export type ChangeCounts = z.infer<typeof countsSchema>;

const sideSchema = z.strictObject({
  name: z.string().describe("As the user named it."),
  tool: toolSchema,
  seed: z.string(),
  started: z.iso.datetime(),
  finished: z.iso.datetime(),
  interrupted: z.string().optional(),
  peers: z.array(peerSchema).describe("Those that are compared."),
  tests: count,
  unsupported: count,
  withheld: z.array(withheldSchema),
});
export type Side = z.infer<typeof sideSchema>;

export const comparisonSchema = z
  .strictObject({
    schema: z.literal(COMPARE_SCHEMA),
    old: sideSchema,
    new: sideSchema,
    totals: countsSchema,
    documents: z.array(
      z.strictObject({ document: z.string(), revision: z.string(), peer: z.string(), ...countsSchema.shape }),
    ),
    changes: z.array(rowSchema).describe("Worst first."),
    added: z.array(loneSchema),
    gone: z.array(loneSchema),
  })
  .describe("What changed from one run of ipsec-bakeoff to another.");
export type RunComparison = z.infer<typeof comparisonSchema>;
