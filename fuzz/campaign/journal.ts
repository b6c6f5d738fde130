/**
 * The journal of a campaign: a record a line, in the file as soon as it is written, on the disk two seconds later and
 * with every finding at once. It is for nobody but its owner: of what is under embargo it names the case.
 */
import * as fs from "node:fs";
import { z } from "zod";
import { fileReason } from "../../pcaps/text-file.ts";
import { ORACLES, SEVERITIES } from "../../reports/findings.ts";
import { readRecord } from "../../reports/journal.ts";
import { peerSchema, toolSchema } from "../../reports/results.ts";
import { CLOSED } from "../findings/files.ts";
import { STAGES } from "../trace.ts";

export const JOURNAL_FORMAT = 1;

const time = z.iso.datetime();
const count = z.int().min(0);
const text = z.string().max(2_000);
const role = z.enum(["initiator", "responder"]);
/** Place of the peer among those of the campaign. */
const peer = z.int().min(0).max(255);

const played = z.strictObject({
  kind: z.literal("played"),
  ...{ batch: count, peer },
  /** Numbers of the cases, as `7` or `7-12`. */
  cases: z.array(z.string().regex(/^\d{1,15}(?:-\d{1,15})?$/)).max(10_000),
  /** By the stage of the first change: cases, and those whose conversation came so far. */
  stages: z.partialRecord(z.enum(STAGES), z.strictObject({ cases: count, reached: count })),
  ...{ messages: count, novel: count, silent: count, unfit: count },
  /** Cases with an alarm, by oracle. */
  alarms: z.partialRecord(z.enum(ORACLES), count),
});

const recordSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("campaign-started"),
    ...{ time, tool: toolSchema, format: z.literal(JOURNAL_FORMAT), seed: text },
    peers: z.array(text).max(256),
    /** What makes the cases beside the seed, as one text: a campaign goes on with the same alone. */
    plan: z.string().max(65_536),
  }),
  z.strictObject({ kind: z.literal("resumed"), time }),
  z.strictObject({ kind: z.literal("peer-started"), peer, info: peerSchema }),
  z.strictObject({
    kind: z.literal("batch-started"),
    ...{ batch: count, peer, first: count, cases: count, setup: text, role },
  }),
  played,
  z.strictObject({ kind: z.literal("batch-ended"), batch: count, peer }),
  /** The finding's own file says more. */
  z.strictObject({
    kind: z.literal("found"),
    ...{ time, peer, id: text, oracle: z.enum(ORACLES), severity: z.enum(SEVERITIES), case: count },
    /** What of the catalogue it breaks, where it may be told. */
    requirement: text.optional(),
  }),
  z.strictObject({
    kind: z.literal("reduced"),
    ...{ peer, id: text, messages: count, executions: count },
  }),
  z.strictObject({
    kind: z.literal("unconfirmed"),
    ...{ time, peer, oracle: z.enum(ORACLES), case: count, folder: text.optional() },
  }),
  /** Something of our own went wrong. */
  z.strictObject({ kind: z.literal("trouble"), peer, reason: z.string().max(8_000) }),
  z.strictObject({ kind: z.literal("restarted"), time, peer }),
  z.strictObject({ kind: z.literal("no-setup"), peer, setup: text, role, reason: text }),
  z.strictObject({ kind: z.literal("lane-ended"), time, peer, reason: text }),
  z.strictObject({ kind: z.literal("campaign-ended"), time, reason: text }),
  /** Milliseconds that the campaign has taken, those before it was resumed with them. */
  z.strictObject({ kind: z.literal("clock"), ms: count }),
]);
export type JournalRecord = z.infer<typeof recordSchema>;
export type PlayedRecord = z.infer<typeof played>;

const SYNC_MS = 2_000;
/** What a second try could never lose. */
const AT_ONCE: readonly JournalRecord["kind"][] = ["found", "campaign-started", "campaign-ended"];

export interface Journal {
  /** @throws what the file system throws, as where the disk is full */
  append(record: JournalRecord): void;
  close(): void;
}

