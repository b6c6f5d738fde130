/** How ends say in IKE_AUTH that they answer ESP echo requests. */
import type { Extension, IncomingMessage, OutgoingMessage } from "../ike/hooks.ts";
import { notifies, notify } from "../ike/payloads.ts";
import type { IkeSa } from "../ike/sa.ts";
import { type CodePointOverrides, codePointOf } from "../wire/documents/code-point.ts";
import type { EchoRevision } from "../wire/esp-echo.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import type { Payload } from "../wire/types.ts";

/** The notify of a revision; undefined for those that have none. */
export function echoNotify(revision: EchoRevision, overrides?: CodePointOverrides): number | undefined {
  if (revision === "M") return codePointOf("ESP_ECHO_SUPPORTED", overrides);
  if (revision === "E3" || revision === "E2") return codePointOf("ENCRYPTED_PING_SUPPORTED", overrides);
  return undefined;
}

/** Whether the peer of this IKE SA, or of the one that it replaced, announced the notify. */
export const hasAnnounced = (sa: IkeSa, notifyType: number): boolean => sa.announced.has(notifyType);

/**
 * Announces the notify, as initiator always and as responder to whoever announced it, and takes down what the peer
 * announces. `further` are the notifies of other revisions, for who wants to know whether the peer speaks those.
 */
export function announceEcho(notifyType: number | undefined, further: readonly number[] = []): Extension {
  const types = notifyType === undefined ? further : [notifyType, ...further];
  return {
    name: "ESP echo announcement",
    outgoing: (message) => announce(message, types),
    incoming: (message) => takeDown(message, types),
  };
}

/** In the first request, and in the response that ends the exchange: with EAP several messages have neither. */
function announce({ sa, header, isResponse, payloads }: OutgoingMessage, types: readonly number[]): void {
  if (!sa || header.exchangeType !== EXCHANGE.IKE_AUTH) return;
  const has = (kind: Payload["kind"]) => payloads.some((p) => p.kind === kind);
  if (isResponse ? !has("AUTH") || has("EAP") : !has("ID")) return;
  payloads.push(...types.filter((type) => !isResponse || sa.announced.has(type)).map((type) => notify(type)));
}

/** In any message of IKE_AUTH: the text does not name one where there are several. */
function takeDown(
  { sa, header, payloads, ...message }: IncomingMessage,
  types: readonly number[],
): undefined {
  if (!sa || !message.protected || header.exchangeType !== EXCHANGE.IKE_AUTH) return;
  for (const type of types) if (notifies(payloads, type).length > 0) sa.announced.add(type);
}
