/**
 * The journal of a run: one JSON record per line, appended and synced as results come, so that a run that was
 * killed can be reported and resumed. A later run that resumes appends to the same file.
 */
import * as fs from "node:fs";
import { z } from "zod";
import { readTextFile } from "../pcaps/text-file.ts";
import {
  type GoldenResult,
  goldenSchema,
  makeResults,
  otherVersion,
  peerSchema,
  RESULTS_SCHEMA,
  type Results,
  testKey,
  testSchema,
  toolSchema,
  withheldSchema,
} from "./results.ts";

const time = z.iso.datetime();

const recordSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("run-started"),
    ...{ time, tool: toolSchema, seed: z.string() },
    /** Version of the format, that of results; absent in a journal of before it was written. */
    schema: z.literal(RESULTS_SCHEMA).optional(),
    /** Which part of its plan the run was, as in 2/4; absent: all of it. */
    shard: z.string().optional(),
    /** The baseline file of the run, or `none`; absent where each peer's own was taken. */
    baseline: z.string().optional(),
    /** Tests that were selected and are not run; absent: none. */
    withheld: z.array(withheldSchema).optional(),
  }),
  z.strictObject({ kind: z.literal("peer-started"), time, peer: peerSchema }),
  z.strictObject({ kind: z.literal("test-finished"), time, test: testSchema }),
  /** A second run of a test whose verdict is not as the baseline says. */
  z.strictObject({ kind: z.literal("test-tried-again"), time, test: testSchema }),
  /** What the run saw, held against a golden capture. */
  z.strictObject({ kind: z.literal("golden-compared"), time, golden: goldenSchema }),
  z.strictObject({ kind: z.literal("run-finished"), time, interrupted: z.string().optional() }),
]);
/** `time` is UTC in ISO 8601. `interrupted` says why a run ended early, and is absent for a complete one. */
export type JournalRecord = z.infer<typeof recordSchema>;

/** Appends records. Every record is on disk when `append` returns. */
export interface JournalWriter {
  append(record: JournalRecord): void;
  close(): void;
}

/**
 * Opens a journal for appending, and makes it when it does not exist. A half-written last line of a killed run
 * is cut off first. Throws what the file system throws (no such folder, no permission, disk full).
 */
export function openJournal(path: string): JournalWriter {
  const file = fs.openSync(path, "a+");
  const whole = fs.readFileSync(file);
  const end = whole.lastIndexOf(0x0a) + 1;
  if (end < whole.length) fs.ftruncateSync(file, end);
  return {
    append(record) {
      fs.appendFileSync(file, JSON.stringify(record) + "\n");
      fs.fsyncSync(file);
    },
    close() {
      fs.closeSync(file);
    },
  };
}

/** A line that is no record. */
export interface JournalFinding {
  /** Counted from 1. */
  line: number;
  reason: string;
}

export interface JournalContent {
  records: JournalRecord[];
  findings: JournalFinding[];
  /** Set when the last line was cut off in the middle and has been left out. */
  note?: string;
  /** Names both versions, where a record says that it is of another one than ours. */
  version?: string;
}

/** A journal that cannot be read at all, is of another version, or holds no run. */
export interface JournalError {
  error: "unreadable" | "version" | "no-run";
  reason: string;
}

/** Reads what there is; a bad line costs only itself. */
export function parseJournal(text: string): JournalContent {
  const lines = text.split("\n");
  const rest = lines.pop();
  const content: JournalContent = { records: [], findings: [] };
  lines.forEach((line, index) => {
    const record = parseLine(line);
    if ("kind" in record) content.records.push(record);
    else {
      content.findings.push({ line: index + 1, reason: record.reason });
      content.version ??= record.version;
    }
  });
  if (rest)
    content.note = `line ${lines.length + 1} is half-written (${rest.length} characters) and was left out`;
  return content;
}

function parseLine(line: string): JournalRecord | { reason: string; version?: string } {
  const read = readRecord(recordSchema, line);
  if ("record" in read) return read.record;
  const { reason, value } = read;
  const version = otherVersion(value);
  return version === undefined ? { reason } : { reason, version };
}

/** A line of a journal as this schema has it, or why it is none, with what could be read of it at all. */
export function readRecord<T>(
  schema: z.ZodType<T>,
  line: string,
): { record: T } | { reason: string; value?: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { reason: "no JSON" };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { record: parsed.data };
  const [issue] = parsed.error.issues;
  const reason = issue ? `${issue.path.join(".") || "record"}: ${issue.message}` : "no journal record";
  return { reason, value };
}

/** Of a journal, or of results, which are held as a whole; those of a full run on all peers have some million. */
export const MOST_OCTETS = 256 * 1024 * 1024;

