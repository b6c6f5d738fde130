/** What a step of the benchmark of captures says, and where the next one finds what it wrote. */
import { join } from "node:path";

export interface StepFigures {
  /** What was seen: messages and packets. */
  packets: number;
  opened: number;
  /** Faults, things that could not be read, differences. */
  problems: number;
  /** The most memory that was resident, in millions of octets. */
  peakMb: number;
}

export const filesIn = (folder: string): { capture: string; keys: string } => ({
  capture: join(folder, "capture.pcap"),
  keys: join(folder, "keys.json"),
});
