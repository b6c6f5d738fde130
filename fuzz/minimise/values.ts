/** Lies with less in them: a simpler operator, a shorter place, fewer octets, smaller numbers. */
import type { Change, Trace } from "../trace.ts";
import type { Trial } from "./trial.ts";

/** Numbers at which something is often decided, the simplest first. */
const BOUNDARIES = [
  0,
  1,
  2,
  4,
  8,
  127,
  128,
  255,
  256,
  0x7fff,
  0x8000,
  0xffff,
  0x1_0000,
  2 ** 31,
  2 ** 32 - 1,
];

/** The operator that asks the least of who reads a finding. */
const OMIT = "payload-omit";

const put = (trace: Trace, step: number, at: number, change: Change): Trace => ({
  ...trace,
  steps: trace.steps.map((one, index) =>
    index === step ? { ...one, changes: (one.changes ?? []).with(at, change) } : one,
  ),
});

/** Every simpler lie in the place of one, but for its octets cut in the middle. */
export function* simpler(trace: Trace): Generator<Trace> {
  for (const [step, { changes = [] }] of trace.steps.entries())
    for (const [at, change] of changes.entries())
      for (const other of simplerThan(change)) yield put(trace, step, at, other);
}

function* simplerThan(change: Change): Generator<Change> {
  const { octets, value, at, ...rest } = change;
  const place = at === undefined ? {} : { at };
  const number = value === undefined ? {} : { value };
  const held = octets === undefined ? {} : { octets };
  if (change.op.startsWith("payload-") && change.op !== OMIT) yield { ...rest, ...place, op: OMIT };
  if (octets !== undefined) yield { ...rest, ...place, ...number };
  if (value !== undefined) yield { ...rest, ...place, ...held };
  for (let message = 0; message < change.message; message++) yield { ...change, message };
  if (octets !== undefined) for (const less of lessThan(octets)) yield { ...change, octets: less };
  if (value !== undefined)
    for (const less of BOUNDARIES) if (Math.abs(value) > less) yield { ...change, value: less };
}

function* lessThan(octets: string): Generator<string> {
  if (octets === "") return;
  yield "";
  const zeros = "0".repeat(octets.length);
  if (octets !== zeros) yield zeros;
  yield octets.slice(0, -2);
  yield octets.slice(2);
}

/** Cuts octets off the end and off the beginning, in pieces that halve, and makes what is left zeros in pieces. */
export async function fewerOctets(trial: Trial): Promise<void> {
  const places = trial.best.steps.flatMap(({ changes = [] }, step) =>
    changes.map((_, at) => [step, at] as const),
  );
  for (const [step, at] of places)
    for (const cut of [cutEnd, cutBeginning, zeroPiece]) await cutWhile(trial, step, at, cut);
}

type Cut = (octets: string, digits: number, piece: number) => string | undefined;

const cutEnd: Cut = (octets, digits) => octets.slice(0, -digits);
const cutBeginning: Cut = (octets, digits) => octets.slice(digits);
const zeroPiece: Cut = (octets, digits, piece) => {
  const from = piece * digits;
  if (from >= octets.length) return undefined;
  const zeros = "0".repeat(Math.min(digits, octets.length - from));
  return octets.slice(0, from) + zeros + octets.slice(from + digits);
};

/** Pieces of one size that are made zero at most; beyond, a finding has its octets as they are. */
const PIECES = 16;

async function cutWhile(trial: Trial, step: number, at: number, cut: Cut): Promise<void> {
  const current = () => trial.best.steps[step]?.changes?.[at];
  const start = current()?.octets?.length ?? 0;
  for (
    let digits = 2 * Math.ceil(start / 4);
    digits >= 2;
    digits = digits === 2 ? 0 : 2 * Math.ceil(digits / 4)
  ) {
    for (let piece = 0; piece < PIECES; ) {
      const change = current();
      const octets = change?.octets ?? "";
      const less = octets.length < digits ? undefined : cut(octets, digits, piece);
      if (!change || less === undefined) break;
      if (less === octets || !(await trial.take(put(trial.best, step, at, { ...change, octets: less })))) {
        if (cut !== zeroPiece) break;
        piece += 1;
      }
    }
  }
}
