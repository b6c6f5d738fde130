/** All that a campaign writes into its folder, findings before everything else; alone in writing there. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { tool } from "../../harness/run/tool.ts";
import type { PeerInfo } from "../../reports/results.ts";
import type { Alarm } from "../alarm.ts";
import { CLOSED, DiskFull, isNoRoom, isOfFiles, OPEN, writeWhole } from "../findings/files.ts";
import { FindingStore } from "../findings/store.ts";
import type { CoverageFile } from "../generate/coverage.ts";
import type { GeneratorState } from "../generate/generator.ts";
import type { FuzzCase } from "../trace.ts";
import { type Journal, type JournalRecord, openJournal } from "./journal.ts";
import { caseSchema } from "./protocol.ts";
import { CAMPAIGN_FILE, type Tally } from "./tally.ts";

export const JOURNAL_FILE = "journal.jsonl";
export const COVERAGE_FILE = "coverage.json";
export const CORPUS_FOLDER = "corpus";
const UNCONFIRMED_FOLDER = "unconfirmed";
const STATE_FOLDER = ".state";
const CAPTURES_FOLDER = ".captures";

const MOST_UNCONFIRMED = 200;

/** A batch that was handed out and is not over. */
export const pendingSchema = z.strictObject({
  ...{ batch: z.int().min(0), setup: z.string(), peer: z.enum(["initiator", "responder"]) },
  cases: z.array(caseSchema).max(10_000),
  /** Played already, with an alarm of which nobody knows what to make yet. */
  again: z.array(caseSchema).max(1_000),
  /** So many of them may be played at a time: they may have been when nobody was left to say so. */
  inHand: z.int().min(0),
});
export type Pending = z.infer<typeof pendingSchema>;

/** Where what a campaign goes on with lies. */
export const stateFolder = (out: string): string => join(out, STATE_FOLDER);

function writeLoose(path: string, text: string): void {
  writeFileSync(`${path}.part`, text, { mode: CLOSED.file });
  renameSync(`${path}.part`, path);
}

export class Recorder {
  readonly out: string;
  readonly tally: Tally;
  readonly store: FindingStore;
  readonly #journal: Journal;
  readonly #ended: (reason: string) => void;
  #full = false;

  /** `ended` is told why nothing more can be written. @throws DiskFull and what the file system throws */
  constructor(out: string, tally: Tally, muted: ReadonlySet<string>, ended: (reason: string) => void) {
    this.out = out;
    this.tally = tally;
    this.#ended = ended;
    this.store = FindingStore.open(out, { tool: tool().version, muted });
    rmSync(this.captures, { recursive: true, force: true });
    mkdirSync(this.captures, { recursive: true, mode: CLOSED.folder });
    mkdirSync(stateFolder(out), { recursive: true, mode: CLOSED.folder });
    this.#journal = openJournal(join(out, JOURNAL_FILE));
  }

  /** Where lanes lay captures on their way. */
  get captures(): string {
    return join(this.out, CAPTURES_FOLDER);
  }

  get isFull(): boolean {
    return this.#full;
  }

  append(record: JournalRecord): void {
    this.tally.add(record);
    this.whileThereIsRoom(() => this.#journal.append(record));
  }

  /** What cannot be written, as on a full disk, ends the campaign, and nothing else goes wrong by it. */
  whileThereIsRoom(write: () => void): void {
    if (!this.#full) this.withTheLastRoom(write);
  }

  /** The same for findings, for which room is held: tried on a full disk, too. */
  withTheLastRoom(write: () => void): void {
    try {
      write();
    } catch (error) {
      const why = whyNot(error);
      if (why === undefined) throw error;
      const wasFull = this.#full;
      this.#full = true;
      if (!wasFull) this.#ended(why);
    }
  }

  /** Keeps an alarm that did not come again, with its evidence; the number of such is bounded. */
  unconfirmed(alarm: Alarm, found: FuzzCase, peer: PeerInfo, capture?: string): string | undefined {
    const folder = join(this.out, UNCONFIRMED_FOLDER);
    let name: string | undefined;
    this.whileThereIsRoom(() => {
      const there = existsSync(folder) ? readdirSync(folder).length : 0;
      if (there < MOST_UNCONFIRMED) {
        name = `${String(there + 1).padStart(3, "0")}-${alarm.oracle}-${found.number}`;
        const place = join(folder, name);
        const text = JSON.stringify({ unconfirmed: 1, peer, alarm, case: found }, null, 1);
        writeWhole(join(place, "alarm.json"), `${text}\n`, CLOSED);
        if (capture !== undefined && existsSync(capture)) renameSync(capture, join(place, "capture"));
      }
      if (capture !== undefined) rmSync(capture, { recursive: true, force: true });
    });
    return name;
  }

  /** What goes on after a kill: which cases a lane holds; undefined: none. */
  pending(lane: string, held: Pending | undefined): void {
    const path = join(stateFolder(this.out), `pending-${lane}.json`);
    this.whileThereIsRoom(() => {
      if (!held) return rmSync(path, { force: true });
      // Not synced: what a kill leaves is enough.
      writeLoose(path, JSON.stringify(held));
    });
  }

  state(peer: number, state: GeneratorState): void {
    const path = join(stateFolder(this.out), `generator-${peer}.json`);
    this.whileThereIsRoom(() => writeWhole(path, JSON.stringify(state), CLOSED));
  }

  coverage(file: CoverageFile): void {
    const path = join(this.out, COVERAGE_FILE);
    this.whileThereIsRoom(() => writeWhole(path, `${JSON.stringify(file)}\n`, OPEN));
  }

  summary(): void {
    const path = join(this.out, CAMPAIGN_FILE);
    this.whileThereIsRoom(() => writeWhole(path, `${JSON.stringify(this.tally.campaign, null, 1)}\n`, OPEN));
  }

  /** The last words; each as far as they can be said. */
  close(): void {
    this.withTheLastRoom(() => this.store.flush());
    this.summary();
    const last = [
      () => this.store.close(),
      () => this.#journal.close(),
      () => rmSync(this.captures, { recursive: true, force: true }),
    ];
    for (const say of last) {
      try {
        say();
      } catch (error) {
        if (whyNot(error) === undefined) throw error;
        this.#full = true;
      }
    }
  }
}

/** In words, where it is the file system that cannot; undefined for a fault of ours. */
function whyNot(error: unknown): string | undefined {
  if (error instanceof DiskFull) return error.message;
  if (isNoRoom(error)) return "the disk is full: nothing more can be kept";
  return isOfFiles(error) ? `nothing more can be kept: ${error.message}` : undefined;
}
