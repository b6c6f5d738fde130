/** Writes the reports of a run into its folder. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Extras } from "./extras.ts";
import { toHtml } from "./html.ts";
import { toJson } from "./json.ts";
import { toJunit } from "./junit.ts";
import { toMarkdown } from "./markdown.ts";
import { type Results, type TestResult, testKey } from "./results.ts";

const WRITERS = {
  json: { file: "results.json", write: toJson },
  junit: { file: "junit.xml", write: toJunit },
  md: { file: "report.md", write: toMarkdown },
  html: { file: "report.html", write: toHtml },
} as const;
export type ReportFormat = keyof typeof WRITERS;
export const REPORT_FORMATS = Object.keys(WRITERS) as ReportFormat[];

/** A ladder longer than this is cut in the page; the file has all of it. */
const LADDER_CHARACTERS = 20_000;

/**
 * Writes one file for each format and returns their paths. Every file appears whole or not at all. Throws what
 * the file system throws.
 */
export function writeReports(
  outDir: string,
  results: Results,
  formats: readonly ReportFormat[],
  extras: Extras = {},
): string[] {
  mkdirSync(outDir, { recursive: true });
  const ladders = formats.includes("html")
    ? withLadderFiles(outDir, results.tests, extras.ladders)
    : undefined;
  return formats.map((format) => {
    const { file, write } = WRITERS[format];
    const path = join(outDir, file);
    writeFileSync(path + ".part", write(results, { ...extras, ladders }));
    renameSync(path + ".part", path);
    return path;
  });
}

function withLadderFiles(
  outDir: string,
  tests: readonly TestResult[],
  given: ReadonlyMap<string, string> = new Map(),
): Map<string, string> {
  const ladders = new Map(given);
  for (const test of tests) {
    const key = testKey(test);
    const text = ladders.get(key) ?? readText(outDir, test.evidence.ladder);
    if (text === undefined) continue;
    const rest = text.length - LADDER_CHARACTERS;
    ladders.set(
      key,
      rest > 0 ? `${text.slice(0, LADDER_CHARACTERS)}\n(${rest} more characters in the file)` : text,
    );
  }
  return ladders;
}

/** A ladder that was lost costs only itself: the page still links to where it should be. */
function readText(outDir: string, path?: string): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(join(outDir, path), "utf8");
  } catch {
    return undefined;
  }
}
