/** What is kept of a finding's conversation: capture, keys in Wireshark's formats, event stream, ladder, the peer's log. */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventLines } from "../../harness/run/event-stream.ts";
import { captured, writeKeys } from "../../harness/run/evidence.ts";
import { ladderViews } from "../../harness/run/ladder.ts";
import { Trace } from "../../harness/script/trace.ts";
import { formatLadder } from "../../pcaps/ladder.ts";
import { writePcap } from "../../pcaps/write.ts";
import type { Outcome } from "../outcome.ts";
import { CLOSED, type FileModes } from "./files.ts";
import type { StoredFinding } from "./finding.ts";

export interface CaptureOptions {
  /** Milliseconds since 1970 at which the arena's clock showed zero; not set: 1970. */
  epochMs?: number;
  /** The peer's own words. */
  log?: string;
}

/** Names in the folder of a finding. */
export const KEPT = {
  capture: "capture.pcap",
  keys: "keys",
  events: "events.jsonl",
  ladder: "ladder.txt",
  log: "peer.log",
} as const;

/** The events of an outcome as those of a test, as far as a test may have them. */
export function traceOf({ entries }: Pick<Outcome, "entries">): Trace {
  const trace = new Trace();
  for (const { at, event } of entries) if (!trace.add(at, event)) break;
  return trace;
}

/** Writes all files beside the finding, in the place of older ones. Throws what the file system throws. */
export function keepCapture(
  folder: string,
  { embargo }: Pick<StoredFinding, "embargo">,
  outcome: Outcome,
  { epochMs = 0, log }: CaptureOptions,
): void {
  const path = (name: string) => join(folder, name);
  mkdirSync(path(KEPT.keys), { recursive: true });
  const trace = traceOf(outcome);
  const sas = [...new Set([...trace.ikeSas(), ...outcome.claims.map(({ sa }) => sa)])];
  const children = [...new Set([...trace.childSas(), ...sas.flatMap((sa) => sa.children)])];
  writePcap(path(KEPT.capture), captured(trace), epochMs);
  writeKeys(path(KEPT.keys), sas, children);
  writeFileSync(path(KEPT.events), eventLines(trace));
  writeFileSync(path(KEPT.ladder), formatLadder(ladderViews(trace)));
  if (log !== undefined && log !== "") writeFileSync(path(KEPT.log), log);
  if (embargo) changeModes(folder, CLOSED);
}

/** Takes over the files that {@link keepCapture} wrote elsewhere, which go there. */
export function takeCapture(from: string, folder: string, { embargo }: Pick<StoredFinding, "embargo">): void {
  for (const name of Object.values(KEPT)) {
    if (!existsSync(join(from, name))) continue;
    rmSync(join(folder, name), { recursive: true, force: true });
    cpSync(join(from, name), join(folder, name), { recursive: true });
  }
  rmSync(from, { recursive: true, force: true });
  if (embargo) changeModes(folder, CLOSED);
}

/** Makes everything in a folder, and the folder, readable to whom the modes say. */
export function changeModes(folder: string, modes: FileModes): void {
  chmodSync(folder, modes.folder);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) changeModes(path, modes);
    else if (entry.isFile()) chmodSync(path, modes.file);
  }
}
