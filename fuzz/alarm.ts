/** What an oracle says of a case; confirmed and minimised it becomes a finding. */
import type { SEVERITIES } from "../reports/findings.ts";

/** As in `findings.json`. */
export type OracleName = "crash" | "hang" | "memory" | "requirement" | "difference" | "state" | "secrecy";

export interface Alarm {
  oracle: OracleName;
  /** One sentence about the peer: "ends with SIGSEGV". */
  title: string;
  /** Equal for equal faults, whatever the case: the signal with its top frames, the rule, the behaviour. Printable ASCII, at most 200 octets. */
  signature: string;
  severity: (typeof SEVERITIES)[number];
  requirement?: { document: string; id: string };
  /** More for whoever judges it: sanitizer report, log lines, figures. */
  detail: string;
  /** True where the trace alone shows it on a fresh peer; false for what builds up over many cases. */
  alone: boolean;
  /** Signatures of what the peer's log says in the same conversation: parts of this one. Not set: nothing. */
  beside?: string[] | undefined;
}
