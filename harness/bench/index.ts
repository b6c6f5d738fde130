/** The benchmarks by name. They measure; nothing here judges. */
import { benchEsp } from "./esp.ts";
import { benchGroup } from "./group.ts";
import { benchHandshake } from "./handshake.ts";
import type { BenchResult, BenchRow } from "./measure.ts";
import { benchWire } from "./wire.ts";

export type { BenchResult, BenchRow } from "./measure.ts";

/** One benchmark; `run` takes about so many seconds of wall-clock time. */
export interface Bench {
  name: string;
  /** What it measures, in one line. */
  summary: string;
  run(seconds: number): Promise<BenchResult>;
}

export const benches: readonly Bench[] = [
  { name: "wire", summary: "decoding and encoding IKE messages, beside scapy", run: benchWire },
  { name: "esp", summary: "sealing and opening ESP packets, against node:crypto alone", run: benchEsp },
  {
    name: "handshake",
    summary: "IKE_SA_INIT and IKE_AUTH, against the key exchange alone",
    run: benchHandshake,
  },
  {
    name: "group",
    summary: "registrations of G-IKEv2, and excluding members of groups of all sizes",
    run: benchGroup,
  },
];

export const findBench = (name: string): Bench | undefined => benches.find((bench) => bench.name === name);

const figure = (value: number): string => Math.round(value).toLocaleString("en-US");

function line(row: BenchRow): string {
  const own = `  ${row.what}: ${figure(row.value)} ${row.unit}`;
  if (!row.reference || row.share === undefined) return own;
  const share = row.share < 2 ? `${Math.round(row.share * 100)} %` : `${row.share.toFixed(1)} times`;
  const aim = row.aim === undefined ? "" : `, aim ${Math.round(row.aim * 100)} %`;
  return `${own}; ${share} of ${figure(row.reference.value)} (${row.reference.what}${aim})`;
}

/** The results for people, one line a figure. */
export function benchText(results: readonly BenchResult[]): string {
  return results.map(({ name, rows }) => [name, ...rows.map(line), ""].join("\n")).join("\n");
}
