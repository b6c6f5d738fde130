/**
 * What an instrumented peer tells of the code it ran: files that SanitizerCoverage writes (`.sancov`: a magic of 8
 * octets, then program counters), in the byte order of the machine.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { fileReason } from "../../pcaps/text-file.ts";

/** The two magics, which tell how many octets a counter has. */
const MAGIC = { 4294967140: 8, 4294967090: 4 } as const;
const MAGIC_HIGH = 0xc0bfffff;
const HEADER = 8;
/** Octets of one file, files of a folder, and edges of all of them. */
const MOST_OCTETS = 16 * 1_048_576;
const MOST_FILES = 256;
const MOST_EDGES = 2_000_000;

/** The program counters in such a file, or why it is none. Never throws. */
export function readSancov(octets: Uint8Array): number[] | { reason: string } {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  if (octets.length < HEADER) return { reason: `${octets.length} octets; the magic alone takes ${HEADER}` };
  const low = view.getUint32(0, true);
  const width = view.getUint32(4, true) === MAGIC_HIGH ? widthOf(low) : undefined;
  if (width === undefined) return { reason: "does not begin as a .sancov file" };
  if ((octets.length - HEADER) % width !== 0) return { reason: `has a counter of less than ${width} octets` };
  const edges: number[] = [];
  for (let at = HEADER; at < octets.length && edges.length < MOST_EDGES; at += width) {
    const high = width === 8 ? view.getUint32(at + 4, true) : 0;
    // No program is loaded higher than 2^53.
    if (high < 2 ** 21) edges.push(high * 2 ** 32 + view.getUint32(at, true));
  }
  return edges;
}

const widthOf = (low: number): number | undefined =>
  low === 0xffffff64 || low === 0xffffff32 ? MAGIC[low] : undefined;

export interface FolderEdges {
  edges: Set<number>;
  skipped: { file: string; reason: string }[];
}

/** A folder into which an instrumented peer writes `.sancov` files while it runs. */
export class EdgeFolder {
  readonly #folder: string;
  /** What each file was when it was read. */
  readonly #read = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The edges of files that are new, or were written again since; what is no such file is named. Never throws. */
  fresh(): FolderEdges {
    const found: FolderEdges = { edges: new Set(), skipped: [] };
    const files = namesIn(this.#folder);
    if (!Array.isArray(files)) {
      found.skipped.push({ file: ".", reason: files.reason });
      return found;
    }
    for (const file of files.filter((name) => this.#isFresh(name))) {
      const octets = readBounded(join(this.#folder, file));
      const edges = "reason" in octets ? octets : readSancov(octets);
      if (Array.isArray(edges)) addAll(found.edges, edges);
      else found.skipped.push({ file, reason: edges.reason });
    }
    return found;
  }

  #isFresh(file: string): boolean {
    const facts = lstatSync(join(this.#folder, file), { throwIfNoEntry: false });
    const version = `${facts?.ino} ${facts?.size} ${facts?.mtimeMs}`;
    if (this.#read.get(file) === version) return false;
    this.#read.set(file, version);
    return true;
  }
}

function namesIn(folder: string): string[] | { reason: string } {
  try {
    const all = readdirSync(folder).filter((name) => name.endsWith(".sancov"));
    return all.sort().slice(0, MOST_FILES);
  } catch (error) {
    return { reason: fileReason(error) };
  }
}

function addAll(to: Set<number>, edges: readonly number[]): void {
  for (const edge of edges) if (to.size < MOST_EDGES) to.add(edge);
}

/** Opens no link, and does not wait for whoever fills a pipe. */
function readBounded(path: string): Uint8Array | { reason: string } {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const facts = fstatSync(file);
    if (!facts.isFile()) return { reason: "is no ordinary file" };
    if (facts.size > MOST_OCTETS) return { reason: `${facts.size} octets; at most ${MOST_OCTETS} are read` };
    const octets = new Uint8Array(facts.size);
    return octets.subarray(0, readSync(file, octets));
  } catch (error) {
    return { reason: fileReason(error) };
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
