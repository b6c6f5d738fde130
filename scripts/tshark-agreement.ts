/**
 * Holds our decode of the captures of whole runs against tshark's: `npm run tshark-agreement -- DIR... [--limit N]
 * [--json]`. A DIR is a result folder, or any other with captures that have their keys beside them. Exits with 1 where
 * the two disagree and no rule tells why.
 */
import { parseArgs } from "node:util";
import { type Agreement, agreementOf, sourcesIn } from "../harness/run/tshark-agreement.ts";
import type { Source } from "../harness/run/tshark-merged.ts";

const USAGE = "usage: npm run tshark-agreement -- DIR... [--limit N] [--json]";
/** Unexplained differences that are shown. */
const MOST_SHOWN = 100;

function* first(limit: number, sources: Iterable<Source>): Generator<Source> {
  let count = 0;
  for (const source of sources) if (count++ < limit) yield source;
}

function textOf(agreement: Agreement): string {
  const { captures, messages, inner, fragmented, esp, alone, fields, faults, explained, unexplained } =
    agreement;
  const rules = [...explained].filter(([, count]) => count > 0);
  return [
    `${captures} captures: ${messages} IKE messages (${inner} opened by both, ${fragmented} of them in fragments), ${esp} ESP packets`,
    `${alone} of both are opened by us alone, for tshark does not know their transforms`,
    `${fields} fields compared`,
    ...(faults > 0 ? [`${faults} faults in captures`] : []),
    ...rules.map(([{ name, reason }, count]) => `${count} explained by ${name}: ${reason}`),
    `${unexplained.length} unexplained`,
    ...unexplained
      .slice(0, MOST_SHOWN)
      .map(
        ({ capture, packet, field, ours, theirs }) =>
          `${capture}, packet ${packet}: ${field}: we read ${ours}, tshark ${theirs}`,
      ),
    "",
  ].join("\n");
}

const jsonOf = (agreement: Agreement): string => {
  const explained = [...agreement.explained].map(([{ name, reason }, count]) => ({ name, reason, count }));
  return `${JSON.stringify({ ...agreement, explained }, null, 2)}\n`;
};

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { limit: { type: "string" }, json: { type: "boolean" } },
  });
  const limit = Number(values.limit ?? Number.POSITIVE_INFINITY);
  if (positionals.length === 0 || !(limit > 0)) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const sources = first(
    limit,
    positionals.flatMap((folder) => [...sourcesIn(folder)]),
  );
  const progress = ({ captures, messages, unexplained }: Agreement) =>
    process.stderr.write(`${captures} captures, ${messages} messages, ${unexplained.length} unexplained\n`);
  const agreement = await agreementOf(sources, { progress });
  process.stdout.write(values.json ? jsonOf(agreement) : textOf(agreement));
  return agreement.unexplained.length > 0 || agreement.messages === 0 ? 1 : 0;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  return 2;
});
