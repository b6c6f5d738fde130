/** `bakeoff fuzz corpus`: puts corpora together, and makes one smaller. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { mergeCorpora, trimCorpus } from "../../fuzz/corpus/folders.ts";
import { fileReason } from "../../pcaps/text-file.ts";
import { plural } from "../../reports/text.ts";
import { UsageError } from "../run/usage-error.ts";
import { oneLine, printJson } from "./output.ts";

const EXAMPLES = `
Examples:
  bakeoff fuzz corpus merge shard-1/corpus shard-2/corpus --out corpus
  bakeoff fuzz corpus trim corpus
`;

export function corpusCommand(): Command {
  const command = new Command("corpus")
    .enablePositionalOptions()
    .description("keeps folders of corpora: what cases are made of that brought something new")
    .addHelpText("after", EXAMPLES);
  command.addCommand(mergeCommand());
  command.addCommand(trimCommand());
  return command;
}

const mergeCommand = (): Command =>
  new Command("merge")
    .description("puts what folders hold into another one, which may be one of them")
    .argument("<dir...>", "folders of corpora")
    .requiredOption("--out <dir>", "the folder that they go to")
    .option("--json", "as JSON on standard output")
    .action((dirs: string[], { out, json }: { out: string; json?: true }) => {
      for (const dir of dirs) mustBeFolder(dir);
      const merged = onFiles(out, () => mergeCorpora(dirs, out));
      for (const { folder, file, reason } of merged.skipped) tellSkipped(folder, file, reason);
      if (json) return printJson(merged);
      const { added, known, entries } = merged;
      process.stderr.write(`${out}: ${added} added, ${known} known already, ${entries} there now\n`);
    });

const trimCommand = (): Command =>
  new Command("trim")
    .description("removes entries that show nothing which the others do not show, the longest first")
    .argument("<dir>", "the folder of a corpus")
    .option("--json", "as JSON on standard output")
    .action((dir: string, { json }: { json?: true }) => {
      mustBeFolder(dir);
      const trimmed = onFiles(dir, () => trimCorpus(dir));
      for (const { file, reason } of trimmed.skipped) tellSkipped(dir, file, reason);
      if (json) return printJson(trimmed);
      const { kept, removed, features } = trimmed;
      process.stderr.write(
        `${dir}: ${removed} removed, ${kept} kept, which show all ${plural(features, "feature")}\n`,
      );
    });

function mustBeFolder(dir: string): void {
  if (!existsSync(dir) || !statSync(dir).isDirectory()) throw new UsageError(`${dir}: is no folder`);
}

function onFiles<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new UsageError(`${folder}: ${fileReason(error)}`);
  }
}

const tellSkipped = (folder: string, file: string, reason: string): void =>
  void process.stderr.write(`${oneLine(`${join(folder, file)}: ${reason}: skipped`)}\n`);
