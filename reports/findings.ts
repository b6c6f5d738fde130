/** What fuzzing has found: `findings.json` in a result folder. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readTextFile } from "../pcaps/text-file.ts";
import { relativePath } from "./results.ts";

export const FINDINGS_FILE = "findings.json";
/** Version of the format. */
const FINDINGS_SCHEMA = 1;

export const SEVERITIES = ["critical", "high", "medium", "low", "note"] as const;

/** What noticed it. */
export const ORACLES = ["crash", "hang", "memory", "requirement", "difference", "state", "secrecy"] as const;

const findingSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "letters, digits, '_' and '-', at most 64")
    .describe("The same for the same fault in every run."),
  title: z.string().min(1),
  peer: z.string().min(1).describe("Id of the peer, as in results.json."),
  fullVersion: z.string().describe("The version as the daemon states it."),
  stage: z.string().min(1).describe("How far the SA was: IKE_SA_INIT, IKE_AUTH, established, rekey."),
  oracle: z.enum(ORACLES),
  requirement: z
    .strictObject({ document: z.string(), id: z.string() })
    .describe("What of the catalogue it breaks; absent where no text is broken.")
    .optional(),
  severity: z.enum(SEVERITIES),
  embargo: z
    .boolean()
    .describe("The maintainers hear of it first: no report shows it, and nothing of it is copied."),
  seed: z.string().describe("Seed and number of the case: what makes the fuzzer send the same again."),
  reproducer: relativePath.describe("The smallest input that shows it.").optional(),
  capture: relativePath.optional(),
  ladder: relativePath.describe("The conversation as text.").optional(),
  log: relativePath.describe("The peer's own log.").optional(),
  role: z.enum(["initiator", "responder"]).describe("The role the peer plays.").optional(),
  setup: z.string().describe("What both ends are told: the name of a setup of the fuzzer.").optional(),
  operators: z.array(z.string()).describe("The ways to lie in the conversation.").optional(),
  steps: z.array(z.string()).describe("The conversation in words.").optional(),
  messages: z.int().min(0).describe("That we send in the conversation.").optional(),
  seen: z
    .strictObject({ count: z.int().min(1), first: z.iso.datetime(), last: z.iso.datetime() })
    .describe("How often it showed in the campaign.")
    .optional(),
  detail: z.string().describe("More for whoever judges it.").optional(),
});
export type Finding = z.infer<typeof findingSchema>;

export const findingsSchema = z
  .strictObject({
    schema: z.literal(FINDINGS_SCHEMA),
    findings: z.array(findingSchema),
    withheld: z.int().min(0).describe("Further ones, of which nothing is told yet; absent: none.").optional(),
  })
  .describe("What a fuzzing run of ipsec-bakeoff found.");
export type FindingsFile = z.infer<typeof findingsSchema>;

export interface FindingsError {
  error: "unreadable" | "schema";
  reason: string;
}

/** What may be shown of a folder's findings, and how many are under embargo. */
export interface Published {
  findings: Finding[];
  withheld: number;
}

/** Of a file of findings. */
const MOST_OCTETS = 64 * 1024 * 1024;

/** The findings of a result folder; undefined if it has no such file. */
export function readFindings(folder: string): Published | FindingsError | undefined {
  const path = join(folder, FINDINGS_FILE);
  if (!existsSync(path)) return undefined;
  let value: unknown;
  try {
    const text = readTextFile(path, { most: MOST_OCTETS });
    value = typeof text === "string" ? JSON.parse(text) : undefined;
  } catch {
    // The parser's own words quote the file, and with it perhaps what is under embargo.
    return { error: "unreadable", reason: "cannot be read as JSON" };
  }
  const parsed = findingsSchema.safeParse(value);
  if (!parsed.success) return { error: "schema", reason: z.prettifyError(parsed.error) };
  const findings = parsed.data.findings.filter(({ embargo }) => !embargo);
  const { withheld = 0 } = parsed.data;
  return { findings, withheld: withheld + parsed.data.findings.length - findings.length };
}

/** What may be told of the findings of a folder; nothing of a file that cannot be used. */
export function publishedIn(folder: string): Published {
  const read = readFindings(folder);
  return read && "findings" in read ? read : { findings: [], withheld: 0 };
}
