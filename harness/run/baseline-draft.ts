/** Entries for what a baseline does not hold yet, for a person to fill in. */
import { stringify } from "yaml";
import { groupBy } from "../../reports/group.ts";
import { type PeerInfo, type Results, standingOf, type TestResult } from "../../reports/results.ts";
import { baselineName } from "./baseline.ts";

/**
 * YAML of the entries that `peer` (`strongswan@6.1`) lacks, one for each verdict and reason, to be appended to its
 * file. What only a person knows is left empty, which the loader refuses. Empty text: there is nothing to add.
 */
export function draftEntries(results: Results, peer: string, today = new Date()): string {
  const runtimes = new Map(
    results.peers.filter((info) => baselineName(info) === peer).map(({ id, runtime }) => [id, runtime]),
  );
  const open = results.tests.filter((test) => runtimes.has(test.peer) && isOpen(test));
  const bySight = groupBy(open, ({ id, verdict, reason }) => JSON.stringify([id, verdict, reason]));
  const sights = [...bySight.values()].flatMap((same) => {
    const [test] = same;
    const where = same.map((one) => runtimes.get(one.peer));
    return test ? [{ test, runtime: same.length < runtimes.size ? where : [undefined] }] : [];
  });
  const rows = sights.flatMap(({ test, runtime }) => runtime.map((one) => ({ test, runtime: one })));
  const groups = groupBy(rows, ({ test, runtime }) => JSON.stringify([test.verdict, test.reason, runtime]));
  const entries = [...groups.values()].flatMap((rows) => entryOf(rows, today));
  return entries.length === 0 ? "" : stringify(entries, { lineWidth: 140 });
}

function isOpen(test: TestResult): boolean {
  if (test.verdict === "pass" || test.verdict === "setup") return false;
  return test.baseline === undefined || standingOf(test) === "deviates";
}

/** A test's verdict in one runtime, or in all of them. */
interface Row {
  test: TestResult;
  runtime: PeerInfo["runtime"] | undefined;
}

function entryOf(rows: Row[], today: Date): object[] {
  const [first] = rows;
  if (!first) return [];
  const { verdict, reason, document, section } = first.test;
  const ids = rows.map(({ test }) => test.id);
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
