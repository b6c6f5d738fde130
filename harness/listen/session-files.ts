/** The folder of a session, written as things come, so that a restart finds all of them. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { CLOSED, writeWhole } from "../../fuzz/findings/files.ts";
import { parseKeysJson } from "../../pcaps/key-files/json.ts";
import { writeKeyFolders } from "../../pcaps/key-files/write.ts";
import type { EspSaKeys, IkeSaKeys } from "../../pcaps/keys.ts";
import { formatLadder } from "../../pcaps/ladder.ts";
import type { Captured } from "../../pcaps/types.ts";
import type { View } from "../../pcaps/view.ts";
import { encodePcap } from "../../pcaps/write.ts";
import { readRecord } from "../../reports/journal.ts";
import { hex } from "../wire/bytes.ts";
import { type SessionEvent, sessionEvent, sessionView } from "./types.ts";

/** What a session is, beside what can be counted from its events. */
export const storedSession = sessionView
  .pick({ id: true, name: true, created: true, identity: true, peerIdentity: true, secret: true })
  .extend(sessionView.pick({ documents: true, address: true, dials: true, queued: true, lie: true }).shape)
  /** What it is called in results and files. */
  .extend({ label: z.string().regex(/^[a-z0-9][a-z0-9-]{0,60}$/) });
export type StoredSession = z.infer<typeof storedSession>;

const NAMES = {
  session: "session.json",
  events: "events.jsonl",
  capture: "capture.pcap",
  ladder: "ladder.txt",
} as const;

/** Octets of a file of a session, at most: who never stops dialling must not fill the disk. */
const MOST_OCTETS = { events: 4 * 2 ** 20, capture: 32 * 2 ** 20, ladder: 4 * 2 ** 20 };
const MOST_KEYS = 512;
/** Sets of one IKE SA. Of more, which no document makes, the newest takes the place of the last. */
const MOST_GENERATIONS = 16;
const PCAP_HEADER = 24;

export class SessionFiles {
  readonly folder: string;
  readonly #fault: (error: unknown) => void;
  /** The disk has failed, and has taken nothing since. */
  #hasFailed = false;
  readonly #ike: IkeSaKeys[] = [];
  readonly #esp: EspSaKeys[] = [];
  readonly #sizes = new Map<string, number>();
  /** Not set where there may be more since. */
  #names?: readonly string[];

  /**
   * Makes the folder. From then on a disk that takes nothing is a fault that is told, and no reason to end anything.
   * @throws what the file system throws
   */
  constructor(folder: string, fault: (error: unknown) => void) {
    this.folder = folder;
    this.#fault = fault;
    // Secrets and keys are in it.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const keys = join(folder, "keys", "keys.json");
    if (!existsSync(keys)) return;
    const { ike, esp } = parseKeysJson(readFileSync(keys, "utf8"));
    this.#ike.push(...ike);
    this.#esp.push(...esp);
  }

  #path(name: string): string {
    return join(this.folder, name);
  }

  /** What the folder holds; undefined where that is no session. */
  static read(folder: string): { stored: StoredSession; events: SessionEvent[] } | undefined {
    const file = join(folder, NAMES.session);
    if (!existsSync(file)) return undefined;
    const read = readRecord(storedSession, readFileSync(file, "utf8"));
    if (!("record" in read)) return undefined;
    const lines = join(folder, NAMES.events);
    const text = existsSync(lines) ? readFileSync(lines, "utf8") : "";
    const events = text.split("\n").flatMap((line) => {
      const event = readRecord(sessionEvent, line);
      return "record" in event ? [event.record] : [];
    });
    return { stored: read.record, events };
  }

  /** @throws what the file system throws */
  write(session: StoredSession): void {
    writeWhole(this.#path(NAMES.session), `${JSON.stringify(session)}\n`, CLOSED);
  }

  store(session: StoredSession): void {
    this.#tried(() => this.write(session));
  }

  /** A disk that is full or gone would be told of with every message. */
  #tried(action: () => void): void {
    try {
      action();
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) this.#fault(error);
      this.#hasFailed = true;
    }
  }

  event(event: SessionEvent): void {
    // What was found has room behind the last message.
    const most = MOST_OCTETS.events * (event.kind === "message" ? 1 : 2);
    this.#append("events", `${JSON.stringify(event)}\n`, most);
  }

  /** `epochMs`: when the clock of the datagrams stood at zero. */
  datagrams(datagrams: readonly Captured[], epochMs: number): void {
    if (datagrams.length === 0) return;
    const whole = encodePcap(datagrams, epochMs);
    if ("error" in whole) return;
    const begins = this.#size("capture") === 0;
    this.#append("capture", begins ? whole : whole.subarray(PCAP_HEADER));
  }

  /** `begins`: the names of the sides go above. */
  ladder(views: readonly View[], begins: boolean, title: string): void {
    const text = formatLadder(views);
    if (text === "") return;
    this.#append("ladder", begins ? `${title}\n${text}` : text.slice(text.indexOf("\n") + 1));
  }

  keys(ike: readonly IkeSaKeys[], esp: readonly EspSaKeys[]): void {
    const room = MOST_KEYS - this.#ike.length - this.#esp.length;
    if (room < ike.length + esp.length) return;
    this.#ike.push(...ike);
    this.#esp.push(...esp);
    this.#names = undefined;
    this.#tried(() => {
      mkdirSync(this.#path("keys"), { recursive: true });
      writeKeyFolders(this.#path("keys"), generations(this.#ike), this.#esp);
    });
  }

  #append(kind: keyof typeof MOST_OCTETS, octets: string | Uint8Array, most = MOST_OCTETS[kind]): void {
    const path = this.#path(NAMES[kind]);
    const before = this.#size(kind);
    const size = before + Buffer.byteLength(octets);
    if (size > most) return;
    if (before === 0) this.#names = undefined;
    this.#tried(() => {
      try {
        appendFileSync(path, octets);
        this.#sizes.set(kind, size);
      } catch (error) {
        // Half a record would spoil those behind it.
        if (existsSync(path)) truncateSync(path, before);
        throw error;
      }
    });
  }

  #size(kind: keyof typeof MOST_OCTETS): number {
    const known = this.#sizes.get(kind);
    if (known !== undefined) return known;
    const path = this.#path(NAMES[kind]);
    return existsSync(path) ? statSync(path).size : 0;
  }

  /** Names of the files that are there, but for the one with the secret. */
  names(): string[] {
    try {
      this.#names ??= readdirSync(this.folder, { recursive: true, encoding: "utf8" })
        // A part of it that was left behind has the secret, too.
        .filter((name) => !name.startsWith(NAMES.session) && statSync(this.#path(name)).isFile())
        .sort();
      return [...this.#names];
    } catch {
      return [];
    }
  }
}

/** The sets of each IKE SA together, the oldest first. */
function generations(sets: readonly IkeSaKeys[]): IkeSaKeys[][] {
  const sas = new Map<string, IkeSaKeys[]>();
  for (const set of sets) {
    const name = `${hex(set.spiI)} ${hex(set.spiR)}`;
    sas.set(name, [...(sas.get(name) ?? []), set]);
  }
  return [...sas.values()].map((all) =>
    all.length > MOST_GENERATIONS ? [...all.slice(0, MOST_GENERATIONS - 1), ...all.slice(-1)] : all,
  );
}
