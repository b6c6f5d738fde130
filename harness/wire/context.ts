import type { Finding } from "./types.ts";

/** What the readers of payload bodies share: the octets, where findings count from, and the findings. */
export interface ReadContext {
  bytes: Uint8Array;
  /** Added to every offset in a finding, for a chain that is part of a greater buffer. */
  base: number;
  findings: Finding[];
}

/** A datagram can hold tens of thousands of faults; after this many only one more finding says so. */
export const MOST_FINDINGS = 256;

/** Records a finding at an offset of the context's octets. */
export function note(context: ReadContext, at: number, field: string, reason: string): void {
  const { findings, base } = context;
  if (findings.length < MOST_FINDINGS) findings.push({ offset: base + at, field, reason });
  else if (findings.length === MOST_FINDINGS)
    findings.push({ offset: base + at, field, reason: "and more from here on" });
}

/** Records reserved bits that are set. */
export function noteReserved(context: ReadContext, at: number, field: string, value: number): void {
  note(context, at, field, `reserved bits are set: 0x${value.toString(16)}`);
}
