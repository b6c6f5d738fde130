/**
 * The result format: what `OUT/results.json` holds. The schemas here are its only definition; the types are
 * inferred from them and `reports/results.schema.json` is generated from them (`npm run schema`).
 */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";

/** Version of the format. Raised when a reader of the old one would misread the new one. */
export const RESULTS_SCHEMA = 2;

const verdictSchema = z
  .union([
    z.literal("pass").describe("The peer did what the requirement asks, proven from the wire."),
    z
      .literal("tolerated")
      .describe("The peer did something the text allows but recommends against (a SHOULD not followed)."),
    z
      .literal("wrong-reason")
      .describe(
        "The peer refused, as it must, but with another notify or at another place than the text asks.",
      ),
    z
      .literal("fail")
      .describe("The peer did something the requirement forbids, or left out what it demands."),
    z
      .literal("unsupported")
      .describe(
        "The peer never announced the feature, proven from the wire, or its driver has no means to ask for it.",
      ),
    z
      .literal("behind")
      .describe("The peer speaks an older revision of the draft than the test is for, proven from the wire."),
    z
      .literal("ambiguous")
      .describe("The text allows two readings and the peer follows one of them; the reason names both."),
    z.literal("crash").describe("The peer's daemon died during the test; its log is kept."),
    z
      .literal("hang")
      .describe("The peer's daemon lives but stopped answering, or the test reached its hard end."),
    z
      .literal("setup")
      .describe(
        "The lab failed, not the peer: unreachable, wrong identity or key, missing tool. Says nothing of the peer.",
      ),
  ])
  .describe("What the test found. Never overwritten once written.");
export type Verdict = z.infer<typeof verdictSchema>;

/** All verdicts, best first. */
export const VERDICTS: readonly Verdict[] = verdictSchema.options.map((option) => option.value);

/** One sentence that says when a verdict is chosen. */
export function verdictMeaning(verdict: Verdict): string {
  return verdictSchema.options.find((option) => option.value === verdict)?.description ?? verdict;
}

/** Four ways to treat a verdict: good news, bad news about the peer, a broken run, or nothing proven either way. */
export type Outcome = "passed" | "failed" | "broken" | "skipped";

const OUTCOMES: Record<Verdict, Outcome> = {
  pass: "passed",
  tolerated: "passed",
  "wrong-reason": "failed",
  fail: "failed",
  unsupported: "skipped",
  behind: "skipped",
  ambiguous: "skipped",
  crash: "broken",
  hang: "broken",
  setup: "broken",
};

export function outcomeOf(verdict: Verdict): Outcome {
  return OUTCOMES[verdict];
}

/** Neither absolute nor climbing out of OUT, and no backslash: so that a link can be made of it safely. */
export const relativePath = z
  .string()
  .regex(/^(?!\/)(?!(?:[\s\S]*\/)?\.\.(?:\/|$))[^\\]+$/, "a path relative to OUT, without '..' and '\\'");

const offenceSchema = z
  .strictObject({
    event: z.int().positive().describe("Line of the event stream: the message in which it is to be seen."),
    field: z
      .string()
      .describe("The payload or field, as in SA > proposal 1; absent: the message.")
      .optional(),
    by: z
      .enum(["expectation", "lint", "dropped", "ended"])
      .describe(
        "Who says so: the expectation that failed; the lint, which found a requirement of the test broken there; or our endpoint, which did not act on the message, or gave up an SA for it.",
      )
      .optional(),
    requirement: z.string().describe("What the lint found broken there.").optional(),
    reason: z.string().describe("What the lint or our endpoint has to say of it.").optional(),
  })
  .describe("Where the peer's fault is to be seen, as far as the test knows.");
export type Offence = z.infer<typeof offenceSchema>;

const evidenceSchema = z
  .strictObject({
    capture: relativePath.describe("Classic pcap with raw IP packets.").optional(),
    keys: relativePath
      .describe(
        "Folder with Wireshark's ikev2_decryption_table and esp_sa, usable as its configuration folder.",
      )
      .optional(),
    events: relativePath.describe("Event stream of our endpoint, one JSON object per line.").optional(),
    ladder: relativePath.describe("Message ladder as text.").optional(),
    log: relativePath.describe("The peer's own log of this test.").optional(),
  })
  .describe("Files kept of the test; paths relative to OUT. A field is absent when there is no such file.");
export type Evidence = z.infer<typeof evidenceSchema>;

export const peerSchema = z.strictObject({
  id: z
    .string()
    .min(1)
    .describe("What tests refer to: name, version and runtime, as in strongswan@6.1:netns."),
  name: z.string().min(1),
  version: z.string().describe("The version by the name the user types, as in 6.1."),
  runtime: z.string().describe("Where it runs: memory, process, netns, uml, address."),
  fullVersion: z.string().describe("The version as the daemon states it."),
});
export type PeerInfo = z.infer<typeof peerSchema>;

