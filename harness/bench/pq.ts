/**
 * The loss experiment that was shown with FrodoKEM at IETF 121, repeatable: how long handshakes take, and what they
 * send, with key exchanges of all sizes over a network that loses packets.
 */
import { setImmediate } from "node:timers/promises";
import { lossyHandshake, type Outcome, RETRANSMISSION } from "./pq-handshake.ts";
import { type Computing, PQ_METHODS, type PqMethod, type ReadyPair, readyPairs } from "./pq-methods.ts";

export const PACKETS: readonly number[] = [576, 1280, 1500];

export interface PqOptions {
  /** Percent, each from 0 to 99. */
  losses: readonly number[];
  /** Half of it each way. */
  rttMs: number;
  /** Handshakes per cell. */
  runs: number;
  seed: string;
  methods?: readonly PqMethod[];
  packets?: readonly number[];
  /** Called before each cell. */
  progress?(cell: number, cells: number, what: string): void;
}

/** Some handshakes under equal circumstances. */
export interface PqCell {
  method: string;
  /** Largest IP packet in octets. */
  packet: number;
  /** Percent. */
  loss: number;
  /** Of the handshakes that were completed, in virtual time; null where none was. */
  medianMs: number | null;
  p95Ms: number | null;
  /** Handshakes that never were completed. */
  failed: number;
  /** Means over all handshakes, the failed ones too, with the headers of IP and UDP. */
  packets: number;
  octets: number;
}

export interface PqResult {
  name: "pq";
  seed: string;
  rttMs: number;
  runs: number;
  retransmission: typeof RETRANSMISSION;
  cells: PqCell[];
  /** Real time, and therefore not in the delays. */
  computing: Computing[];
}

/** The smallest value that `percent` of them do not exceed; null for none at all. */
export function percentile(values: readonly number[], percent: number): number | null {
  const rank = Math.ceil((percent / 100) * values.length);
  return values.toSorted((a, b) => a - b)[Math.max(0, rank - 1)] ?? null;
}

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

function summary(outcomes: readonly Outcome[]) {
  const delays = outcomes.flatMap(({ delayMs }) => delayMs ?? []);
  return {
    medianMs: percentile(delays, 50),
    p95Ms: percentile(delays, 95),
    failed: outcomes.length - delays.length,
    packets: mean(outcomes.map(({ packets }) => packets)),
    octets: mean(outcomes.map(({ octets }) => octets)),
  };
}

function measureCell(options: PqOptions, method: PqMethod, packet: number, loss: number, pairs: ReadyPair[]) {
  const at = { method, packet, loss, rttMs: options.rttMs };
  const outcomes = Array.from({ length: options.runs }, (_, run) => {
    const pair = pairs[run % pairs.length];
    if (!pair) throw new Error(`no key pairs for ${method.name}`);
    return lossyHandshake(`${options.seed} ${run}`, at, pair);
  });
  return { method: method.name, packet, loss, ...summary(outcomes) };
}

/**
 * All cells, packet sizes first, then methods, then rates of loss; other work gets its turn between them. Run number n
 * draws the same losses in every cell, so that cells differ by their circumstances and not by luck.
 */
export async function measurePq(options: PqOptions): Promise<PqResult> {
  const { losses, methods = PQ_METHODS, packets = PACKETS, seed, rttMs, runs } = options;
  const ready = methods.map((method) => ({ method, ...readyPairs(method) }));
  const total = packets.length * methods.length * losses.length;
  const cells: PqCell[] = [];
  for (const packet of packets) {
    for (const { method, pairs } of ready) {
      for (const loss of losses) {
        options.progress?.(cells.length + 1, total, `${method.name}, ${packet} octets, ${loss} %`);
        await setImmediate();
        cells.push(measureCell(options, method, packet, loss, pairs));
      }
    }
  }
  const computing = ready.map((made) => made.computing);
  return { name: "pq", seed, rttMs, runs, retransmission: RETRANSMISSION, cells, computing };
}