export function readJournal(path: string): JournalContent | JournalError {
  const text = readTextFile(path, { most: MOST_OCTETS });
  if (typeof text !== "string") return { error: "unreadable", reason: text.reason };
  const content = parseJournal(text);
  return content.version === undefined ? content : { error: "version", reason: content.version };
}

/** Lines that a reader is told of: the first few, for a file that is no journal has nothing else. */
const TOLD = 5;

/** What could not be read of a journal, in sentences; none when all of it could. */
export function notesOf({ findings, note }: JournalContent): string[] {
  const told = findings.slice(0, TOLD).map(({ line, reason }) => `line ${line} is no record: ${reason}`);
  const rest = findings.length - told.length;
  return [
    ...told,
    ...(rest > 0 ? [`and ${rest} more lines that are no record`] : []),
    ...(note === undefined ? [] : [note]),
  ];
}

/** A journal that holds these results; each record is as late as a run of one moment allows. */
export function recordsOf(results: Results): JournalRecord[] {
  const { tool, seed, started, finished, interrupted, peers, tests, withheld, golden = [] } = results;
  const start = { time: started, tool, seed, schema: results.schema };
  return [
    { kind: "run-started", ...start, ...(withheld === undefined ? {} : { withheld }) },
    ...peers.map((peer): JournalRecord => ({ kind: "peer-started", time: started, peer })),
    ...tests.flatMap(({ again, ...test }): JournalRecord[] => [
      { kind: "test-finished", time: finished, test },
      ...(again ? [{ kind: "test-tried-again" as const, time: finished, test: { ...test, ...again } }] : []),
    ]),
    ...golden.map((one): JournalRecord => ({ kind: "golden-compared", time: finished, golden: one })),
    { kind: "run-finished", time: finished, ...(interrupted === undefined ? {} : { interrupted }) },
  ];
}

/** Keys (see {@link testKey}) of the tests that need no second run. */
export function finishedTests(records: readonly JournalRecord[]): Set<string> {
  return new Set(
    records.flatMap((record) => (record.kind === "test-finished" ? [testKey(record.test)] : [])),
  );
}

/**
 * The results a journal holds. A test that appears twice keeps its first verdict, a peer its last description.
 * What a second try of a test found stands beside its verdict. What is withheld is what the last run withheld.
 * A run without `run-finished` is interrupted, and finished at the time of its last record. `notes`: see `notesOf`.
 */
export function resultsFromJournal(
  records: readonly JournalRecord[],
  notes: string[] = [],
): Results | JournalError {
  const first = records.find((record) => record.kind === "run-started");
  const last = records.at(-1);
  if (!first || !last) return { error: "no-run", reason: "the journal has no run-started record" };
  const starts = records.flatMap((record) => (record.kind === "run-started" ? [record] : []));
  const withheld = starts.at(-1)?.withheld;
  const interrupted =
    last.kind === "run-finished"
      ? last.interrupted
      : "the run ended without a word (killed, or the machine went down)";
  return makeResults({
    tool: first.tool,
    seed: first.seed,
    started: first.time,
    finished: last.time,
    ...(interrupted === undefined ? {} : { interrupted }),
    ...(withheld === undefined ? {} : { withheld }),
    notes,
    golden: goldenOf(records),
    ...peersAndTests(records),
  });
}

/** Of a run that was resumed, the last comparison with each golden capture counts. */
function goldenOf(records: readonly JournalRecord[]): GoldenResult[] {
  const golden = new Map<string, GoldenResult>();
  for (const record of records)
    if (record.kind === "golden-compared")
      golden.set(JSON.stringify([record.golden.peer, record.golden.document]), record.golden);
  return [...golden.values()];
}

function peersAndTests(records: readonly JournalRecord[]): Pick<Results, "peers" | "tests"> {
  const peers = new Map<string, Results["peers"][number]>();
  const tests = new Map<string, Results["tests"][number]>();
  const again = new Map<string, Results["tests"][number]["again"]>();
  for (const record of records) {
    if (record.kind === "peer-started") peers.set(record.peer.id, record.peer);
    if (record.kind === "test-tried-again") {
      const { verdict, reason, evidence } = record.test;
      again.set(testKey(record.test), { verdict, reason, evidence });
    }
    if (record.kind !== "test-finished") continue;
    const key = testKey(record.test);
    if (!tests.has(key)) tests.set(key, record.test);
  }
  const withSecond = ([key, test]: [string, Results["tests"][number]]) => {
    const second = again.get(key);
    return second ? { ...test, again: second } : test;
  };
  return { peers: [...peers.values()], tests: [...tests].map(withSecond) };
}
