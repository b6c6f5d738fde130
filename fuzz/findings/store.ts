/** Where a campaign keeps its findings: a folder for each, those under embargo apart from the others. */
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findingMarkdown } from "../../reports/finding-markdown.ts";
import { FINDINGS_FILE } from "../../reports/findings.ts";
import type { PeerInfo } from "../../reports/results.ts";
import type { Alarm } from "../alarm.ts";
import type { Outcome } from "../outcome.ts";
import { findSetup } from "../setups.ts";
import { changesOf, type FuzzCase, type Trace } from "../trace.ts";
import { type CaptureOptions, changeModes, keepCapture, takeCapture } from "./capture.ts";
import { CLOSED, DiskFull, isNoRoom, OPEN, writeWhole } from "./files.ts";
import { findingId, isUnread, needsEmbargo, readFinding, type StoredFinding } from "./finding.ts";
import { entryOf, indexOf } from "./published.ts";

/** The folder of findings in that of a campaign. */
export const FINDINGS_FOLDER = "findings";
/** In that folder, what is under embargo. */
export const EMBARGO_FOLDER = "embargo";
/** The file of a finding in its own folder. */
export const FINDING_FILE = "finding.json";
const PAGE_FILE = "finding.md";
const RESERVE_FILE = ".reserve";
/** Enough for the largest finding and its capture. */
const RESERVE_OCTETS = 2 * 1024 * 1024;

export interface StoreOptions {
  /** Version of this program. */
  tool: string;
  /** Signatures and ids of what is known already: counted, not reported. */
  muted?: ReadonlySet<string>;
  /** Milliseconds since 1970; not set: the system's. */
  now?: () => number;
  /** Not set: to the file system. */
  write?: typeof writeWhole;
}

export interface KeepOptions extends CaptureOptions {
  /** Folder with a capture that was made already, as by the process of a lane: its files are moved. Not set: it is made of the outcome. */
  capture?: string;
}

export interface AddOptions extends KeepOptions {
  /** Planted in the builtin peer. */
  lie?: string;
}

export interface Added {
  id: string;
  /** False for one that was there already. */
  fresh: boolean;
  muted: boolean;
}

export interface Reduced extends Pick<FuzzCase, "trace" | "seed"> {
  /** What it did when it was played last, for the capture; not set: the capture stays. */
  outcome?: Outcome;
}

/** Throws what the file system throws but for a full disk, which is a {@link DiskFull}. */
export class FindingStore {
  readonly out: string;
  /** Files that are no findings of this version, and why; without a word of theirs. */
  readonly problems: string[] = [];
  readonly #options: StoreOptions;
  readonly #findings = new Map<string, StoredFinding>();
  /** Counted and not written yet. */
  readonly #stale = new Set<string>();

  private constructor(out: string, options: StoreOptions) {
    this.out = out;
    this.#options = options;
  }

