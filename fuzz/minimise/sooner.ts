/** The same lie in an earlier message of its exchange: a method of EAP has many, and what is lied about comes late in it. */
import { hex } from "../../harness/wire/bytes.ts";
import type { EapPayload } from "../../harness/wire/types.ts";
import { EAP_DATA_REPLACE } from "../operators/eap.ts";
import { type Change, MESSAGE_SKIP, type Trace } from "../trace.ts";
import type { Played } from "./trial.ts";

/** Lies about the packets of EAP. */
const EAP = "eap-";

/** Every earlier message that can say what the only lie of the trace said. */
export function* sooner(trace: Trace, { changed = [] }: Played): Generator<Trace> {
  const at = trace.steps.findIndex(({ changes = [] }) => changes.some(({ op }) => op.startsWith(EAP)));
  const step = trace.steps[at];
  const [change, ...others] = step?.changes ?? [];
  const [lied, ...more] = changed;
  if (!step || !change || !lied || others.length + more.length > 0) return;
  const said = lied.payloads.find((payload): payload is EapPayload => payload.kind === "EAP");
  if (!said || said.data.length < 2) return;
  for (let message = 0; message < change.message; message++) {
    const earlier: Change = { message, op: EAP_DATA_REPLACE, octets: hex(said.data.subarray(1)) };
    const end: Change = { message: message + 1, op: MESSAGE_SKIP };
    for (const changes of [[earlier, end], [earlier]])
      yield { ...trace, steps: trace.steps.with(at, { ...step, changes }) };
  }
}
