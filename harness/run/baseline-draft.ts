/** Entries for what a baseline does not hold yet, for a person to fill in. */
import { stringify } from "yaml";
import { groupBy } from "../../reports/group.ts";
import { type PeerInfo, type Results, standingOf, type TestResult } from "../../reports/results.ts";
import { baselineName, oneSpace } from "./baseline.ts";

/**
 * YAML of the entries that `peer` (`strongswan@6.1`) lacks, one for each verdict and reason, to be appended to its
 * file. A section whose tests all end alike is named by a pattern. What only a person knows is left empty, which the
 * loader refuses. Empty text: there is nothing to add.
 */
export function draftEntries(results: Results, peer: string, today = new Date()): string {
  const runtimes = new Map(
    results.peers.filter((info) => baselineName(info) === peer).map(({ id, runtime }) => [id, runtime]),
  );
  const ofPeer = results.tests.filter((test) => runtimes.has(test.peer));
  const rows = rowsOf(ofPeer.filter(isOpen), runtimes);
  const sizes = groupBy(ofPeer, ({ id }) => sectionOf(id));
  const sections = [...groupBy(rows, ({ test }) => sectionOf(test.id))];
  const named = sections.flatMap(([section, own]) => bySection(section, own, sizes.get(section) ?? []));
  const groups = groupBy(named, ({ test, reason, runtime }) =>
    JSON.stringify([test.verdict, reason, runtime]),
  );
  const entries = [...groups.values()].flatMap((rows) => entryOf(rows, today));
  return entries.length === 0 ? "" : stringify(entries, { lineWidth: 140 });
}

/** A row for each verdict and reason of a test; the runtime is told if it is not so in all of them. */
function rowsOf(open: readonly TestResult[], runtimes: ReadonlyMap<string, PeerInfo["runtime"]>): Row[] {
  const bySight = groupBy(open, ({ id, verdict, reason }) => JSON.stringify([id, verdict, reason]));
  return [...bySight.values()].flatMap((same) => {
    const held = same.length < runtimes.size ? same.map((one) => runtimes.get(one.peer)) : [undefined];
    return same
      .slice(0, 1)
      .flatMap((test) => held.map((runtime) => ({ test, runtime, tests: test.id, reason: test.reason })));
  });
}

/** `rfc7296/2.8` of `rfc7296/2.8/initiator-reuses-old-spi`. */
const sectionOf = (id: string): string => id.slice(0, id.lastIndexOf("/"));

/** One row for a section of several tests that all end alike, whatever their reasons quote; else the rows themselves. */
function bySection(section: string, rows: Row[], ran: readonly TestResult[]): Row[] {
  const [first] = rows;
  const different = (keyOf: (row: Row) => string | undefined) => new Set(rows.map(keyOf)).size > 1;
  const whole = rows.length === new Set(ran.map(({ id }) => id)).size && rows.length > 1;
  if (!first || !whole || different(({ test }) => test.verdict) || different(({ runtime }) => runtime))
    return rows;
  if (!different(({ reason }) => reason)) return [{ ...first, tests: `${section}/*` }];
  if (different(({ reason }) => unquoted(reason))) return rows;
  return [{ ...first, tests: `${section}/*`, reason: unquoted(first.reason) }];
}

const QUOTED = /("[^"]*"|\([^()]*\)|\[[^[\]]*\])/;

/** An expression for a reason with any other detail in its quotation marks and brackets. */
function unquoted(reason: string): string {
  const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  const parts = oneSpace(reason)
    .split(QUOTED)
    .map((part, i) =>
      i % 2 === 0 ? escaped(part) : `${escaped(part.slice(0, 1))}.*${escaped(part.slice(-1))}`,
    );
  return `/^${parts.join("")}$/`;
}

function isOpen(test: TestResult): boolean {
  if (test.verdict === "pass" || test.verdict === "setup") return false;
  return test.baseline === undefined || standingOf(test) === "deviates";
}

/** A test's verdict in one runtime, or in all of them; `tests` and `reason` as the entry has them. */
interface Row {
  test: TestResult;
  tests: string;
  reason: string;
  runtime: PeerInfo["runtime"] | undefined;
}

function entryOf(rows: Row[], today: Date): object[] {
  const [first] = rows;
  if (!first) return [];
  const { reason } = first;
  const { verdict, document, section } = first.test;
  const ids = rows.map(({ tests }) => tests);
  const expires = `${today.getUTCFullYear() + 1}${today.toISOString().slice(4, 10)}`;
  return [
    {
      ...{ tests: ids.length === 1 ? ids[0] : ids, verdict, reason, why: "", evidence: "" },
      section: `${document.replace(/^rfc(\d+)$/, "RFC $1")} ${section}`,
      ...{
        fault: { unsupported: "none", behind: "none", ambiguous: "text" }[String(verdict)] ?? "",
        expires,
      },
      ...(first.runtime === undefined ? {} : { runtime: first.runtime }),
    },
  ];
}
