/** A finding: one JSON file that is enough to play its conversation again, on this machine or another. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { readTextFile } from "../../pcaps/text-file.ts";
import { ORACLES, SEVERITIES } from "../../reports/findings.ts";
import { peerSchema } from "../../reports/results.ts";
import type { Alarm } from "../alarm.ts";
import { STAGES, traceSchema } from "../trace.ts";
import { wishesSchema } from "./wishes.ts";

/** Version of the format. */
const FINDING_FORMAT = 1;

const text = (most: number) => z.string().max(most);
const moment = z.iso.datetime();

const findingIdSchema = z.string().regex(/^[0-9a-f]{12}$/, "12 hexadecimal digits");

export const findingSchema = z
  .strictObject({
    finding: z.literal(FINDING_FORMAT).describe("Version of this format."),
    id: findingIdSchema.describe(
      "Of the peer's name and the signature: the same for the same fault in every run.",
    ),
    title: text(500).min(1),
    signature: text(200).min(1),
    oracle: z.enum(ORACLES),
    severity: z.enum(SEVERITIES),
    embargo: z.boolean().describe("The maintainers hear of it first: no report shows it."),
    released: moment
      .describe("When its embargo was lifted; absent: it had none, or has it still.")
      .optional(),
    requirement: z
      .strictObject({ document: text(64), id: text(128) })
      .describe("What of the catalogue it breaks; absent where no text is broken.")
      .optional(),
    peer: peerSchema,
    lie: text(128).describe("The fault planted in the builtin peer; absent: none.").optional(),
    tool: text(64).describe("Version of ipsec-bakeoff."),
    stage: z.enum(STAGES),
    operators: z.array(text(64)).max(2048).describe("Names of those in the trace."),
    seed: text(256).describe("What our nonces, SPIs and keys are made of."),
    number: z.int().min(0).describe("Of the case in its campaign."),
    trace: traceSchema.describe("The smallest conversation known to show it."),
    original: traceSchema.describe("The one that showed it first."),
    minimised: z.boolean().describe("Whether a smaller conversation was looked for."),
    alone: z
      .boolean()
      .describe("Whether the conversation shows it on a fresh peer; false for what builds up over many."),
    messages: z.int().min(0).describe("That we send in the conversation, copies left out."),
    setup: z.strictObject({ name: text(64), wishes: wishesSchema }).describe("What both ends are told."),
    seen: z.strictObject({ count: z.int().min(1), first: moment, last: moment }),
    beside: z
      .array(text(200))
      .max(64)
      .describe("Signatures of what the log says in the same conversation; absent: nothing.")
      .optional(),
    detail: text(64 * 1024),
  })
  .describe("A finding of ipsec-bakeoff's fuzzer, to be played again with bakeoff fuzz replay.");
export type StoredFinding = z.infer<typeof findingSchema>;

/** The same for the same fault of the same implementation. */
export const findingId = (peer: string, signature: string): string =>
  createHash("sha256")
    .update(JSON.stringify([peer, signature]))
    .digest("hex")
    .slice(0, 12);

/** What must not be known before its maintainers had their time: whatever may hurt who runs the peer. */
export const needsEmbargo = ({ oracle, severity }: Pick<Alarm, "oracle" | "severity">): boolean =>
  oracle === "crash" ||
  oracle === "hang" ||
  oracle === "memory" ||
  oracle === "secrecy" ||
  severity === "critical" ||
  severity === "high";

export interface UnreadFinding {
  error: "unreadable" | "version" | "schema";
  reason: string;
}

/** Octets of a finding's file. */
const MOST_OCTETS = 16 * 1024 * 1024;

/** The finding in a file, or why it is none. The reason does not quote the file, which may be under embargo. Never throws. */
export function readFinding(path: string): StoredFinding | UnreadFinding {
  const read = readTextFile(path, { most: MOST_OCTETS });
  if (typeof read !== "string") return { error: "unreadable", reason: read.reason };
  let value: unknown;
  try {
    value = JSON.parse(read);
  } catch {
    return { error: "unreadable", reason: "is not JSON" };
  }
  return parseFinding(value);
}

export function parseFinding(value: unknown): StoredFinding | UnreadFinding {
  const version = z.object({ finding: z.unknown() }).safeParse(value);
  if (!version.success || version.data.finding === undefined)
    return { error: "schema", reason: "finding: is missing; this is no finding of bakeoff fuzz" };
  if (version.data.finding !== FINDING_FORMAT)
    return { error: "version", reason: `finding: must be ${FINDING_FORMAT}, the format of this version` };
  const parsed = findingSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return { error: "schema", reason: `${issue?.path.join(".") || "finding"}: ${kindOf(issue)}` };
}

/** zod's words but for those that quote the file. */
const kindOf = (issue: z.core.$ZodIssue | undefined): string =>
  issue?.code === "unrecognized_keys" ? "has an unknown field" : (issue?.message ?? "is not of its schema");

export const isUnread = (read: StoredFinding | UnreadFinding): read is UnreadFinding => "error" in read;
