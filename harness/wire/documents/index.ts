/** The documents that have revisions, code points of their own, or parts of our own definition. */
import { antiReplayNotification } from "./anti-replay-notification.ts";
import { antiReplaySubspaces } from "./anti-replay-subspaces.ts";
import type { DocumentFacts } from "./document.ts";
import { espPing } from "./esp-ping.ts";
import { gIkev2 } from "./g-ikev2.ts";
import { rfc9827 } from "./rfc9827.ts";

const all = [espPing, antiReplayNotification, rfc9827, antiReplaySubspaces, gIkev2] as const;

/** Every document, with the literal types of its code points. */
export type KnownDocument = (typeof all)[number];

export const documentFacts: readonly DocumentFacts[] = all;

export const factsOf = (document: string): DocumentFacts | undefined =>
  documentFacts.find(({ name }) => name === document);
