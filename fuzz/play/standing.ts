/** An honest IKE SA with its Child SAs that outlives its case: later cases begin on it. */
import type { Pipe } from "../../harness/esp/pipe.ts";
import type { ChildSa } from "../../harness/ike/child.ts";
import { errorNotify } from "../../harness/ike/payloads.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import type { Host } from "../../harness/script/host.ts";
import { hex } from "../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import type { Act, Step, Trace } from "../trace.ts";
import type { Record } from "./record.ts";
import type { Running } from "./running.ts";

export interface Standing {
  sa: IkeSa;
  children: readonly ChildSa[];
  pipes: readonly Pipe[];
  /** How its steps ended, and what happened in them. */
  steps: readonly Running[];
  record: Record;
  /** The datagrams of each message of ours, for who looks back at them. */
  sent: readonly Uint8Array[][];
  /** The Message ID of the peer's next request, which no case may have moved on. */
  expectedMessageId: number;
  /** Cases that were played on it. */
  uses: number;
}

const PREFIX: readonly Act[] = ["init", "auth"];
/** Cases on one SA: what they leave at the peer must not pile up. */
const MOST_USES = 64;

const isHonest = ({ act, sa, together, changes = [] }: Step, i: number): boolean =>
  act === PREFIX[i] && sa === undefined && !together && changes.length === 0;

/** Whether the conversation begins with an IKE SA and its first Child SA, without a lie, and goes on. */
export const beginsHonestly = ({ peer, steps }: Trace): boolean =>
  peer === "responder" &&
  steps.length > PREFIX.length &&
  steps.slice(0, PREFIX.length).every(isHonest) &&
  !steps[PREFIX.length]?.together;

/** What stands after the honest steps; undefined before they have ended and where they did not end well. */
export function standingAfter(
  steps: readonly Running[],
  record: Record,
  sent: readonly Uint8Array[][],
): Standing | undefined {
  const [sa, ...more] = record.sas;
  if (steps.length !== PREFIX.length || !sa || more.length > 0) return undefined;
  if (steps.some(({ ended }) => ended !== "done") || sa.state !== "established") return undefined;
  const { children, expectedMessageId } = sa;
  return {
    ...{ sa, children: [...children], pipes: [...record.pipes], steps: [...steps] },
    ...{ record: record.copy(), sent: [...sent], expectedMessageId, uses: 0 },
  };
}

/** Whether it is as it was, as far as our end knows, but for Child SAs that came to it. */
export const stillStands = ({ sa, children, expectedMessageId, uses }: Standing): boolean =>
  sa.state === "established" &&
  !sa.replacedBy &&
  !sa.pending &&
  sa.queue.length === 0 &&
  sa.expectedMessageId === expectedMessageId &&
  uses < MOST_USES &&
  children.every((child) => child.state === "installed" && sa.children.includes(child));

/**
 * Deletes what cases have added, or asks whether the peer answers on it. `done` is told whether all is as it was; never
 * if no answer comes.
 */
export function restore(host: Host, standing: Standing, done: (good: boolean) => void): void {
  const { sa, children } = standing;
  const { endpoint } = host;
  const isRestored = () => stillStands(standing) && sa.children.length === children.length;
  const added = sa.children.filter((child) => !children.includes(child));
  let left = added.length;
  for (const child of added) endpoint.deleteChild(child, () => --left === 0 && done(isRestored()));
  if (added.length === 0)
    endpoint.request(sa, EXCHANGE.INFORMATIONAL, [], (answer) =>
      done(answer !== undefined && !errorNotify(answer.payloads) && isRestored()),
    );
  host.settle();
}

/** Lets a host go on with it. */
export function adopt({ endpoint, pipes }: Host, standing: Standing): void {
  endpoint.core.sas.set(hex(standing.sa.ownSpi), standing.sa);
  pipes.push(...standing.pipes);
}

/** The host knows nothing of it any more; the peer is told nothing. */
export function disown({ endpoint }: Host, { sa }: Standing): void {
  endpoint.core.sas.delete(hex(sa.ownSpi));
}
