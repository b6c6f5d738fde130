/** Pieces that lies are made of. */
import type { OutgoingMessage } from "../../../harness/ike/hooks.ts";
import type { Payload } from "../../../harness/wire/types.ts";

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
