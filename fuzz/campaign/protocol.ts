/** What a campaign and the process of a lane say to each other, as JSON over the channel between parent and child. */
import { z } from "zod";
import { wayShape } from "../../harness/run/lane-protocol.ts";
import { ORACLES, SEVERITIES } from "../../reports/findings.ts";
import { peerSchema } from "../../reports/results.ts";
import type { Alarm } from "../alarm.ts";
import { findingSchema } from "../findings/finding.ts";
import type { Observed, Outcome } from "../outcome.ts";
import { ACTS, type FuzzCase, STAGES, traceSchema } from "../trace.ts";

const roleSchema = z.enum(["initiator", "responder"]);

export const caseSchema: z.ZodType<FuzzCase> = z.strictObject({
  number: z.int().min(0),
  seed: z.string().max(256),
  stage: z.enum(STAGES),
  trace: traceSchema,
  parent: z.string().max(256).optional(),
});

export const alarmSchema: z.ZodType<Alarm> = z.strictObject({
  oracle: z.enum(ORACLES),
  title: z.string(),
  signature: z.string(),
  severity: z.enum(SEVERITIES),
  requirement: z.strictObject({ document: z.string(), id: z.string() }).optional(),
  detail: z.string(),
  alone: z.boolean(),
  beside: z.array(z.string()).optional(),
});

/** What of an outcome can leave the process it was made in. */
export const shortOutcomeSchema = z.strictObject({
  /** Of the case. */
  number: z.int(),
  steps: z.array(
    z.strictObject({
      act: z.enum(ACTS),
      ended: z.enum(["done", "refused", "silence", "not begun"]),
      reason: z.string().optional(),
      unfit: z.array(z.string()),
      answers: z.array(z.string()),
    }),
  ),
  probe: z.enum(["answered", "silence"]),
  durationMs: z.number(),
  slowestMs: z.number(),
  unproven: z.strictObject({ out: z.number(), in: z.number() }),
  messages: z.number(),
  claims: z.array(z.strictObject({ state: z.string(), authentic: z.boolean() })),
});
export type ShortOutcome = z.infer<typeof shortOutcomeSchema>;

export function shortOutcome(outcome: Outcome): ShortOutcome {
  const { steps, probe, durationMs, slowestMs, unproven, messages, claims } = outcome;
  return {
    ...{ number: outcome.case.number, steps, probe, durationMs, slowestMs, unproven, messages },
    claims: claims.map(({ sa, authentic }) => ({ state: sa.state, authentic })),
  };
}

/** For guidance. */
export const observedOf = (
  { steps, probe, durationMs, slowestMs, claims }: ShortOutcome,
  found: FuzzCase,
): Observed => ({
  ...{ case: found, steps, probe, durationMs, slowestMs },
  claims: claims.map(({ state, authentic }) => ({ sa: { state }, authentic })),
});

/** As an outcome again, without what only its own process had. */
export const outcomeOf = ({ number: _, ...rest }: ShortOutcome, found: FuzzCase): Outcome => ({
  ...{ ...rest, case: found, entries: [], claims: [] },
});

const orderSchema = z.strictObject({
  kind: z.literal("order"),
  /** As in harness/run/lane-protocol.ts. */
  ...{ peer: z.string(), id: z.string(), seed: z.string(), runId: z.string(), lane: z.int() },
  ...{ lie: z.string().optional(), variant: z.string().optional() },
  network: z.strictObject({ tester: z.string(), peer: z.string() }).optional(),
  ...wayShape,
  /** Conversations at a time. */
  window: z.int().min(1),
  /** Messages a second that may go to the peer. */
  rate: z.number().positive(),
  /** Folder for captures on their way to the store; not set: none are kept. */
  captures: z.string().optional(),
  /** How often the peer may be started again. */
  restartsAnHour: z.int().min(0),
  /** Whether half-open IKE SAs are looked after, which takes minutes where time is real. */
  halfOpen: z.boolean().optional(),
});
/** The first message to a lane. */
export type FuzzOrder = z.infer<typeof orderSchema>;

