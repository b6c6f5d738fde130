/** A step while it is played. */
import type { IkeSa } from "../../harness/ike/sa.ts";
import type { StepOutcome } from "../outcome.ts";
import type { Act, Step } from "../trace.ts";

export interface Running {
  index: number;
  step: Step;
  /** Whether the peer begins. */
  peers: boolean;
  /** The IKE SA that it is for, where there is one already. */
  sa?: IkeSa | undefined;
  ended?: StepOutcome["ended"];
  reason?: string;
  unfit: string[];
  answers: string[];
  /** Messages of ours so far. */
  sent: number;
  /** What came from the peer since our last message. */
  sinceSent: number;
  /** A protected answer among that: the peer has taken our Message ID. */
  tookId: boolean;
  /** The end counts once this holds, as when an old SA is deleted. */
  holds?: () => boolean;
  /** Of a step of the peer's: whether it has come to its end. */
  reached?: () => boolean;
  /** Of a step of the peer's: the driver is at work. */
  underWay?: boolean;
  /** When it was told to begin, until it does. */
  told?: number | undefined;
  /** The peer ended an SA, or said an error. */
  rebuked?: string;
}

export const isPeers = (act: Act): boolean => act.startsWith("peer-");

export const running = (index: number, step: Step): Running => ({
  ...{ index, step, peers: isPeers(step.act), unfit: [], answers: [] },
  ...{ sent: 0, sinceSent: 0, tookId: false },
});

/** The first word stands. */
export function end(step: Running, ended: StepOutcome["ended"], reason?: string): void {
  if (step.ended) return;
  step.ended = ended;
  if (reason !== undefined) step.reason = reason;
}

export function outcomeOf({ step, ended = "not begun", reason, unfit, answers }: Running): StepOutcome {
  return { act: step.act, ended, ...(reason !== undefined && { reason }), unfit, answers };
}
