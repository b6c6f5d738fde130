/** The loss experiment for people: a table of delays and one of octets for each packet size. */
import type { PqCell, PqResult } from "./pq.ts";
import { POOL } from "./pq-methods.ts";

const number = (value: number, digits = 0): string =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Columns as wide as their widest cell, the first to the left, the others to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)),
    [],
  );
  const place = (cell: string, i: number) =>
    i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0);
  return rows.map((row) => `  ${row.map(place).join("  ")}`.trimEnd());
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

function delay({ medianMs, p95Ms, failed }: PqCell): string {
  const known = medianMs === null || p95Ms === null ? "none" : `${number(medianMs)} / ${number(p95Ms)}`;
  return failed > 0 ? `${known}, ${failed} failed` : known;
}

const sent = ({ packets, octets }: PqCell): string =>
  `${number(packets, Number.isInteger(packets) ? 0 : 1)} / ${number(octets)}`;

/** One row for each key exchange, one column for each rate of loss. */
function table(
  cells: readonly PqCell[],
  losses: readonly number[],
  show: (cell: PqCell) => string,
): string[] {
  const rows = unique(cells.map(({ method }) => method)).map((name) => {
    const own = cells.filter(({ method }) => method === name);
    return [name, ...own.map(show)];
  });
  return aligned([["loss", ...losses.map((loss) => `${loss} %`)], ...rows]);
}

function ofPacketSize(result: PqResult, packet: number): string[] {
  const cells = result.cells.filter((cell) => cell.packet === packet);
  const losses = unique(cells.map(({ loss }) => loss));
  return [
    `IP packets of up to ${number(packet)} octets: delay in ms, median / 95th percentile`,
    ...table(cells, losses, delay),
    "",
    `IP packets of up to ${number(packet)} octets: packets / octets`,
    ...table(cells, losses, sent),
    "",
  ];
}

function computing(result: PqResult): string[] {
  const rows = result.computing.map((c) => [
    c.method.replace(/^X25519 \+ /, ""),
    ...[c.keyGenMs, c.encapsMs, c.decapsMs].map((ms) => number(ms, 2)),
    ...[c.initiatorOctets, c.responderOctets].map((octets) => number(octets)),
  ]);
  const head = ["", "KeyGen ms", "Encaps ms", "Decaps ms", "octets to", "and back"];
  return [
    `computing on this machine, which is not in the delays (median of ${POOL})`,
    ...aligned([head, ...rows]),
  ];
}

/** What the figures are of. */
export function conditions({ rttMs, runs, retransmission }: PqResult): string[] {
  const { firstMs, transmissions, givesUpMs } = retransmission;
  return [
    `Time is virtual and counts the network alone: ${number(rttMs)} ms to the peer and back, no limit of bandwidth, each packet lost`,
    "by itself at the rate given. A delay is from the first packet until the initiator has its Child SA, over the",
    "handshakes that were completed. IPv4 on UDP port 500, AES-256-GCM, a shared secret. X25519 is in IKE_SA_INIT; a KEM",
    "is ADDKE1 in IKE_INTERMEDIATE, one exchange more. FrodoKEM is that with AES.",
    `A request without its answer is sent again whole, with all of its fragments, after ${number(firstMs)} ms, and after twice as long`,
    `each time: ${transmissions} transmissions. ${number(givesUpMs)} ms after the first of them the handshake has failed. Its response comes again,`,
    "whole, for fragment 1 of a repeated request (RFC 7383 section 2.6.1). Fragments that came wait for the others.",
    `Key pairs and ciphertexts of KEMs were made before, ${POOL} of each, and handshakes take them in turn. Packets and octets`,
    `are both ways, with retransmissions and the headers of IP and UDP, as means over all ${number(runs)} handshakes.`,
  ];
}

export function pqText(result: PqResult): string {
  const packets = unique(result.cells.map(({ packet }) => packet));
  const lines = [
    ...conditions(result),
    "",
    ...packets.flatMap((packet) => ofPacketSize(result, packet)),
    ...computing(result),
  ];
  return `${lines.join("\n")}\n`;
}