const batchSchema = z.strictObject({
  kind: z.literal("batch"),
  number: z.int(),
  /** Name of a setup. */
  setup: z.string(),
  peer: roleSchema,
  cases: z.array(caseSchema),
  /** Signatures that are findings already, or muted: counted and no more. */
  known: z.array(z.string()),
  /** What the smallest conversation of a finding may cost; 0: it is not looked for. */
  minimise: z.strictObject({ executions: z.int().min(0), ms: z.number() }),
});
export type BatchOrder = z.infer<typeof batchSchema>;

const replaySchema = z.strictObject({
  kind: z.literal("replay"),
  id: z.int(),
  case: caseSchema,
  setup: findingSchema.shape.setup,
  /** What it must show; one that builds up is looked for as it was found. Not set: every alarm is told. */
  alarm: alarmSchema.optional(),
  /** The peer is started anew before it: the one before has died. */
  restart: z.boolean(),
});
export type ReplayOrder = z.infer<typeof replaySchema>;

/** `finish`: begin no more cases, and look into what was seen. `stop`: end the peer and yourself, in the middle of a case if need be. */
export const toLaneSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("finish") }),
  orderSchema,
  batchSchema,
  replaySchema,
  z.strictObject({ kind: z.literal("stop") }),
]);

export const fromLaneSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("alive") }),
  z.strictObject({ kind: z.literal("started"), peer: peerSchema, epochMs: z.number() }),
  /** A case has come to its end. */
  z.strictObject({
    kind: z.literal("played"),
    batch: z.int(),
    outcome: shortOutcomeSchema,
    alarms: z.array(z.strictObject({ oracle: z.enum(ORACLES), signature: z.string() })),
  }),
  /** An alarm that came again when its case was played again. */
  z.strictObject({
    kind: z.literal("found"),
    ...{ batch: z.int(), alarm: alarmSchema, case: caseSchema, outcome: shortOutcomeSchema },
    /** Folder of its capture. */
    capture: z.string().optional(),
  }),
  /** A smaller conversation for a finding. */
  z.strictObject({
    kind: z.literal("reduced"),
    ...{ batch: z.int(), signature: z.string(), case: caseSchema, outcome: shortOutcomeSchema.optional() },
    ...{ executions: z.int(), exhausted: z.boolean(), capture: z.string().optional() },
  }),
  /** An alarm that did not come again. */
  z.strictObject({
    kind: z.literal("unconfirmed"),
    ...{ batch: z.int(), alarm: alarmSchema, case: caseSchema, why: z.string() },
    capture: z.string().optional(),
  }),
  /** What the peer logged meanwhile, as far as it was not told before: hashed shapes of lines. */
  z.strictObject({
    kind: z.literal("logged"),
    batch: z.int(),
    shapes: z.array(z.string().max(64)).max(10_000),
  }),
  /** Something of our own went wrong; the work goes on. */
  z.strictObject({ kind: z.literal("trouble"), reason: z.string() }),
  z.strictObject({ kind: z.literal("restarted"), reason: z.string() }),
  /** Honest conversations fail in this setup. */
  z.strictObject({ kind: z.literal("no-setup"), batch: z.int(), reason: z.string() }),
  z.strictObject({ kind: z.literal("batch-ended"), batch: z.int() }),
  /** What a replay showed. */
  z.strictObject({
    kind: z.literal("replayed"),
    ...{ id: z.int(), outcome: shortOutcomeSchema.optional(), alarms: z.array(alarmSchema) },
    /** Folder of its capture. */
    capture: z.string().optional(),
  }),
  /** The peer could not be started, or not be brought back. */
  z.strictObject({ kind: z.literal("lab-failed"), reason: z.string() }),
]);
export type FromFuzzLane = z.infer<typeof fromLaneSchema>;
