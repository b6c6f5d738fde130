/** The catalogue as an oracle: every message and packet of the peer is judged by the rules of lint. */
import { Linter } from "../../harness/lint/linter.ts";
import type { Rule } from "../../harness/lint/rule.ts";
import { RuleSet } from "../../harness/lint/rule-set.ts";
import { RULES } from "../../harness/lint/rules/index.ts";
import type { LintFinding } from "../../harness/lint/types.ts";
import { levelOf } from "../../harness/run/catalogue.ts";
import type { TraceEntry } from "../../harness/script/trace.ts";
import { partOf } from "../../pcaps/decode/part.ts";
import type { Alarm } from "../alarm.ts";
import type { Outcome } from "../outcome.ts";
import { certaintyOf } from "./lint-certainty.ts";
import type { Heard } from "./lint-heard.ts";
import { numbersOf, type Touched } from "./lint-touched.ts";

/** Alarms of the peer's own breaches, where no lie of ours makes them doubtful. */
export function lintAlarms({ entries }: Outcome, heard: Heard, touched: Touched): Alarm[] {
  return lintOf(heard, touched.any ? LIVE : JUDGED)
    .filter((finding) => isCertain(finding, touched, entries))
    .map(alarmOf);
}

/** Rules that may hold in a conversation with lies. */
const CERTAIN = RULES.filter(({ name }) => certaintyOf(name) !== "never");
const JUDGED = new RuleSet(CERTAIN);
const LIVE = new RuleSet(CERTAIN.filter(({ name }) => certaintyOf(name) !== "whole"));

function isCertain({ rule, packet }: LintFinding, touched: Touched, entries: readonly TraceEntry[]): boolean {
  const certainty = certaintyOf(rule);
  if (!touched.any || certainty === "own") return true;
  if (certainty === "honest") return packet - 1 < touched.since;
  const event = entries[packet - 1]?.event;
  const numbers = event?.type === "datagram-received" && numbersOf(partOf(event.datagram).data);
  return numbers ? !numbers.isResponse || !touched.request(numbers) : false;
}

/** What the lint finds in the datagrams of the peer; packets are the places of entries, from 1. */
export function lintOf({ all }: Heard, rules: RuleSet | readonly Rule[]): LintFinding[] {
  const peers = new Set(all.flatMap(({ index, ours }) => (ours ? [] : [index + 1])));
  const linter = new Linter({ rules, side: ({ packets }) => peers.has(packets.at(-1) ?? 0) });
  return all.flatMap(({ seen }) => linter.see(seen));
}

function alarmOf({ document, requirement, rule, reason, field }: LintFinding): Alarm {
  return {
    oracle: "requirement",
    title: `breaks ${document} ${requirement}: ${rule.replaceAll("-", " ")}`,
    signature: `lint ${document} ${requirement} ${rule}`,
    severity: levelOf(document, [requirement]).startsWith("MUST") ? "medium" : "low",
    requirement: { document, id: requirement },
    detail: field === undefined ? reason : `${field}: ${reason}`,
    alone: true,
  };
}
