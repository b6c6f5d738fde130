/**
 * Baselines: `baselines/<peer>@<version>.yaml` holds every verdict of a peer that is not pass, and our judgement of it;
 * and the tests that are held back from it.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { FAULTS, type Known, VERDICTS, type Verdict } from "../../reports/results.ts";
import { collide, isPattern, nearestNaming } from "./baseline-tests.ts";
import { UsageError } from "./usage-error.ts";
import { FileError, parseYaml } from "./yaml-file.ts";

/** Where the baselines are. They are not copied into the built tree: what a user changes holds at once. */
export const baselinesFolder = ["../../baselines", "../../../baselines"]
  .map((path) => resolve(import.meta.dirname, path))
  .reduce((near, far) => (existsSync(near) ? near : far));

const filled = z
  .string({ error: ({ input }) => (input === null || input === undefined ? "is empty" : "must be a text") })
  .trim()
  .min(1, "is empty");

const KNOWN_VERDICTS = VERDICTS.filter((verdict) => verdict !== "pass" && verdict !== "setup");

const testsText = filled.refine(isPattern, "has * for something else than a whole section or name");

const testsSchema = z
  .union([testsText, z.array(testsText).min(1, "names no test")], {
    error: "must be the id of a test, or a list of them",
  })
  .transform((tests) => [tests].flat());

const knownSchema = z.strictObject({
  tests: testsSchema,
  except: testsSchema.optional(),
  verdict: z.enum(KNOWN_VERDICTS),
  reason: filled.refine((text) => patternOf(text) !== "wrong", "is no regular expression"),
  why: filled,
  evidence: filled,
  section: filled,
  fault: z.enum(FAULTS, { error: `must be one of ${FAULTS.join(", ")}` }),
  expires: z.iso.date("must be a day, as in 2027-01-31"),
  runtime: z.enum(["netns", "uml"], { error: "must be netns or uml" }).optional(),
});

/** What a verdict would tell may be left out. */
const withheldSchema = knownSchema
  .partial({ reason: true, evidence: true, section: true, fault: true })
  .extend({ verdict: z.literal("withheld") });

const entrySchema = z.discriminatedUnion("verdict", [knownSchema, withheldSchema], {
  error: `must be one of ${[...KNOWN_VERDICTS, "withheld"].join(", ")}`,
});

const baselineSchema = z.array(entrySchema, { error: "must be a list of entries" });

interface EntryPlace {
  /** Ids, or patterns of them (baseline-tests.ts). */
  tests: string[];
  /** Those of them that pass, or have an entry of their own. */
  except?: string[] | undefined;
  /** The entry holds in this runtime only; absent: in all. */
  runtime?: "netns" | "uml" | undefined;
}

export interface KnownEntry extends Known, EntryPlace {
  verdict: Verdict;
}

/** Of tests that are not run, and have no verdict in a report, until the peer's maintainers had their time. */
export interface WithheldEntry extends EntryPlace {
  verdict: "withheld";
  why: string;
  expires: string;
}

export type BaselineEntry = KnownEntry | WithheldEntry;

export interface Baseline {
  /** As it is shown to the user. */
  file: string;
  /** There is no such file; then there are no entries. */
  missing: boolean;
  entries: BaselineEntry[];
}

/** `/.../` is a regular expression, anything else a text. */
function patternOf(reason: string): RegExp | "wrong" | undefined {
  const source = /^\/(.+)\/$/s.exec(reason)?.[1];
  if (source === undefined) return undefined;
  try {
    return new RegExp(source);
  } catch {
    return "wrong";
  }
}

/** Whether a verdict's reason is the one an entry expects. Line breaks and runs of spaces count as one space. */
export function reasonFits(expected: string, reason: string): boolean {
  const pattern = patternOf(expected);
  const said = oneSpace(reason);
  return pattern instanceof RegExp ? pattern.test(said) : said.includes(oneSpace(expected));
}

export const oneSpace = (text: string): string => text.replace(/\s+/g, " ").trim();

