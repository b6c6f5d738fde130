/** Merges folders of corpora, and trims one. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Corpus, type Skipped } from "./corpus.ts";
import { type CorpusEntry, textOf } from "./entry.ts";

export interface Merged {
  added: number;
  /** Were there already. */
  known: number;
  skipped: (Skipped & { folder: string })[];
  /** Entries in the folder then. */
  entries: number;
}

/** Puts what these folders hold into another one, which is made if it is not there. @throws what the file system throws */
export function mergeCorpora(from: readonly string[], to: string): Merged {
  const target = Corpus.open(to);
  const skipped = target.skipped.map((skip) => ({ ...skip, folder: to }));
  let [added, known] = [0, 0];
  for (const folder of from) {
    const source = Corpus.read(folder);
    skipped.push(...source.skipped.map((skip) => ({ ...skip, folder })));
    for (const entry of source.entries.values()) {
      if (target.add(entry).kept) added++;
      else known++;
    }
  }
  return { added, known, skipped, entries: target.entries.size };
}

export interface Trimmed {
  kept: number;
  removed: number;
  /** Signatures and other features that the folder had before, and has still. */
  features: number;
  skipped: Skipped[];
}

const featuresOf = ({ signature, features }: CorpusEntry): string[] => [
  ...new Set([`signature ${signature}`, ...features]),
];

/**
 * The names of entries without which the others show all the same: the longest go first, so that what is left is
 * short, and none of that is too many.
 */
export function needless(entries: ReadonlyMap<string, CorpusEntry>): string[] {
  const shownBy = new Map<string, number>();
  for (const feature of [...entries.values()].flatMap(featuresOf))
    shownBy.set(feature, (shownBy.get(feature) ?? 0) + 1);
  const longestFirst = [...entries]
    .map(([name, entry]) => ({ name, features: featuresOf(entry), length: textOf(entry).length }))
    .sort((a, b) => b.length - a.length || (a.name < b.name ? 1 : -1));
  return longestFirst.flatMap(({ name, features }) => {
    if (features.some((feature) => (shownBy.get(feature) ?? 0) < 2)) return [];
    for (const feature of features) shownBy.set(feature, (shownBy.get(feature) ?? 0) - 1);
    return [name];
  });
}

/** Removes what is needless from a folder; files that are no entries stay. @throws what the file system throws */
export function trimCorpus(folder: string): Trimmed {
  const { entries, skipped } = Corpus.read(folder);
  const gone = needless(entries);
  for (const name of gone) rmSync(join(folder, `${name}.json`), { force: true });
  const features = new Set([...entries.values()].flatMap(featuresOf)).size;
  return { kept: entries.size - gone.length, removed: gone.length, features, skipped };
}