  /** The store in the folder of a campaign, with what is there from before. */
  static open(out: string, options: StoreOptions): FindingStore {
    const store = new FindingStore(out, options);
    try {
      mkdirSync(store.#folder, { recursive: true });
      const embargo = join(store.#folder, EMBARGO_FOLDER);
      mkdirSync(embargo, { recursive: true });
      chmodSync(embargo, CLOSED.folder);
      store.#reserve();
    } catch (error) {
      throw isNoRoom(error) ? new DiskFull(store.#folder) : error;
    }
    for (const place of [store.#folder, join(store.#folder, EMBARGO_FOLDER)]) store.#read(place);
    return store;
  }

  all(): StoredFinding[] {
    return [...this.#findings.values()];
  }

  get(id: string): StoredFinding | undefined {
    return this.#findings.get(id);
  }

  isMuted({ id, signature }: Pick<StoredFinding, "id" | "signature">): boolean {
    const { muted } = this.#options;
    return muted !== undefined && (muted.has(id) || muted.has(signature));
  }

  /**
   * Enters an alarm under its signature. A fresh one is on the disk, file first, capture next, when this returns.
   * @throws DiskFull; with `kept` the finding itself is on the disk
   */
  add(
    alarm: Alarm,
    found: FuzzCase,
    outcome: Outcome | undefined,
    peer: PeerInfo,
    more: AddOptions = {},
  ): Added {
    const id = findingId(peer.name, alarm.signature);
    const muted = this.isMuted({ id, signature: alarm.signature });
    const known = this.#findings.get(id);
    if (known) {
      this.#count(known);
      return { id, fresh: false, muted };
    }
    const finding = this.#made(id, alarm, found, outcome, peer, more.lie);
    this.#keep(finding);
    this.#capture(finding, outcome, more);
    return { id, fresh: true, muted };
  }

  /** Puts a smaller conversation in the place of the one of a finding, unless it was made of another case. */
  reduce(id: string, { trace, seed, outcome }: Reduced, more: KeepOptions = {}): void {
    const finding = this.#findings.get(id);
    // Its lies may need the nonces and keys of that case.
    if (finding?.seed !== seed) return;
    finding.trace = trace;
    finding.minimised = true;
    finding.operators = operatorsOf(trace);
    if (outcome) finding.messages = outcome.messages;
    this.#keep(finding);
    this.#capture(finding, outcome, more);
  }

  /** Lifts the embargo of a finding: from now on reports show it. Gives false for one that has none. */
  release(id: string): boolean {
    const finding = this.#findings.get(id);
    if (!finding?.embargo) return false;
    const before = this.folderOf(finding);
    finding.embargo = false;
    finding.released = this.#now();
    const folder = this.folderOf(finding);
    rmSync(folder, { recursive: true, force: true });
    renameSync(before, folder);
    changeModes(folder, OPEN);
    this.#keep(finding);
    return true;
  }

  /** Writes what has been counted since. */
  flush(): void {
    for (const id of this.#stale) {
      const finding = this.#findings.get(id);
      if (finding) this.#keep(finding);
    }
    this.#stale.clear();
  }

  /** Writes what is left, and gives the room back that was held for a last finding. */
  close(): void {
    this.flush();
    rmSync(this.#reserveFile, { force: true });
  }

  /** Where the files of a finding lie. */
  folderOf({ id, embargo }: Pick<StoredFinding, "id" | "embargo">): string {
    return embargo ? join(this.#folder, EMBARGO_FOLDER, id) : join(this.#folder, id);
  }

  get #folder(): string {
    return join(this.out, FINDINGS_FOLDER);
  }

  get #reserveFile(): string {
    return join(this.#folder, RESERVE_FILE);
  }

  /** Not of zeros, which a file system may keep without room. */
  #reserve(): void {
    if (existsSync(this.#reserveFile)) return;
    this.#write(this.#reserveFile, new Uint8Array(RESERVE_OCTETS).fill(0xa5), CLOSED);
  }

  #write(...[path, text, modes]: Parameters<typeof writeWhole>): void {
    (this.#options.write ?? writeWhole)(path, text, modes);
  }

  #now(): string {
    return new Date(this.#options.now?.() ?? Date.now()).toISOString();
  }

  #made(
    ...[id, alarm, found, outcome, peer, lie]: [
      string,
      Alarm,
      FuzzCase,
      Outcome | undefined,
      PeerInfo,
      string | undefined,
    ]
  ): StoredFinding {
    const { title, signature, oracle, severity, requirement, detail, alone, beside } = alarm;
    const { trace, seed, stage, number } = found;
    const at = this.#now();
    return {
      ...{ finding: 1, id, title: title.slice(0, 500), signature: signature.slice(0, 200), oracle, severity },
      embargo: needsEmbargo(alarm),
      ...(requirement && { requirement }),
      peer,
      ...(lie !== undefined && { lie }),
      ...{ tool: this.#options.tool, stage, operators: operatorsOf(trace), seed, number },
      ...{ trace, original: trace, minimised: false, alone, messages: outcome?.messages ?? 0 },
      setup: { name: trace.setup, wishes: findSetup(trace.setup)?.wishes ?? {} },
      seen: { count: 1, first: at, last: at },
      ...(beside && beside.length > 0 && { beside }),
      detail: detail.slice(0, 60 * 1024),
    };
  }

  /** What is seen again and again is not written each time, but at 2, 4, 8 and so on, and at last by flush(). */
  #count(finding: StoredFinding): void {
    finding.seen.count += 1;
    finding.seen.last = this.#now();
    if (Number.isInteger(Math.log2(finding.seen.count))) this.#keep(finding);
    else this.#stale.add(finding.id);
  }

  #keep(finding: StoredFinding): void {
    const path = join(this.folderOf(finding), FINDING_FILE);
    const text = `${JSON.stringify(finding, null, 1)}\n`;
    const modes = finding.embargo ? CLOSED : OPEN;
    try {
      this.#write(path, text, modes);
    } catch (error) {
      if (!isNoRoom(error)) throw error;
      this.#lastWrite(path, text, finding);
    }
    this.#findings.set(finding.id, finding);
    this.#whileThereIsRoom(finding, () => {
      this.#page(finding);
      this.#index();
    });
  }

  /** The room held back is for this moment. @throws DiskFull always */
  #lastWrite(path: string, text: string, finding: StoredFinding): never {
    rmSync(this.#reserveFile, { force: true });
    try {
      this.#write(path, text, finding.embargo ? CLOSED : OPEN);
    } catch (error) {
      throw isNoRoom(error) ? new DiskFull(path) : error;
    }
    this.#findings.set(finding.id, finding);
    throw new DiskFull(path, finding.id);
  }

  #whileThereIsRoom(finding: StoredFinding, write: () => void): void {
    try {
      write();
    } catch (error) {
      throw isNoRoom(error) ? new DiskFull(this.folderOf(finding), finding.id) : error;
    }
  }

  #capture(finding: StoredFinding, outcome: Outcome | undefined, more: KeepOptions): void {
    const folder = this.folderOf(finding);
    this.#whileThereIsRoom(finding, () => {
      if (more.capture !== undefined) takeCapture(more.capture, folder, finding);
      else if (outcome) keepCapture(folder, finding, outcome, more);
      else return;
      // Now that the files are there, they can be told of.
      this.#page(finding);
      this.#index();
    });
  }

