/** Silence where an answer is due. */
import type { Alarm } from "../alarm.ts";
import type { Outcome, StepOutcome } from "../outcome.ts";
import type { Act } from "../trace.ts";
import type { Touched } from "./lint-touched.ts";

/** Requests that any peer answers at once on an IKE SA that stands, with an error at the least (RFC 7296 section 1.4). */
const DUE: ReadonlySet<Act> = new Set<Act>(["informational", "delete-child", "delete-ike"]);

/**
 * Steps of an honest conversation that ended in silence though everything before them went well. After a lie the peer may
 * have deleted its SAs, and owes nobody an answer.
 */
function dueIn(steps: readonly StepOutcome[]): StepOutcome[] {
  return steps.filter(
    ({ act, ended }, at) =>
      ended === "silence" && DUE.has(act) && steps.slice(0, at).every((before) => before.ended === "done"),
  );
}

/** Hangs differ by what was done last before them. */
const hangOf = (steps: readonly StepOutcome[]): string =>
  `no answer to any probe after ${steps.findLast(({ ended }) => ended !== "not begun")?.act ?? "nothing"}`;

/** Alarms of a peer that is silent. What a probe says is to be confirmed by a whole handshake. */
export function silenceAlarms({ steps, probe }: Outcome, touched: Touched): Alarm[] {
  if (probe === "silence")
    return [
      {
        ...{ oracle: "hang", title: "answers nobody any more", signature: hangOf(steps) },
        ...{ severity: "high", detail: "a stranger's IKE_SA_INIT request got no answer", alone: true },
      },
    ];
  if (touched.any) return [];
  return dueIn(steps).map(({ act }) => ({
    ...{ oracle: "state", title: "does not answer an honest request on an IKE SA that stands" },
    ...{ signature: `silence to ${act}`, severity: "medium", alone: true },
    ...{ requirement: { document: "rfc7296", id: "IKEV2-036" }, detail: "it answers strangers meanwhile" },
  }));
}
