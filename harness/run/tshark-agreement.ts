/** Compares our decode with tshark's over the captures of whole runs. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DecodedFrame, eachFrame } from "../../pcaps/tshark.ts";
import { Comparison, type Difference, type Reading } from "./tshark-comparison.ts";
import { type Loaded, load, Merged, type Source } from "./tshark-merged.ts";
import { RULES, type Rule } from "./tshark-rules.ts";

/** A difference that no rule explains. */
export interface Unexplained {
  capture: string;
  packet: number;
  field: string;
  ours: string;
  theirs: string;
}

export interface Agreement {
  captures: number;
  /** IKE messages; of those, whose Encrypted payload both opened; put together from fragments. */
  messages: number;
  inner: number;
  fragmented: number;
  /** ESP packets. */
  esp: number;
  /** Messages and packets that we opened, of transforms that tshark does not know. */
  alone: number;
  /** Single values that were compared. */
  fields: number;
  /** Packets of captures, and runs of tshark. */
  packets: number;
  runs: number;
  /** Places where a capture is not what it should be. */
  faults: number;
  explained: Map<Rule, number>;
  unexplained: Unexplained[];
}

export interface AgreementOptions {
  /** Told of each file that tshark has read. */
  progress?: (done: Agreement) => void;
}

/** Captures below a folder that have their keys beside them, in the order of their names. */
export function* sourcesIn(folder: string): Generator<Source> {
  const entries = readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const source = { capture: join(folder, "capture.pcap"), keys: join(folder, "keys") };
  if (existsSync(source.capture) && existsSync(join(source.keys, "keys.json"))) yield source;
  for (const entry of entries) if (entry.isDirectory()) yield* sourcesIn(join(folder, entry.name));
}

/** Throws where a capture or its keys cannot be read, and where tshark fails. */
export async function agreementOf(
  sources: Iterable<Source>,
  options: AgreementOptions = {},
): Promise<Agreement> {
  const agreement: Agreement = {
    ...{
      captures: 0,
      messages: 0,
      inner: 0,
      fragmented: 0,
      esp: 0,
      alone: 0,
      fields: 0,
      packets: 0,
      runs: 0,
      faults: 0,
    },
    ...{ explained: new Map(RULES.map((rule) => [rule, 0])), unexplained: [] },
  };
  const folder = mkdtempSync(join(tmpdir(), "bakeoff-agreement-"));
  try {
    for (const merged of batchesOf(sources)) {
      await compareMerged(merged, folder, agreement);
      options.progress?.(agreement);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return agreement;
}

/** Captures whose SAs have as many generations go together, so that tshark runs only as often as needed. */
function* batchesOf(sources: Iterable<Source>): Generator<Merged> {
  const open = new Map<number, Merged>();
  for (const source of sources) {
    const loaded = load(source);
    let merged = open.get(loaded.generations);
    if (merged && !merged.fits(loaded)) {
      yield merged;
      merged = undefined;
    }
    merged ??= new Merged();
    open.set(loaded.generations, merged);
    merged.add(loaded);
  }
  yield* open.values();
}

async function compareMerged(merged: Merged, folder: string, agreement: Agreement): Promise<void> {
  const capture = join(folder, "merged.pcapng");
  merged.write(capture);
  const comparison = new Comparison();
  for (let age = 0; age < merged.generations; age++) {
    const keys = join(folder, "keys");
    merged.writeKeys(keys, age);
    let frames = 0;
    const error = await eachFrame(capture, keys, (frame) => {
      frames++;
      compareFrame(merged, frame, age, comparison);
    });
    if (error) throw new Error(error.reason);
    if (frames !== merged.origins.length)
      throw new Error(`tshark read ${frames} of ${merged.origins.length} packets`);
    agreement.runs++;
  }
  agreement.captures += merged.captures.length;
  for (const { loaded } of merged.captures) agreement.faults += loaded.faults.length;
  agreement.packets += merged.origins.length;
  for (const count of ["messages", "inner", "fragmented", "esp", "alone", "fields"] as const)
    agreement[count] += comparison[count];
  for (const difference of comparison.differences) judge(difference, merged, agreement);
}

/** A frame is compared where tshark has the keys that opened it for us; what we could not open, with the last keys. */
function compareFrame({ origins }: Merged, frame: DecodedFrame, age: number, comparison: Comparison): void {
  const origin = origins[frame.number - 1];
  const readings = origin?.loaded.readings.get(origin.packet) ?? [];
  if (origin && ageOf(origin.loaded, readings) === age) comparison.frame(readings, frame);
}

const ageOf = ({ age }: Loaded, readings: readonly Reading[]): number =>
  Math.max(0, ...readings.map((reading) => age.get(reading) ?? 0));

function judge(difference: Difference, { origins }: Merged, agreement: Agreement): void {
  const rule = RULES.find(({ explains }) => explains(difference));
  if (rule) agreement.explained.set(rule, (agreement.explained.get(rule) ?? 0) + 1);
  else {
    const { field, ours, theirs, frame } = difference;
    const origin = origins[frame.number - 1];
    const at = { capture: origin?.loaded.source.capture ?? "", packet: origin?.packet ?? 0 };
    agreement.unexplained.push({ ...at, field, ours, theirs });
  }
}