/**
 * Reads the text of a baseline. `today` bounds how far ahead an entry may expire.
 * @throws FileError naming the field
 */
export function parseBaseline(text: string, file: string, today: Date): BaselineEntry[] {
  const entries = parseYaml(text, file, baselineSchema, () => Object.keys(knownSchema.shape));
  const latest = `${today.getUTCFullYear() + 1}${today.toISOString().slice(4, 10)}`;
  for (const [i, { expires }] of entries.entries())
    if (expires > latest)
      throw new FileError(file, `[${i}].expires`, `is more than a year ahead (${latest} at most)`);
  const named = entries.flatMap(({ tests, runtime }, entry) =>
    tests.map((text) => ({ text, runtime, entry })),
  );
  for (const [i, { text, runtime, entry }] of named.entries()) {
    const other = named
      .slice(0, i)
      .find((one) => collide(one.text, text) && (!one.runtime || !runtime || one.runtime === runtime));
    if (other) throw new FileError(file, `[${entry}].tests`, clash(text, other.text, other.entry));
  }
  return entries;
}

function clash(tests: string, other: string, entry: number): string {
  if (tests === other) return `${tests} is named by entry [${entry}] already`;
  return `${tests} and ${other} of entry [${entry}] name the same test, and neither goes before the other`;
}

/** The entry that holds for a test in a runtime, which is the one that names the fewest tests. */
export function entryOf({ entries }: Baseline, runtime: string, id: string): BaselineEntry | undefined {
  const here = entries.filter((entry) => entry.runtime === undefined || entry.runtime === runtime);
  return nearestNaming(here, id);
}

/**
 * What may hold for a test in a runtime. A container has ESP as a peer in a namespace has it, or as one in a guest,
 * whichever its host can: it is enough to be as one of them.
 */
export function entriesOf(baseline: Baseline, runtime: string, id: string): (BaselineEntry | undefined)[] {
  const places = runtime === "docker" ? ["netns", "uml"] : [runtime];
  return places.map((place) => entryOf(baseline, place, id));
}

export const isWithheld = (baseline: Baseline, runtime: string, id: string): boolean =>
  entriesOf(baseline, runtime, id).some((entry) => entry?.verdict === "withheld");

/** A peer as baselines tell them apart. */
export interface BaselinePeer {
  name: string;
  version: string;
}

/** `strongswan@6.1`. */
export const baselineName = ({ name, version }: BaselinePeer): string => `${name}@${version}`;

/** By {@link baselineName}. A peer that is not in there is judged without one. */
export type Baselines = ReadonlyMap<string, Baseline>;

/**
 * The baselines of the peers of a run. `choice`: `none`, or a file in place of the peer's own. The builtin peer has
 * none of its own: it must pass everything.
 * @throws UsageError for a file that cannot be used
 */
export function loadBaselines(
  peers: readonly BaselinePeer[],
  choice: string | undefined,
  today = new Date(),
  folder = baselinesFolder,
): Baselines {
  if (choice === "none") return new Map();
  if (choice !== undefined) return new Map(oneFile(peers, choice, today));
  const names = new Set(peers.filter(({ name }) => name !== "builtin").map(baselineName));
  return new Map(
    [...names].map((name) => {
      const file = `baselines/${name}.yaml`;
      const path = join(folder, `${name}.yaml`);
      return [name, existsSync(path) ? read(path, file, today) : { file, missing: true, entries: [] }];
    }),
  );
}

function oneFile(peers: readonly BaselinePeer[], file: string, today: Date): [string, Baseline][] {
  const names = [...new Set(peers.map(baselineName))];
  if (names.length > 1)
    throw new UsageError(`--baseline ${file}: it is for one peer, and here are ${names.join(", ")}`);
  return names.map((name) => [name, read(file, file, today)]);
}

function read(path: string, file: string, today: Date): Baseline {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--baseline ${file}: cannot be read: ${why}`);
  }
  return { file, missing: false, entries: parseBaseline(text, file, today) };
}
