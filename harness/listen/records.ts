/** What the listener keeps in its folder: the sessions, and a journal that `bakeoff report` reads. */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type JournalWriter, openJournal, readJournal } from "../../reports/journal.ts";
import { type PeerInfo, RESULTS_SCHEMA, type TestResult } from "../../reports/results.ts";
import { JOURNAL } from "../run/out-folder.ts";
import { tool } from "../run/tool.ts";
import { Session } from "./session.ts";
import { SessionFiles, type StoredSession } from "./session-files.ts";

const SESSIONS = "sessions";
const now = (): string => new Date().toISOString();

export class Records {
  readonly #folder: string;
  readonly #fault: (error: unknown) => void;
  readonly #journal: JournalWriter;
  readonly #peers = new Set<string>();

  /** Makes what is missing of the folder. `fault` is told what sessions cannot write. @throws what the file system throws */
  constructor(out: string, fault: (error: unknown) => void) {
    this.#fault = fault;
    this.#folder = join(out, SESSIONS);
    mkdirSync(this.#folder, { recursive: true });
    const path = join(out, JOURNAL);
    const before = existsSync(path) ? readJournal(path) : undefined;
    for (const record of before && "records" in before ? before.records : [])
      if (record.kind === "peer-started") this.#peers.add(record.peer.id);
    this.#journal = openJournal(path);
    const schema = RESULTS_SCHEMA;
    this.#journal.append({
      kind: "run-started",
      time: now(),
      tool: tool(),
      seed: "listen",
      schema,
      baseline: "none",
    });
  }

  /** Those that are kept. */
  sessions(): Session[] {
    return readdirSync(this.#folder).flatMap((name) => {
      const folder = join(this.#folder, name);
      const read = SessionFiles.read(folder);
      return read?.stored.id === name
        ? [new Session(read.stored, new SessionFiles(folder, this.#fault), read.events)]
        : [];
    });
  }

  /** A new one. @throws what the file system throws */
  begin(stored: StoredSession): Session {
    const files = new SessionFiles(join(this.#folder, stored.id), this.#fault);
    files.write(stored);
    return new Session(stored, files);
  }

  result(peer: PeerInfo, test: TestResult): void {
    if (!this.#peers.has(peer.id)) this.#journal.append({ kind: "peer-started", time: now(), peer });
    this.#peers.add(peer.id);
    this.#journal.append({ kind: "test-finished", time: now(), test });
  }

  close(): void {
    this.#journal.append({ kind: "run-finished", time: now() });
    this.#journal.close();
  }
}
