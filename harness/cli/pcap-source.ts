/** What the commands on captures share: which keys, what is seen, and output that ends when its reader leaves. */
import { once } from "node:events";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { readSeen } from "../../pcaps/decode/index.ts";
import type { KeyFault } from "../../pcaps/key-files/types.ts";
import { Dissector } from "../../pcaps/read/index.ts";
import type { CaptureFault } from "../../pcaps/types.ts";
import { plural } from "../../reports/text.ts";
import type { Seen } from "../lint/seen.ts";
import { UsageError } from "../run/usage-error.ts";
import { wholeNumber } from "./numbers.ts";
import { oneLine } from "./output.ts";

/** `--keys` of a command, which may be given several times. */
export const keysOption = [
  "--keys <path>",
  "file or folder of keys, may be given again (default: the folder keys beside the capture, if there is one)",
  (path: string, before: string[] = []) => [...before, path],
] as const;

/** `--port` of a command, which may be given several times. */
export const portOption = [
  "--port <n>",
  "further port of IKE, may be given again (always: 500, 4500 and 848)",
  (text: string, before: number[] = []) => [...before, wholeNumber("--port", text, 0xffff)],
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

/** More faults than these are counted on standard error, not listed; and those that are kept. */
const MOST_FAULTS = { told: 20, kept: 1000 };

/** Where and why something of a capture could not be read. */
type FaultPlace = Omit<CaptureFault, "kind">;

/** The first faults of a capture, and how many more there are. */
export interface Faults {
  faults: FaultPlace[];
  moreFaults: number;
}

/** Tells faults on standard error, and keeps those of the capture. */
export class FaultTeller implements Faults {
  readonly faults: FaultPlace[] = [];
  moreFaults = 0;
  #told = 0;
  readonly #name: string;

  constructor(capture: string) {
    this.#name = oneLine(capture);
  }

  /** @throws UsageError for a capture of which nothing can be read */
  tell(fault: CaptureFault | KeyFault): void {
    if (fault.kind === "fault" && fault.end && fault.offset === 0)
      throw new UsageError(`${this.#name}: ${oneLine(fault.reason)}`);
    this.#told += 1;
    if (fault.kind === "fault") this.#keep(fault);
    if (this.#told <= MOST_FAULTS.told) process.stderr.write(`warning: ${this.#name}: ${faultText(fault)}\n`);
  }

  end(): void {
    const more = this.#told - MOST_FAULTS.told;
    if (more > 0) process.stderr.write(`warning: ${this.#name}: ${more} more faults\n`);
  }

  /** The one behind which nothing can be read is the last, and always kept. */
  #keep({ kind, ...place }: CaptureFault): void {
    if (this.faults.length < MOST_FAULTS.kept || place.end) this.faults.push(place);
    else this.moreFaults += 1;
  }
}

/** What of a capture could not be read, in lines; none where all could. */
export function faultLines({ faults, moreFaults }: Faults): string[] {
  const [first, last] = [faults[0], faults.at(-1)];
  if (!first || !last) return [];
  const inside = faults.length + moreFaults - (last.end ? 1 : 0);
  return [
    ...(inside > 0 ? [`${plural(inside, "fault")} of the capture, the first: ${faultText(first)}`] : []),
    ...(last.end ? [`read as far as octet ${last.offset}: ${oneLine(last.reason)}`] : []),
  ];
}

/** Where the fault is, and what. */
export function faultText(fault: FaultPlace | KeyFault): string {
  if ("path" in fault) {
    const line = fault.line === undefined ? "" : `, line ${fault.line}`;
    return oneLine(`keys ${fault.path}${line}: ${fault.reason}`);
  }
  const packet = fault.packet === undefined ? "" : `, packet ${fault.packet}`;
  return `octet ${fault.offset}${packet}: ${oneLine(fault.reason)}`;
}

/** A capture that is read: what is seen in it; its faults and those of the keys are told beside it. */
export class Source {
  readonly capture: string;
  readonly faults: FaultTeller;
  readonly #keys: readonly string[];
  readonly #dissector: Dissector;

  constructor(capture: string, keys: readonly string[], ports: readonly number[] = []) {
    this.capture = capture;
    this.faults = new FaultTeller(capture);
    this.#keys = keys;
    this.#dissector = new Dissector({ ports });
  }

  /** With the faults, each in its place. @throws UsageError as the teller does */
  *items(): Generator<Seen | CaptureFault | KeyFault> {
    let isEmpty = true;
    try {
      for (const item of readSeen(this.capture, this.#keys, { dissector: this.#dissector })) {
        if (item.kind === "fault" || item.kind === "key-fault") this.faults.tell(item);
        else isEmpty = false;
        yield item;
      }
      if (isEmpty) process.stderr.write(`${oneLine(this.capture)}: ${emptyText(this.otherPorts)}\n`);
    } finally {
      // Also where its reader has enough.
      this.faults.end();
    }
  }

  *seen(): Generator<Seen> {
    for (const item of this.items()) if (item.kind !== "fault" && item.kind !== "key-fault") yield item;
  }

  /** Datagrams that were passed over, for IKE is not known on their ports. */
  get otherPorts(): number {
    return this.#dissector.passedOver.otherPorts;
  }
}

/** What is said of a capture where nothing is seen. */
function emptyText(otherPorts: number): string {
  const passed = plural(otherPorts, "datagram");
  const hint = `; ${passed} on other ports passed over, which --port names`;
  return `no IKE and no ESP in it${otherPorts > 0 ? hint : ""}`;
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
