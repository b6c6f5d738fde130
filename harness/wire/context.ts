import type { Finding } from "./types.ts";

/** What the readers of payload bodies share: the octets, where findings count from, and the findings. */
export interface ReadContext {
  bytes: Uint8Array;
  /** Added to every offset in a finding, for a chain that is part of a greater buffer. */
  base: number;
  findings: Finding[];
}

/** Records a finding at an offset of the context's octets. */
export function note(context: ReadContext, at: number, field: string, reason: string): void {
  context.findings.push({ offset: context.base + at, field, reason });
}

/** Records reserved bits that are set. */
export function noteReserved(context: ReadContext, at: number, field: string, value: number): void {
  note(context, at, field, `reserved bits are set: 0x${value.toString(16)}`);
}
