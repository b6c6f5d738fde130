/** Coverage never falls: `suites/coverage.json` holds what was covered when it was last written. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { LEVELS, ROLES } from "./catalogue.ts";
import type { CoverageRow } from "./coverage.ts";
import { suitesFolder } from "./suites.ts";
import { FileError, parseYaml, readText } from "./yaml-file.ts";

const recordedSchema = z.record(
  z.string(),
  z.partialRecord(z.enum(LEVELS), z.partialRecord(z.enum(ROLES), z.int().min(0))),
);
/** Number of covered requirements by document, level and role. */
export type RecordedCoverage = z.infer<typeof recordedSchema>;

const FILE = "suites/coverage.json";
const path = join(suitesFolder, "coverage.json");

/** @throws FileError if the file is not there or not as it must be */
export function recordedCoverage(): RecordedCoverage {
  if (!existsSync(path)) throw new FileError(FILE, "document", "is not there");
  return parseRecorded(readText(path, FILE));
}

/** Reads the text of the file, which is JSON and so YAML. @throws FileError */
export const parseRecorded = (text: string): RecordedCoverage =>
  parseYaml(text, FILE, recordedSchema, ({ length }) => [[], [...LEVELS], [...ROLES]][length] ?? []);

/** Rows without anything covered are left out. */
export function recordOf(rows: readonly CoverageRow[]): RecordedCoverage {
  const record: RecordedCoverage = {};
  for (const { document, level, role, covered } of rows) {
    if (covered === 0) continue;
    const levels = record[document] ?? {};
    record[document] = levels;
    levels[level] = { ...levels[level], [role]: covered };
  }
  return record;
}

/** A count that is not the recorded one. */
export interface Change {
  /** `rfc7296 MUST NOT initiator`. */
  what: string;
  before: number;
  now: number;
}

/** What rose and what fell since the record was written. */
export function changes(before: RecordedCoverage, now: RecordedCoverage): Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names.flatMap((document) =>
    LEVELS.flatMap((level) =>
      ROLES.flatMap((role) => {
        const count = (record: RecordedCoverage): number => record[document]?.[level]?.[role] ?? 0;
        const change = { what: `${document} ${level} ${role}`, before: count(before), now: count(now) };
        return change.before === change.now ? [] : [change];
      }),
    ),
  );
}

export const fallen = (all: readonly Change[]): Change[] => all.filter(({ before, now }) => now < before);

export const inWords = ({ what, before, now }: Change): string => `${what}: ${before} -> ${now} covered`;

/** Writes the record. */
export const writeRecord = (record: RecordedCoverage): void =>
  writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`);
