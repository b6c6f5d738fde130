/** Entries of a corpus, in memory or in a folder with a file for each. */
import { existsSync, lstatSync, mkdirSync, opendirSync } from "node:fs";
import { join } from "node:path";
import { fileReason, readTextFile } from "../../pcaps/text-file.ts";
import { OPEN, writeWhole } from "../findings/files.ts";
import { type CorpusEntry, MOST_OCTETS, nameOf, readEntry, textOf } from "./entry.ts";

/** A file that is no entry. */
export interface Skipped {
  file: string;
  reason: string;
}

/** Files of a folder that are looked at, and entries that are kept in memory. */
const MOST_FILES = 100_000;
const MOST_ENTRIES = 50_000;
/** Octets of all entries together. */
const MOST_TOTAL = 256 * 1_048_576;
const NAME = /^([0-9a-f]{32})\.json$/;

export class Corpus {
  readonly folder: string | undefined;
  /** By name. */
  readonly entries = new Map<string, CorpusEntry>();
  /** Files of the folder that are damaged, foreign or of another version. */
  readonly skipped: Skipped[] = [];

  private constructor(folder: string | undefined) {
    this.folder = folder;
  }

  /** One that is nowhere but here. */
  static inMemory(): Corpus {
    return new Corpus(undefined);
  }

  /** Reads what is there, and makes the folder if it is not. @throws what the file system throws for the folder itself */
  static open(folder: string): Corpus {
    mkdirSync(folder, { recursive: true });
    return Corpus.read(folder);
  }

  /** Reads a folder, and writes nothing. @throws what the file system throws for the folder itself */
  static read(folder: string): Corpus {
    const corpus = new Corpus(folder);
    let left = MOST_TOTAL;
    for (const file of filesOf(folder)) {
      const read = corpus.entries.size < MOST_ENTRIES ? readFile(folder, file, left) : full();
      if ("reason" in read) corpus.skipped.push({ file, reason: read.reason });
      else corpus.entries.set(read.name, read.entry);
      if ("octets" in read) left -= read.octets;
    }
    return corpus;
  }

  /** `kept`, or `known` if it was there already. @throws what the file system throws, such as for a full disk */
  add(entry: CorpusEntry): { name: string; kept: boolean } {
    const name = nameOf(entry.trace);
    if (this.entries.has(name) || this.entries.size >= MOST_ENTRIES) return { name, kept: false };
    if (this.folder !== undefined) writeWhole(join(this.folder, `${name}.json`), textOf(entry), OPEN);
    this.entries.set(name, entry);
    return { name, kept: true };
  }
}

const full = (): { reason: string } => ({ reason: `at most ${MOST_ENTRIES} entries are read` });

/** Names in order, hidden files left out; no more than can be read. */
function filesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const directory = opendirSync(folder);
  const files: string[] = [];
  try {
    for (let i = 0; i < MOST_FILES; i++) {
      const found = directory.readSync();
      if (!found) break;
      if (!found.name.startsWith(".") && !found.name.endsWith(".part")) files.push(found.name);
    }
  } finally {
    directory.closeSync();
  }
  return files.sort();
}

type Read = { name: string; entry: CorpusEntry; octets: number } | { reason: string };

function readFile(folder: string, file: string, left: number): Read {
  const name = NAME.exec(file)?.[1];
  if (name === undefined) return { reason: "has no name of an entry" };
  const path = join(folder, file);
  try {
    if (!lstatSync(path).isFile()) return { reason: "is no ordinary file" };
  } catch (error) {
    return { reason: fileReason(error) };
  }
  const text = readTextFile(path, { most: Math.min(MOST_OCTETS, left) });
  if (typeof text !== "string") return text;
  const entry = readEntry(text);
  if ("reason" in entry) return entry;
  if (nameOf(entry.trace) !== name) return { reason: "is damaged: its name is not that of its trace" };
  return { name, entry, octets: text.length };
}
