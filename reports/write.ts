/** Writes the reports of a run into its folder. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Extras } from "./extras.ts";
import { publishedIn } from "./findings.ts";
import { toJson } from "./json.ts";
import { toJunit } from "./junit.ts";
import { toMarkdown } from "./markdown.ts";
import type { Results } from "./results.ts";
import { toSarif } from "./sarif.ts";
import { writeSite } from "./site/write-site.ts";
import { toTap } from "./tap.ts";

type Writer = (outDir: string, results: Results, extras: Extras) => string;

/** A report that is one file, which appears whole or not at all. */
const oneFile =
  (file: string, textOf: (results: Results, extras: Extras, outDir: string) => string): Writer =>
  (outDir, results, extras) => {
    const path = join(outDir, file);
    writeFileSync(path + ".part", textOf(results, extras, outDir));
    renameSync(path + ".part", path);
    return path;
  };

/** The folder of the site in that of a run. */
const SITE = "site";

export const REPORT_FORMATS = ["json", "junit", "tap", "sarif", "md", "html"] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

const WRITERS: Record<ReportFormat, Writer> = {
  json: oneFile("results.json", toJson),
  junit: oneFile("junit.xml", toJunit),
  tap: oneFile("report.tap", toTap),
  sarif: oneFile("report.sarif", (results, extras, outDir) =>
    toSarif(results, extras, publishedIn(outDir).findings),
  ),
  md: oneFile("report.md", (results, _extras, outDir) => toMarkdown(results, publishedIn(outDir))),
  html: (outDir, results, extras) => writeSite(join(outDir, SITE), [{ folder: outDir, results }], extras),
};

/** What a run writes unless it is told otherwise. */
export const USUAL_FORMATS = ["json", "junit", "md", "html"] as const satisfies readonly ReportFormat[];

/** Writes the formats asked for and returns the path of each: of the site, that of its first page. Throws what the file system throws. */
export function writeReports(
  outDir: string,
  results: Results,
  formats: readonly ReportFormat[],
  extras: Extras = {},
): string[] {
  mkdirSync(outDir, { recursive: true });
  return formats.map((format) => WRITERS[format](outDir, results, extras));
}