/** A half-written last line of a killed campaign is cut off first. @throws what the file system throws */
export function openJournal(path: string): Journal {
  const file = fs.openSync(path, "a+", CLOSED.file);
  cutOff(file);
  let synced = performance.now();
  return {
    append(record) {
      fs.appendFileSync(file, JSON.stringify(record) + "\n");
      if (!AT_ONCE.includes(record.kind) && performance.now() - synced < SYNC_MS) return;
      fs.fsyncSync(file);
      synced = performance.now();
    },
    close() {
      fs.fsyncSync(file);
      fs.closeSync(file);
    },
  };
}

const TAIL = 1024 * 1024;
const NEWLINE = 0x0a;

function cutOff(file: number): void {
  const { size } = fs.fstatSync(file);
  const tail = Buffer.alloc(Math.min(size, TAIL));
  fs.readSync(file, tail, 0, tail.length, size - tail.length);
  const end = tail.lastIndexOf(NEWLINE) + 1;
  if (end < tail.length) fs.ftruncateSync(file, size - tail.length + end);
}

export interface JournalContent {
  records: JournalRecord[];
  /** Lines that are no records, and why. */
  problems: string[];
}

/** Reads what there is of a journal that is not long. As {@link eachRecord}. */
export function readJournal(path: string): JournalContent | { reason: string } {
  const records: JournalRecord[] = [];
  const read = eachRecord(path, (record) => records.push(record));
  return "reason" in read ? read : { records, ...read };
}

/** A week of many lanes is less. */
const MOST_OCTETS = 16 * 1024 ** 3;
/** Of a line; the longest record holds the plan. */
const MOST_LINE = 1024 * 1024;
const CHUNK = 1024 * 1024;
const TOLD = 5;

/** Reads what there is, one after another, however long; a bad line costs only itself. The reason where the file cannot be read at all. */
export function eachRecord(
  path: string,
  take: (record: JournalRecord) => void,
): Pick<JournalContent, "problems"> | { reason: string } {
  const problems: string[] = [];
  let [number, bad] = [0, 0];
  const lineOf = (line: string | undefined) => {
    number += 1;
    if (line === "") return;
    const read =
      line === undefined ? { reason: `longer than ${MOST_LINE} octets` } : readRecord(recordSchema, line);
    if ("record" in read) take(read.record);
    else if (++bad <= TOLD) problems.push(`line ${number}: ${read.reason}: left out`);
  };
  let file: number | undefined;
  try {
    // Before it is opened, for to open a pipe is to wait.
    if (!fs.statSync(path).isFile()) return { reason: "is no file" };
    file = fs.openSync(path, "r");
    const { size } = fs.fstatSync(file);
    if (size > MOST_OCTETS) return { reason: `${size} octets; at most ${MOST_OCTETS} are read` };
    eachLine(file, size, lineOf);
  } catch (error) {
    return { reason: fileReason(error) };
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
  if (bad > TOLD) problems.push(`${bad - TOLD} more lines are left out`);
  return { problems };
}

/** `take` gets undefined for a line that is too long. What comes behind `size` octets is left alone. */
function eachLine(file: number, size: number, take: (line: string | undefined) => void): void {
  const chunk = Buffer.alloc(CHUNK);
  let pieces: Buffer[] = [];
  let length = 0;
  const add = (piece: Buffer) => {
    length += piece.length;
    if (length <= MOST_LINE) pieces.push(Buffer.from(piece));
  };
  const end = () => {
    take(length > MOST_LINE ? undefined : Buffer.concat(pieces).toString("utf8"));
    pieces = [];
    length = 0;
  };
  for (let left = size; left > 0; ) {
    const read = fs.readSync(file, chunk, 0, Math.min(CHUNK, left), null);
    if (read === 0) break;
    left -= read;
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0 && at < read; at = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, at));
      end();
      from = at + 1;
    }
    add(chunk.subarray(from, read));
  }
  if (length > 0) end();
}

/** Numbers as ranges, `7-12`, in ascending order. */
export function rangesOf(numbers: readonly number[]): string[] {
  const ranges: [number, number][] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && number <= last[1] + 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
}

/** First and last number of a range. */
export function boundsOf(range: string): [number, number] {
  const [from = "", to = from] = range.split("-");
  return [Number(from), Number(to)];
}
