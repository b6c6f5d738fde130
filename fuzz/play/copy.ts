/** Copies of messages: what an operator changes in place must not be what our endpoint goes on with. */
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { plain } from "../../harness/wire/bytes.ts";
import type { Header, Payload } from "../../harness/wire/types.ts";

/** Of plain values: records, lists, octets. */
function copy<T>(value: T): T;
function copy(value: unknown): unknown {
  if (value instanceof Uint8Array) return plain(value).slice();
  if (Array.isArray(value)) return value.map((item: unknown) => copy(item));
  if (typeof value !== "object" || value === null) return value;
  const made: Record<string, unknown> = {};
  // Of thousands of messages a second: a list of entries for each part would cost more than the rest.
  for (const name in value) made[name] = copy(value[name as keyof typeof value]);
  return made;
}

export const copyHeader = (header: Header): Header => copy(header);
export const copyPayloads = (payloads: readonly Payload[]): Payload[] =>
  payloads.map((payload) => copy(payload));

/** Gives the message values of its own. */
export function detach(message: OutgoingMessage): void {
  message.header = copyHeader(message.header);
  message.payloads = copyPayloads(message.payloads);
  message.clear = copyPayloads(message.clear);
}
