/** How the rules of RFC 7296 are written down. */
import type { ExchangeRule, MessageRule, SaRule } from "../rule.ts";

type Ids = string | readonly [string, ...string[]];

const list = (ids: Ids): readonly [string, ...string[]] => (typeof ids === "string" ? [ids] : ids);

/** A rule about a message by itself. */
export const ofMessage = (name: string, ids: Ids, check: MessageRule["check"]): MessageRule => ({
  ...{ document: "rfc7296", requirements: list(ids), scope: "message", name, check },
});

/** A rule about a response to its request. */
export const ofResponse = (name: string, ids: Ids, check: ExchangeRule["check"]): ExchangeRule => ({
  ...{ document: "rfc7296", requirements: list(ids), scope: "exchange", name, check },
});

/** A rule about the messages of an IKE SA in their order. */
export const ofSa = (name: string, ids: Ids, begin: SaRule["begin"]): SaRule => ({
  ...{ document: "rfc7296", requirements: list(ids), scope: "sa", name, begin },
});
