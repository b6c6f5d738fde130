/** What hostile peers of the tests put into their messages, and the messages they put it into. */

import type { OutgoingMessage } from "../ike/hooks.ts";
import { notify, payload } from "../ike/payloads.ts";
import {
  certificateBombs,
  emptyPayloads,
  hugeEap,
  manyAttributes,
  manyConfigAttributes,
  manyProposals,
  manySpis,
  manyTransforms,
  thousandsOfSelectors,
} from "../script/bulk.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Payload } from "../wire/types.ts";

/** Gives the payloads for a message that is about to be sealed. */
export type Bomb = (message: OutgoingMessage) => Payload[];

const ownSpi = ({ payloads }: OutgoingMessage): Uint8Array =>
  payload(payloads, "SA")?.proposals[0]?.spi ?? new Uint8Array();

export const BOMBS: Readonly<Record<string, Bomb>> = {
  "255 proposals": (m) => [manyProposals(ownSpi(m))],
  "7,750 transforms in one proposal": (m) => [manyTransforms(ownSpi(m))],
  "15,500 attributes in one transform": (m) => [manyAttributes(ownSpi(m))],
  "10,000 empty payloads": () => emptyPayloads(),
  "10,000 configuration attributes": () => [manyConfigAttributes()],
  "an EAP packet of 62,000 octets": ({ payloads }) => [hugeEap(payload(payloads, "EAP"))],
  "15,500 SPIs to delete": () => [manySpis()],
  "3,875 selectors": () => [thousandsOfSelectors()],
  "31,000 hash algorithms": () => [notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, new Uint8Array(62_000))],
  ...Object.fromEntries(
    Object.entries(certificateBombs).map(([name, make]): [string, Bomb] => [`certificates ${name}`, make]),
  ),
};

export interface Place {
  exchange: "IKE_SA_INIT" | "IKE_AUTH" | "CREATE_CHILD_SA" | "INFORMATIONAL";
  of: "request" | "response";
}

export const PLACES: readonly Place[] = (
  ["IKE_SA_INIT", "IKE_AUTH", "CREATE_CHILD_SA", "INFORMATIONAL"] as const
).flatMap((exchange): Place[] => [
  { exchange, of: "request" },
  { exchange, of: "response" },
]);

/** Puts the bomb into the message if it is one of these, in the place of payloads of its kind. */
export function plant(message: OutgoingMessage, { exchange, of }: Place, bomb: Bomb): void {
  const { header, isResponse } = message;
  if (header.exchangeType !== EXCHANGE[exchange] || isResponse !== (of === "response")) return;
  const more = bomb(message);
  const kinds = new Set(more.map(({ kind }) => kind));
  message.payloads = [...message.payloads.filter(({ kind }) => !kinds.has(kind)), ...more];
}
