/** Pieces that lies are made of. */
import type { Decisions, OutgoingMessage } from "../../../harness/ike/hooks.ts";
import type { Payload, TsPayload } from "../../../harness/wire/types.ts";
import { type Lie, lie } from "./lie.ts";

type Change = (message: OutgoingMessage) => void;

/** Applies a change to messages of one exchange type; requests and responses unless one is named. */
export const inMessage =
  (exchangeType: number, change: Change, which?: "request" | "response"): Change =>
  (message) => {
    const matches = which === undefined || message.isResponse === (which === "response");
    if (message.header.exchangeType === exchangeType && matches) change(message);
  };

/** Leaves out all payloads of a type. */
export const without =
  (type: number): Change =>
  (message) => {
    message.payloads = message.payloads.filter((p) => p.type !== type);
  };

/** Changes every payload of a kind in place. */
export const eachPayload =
  <K extends Payload["kind"]>(kind: K, change: (payload: Extract<Payload, { kind: K }>) => void): Change =>
  (message) => {
    for (const payload of message.payloads) {
      if (isKind(payload, kind)) change(payload);
    }
  };

const isKind = <K extends Payload["kind"]>(
  payload: Payload,
  kind: K,
): payload is Extract<Payload, { kind: K }> => payload.kind === kind;

/** A lie that is one other decision of the core, or some. */
export const decides = (
  name: string,
  breaks: string,
  effect: string,
  decide: Partial<{ [P in keyof Decisions]: Decisions[P] }>,
): Lie => lie(name, breaks, effect, () => ({ ike: { decide } }));

/** Leaves of the selectors only the last address of the last one. */
export function lastHostOnly(ts: TsPayload): void {
  ts.selectors = ts.selectors.slice(-1).map((s) => ({ ...s, startAddress: s.endAddress }));
}
