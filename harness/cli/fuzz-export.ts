/** `bakeoff fuzz export` and `release`: a finding for others. */
import { cpSync, existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Command } from "commander";
import { KEPT } from "../../fuzz/findings/capture.ts";
import { exportTest } from "../../fuzz/findings/export-test.ts";
import { CLOSED, OPEN, writeWhole } from "../../fuzz/findings/files.ts";
import type { StoredFinding } from "../../fuzz/findings/finding.ts";
import { entryOf } from "../../fuzz/findings/published.ts";
import { EMBARGO_FOLDER, FINDINGS_FOLDER, FindingStore } from "../../fuzz/findings/store.ts";
import { findingMarkdown } from "../../reports/finding-markdown.ts";
import type { Finding } from "../../reports/findings.ts";
import { makeResults } from "../../reports/results.ts";
import { toSarif } from "../../reports/sarif.ts";
import { holdsModules } from "../run/own-suites.ts";
import { writable } from "../run/report.ts";
import { tool } from "../run/tool.ts";
import { UsageError, unknownName } from "../run/usage-error.ts";
import { EXIT } from "./exit.ts";
import { type GivenFinding, givenFinding } from "./fuzz-finding.ts";
import type { Finish } from "./program.ts";

const FORMATS = ["test", "sarif", "pcap", "markdown"] as const;
type Format = (typeof FORMATS)[number];

const EXAMPLES = `
Examples:
  bakeoff fuzz export bakeoff-fuzz/findings/1f0c2a9b7d3e --as markdown
  bakeoff fuzz export finding.json --as test --out suites
  bakeoff fuzz export finding.json --as test --out found && bakeoff run --suite found/*/*.suite.*
  bakeoff fuzz export finding.json --as pcap --out seen
`;

interface Flags {
  as: string;
  out?: string;
  embargoed?: true;
}

export function exportCommand(finish: Finish): Command {
  return new Command("export")
    .description("writes a finding as a test of the suites, SARIF, capture with keys, or a page of Markdown")
    .argument("<finding>", "the file of a finding, or its folder")
    .requiredOption("--as <format>", `${FORMATS.slice(0, -1).join(", ")} or ${FORMATS.at(-1)}`)
    .option("--out <path>", "the file to write; of test and pcap the folder (default: standard output)")
    .option("--embargoed", "even if it is under embargo; nobody else may read the file")
    .addHelpText("after", EXAMPLES)
    .action((given: string, flags: Flags) => {
      const format = FORMATS.find((name) => name === flags.as);
      if (!format) throw unknownName("format", flags.as, FORMATS);
      const found = givenFinding(given);
      mayLeave(found, flags);
      WRITERS[format](found, flags);
      finish(EXIT.ok);
    });
}

function mayLeave({ path, finding }: GivenFinding, { embargoed }: Flags): void {
  if (!finding.embargo || embargoed) return;
  throw new UsageError(
    `${path}: is under embargo; --embargoed exports it for the maintainers' eyes, bakeoff fuzz release ends the embargo`,
  );
}

const WRITERS: Record<Format, (found: GivenFinding, flags: Flags) => void> = {
  test({ finding }, { out }) {
    const into = resolve(out ?? "suites");
    const made = exportTest(finding, {
      ...(out === undefined ? {} : { into }),
      moduleName: out !== undefined && !holdsModules(into),
    });
    if ("error" in made) throw new UsageError(`--as test: ${made.reason}`);
    write(finding, out === undefined ? undefined : join(into, made.path), made.text);
  },
  sarif({ path, finding }, { out }) {
    const { seen, seed } = finding;
    const { name } = tool();
    const results = makeResults({
      ...{ tool: { name, version: finding.tool }, seed, started: seen.first, finished: seen.last },
      ...{ peers: [finding.peer], tests: [] },
    });
    write(finding, out, toSarif(results, {}, [shownEntry(path, finding)]));
  },
  pcap({ path, finding }, { out }) {
    if (out === undefined) throw new UsageError("--out: is missing: the folder for capture and keys");
    const from = dirname(path);
    if (!existsSync(join(from, KEPT.capture)))
      throw new UsageError(
        `${path}: there is no ${KEPT.capture} beside it; bakeoff fuzz replay --out makes one`,
      );
    writable(out, () => {
      for (const name of [KEPT.capture, KEPT.keys, KEPT.ladder])
        if (existsSync(join(from, name))) cpSync(join(from, name), join(out, name), { recursive: true });
    });
    process.stderr.write(`${finding.id}: written: ${out}\n`);
  },
  markdown({ path, finding }, { out }) {
    write(finding, out, findingMarkdown(shownEntry(path, finding)));
  },
};

/** With its files by their names beside the finding. */
const shownEntry = (path: string, finding: StoredFinding): Finding => entryOf(finding, "", dirname(path));

function write(finding: StoredFinding, out: string | undefined, text: string): void {
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  writable(out, () => writeWhole(out, text, finding.embargo ? CLOSED : OPEN));
  process.stderr.write(`${finding.id}: written: ${out}\n`);
}

const RELEASE_EXAMPLES = `
Examples:
  bakeoff fuzz release bakeoff-fuzz/findings/embargo/1f0c2a9b7d3e
`;

export function releaseCommand(finish: Finish): Command {
  return new Command("release")
    .description("ends the embargo of findings: from now on reports show them")
    .argument("<finding...>", "files of findings in the folder of their campaign, or their folders")
    .addHelpText("after", RELEASE_EXAMPLES)
    .action((all: string[]) => {
      for (const given of all) release(given);
      finish(EXIT.ok);
    });
}

function release(given: string): void {
  const { path, finding } = givenFinding(given);
  const folder = dirname(resolve(path));
  const embargo = dirname(folder);
  const findings = dirname(embargo);
  if (!finding.embargo) throw new UsageError(`${path}: is under no embargo`);
  if (basename(embargo) !== EMBARGO_FOLDER || basename(findings) !== FINDINGS_FOLDER)
    throw new UsageError(
      `${path}: does not lie in ${FINDINGS_FOLDER}/${EMBARGO_FOLDER} of a campaign's folder`,
    );
  const out = dirname(findings);
  const store = writable(out, () => FindingStore.open(out, { tool: tool().version }));
  const released = writable(out, () => store.release(finding.id));
  writable(out, () => store.close());
  if (!released) throw new UsageError(`${path}: the campaign does not know it`);
  process.stderr.write(`${finding.id}: released: ${store.folderOf({ id: finding.id, embargo: false })}\n`);
}
