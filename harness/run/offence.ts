/** Where in the exchange the fault of a failed test is to be seen, as far as that is certain. */
import { Decoder, KeyRing } from "../../pcaps/decode/index.ts";
import type { Offence } from "../../reports/results.ts";
import { Linter } from "../lint/linter.ts";
import type { LintFinding } from "../lint/types.ts";
import { listPayloads } from "../script/expectations.ts";
import { UNUSED_MESSAGE } from "../script/script.ts";
import type { Trace, TraceEntry } from "../script/trace.ts";
import type { Place } from "../script/verdicts.ts";
import { PATH_SEPARATOR } from "../wire/fields.ts";
import { espSaKeys, ikeSaKeys } from "./evidence.ts";
import { fieldOf } from "./offence-field.ts";

/** What a failed test is about, and what came of it. */
export interface Failed {
  document: string;
  /** Of the catalogue of the document. */
  requirements: readonly string[];
  actual: string;
  /** What the expectation that failed looked at. */
  place?: Place | undefined;
}

/**
 * By what the expectation named or listed; else by what the lint finds against a requirement of this test in a message of
 * the peer; else the message that, as the failure says, our endpoint did not act on or gave up for. Undefined rather than
 * a guess.
 */
export function offenceOf(failed: Failed, trace: Trace): Offence | undefined {
  const { place, actual } = failed;
  const named = (place && placeIn(trace, place)) ?? listedIn(trace, actual);
  const findings = findingsOf(failed, trace);
  if (!named)
    return offenceOfFinding(trace, findings[0]) ?? droppedIn(trace, actual) ?? endedIn(trace, actual);
  const { event, field: payload } = named;
  const there = findings.find(
    ({ packet, field }) =>
      field !== undefined &&
      shownBy(trace, packet) === event &&
      (payload === undefined ||
        (PATH_SEPARATOR + field).includes(`${PATH_SEPARATOR}${payload}${PATH_SEPARATOR}`)),
  );
  if (there?.field === undefined) return named;
  return { ...named, field: there.field, requirement: there.requirement, reason: there.reason };
}

/** The event that tells of the message; undefined for one of our own. */
function placeIn(trace: Trace, { payloads, entry, field }: Place): Offence | undefined {
  const index = trace.entries.findIndex((each) => {
    const { event } = each;
    return each === entry || (event.type === "received" && event.message.payloads === payloads);
  });
  if (index < 0) return undefined;
  return { event: shownBy(trace, index + 1), by: "expectation", ...(field !== undefined && { field }) };
}

/** The message whose payloads the failure lists, if it is the only one of both sides that reads so. */
function listedIn({ entries }: Trace, actual: string): Offence | undefined {
  const reads = ({ event }: TraceEntry) =>
    ((event.type === "received" && !event.repeated) || (event.type === "sent" && event.copy === 0)) &&
    event.message.payloads.length > 0 &&
    listPayloads(event.message) === actual;
  const index = actual.startsWith("[ ") ? entries.findIndex(reads) : -1;
  const isOnly = index >= 0 && entries.findLastIndex(reads) === index;
  return isOnly && entries[index]?.event.type === "received"
    ? { event: index + 1, by: "expectation" }
    : undefined;
}

/** From the line of a datagram that came to that of the event that tells what it was, if one does. */
function shownBy({ entries }: Trace, line: number): number {
  if (entries[line - 1]?.event.type !== "datagram-received") return line;
  for (let at = line; at < entries.length; at++) {
    const { type } = entries[at]!.event;
    if (type === "received" || type === "dropped" || type === "esp-received" || type === "keepalive")
      return at + 1;
    if (type === "datagram-received") break;
  }
  return line;
}

/** Breaches of the test's own requirements by the peer; packets are lines of the event stream. */
function findingsOf({ document, requirements }: Failed, trace: Trace): LintFinding[] {
  const own = new Set(requirements);
  return lintOf(trace).filter(
    (finding) =>
      finding.document === document &&
      own.has(finding.requirement) &&
      trace.entries[finding.packet - 1]?.event.type === "datagram-received",
  );
}

/** What the lint finds in all that went and came. */
function lintOf(trace: Trace): LintFinding[] {
  const decoder = new Decoder(ringOf(trace));
  const linter = new Linter();
  return trace.entries.flatMap(({ at, event }, index) => {
    if (event.type !== "datagram-sent" && event.type !== "datagram-received") return [];
    const where = { packet: index + 1, offset: 0, timeMs: at };
    const seen = decoder.datagram({ kind: "datagram", ...where, ...event.datagram });
    return seen.flatMap((each) => linter.see(each).map((found) => withField(found, fieldOf(each, found))));
  });
}

const withField = (finding: LintFinding, field: string | undefined): LintFinding =>
  field === undefined ? finding : { ...finding, field };

function ringOf(trace: Trace): KeyRing {
  const ring = new KeyRing();
  for (const sa of trace.ikeSas())
    for (const keys of [...sa.earlierKeys, sa.keys]) for (const set of ikeSaKeys(sa, keys)) ring.addIke(set);
  for (const set of trace.childSas().flatMap(espSaKeys)) ring.addEsp(set);
  return ring;
}

function offenceOfFinding(trace: Trace, finding: LintFinding | undefined): Offence | undefined {
  if (!finding) return undefined;
  const { packet, field, requirement, reason } = finding;
  const event = shownBy(trace, packet);
  return { event, by: "lint", ...(field !== undefined && { field }), requirement, reason };
}

/** Reasons that accuse nobody: the test loses messages, and what comes late finds nothing that waits for it. */
const INNOCENT: ReadonlySet<string> = new Set([
  "an extension dropped it",
  "an answer that helps no further",
  "a response nobody waits for",
  "a request answered long ago",
  "a repeated IKE_SA_INIT request",
  "its answer is still being made",
  "no answer to this exchange now",
  "no IKE SA has this SPI",
  "deleted by us",
]);

/** The last message that our endpoint did not act on, if the failure is said to be that and it is the message's own fault. */
function droppedIn({ entries }: Trace, actual: string): Offence | undefined {
  const index = entries.findLastIndex(
    ({ event }) =>
      event.type === "dropped" &&
      !INNOCENT.has(event.reason) &&
      actual.includes(`${event.reason} ${UNUSED_MESSAGE}`),
  );
  const dropped = entries[index]?.event;
  return dropped?.type === "dropped"
    ? { event: index + 1, by: "dropped", reason: dropped.reason }
    : undefined;
}

/** What comes of a message comes at once; what a timer brings does not. */
const AT_ONCE_MS = 50;
const SILENCE = /^no |timed out$/;

/** The message for which our endpoint gave up an SA, if the failure is said to be that. */
function endedIn({ entries }: Trace, actual: string): Offence | undefined {
  const index = entries.findLastIndex(
    ({ event }) =>
      (event.type === "ike-closed" || event.type === "child-failed") &&
      !INNOCENT.has(event.reason) &&
      !SILENCE.test(event.reason) &&
      actual.includes(event.reason),
  );
  const ended = entries[index];
  if (!ended || !("reason" in ended.event)) return undefined;
  const came = entries
    .slice(0, index)
    .findLastIndex(({ event }) => event.type === "received" || event.type === "datagram-received");
  const last = entries[came];
  if (last?.event.type !== "received" || ended.at - last.at > AT_ONCE_MS) return undefined;
  return { event: came + 1, by: "ended", reason: ended.event.reason };
}