  /** The finding for people, beside its file. */
  #page(finding: StoredFinding): void {
    const folder = this.folderOf(finding);
    const text = findingMarkdown(entryOf(finding, "", folder));
    this.#write(join(folder, PAGE_FILE), text, finding.embargo ? CLOSED : OPEN);
  }

  /** `findings.json`, which reports read. */
  #index(): void {
    const shown = this.all().filter((finding) => !this.isMuted(finding));
    const index = indexOf(shown, (finding) => this.folderOf(finding), this.out);
    this.#write(join(this.out, FINDINGS_FILE), `${JSON.stringify(index, null, 1)}\n`, OPEN);
  }

  #read(place: string): void {
    for (const { name } of readdirSync(place, { withFileTypes: true }).filter((one) => one.isDirectory())) {
      const path = join(place, name, FINDING_FILE);
      if (name === EMBARGO_FOLDER || !existsSync(path)) continue;
      const finding = readFinding(path);
      const wrong = isUnread(finding) ? finding.reason : this.#misplaced(finding, name, place);
      if (wrong !== undefined) this.problems.push(`${path}: ${wrong}: skipped`);
      if (wrong !== undefined) renameSync(path, `${path}.skipped`);
      else if (!isUnread(finding)) this.#findings.set(finding.id, finding);
    }
  }

  /** A file that says of itself what its place belies could lift an embargo unasked. */
  #misplaced(finding: StoredFinding, name: string, place: string): string | undefined {
    if (finding.id !== name || finding.id !== findingId(finding.peer.name, finding.signature))
      return "id: is not that of its folder, peer and signature";
    const apart = place !== this.#folder;
    return finding.embargo === apart ? undefined : `embargo: is not that of its folder`;
  }
}

export const operatorsOf = (trace: Trace): string[] => [...new Set(changesOf(trace).map(({ op }) => op))];
