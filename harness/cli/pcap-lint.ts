/** `bakeoff pcap lint`. */
import { isIP } from "node:net";
import { Command } from "commander";
import { Linter, type LintOptions } from "../lint/linter.ts";
import type { Rule } from "../lint/rule.ts";
import { RULES } from "../lint/rules/index.ts";
import type { Opening, Seen } from "../lint/seen.ts";
import type { LintFinding } from "../lint/types.ts";
import { catalogue, type Requirement } from "../run/catalogue.ts";
import { regExpOf, UsageError } from "../run/usage-error.ts";
import type { Finding } from "../wire/types.ts";
import { EXIT } from "./exit.ts";
import { hasColor, oneLine, painter, printJson } from "./output.ts";
import { lintText } from "./pcap-lint-text.ts";
import { captureAt, type Faults, keysFor, keysOption, Output, portOption, Source } from "./pcap-source.ts";
import type { Finish } from "./program.ts";

const EXAMPLES = `
Judges each sender by the requirements that can be judged by looking on. What is encrypted and closed is passed over,
and so is what would need the beginning where the capture begins later.
Exit status: 0 nothing that a MUST or MUST NOT forbids, 1 something of it (with --strict: any finding, or a capture that
could not be read in full), 2 wrong usage.

Examples:
  bakeoff pcap lint capture.pcap
  bakeoff pcap lint capture.pcap --keys keys/ --side 192.0.2.2
  bakeoff pcap lint *.pcap --only 'IKEV2-0|cookie' --strict --json
`;

interface Flags {
  keys?: string[];
  port?: number[];
  json?: true;
  only?: RegExp;
  side?: NonNullable<LintOptions["side"]>;
  strict?: true;
  wire?: true;
}

/** A finding with what the catalogue says of its requirement. */
export interface Judged extends LintFinding, Pick<Requirement, "section" | "level" | "text"> {}

/** What the decoder found odd in a message. */
export interface WireFinding extends Finding {
  packet: number;
  /** Set when the offset counts within the decrypted content. */
  inside?: true;
}

/** IKE messages or ESP packets: how many there are, and of what is encrypted how many were opened, or why not. */
export interface Readable {
  seen: number;
  opened: number;
  /** No key is known for them. */
  closed: number;
  /** Fragments without the rest of their message, or left over from one. */
  waiting: number;
  /** Keys are known, and they do not open. */
  broken: number;
}

/** One capture, judged as far as it could be read. */
export interface Linted extends Faults {
  file: string;
  readable: Record<"ike" | "esp", Readable>;
  findings: Judged[];
  /** Findings beyond those listed. */
  more: number;
  /** With `--wire`. */
  wire?: WireFinding[];
}

/** Findings of a capture that are listed; further ones are counted. */
const MOST = 10_000;

export function lintCommand(finish: Finish): Command {
  return new Command("lint")
    .description("judges both sides of a capture by the requirements")
    .argument("<file...>", "captures: pcap or pcapng, or folders of tests' evidence")
    .option(...keysOption)
    .option(...portOption)
    .option("--only <regex>", "only rules whose name or requirement id has it", (text) =>
      regExpOf("--only", text, "u"),
    )
    .option("--side <side>", "judge only the initiator, the responder, or an address", sideOf)
    .option("--strict", "exit 1 for any finding, SHOULD and statements too, and for faults of the capture")
    .option("--wire", "also what the decoder found odd; no requirement forbids all of it")
    .option("--json", "the findings as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (files: string[], flags: Flags) => finish(await lint(files, flags)));
}

function sideOf(text: string): NonNullable<LintOptions["side"]> {
  if (text === "initiator" || text === "responder") return text;
  if (isIP(text) !== 0) return { host: text };
  throw new UsageError(`--side ${oneLine(text)}: neither initiator nor responder nor an address`);
}

/** The rules whose name or a requirement fits. @throws UsageError if none does */
function rulesFor(only: RegExp | undefined): readonly Rule[] {
  const rules = RULES.filter(
    ({ name, requirements }) => !only || [name, ...requirements].some((text) => only.test(text)),
  );
  if (rules.length === 0) throw new UsageError(`--only ${only?.source}: no rule fits`);
  return rules;
}

async function lint(files: string[], flags: Flags): Promise<number> {
  const rules = rulesFor(flags.only);
  const output = new Output();
  const paint = painter(hasColor(process.stdout));
  const linted: Linted[] = [];
  for (const file of files) {
    const one = lintFile(captureAt(file), flags, rules);
    linted.push(one);
    if (!flags.json && !(await output.write(lintText(one, paint)))) break;
  }
  if (flags.json) printJson(linted);
  await output.flush();
  return linted.some((one) => isWrong(one, flags)) ? EXIT.verdict : EXIT.ok;
}

const isWrong = ({ findings, faults }: Linted, { strict }: Flags): boolean =>
  strict ? findings.length + faults.length > 0 : findings.some(({ level }) => level.startsWith("MUST"));

function lintFile(file: string, { keys, port, side, wire }: Flags, rules: readonly Rule[]): Linted {
  const linter = new Linter({ rules, ...(side && { side }) });
  const count = (): Readable => ({ seen: 0, opened: 0, closed: 0, waiting: 0, broken: 0 });
  const source = new Source(file, keysFor(file, keys), port);
  const readable = { ike: count(), esp: count() };
  const linted: Linted = { file, readable, faults: [], moreFaults: 0, findings: [], more: 0 };
  if (wire) linted.wire = [];
  for (const seen of source.seen()) {
    tally(linted, seen);
    for (const finding of linter.see(seen)) keep(linted, finding);
    if (linted.wire && linted.wire.length < MOST) linted.wire.push(...wireFindings(seen));
  }
  const { faults, moreFaults } = source.faults;
  return { ...linted, faults, moreFaults };
}

const COUNTED = {
  opened: "opened",
  "no-keys": "closed",
  waiting: "waiting",
  icv: "broken",
  damaged: "broken",
} as const satisfies Record<Opening, keyof Readable>;

function tally({ readable }: Linted, seen: Seen): void {
  if (seen.kind !== "ike" && seen.kind !== "esp") return;
  const counts = readable[seen.kind];
  counts.seen += 1;
  if (seen.opening !== undefined) counts[COUNTED[seen.opening]] += 1;
}

function keep(linted: Linted, finding: LintFinding): void {
  if (linted.findings.length >= MOST) {
    linted.more += 1;
    return;
  }
  const requirement = catalogue(finding.document)?.requirements[finding.requirement];
  if (!requirement) throw new Error(`no requirement ${finding.document} ${finding.requirement}`);
  const { section, level, text } = requirement;
  linted.findings.push({ ...finding, section, level, text });
}

function wireFindings(seen: Seen): WireFinding[] {
  if (seen.kind !== "ike") return [];
  const packet = seen.packets.at(-1) ?? 0;
  return [
    ...(seen.message.findings ?? []).map((finding) => ({ packet, ...finding })),
    ...(seen.inner?.findings ?? []).map((finding) => ({ packet, ...finding, inside: true as const })),
  ];
}
