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
  const named = [
    ...groupBy(rows, ({ test, runtime }) => `${sectionOf(test.id)} ${runtime ?? ""}`).values(),
  ].flatMap((own) => bySection(own, ofPeer, runtimes));
  const groups = groupBy(named, ({ test, reason, runtime }) =>
    JSON.stringify([test.verdict, reason, runtime]),
  );
  const entries = [...groups.values()].flatMap((rows) => entryOf(rows, today));
  return entries.length === 0 ? "" : stringify(entries, { lineWidth: 140 });
}

/** By the id of the peer. */
type Runtimes = ReadonlyMap<string, PeerInfo["runtime"]>;

/** A row for each verdict and reason of a test; the runtime is told if it is not so in all of them. */
function rowsOf(open: readonly TestResult[], runtimes: Runtimes): Row[] {
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

/**
 * Of rows of one section and runtime: one row if all tests that `ran` there end alike, whatever their reasons quote;
 * else the rows themselves.
 */
function bySection(rows: Row[], ran: readonly TestResult[], runtimes: Runtimes): Row[] {
  const [first] = rows;
  if (!first) return [];
  const { runtime } = first;
  const section = sectionOf(first.test.id);
  const there = ran.filter(({ peer }) => runtime === undefined || runtimes.get(peer) === runtime);
  const ids = new Set(there.map(({ id }) => id).filter((id) => sectionOf(id) === section));
  const alike = (keyOf: (row: Row) => string) => rows.every((row) => keyOf(row) === keyOf(first));
  if (rows.length < 2 || rows.length !== ids.size || !alike(({ test }) => test.verdict)) return rows;
  if (alike(({ reason }) => reason)) return [{ ...first, tests: `${section}/*` }];
  if (!alike(({ reason }) => unquoted(reason))) return rows;
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
