/** What came of a case: what the oracles, the guidance and the minimiser look at. */
import type { OutgoingMessage } from "../harness/ike/hooks.ts";
import type { IkeSa } from "../harness/ike/sa.ts";
import type { TraceEntry } from "../harness/script/trace.ts";
import type { Act, FuzzCase } from "./trace.ts";

export interface StepOutcome {
  act: Act;
  /**
   * `done`: as an honest one ends; `refused`: by an answer; `silence`: the peer answered a probe sent after it and not this;
   * `not begun`: what it needs was not there.
   */
  ended: "done" | "refused" | "silence" | "not begun";
  /** Our endpoint's word for it. */
  reason?: string;
  /** Changes that no longer fitted their message, as `0 payload-omit`. */
  unfit: string[];
  /** Classes of what the peer sent in this step, as `IKE_AUTH response SK{IDr AUTH N(TS_UNACCEPTABLE)}`; no values. */
  answers: string[];
}

/** What we hold of an IKE SA of the case, to compare with what the peer claims. */
export interface Claim {
  sa: IkeSa;
  /** True once both ends proved themselves honestly: no change touched what proves us. */
  authentic: boolean;
}

export interface Outcome {
  case: FuzzCase;
  steps: StepOutcome[];
  /** What a probe after the case got: `answered` is the positive sign with which a case ends. */
  probe: "answered" | "silence";
  /** Milliseconds from our first datagram to the end, and of the slowest answer. */
  durationMs: number;
  slowestMs: number;
  /** Everything that happened on our side, in order. */
  entries: readonly TraceEntry[];
  claims: Claim[];
  /** Our IKE messages of `entries` that were changed, or in whose place others went, in order. Not set: which is not known. */
  changed?: readonly OutgoingMessage[];
  /** UDP octets out and in before the peer could know that our address is ours (RFC 7296 section 2.6). */
  unproven: { out: number; in: number };
  /** Messages that we sent, copies left out. */
  messages: number;
  /** Played on an IKE SA that other cases were played on before; its first entries are those by which that was made. */
  reused?: true;
}

/** What guidance takes of an outcome: all of it can leave the process in which the case was played. */
export type Observed = Pick<Outcome, "case" | "steps" | "probe" | "durationMs" | "slowestMs"> & {
  claims: readonly { sa: { state: string }; authentic: boolean }[];
};
