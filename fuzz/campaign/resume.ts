/** What a campaign that was ended, or killed, left to go on with. Files that are damaged are named and do without. */
import { existsSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { z } from "zod";
import { UsageError } from "../../harness/run/usage-error.ts";
import { readTextFile } from "../../pcaps/text-file.ts";
import { type GeneratorState, generatorStateSchema } from "../generate/generator.ts";
import { Guide } from "../guide/guide.ts";
import { WAITING } from "./front.ts";
import { boundsOf, eachRecord, type JournalRecord } from "./journal.ts";
import { type Plan, planSchema } from "./plan.ts";
import { JOURNAL_FILE, type Pending, pendingSchema, stateFolder } from "./recorder.ts";
import { Tally } from "./tally.ts";

export interface Before {
  plan: Plan;
  tally: Tally;
  /** By the place of the peer. */
  generators: ReadonlyMap<number, GeneratorState>;
  /** Cases that were handed out and never begun. */
  pending: { peer: number; name: string; held: Pending }[];
  /** What could not be used, and why. */
  problems: string[];
}

const MOST_OCTETS = 256 * 1024 * 1024;

/** @throws UsageError where there is no campaign to go on with */
export function whatWasBefore(out: string): Before {
  const journal = join(out, JOURNAL_FILE);
  const problems: string[] = [];
  const files = pendingFiles(out, problems);
  // Of a long campaign only the batches that are not over are looked at closely.
  const played = new Map(files.map(({ peer, held }) => [keyOf(peer, held.batch), new Set<number>()]));
  const tally = new Tally();
  let first: JournalRecord | undefined;
  const read = eachRecord(journal, (record) => {
    first ??= record;
    tally.add(record);
    count(record, played);
  });
  if ("reason" in read) throw new UsageError(`--resume: ${journal}: ${read.reason}`);
  const plan = first?.kind === "campaign-started" ? parsed(planSchema, first.plan) : undefined;
  if (!plan || "reason" in plan)
    throw new UsageError(`--resume: ${journal}: does not begin as the journal of a campaign of this version`);
  problems.unshift(...read.problems.map((problem) => `${journal}: ${problem}`));
  const generators = generatorsIn(out, plan, tally, problems);
  return { plan, tally, generators, pending: pendingIn(out, files, played), problems };
}

const keyOf = (peer: number, batch: number): string => `${peer} ${batch}`;

function count(record: JournalRecord, played: ReadonlyMap<string, Set<number>>): void {
  const numbers = record.kind === "played" && played.get(keyOf(record.peer, record.batch));
  if (!numbers) return;
  for (const range of record.cases) {
    const [from, to] = boundsOf(range);
    for (let number = from; number <= Math.min(to, from + MOST_OF_A_BATCH); number++) numbers.add(number);
  }
}

const MOST_OF_A_BATCH = 10_000;

function generatorsIn(
  out: string,
  plan: Plan,
  tally: Tally,
  problems: string[],
): ReadonlyMap<number, GeneratorState> {
  const found = new Map<number, GeneratorState>();
  for (const peer of plan.peers.keys()) {
    const path = join(stateFolder(out), `generator-${peer}.json`);
    const state = existsSync(path) ? readState(path, generatorStateSchema) : { reason: "is missing" };
    const begun = tally.nextBatch(peer);
    if (begun === 0) continue;
    if ("reason" in state) problems.push(`${path}: ${state.reason}: what was learned is forgotten`);
    const known = "reason" in state ? nothingLearned(plan) : state;
    const next = begun - 1 + (plan.shard?.of ?? 1);
    found.set(peer, { ...known, next: Math.max(known.next, next), open: [] });
  }
  return found;
}

const nothingLearned = ({ seed, batch }: Plan): GeneratorState => ({
  ...{ generator: 1, seed, batch, next: 0, open: [], dropped: [] },
  ...{ coverage: { coverage: 1, cells: [] }, guide: new Guide().state() },
});

interface PendingFile {
  file: string;
  peer: number;
  /** Of the lane, or of the place in the queue. */
  number: number;
  held: Pending;
}

function pendingFiles(out: string, problems: string[]): PendingFile[] {
  const folder = stateFolder(out);
  const files = existsSync(folder) ? readdirSync(folder).flatMap((file) => [...file.matchAll(PENDING)]) : [];
  return files.flatMap(([file, peer, number]) => {
    const path = join(folder, file);
    const held = readState(path, pendingSchema);
    if (!("reason" in held)) return [{ file, peer: Number(peer), number: Number(number), held }];
    problems.push(`${path}: ${held.reason}: left out`);
    return [];
  });
}

/**
 * Those that were being played when it ended count as played, so that no case comes twice. The files get names that no
 * lane writes to.
 */
function pendingIn(
  out: string,
  files: readonly PendingFile[],
  played: ReadonlyMap<string, Set<number>>,
): Before["pending"] {
  const folder = stateFolder(out);
  let last = files.reduce((most, { number }) => Math.max(most, number), WAITING);
  return files.map(({ file, peer, number, held }) => {
    const before = played.get(keyOf(peer, held.batch)) ?? new Set();
    const left = held.cases.filter((one) => !before.has(one.number)).slice(held.inHand);
    for (const one of left) before.add(one.number);
    const name = `${peer}-${number >= WAITING ? number : ++last}`;
    renameSync(join(folder, file), join(folder, `pending-${name}.json`));
    return { peer, name, held: { ...held, cases: left } };
  });
}

const PENDING = /^pending-(\d{1,3})-(\d{1,9})\.json$/g;

function readState<T>(path: string, schema: z.ZodType<T>): T | { reason: string } {
  const text = readTextFile(path, { most: MOST_OCTETS });
  return typeof text === "string" ? parsed(schema, text) : text;
}

function parsed<T>(schema: z.ZodType<T>, text: string): T | { reason: string } {
  try {
    const read = schema.safeParse(JSON.parse(text));
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    return { reason: `${issue?.path.join(".") || "the file"}: ${issue?.message ?? "is not of its schema"}` };
  } catch {
    return { reason: "is no JSON" };
  }
}
