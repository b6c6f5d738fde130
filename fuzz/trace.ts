/**
 * The unit that is generated, stored, mutated, minimised and replayed: a conversation of symbolic steps and the lies
 * in it. It holds no nonces, SPIs or keys: they are fresh at every run, out of the case's seed.
 */
import { z } from "zod";

/** How far a conversation is when a lie is told. */
export const STAGES = [
  "init",
  "cookie",
  "intermediate",
  "auth",
  "eap",
  "create-child",
  "rekey-ike",
  "rekey-child",
  "followup",
  "informational",
  "group",
  "esp",
] as const;
export type Stage = (typeof STAGES)[number];

/**
 * What is done in a step. Without `peer-` we begin it: `auth` is all rounds of IKE_INTERMEDIATE, EAP and IKE_AUTH (GSA_AUTH in
 * a group), `create-child`, `rekey-*` those of IKE_FOLLOWUP_KE as well; `esp` is an echo request through the newest Child SA;
 * `register` is GSA_REGISTRATION. With `peer-` the driver makes the peer begin it and our messages are the responses.
 */
export const ACTS = [
  "init",
  "auth",
  "create-child",
  "rekey-child",
  "rekey-ike",
  "informational",
  "delete-child",
  "delete-ike",
  "register",
  "esp",
  "peer-initiate",
  "peer-rekey-child",
  "peer-rekey-ike",
  "peer-delete-child",
  "peer-delete-ike",
  "peer-esp",
] as const;
export type Act = (typeof ACTS)[number];

const octets = z.string().regex(/^(?:[0-9a-f]{2})*$/, "octets in lower-case hex");

const changeSchema = z.strictObject({
  message: z
    .int()
    .min(0)
    .max(255)
    .describe(
      "Which of the messages that we send in the step, from 0: requests in a step that we begin, else responses; copies do not count.",
    ),
  op: z.string().max(64).describe("Name of an operator, as `bakeoff fuzz operators` lists them."),
  at: z
    .string()
    .max(256)
    .describe("What of the message, as the operator reads it: `Nonce`, `SA/1/2`.")
    .optional(),
  value: z.number().describe("The number it takes, as the operator reads it.").optional(),
  octets: octets.max(262_144).describe("The octets it takes, as the operator reads them.").optional(),
});
/** One lie about one of our messages. */
export type Change = z.infer<typeof changeSchema>;

/** The operator that leaves a message out: by it the minimiser ends a step. */
export const MESSAGE_SKIP = "message-skip";

const stepSchema = z.strictObject({
  act: z.enum(ACTS),
  sa: z
    .int()
    .min(0)
    .max(15)
    .describe("The IKE SA it is for, by the order in which they began; not set: the newest.")
    .optional(),
  together: z.literal(true).describe("Begins without waiting for the end of the step before.").optional(),
  changes: z.array(changeSchema).max(64).optional(),
});
export type Step = z.infer<typeof stepSchema>;

export const traceSchema = z
  .strictObject({
    trace: z.literal(1).describe("Version of this format."),
    setup: z.string().max(64).describe("What both ends are told; a name of fuzz/setups.ts."),
    peer: z.enum(["initiator", "responder"]).describe("The role of the peer."),
    steps: z.array(stepSchema).min(1).max(32),
  })
  .describe("A conversation of ipsec-bakeoff's fuzzer.");
export type Trace = z.infer<typeof traceSchema>;

/** A trace with what makes its randomness, and where it comes from. */
export interface FuzzCase {
  /** From 0; with the seed of the campaign it names the case. */
  number: number;
  /** Of our endpoint's nonces, SPIs and keys. */
  seed: string;
  /** Of the first change, or of the honest conversation's last step. */
  stage: Stage;
  trace: Trace;
  /** Name of the corpus entry it was made from; not set: made anew. */
  parent?: string;
}

/** All changes of a trace, in order. */
export const changesOf = ({ steps }: Trace): Change[] => steps.flatMap(({ changes = [] }) => changes);

/** The same step, honest. */
export const withoutChanges = ({ changes: _, ...step }: Step): Step => step;

/** The honest conversation of a trace. */
export const withoutLies = ({ steps, ...trace }: Trace): Trace => ({
  ...trace,
  steps: steps.map(withoutChanges),
});
