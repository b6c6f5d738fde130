/** The catalogue as an oracle: every message and packet of the peer is judged by the rules of lint. */
import { Linter } from "../../harness/lint/linter.ts";
import type { Rule } from "../../harness/lint/rule.ts";
import { RULES } from "../../harness/lint/rules/index.ts";
import type { LintFinding } from "../../harness/lint/types.ts";
import { levelOf } from "../../harness/run/catalogue.ts";
import { espSaKeys, ikeSaKeys } from "../../harness/run/evidence.ts";
import type { TraceEntry } from "../../harness/script/trace.ts";
import { Decoder, KeyRing } from "../../pcaps/decode/index.ts";
import { partOf } from "../../pcaps/decode/part.ts";
import type { Alarm } from "../alarm.ts";
import type { Outcome } from "../outcome.ts";
import { certaintyOf } from "./lint-certainty.ts";
import { numbersOf, type Touched, touchedIn } from "./lint-touched.ts";

/** Alarms of the peer's own breaches, where no lie of ours makes them doubtful. Nothing is decoded where the peer sent nothing. */
export function lintAlarms(outcome: Outcome): Alarm[] {
  const { entries } = outcome;
  if (!entries.some(({ event }) => event.type === "datagram-received")) return [];
  const touched = touchedIn(outcome);
  const rules = touched.any ? LIVE : RULES;
  return lintOf(entries, rules)
    .filter((finding) => isCertain(finding, touched, entries))
    .map(alarmOf);
}

/** Rules that may hold in a conversation with lies. */
const LIVE = RULES.filter(({ name }) => certaintyOf(name) !== "whole");

function isCertain({ rule, packet }: LintFinding, touched: Touched, entries: readonly TraceEntry[]): boolean {
  const certainty = certaintyOf(rule);
  if (!touched.any || certainty === "own") return true;
  if (certainty === "honest") return packet - 1 < touched.since;
  const event = entries[packet - 1]?.event;
  const numbers =
    event?.type === "datagram-received" && numbersOf(partOf({ ...event.datagram, timeMs: 0 }).data);
  return numbers ? !numbers.isResponse || !touched.request(numbers) : false;
}

/** What the lint finds in the datagrams of the peer; packets are the places of entries, from 1. */
export function lintOf(entries: readonly TraceEntry[], rules: readonly Rule[]): LintFinding[] {
  const decoder = new Decoder(ringOf(entries));
  const linter = new Linter({ rules });
  const findings: LintFinding[] = [];
  for (const [index, { at, event }] of entries.entries()) {
    if (event.type !== "datagram-sent" && event.type !== "datagram-received") continue;
    const where = { packet: index + 1, offset: 0, timeMs: at };
    for (const seen of decoder.datagram({ kind: "datagram", ...where, ...event.datagram }))
      for (const finding of linter.see(seen))
        if (entries[finding.packet - 1]?.event.type === "datagram-received") findings.push(finding);
  }
  return findings;
}

/** The keys of all SAs of the conversation. */
function ringOf(entries: readonly TraceEntry[]): KeyRing {
  const ring = new KeyRing();
  for (const { event } of entries) {
    if (event.type === "keys")
      for (const keys of [...event.sa.earlierKeys, event.sa.keys])
        for (const set of ikeSaKeys(event.sa, keys)) ring.addIke(set);
    if (event.type === "child-established") for (const set of espSaKeys(event.child)) ring.addEsp(set);
  }
  return ring;
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
