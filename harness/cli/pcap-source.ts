/** What the commands on captures share: which keys, what is seen, and output that ends when its reader leaves. */
import { once } from "node:events";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { readSeen } from "../../pcaps/decode/index.ts";
import type { KeyFault } from "../../pcaps/key-files/types.ts";
import type { CaptureFault } from "../../pcaps/types.ts";
import type { Seen } from "../lint/seen.ts";
import { UsageError } from "../run/usage-error.ts";
import { oneLine } from "./output.ts";

/** `--keys` of a command, which may be given several times. */
export const keysOption = [
  "--keys <path>",
  "file or folder of keys, may be given again (default: the folder keys beside the capture, if there is one)",
  (path: string, before: string[] = []) => [...before, path],
] as const;

/** The keys to use for a capture: those given, else those that lie beside it, which is said. */
export function keysFor(capture: string, given: readonly string[] | undefined): readonly string[] {
  for (const path of given ?? [])
    if (!existsSync(path)) throw new UsageError(`--keys ${oneLine(path)}: there is no such file`);
  if (given || capture === "-") return given ?? [];
  const beside = join(dirname(capture), "keys");
  if (!existsSync(beside) || !statSync(beside).isDirectory()) return [];
  process.stderr.write(`keys: ${oneLine(beside)}\n`);
  return [beside];
}

/** The capture at a path: the file itself, or that in a folder of evidence. @throws UsageError for a folder without one */
export function captureAt(path: string): string {
  if (path === "-" || !existsSync(path) || !statSync(path).isDirectory()) return path;
  const capture = join(path, "capture.pcap");
  if (existsSync(capture)) return capture;
  throw new UsageError(`${oneLine(path)}: no capture.pcap in this folder; name the folder of one test`);
}

/** Writes what an option names a file for, and says so. @throws UsageError when it cannot be written */
export function writeOutput(option: string, path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${option} ${oneLine(path)}: ${oneLine(why)}`);
  }
  process.stderr.write(`written: ${oneLine(path)}\n`);
}

/** More faults than these are counted on standard error, not listed. */
const MOST_FAULTS = 20;

/** Tells faults on standard error. */
export class FaultTeller {
  #faults = 0;
  readonly #name: string;

  constructor(capture: string) {
    this.#name = oneLine(capture);
  }

  /** @throws UsageError for a capture of which nothing can be read */
  tell(fault: CaptureFault | KeyFault): void {
    if (fault.kind === "fault" && fault.end && fault.offset === 0)
      throw new UsageError(`${this.#name}: ${oneLine(fault.reason)}`);
    this.#faults += 1;
    if (this.#faults <= MOST_FAULTS) process.stderr.write(`warning: ${this.#name}: ${faultText(fault)}\n`);
  }

  end(): void {
    const more = this.#faults - MOST_FAULTS;
    if (more > 0) process.stderr.write(`warning: ${this.#name}: ${more} more faults\n`);
  }
}

/** Where the fault is, and what. */
export function faultText(fault: CaptureFault | KeyFault): string {
  if (fault.kind === "key-fault") {
    const line = fault.line === undefined ? "" : `, line ${fault.line}`;
    return oneLine(`keys ${fault.path}${line}: ${fault.reason}`);
  }
  const packet = fault.packet === undefined ? "" : `, packet ${fault.packet}`;
  return `octet ${fault.offset}${packet}: ${oneLine(fault.reason)}`;
}

/** What is seen in a capture; its faults and those of the keys are told beside it. @throws UsageError as the teller does */
export function* seenIn(capture: string, keys: readonly string[]): Generator<Seen> {
  const teller = new FaultTeller(capture);
  try {
    for (const seen of readSeen(capture, keys)) {
      if (seen.kind === "fault" || seen.kind === "key-fault") teller.tell(seen);
      else yield seen;
    }
  } finally {
    // Also where its reader has enough.
    teller.end();
  }
}

const CHUNK = 64 * 1024;

/** Standard output in large pieces. */
export class Output {
  #text = "";

  /** False once nobody reads any more. */
  async write(text: string): Promise<boolean> {
    this.#text += text;
    return this.#text.length < CHUNK || (await this.flush());
  }

  async flush(): Promise<boolean> {
    const text = this.#text;
    this.#text = "";
    const { stdout } = process;
    const isTaken = text === "" || stdout.write(text);
    // Of a pipe without reader it is set only until the error has been told.
    if (stdout.errored) return false;
    if (!isTaken) await once(stdout, "drain").catch(() => {});
    // So that signals are heard.
    await setImmediate();
    return true;
  }
}