const levelSchema = z
  .enum(["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "stmt"])
  .describe("The strongest level of the requirements covered; stmt for a plain statement without key word.");
export type Level = z.infer<typeof levelSchema>;

const roleSchema = z.enum(["initiator", "responder"]).describe("The role the peer plays.");

export const FAULTS = ["peer", "kernel", "tester", "text", "none"] as const;

const knownSchema = z
  .strictObject({
    reason: z.string().describe("What the verdict's reason must contain, or match if it is a /regex/."),
    why: z.string().describe("Our explanation."),
    evidence: z.string().describe("What in log, ladder or source shows it."),
    section: z.string().describe("The section of the text that it is about."),
    fault: z
      .enum(FAULTS)
      .describe("Who we think is at fault; text: the text has two readings; none: a feature it may lack."),
    expires: z.iso.date().describe("After this day somebody has to look again."),
  })
  .describe("What a baseline says of a test that does not pass.");
export type Known = z.infer<typeof knownSchema>;

const agreementSchema = z
  .enum(["expected", "unstable", "deviates"])
  .describe("unstable: not as expected at first, but in a further run of the test alone.");
export type Agreement = z.infer<typeof agreementSchema>;

const comparisonSchema = z
  .strictObject({
    agreement: agreementSchema,
    expected: verdictSchema.describe("The verdict that the baseline holds; pass where it has no entry."),
    deviation: z
      .string()
      .describe("How the verdict differs from that, in one sentence; absent if it does not.")
      .optional(),
    known: knownSchema.optional(),
  })
  .describe("The verdict beside what the peer's baseline says; absent for a peer judged without one.");
export type Comparison = z.infer<typeof comparisonSchema>;

export const testSchema = z.strictObject({
  id: z.string().min(1).describe("Derived from the test's place: rfc7296/2.8/initiator-reuses-old-spi."),
  title: z.string(),
  document: z.string().min(1).describe("rfc7296, or a draft's name without revision."),
  revision: z.string().describe("Revision of a draft, as in 03; empty for an RFC."),
  provisional: z
    .string()
    .describe("What of the document is our own definition, as no text could be read; absent: nothing.")
    .optional(),
  section: z.string(),
  requirements: z.array(z.string()).describe("Ids in the document's requirements.yaml."),
  level: levelSchema,
  peer: z.string().min(1).describe("Id of the peer."),
  role: roleSchema,
  lie: z
    .string()
    .describe("The planted bug the builtin peer was told to have; absent for honest peers.")
    .optional(),
  verdict: verdictSchema,
  reason: z.string().describe("Why this verdict, in one sentence."),
  expected: z.string(),
  actual: z.string(),
  offence: offenceSchema.optional(),
  durationMs: z.number().nonnegative().describe("Wall-clock time."),
  evidence: evidenceSchema,
  again: z
    .strictObject({
      verdict: verdictSchema,
      reason: z.string(),
      evidence: evidenceSchema,
    })
    .describe(
      "What the last of up to three further runs of this test alone found, after a verdict that is not as the baseline says.",
    )
    .optional(),
  baseline: comparisonSchema.optional(),
});
export type TestResult = z.infer<typeof testSchema>;

const countsSchema = z.record(verdictSchema, z.int().nonnegative());
/** Number of tests per verdict; every verdict has an entry. */
export type Counts = z.infer<typeof countsSchema>;

const totalsSchema = z
  .strictObject({
    tests: z.int().nonnegative(),
    verdicts: countsSchema,
    documents: z.array(
      z.strictObject({
        document: z.string(),
        revision: z.string().describe("As in the tests."),
        peer: z.string(),
        role: roleSchema,
        tests: z.int().nonnegative(),
        verdicts: countsSchema,
      }),
    ),
  })
  .describe("Derived from the tests; a reader may compute them again and finds the same.");
export type Totals = z.infer<typeof totalsSchema>;

export const toolSchema = z.strictObject({ name: z.string(), version: z.string() });

export const withheldSchema = z.strictObject({
  peer: z.string().min(1).describe("Id of the peer."),
  file: z.string().describe("The baseline that withholds them, as the program names it."),
  tests: z.int().positive(),
});
export type Withheld = z.infer<typeof withheldSchema>;

export const goldenSchema = z
  .strictObject({
    peer: z.string().min(1).describe("Id of the peer."),
    document: z.string().min(1),
    test: z.string().min(1).describe("Id of the test whose captures were compared."),
    state: z
      .enum(["same", "different", "new", "lost"])
      .describe("new: there was no golden capture; lost: the run has no capture of the test."),
    differences: z.int().nonnegative(),
    written: z.boolean().describe("What the run saw was taken for golden."),
  })
  .describe("What the peer said, beside what it said when its golden capture was taken.");
export type GoldenResult = z.infer<typeof goldenSchema>;

/** Whether it is as it was, or was meant to change. */
export const isGolden = ({ state, written }: GoldenResult): boolean => state === "same" || written;

export const resultsSchema = z
  .strictObject({
    schema: z.literal(RESULTS_SCHEMA),
    tool: toolSchema,
    seed: z.string().describe("The seed of the run, as given to --seed."),
    started: z.iso.datetime().describe("UTC."),
    finished: z.iso.datetime().describe("UTC; of an interrupted run, the time of its last record."),
    interrupted: z.string().describe("Why the run ended early; absent for a complete run.").optional(),
    peers: z.array(peerSchema),
    tests: z.array(testSchema),
    totals: totalsSchema,
    withheld: z
      .array(withheldSchema)
      .describe(
        "Selected tests that have no result here, until the peer's maintainers had their time; absent: none.",
      )
      .optional(),
    golden: z.array(goldenSchema).describe("Golden captures compared; absent: none were.").optional(),
    baselines: z
      .array(
        z.strictObject({
          file: z.string().describe("As the program names it."),
          missing: z.boolean().describe("There is no such file: everything must pass."),
          peers: z.array(z.string()).describe("Ids of the peers judged by it."),
          problems: z.array(z.string()).describe("What is wrong with its entries; each is an error."),
        }),
      )
      .describe("What the verdicts were compared with; absent if no peer has a baseline.")
      .optional(),
    notes: z.array(z.string()).describe("What of the journal could not be read; absent: nothing.").optional(),
  })
  .describe("Results of one run of ipsec-bakeoff.");
export type Results = z.infer<typeof resultsSchema>;

function noCounts(): Counts {
  return {
    pass: 0,
    tolerated: 0,
    "wrong-reason": 0,
    fail: 0,
    unsupported: 0,
    behind: 0,
    ambiguous: 0,
    crash: 0,
    hang: 0,
    setup: 0,
  };
}

/** Counts the verdicts, over all and per document, revision, peer and role, in the order these first appear. */
export function totalsOf(tests: readonly TestResult[]): Totals {
  const verdicts = noCounts();
  const documents = new Map<string, Totals["documents"][number]>();
  for (const { document, revision, peer, role, verdict } of tests) {
    verdicts[verdict] += 1;
    const key = JSON.stringify([document, revision, peer, role]);
    const none = { tests: 0, verdicts: noCounts() };
    const row = documents.get(key) ?? { document, revision, peer, role, ...none };
    row.tests += 1;
    row.verdicts[verdict] += 1;
    documents.set(key, row);
  }
  return { tests: tests.length, verdicts, documents: [...documents.values()] };
}

/** Makes a complete result set: the only way totals come to be. */
export function makeResults(parts: Omit<Results, "schema" | "totals">): Results {
  const { tool, seed, started, finished, interrupted, peers, tests, withheld, golden, baselines, notes } =
    parts;
  return {
    schema: RESULTS_SCHEMA,
    tool,
    seed,
    started,
    finished,
    ...(interrupted === undefined ? {} : { interrupted }),
    peers,
    tests,
    totals: totalsOf(tests),
    ...(withheld === undefined ? {} : { withheld }),
    ...(golden === undefined || golden.length === 0 ? {} : { golden }),
    ...(baselines === undefined ? {} : { baselines }),
    ...(notes === undefined || notes.length === 0 ? {} : { notes }),
  };
}

/**
 * Whether a verdict is as it should be: as the peer's baseline says, or good news where there is none.
 * An unstable one says nothing.
 */
export function standingOf({ verdict, baseline }: TestResult): Agreement {
  if (baseline) return baseline.agreement;
  return ["failed", "broken"].includes(outcomeOf(verdict)) ? "deviates" : "expected";
}

/** A document as it is shown, with its revision where it has one: `rfc7296`, `esp-ping@M`. */
export const documentLabel = ({ document, revision }: Pick<TestResult, "document" | "revision">): string =>
  revision === "" ? document : `${document}@${revision}`;

/** What tells one result from another within a run: test, role, peer and lie. */
export function testKey(test: Pick<TestResult, "id" | "role" | "peer" | "lie">): string {
  return JSON.stringify([test.id, test.role, test.peer, test.lie ?? null]);
}

/** A result file that cannot be used. */
export interface ResultsError {
  error: "not-json" | "version" | "schema" | "totals";
  reason: string;
}

const versionedSchema = z.looseObject({ schema: z.number() });

/** Names both versions where a value of results or of a journal says that it is of another one than ours. */
export function otherVersion(value: unknown): string | undefined {
  const versioned = versionedSchema.safeParse(value);
  if (!versioned.success || versioned.data.schema === RESULTS_SCHEMA) return undefined;
  return `is of schema version ${versioned.data.schema}, and this program reads version ${RESULTS_SCHEMA}`;
}

/** Reads the text of a results.json. Totals that do not follow from the tests are an error. */
export function parseResults(text: string): Results | ResultsError {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { error: "not-json", reason: error instanceof Error ? error.message : String(error) };
  }
  const other = otherVersion(value);
  if (other !== undefined) return { error: "version", reason: other };
  const parsed = resultsSchema.safeParse(value);
  if (!parsed.success) return { error: "schema", reason: z.prettifyError(parsed.error) };
  if (!isDeepStrictEqual(totalsOf(parsed.data.tests), parsed.data.totals)) {
    return { error: "totals", reason: "the totals do not follow from the tests" };
  }
  return parsed.data;
}
