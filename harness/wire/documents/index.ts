/** The documents that have revisions, code points of their own, or parts of our own definition. */
import { antiReplayNotification } from "./anti-replay-notification.ts";
import { antiReplaySubspaces } from "./anti-replay-subspaces.ts";
import type { DocumentFacts } from "./document.ts";
import { espPing } from "./esp-ping.ts";
import { frodokem } from "./frodokem.ts";
import { gIkev2 } from "./g-ikev2.ts";
import { mlkem } from "./mlkem.ts";
import { rfc8784 } from "./rfc8784.ts";
import { rfc9242 } from "./rfc9242.ts";
import { rfc9370 } from "./rfc9370.ts";
import { rfc9827 } from "./rfc9827.ts";
import { rfc9867 } from "./rfc9867.ts";

const all = [
  espPing,
  antiReplayNotification,
  rfc9827,
  antiReplaySubspaces,
  gIkev2,
  rfc9242,
  rfc9370,
  mlkem,
  frodokem,
  rfc8784,
  rfc9867,
] as const;

/** Every document, with the literal types of its code points. */
export type KnownDocument = (typeof all)[number];

export const documentFacts: readonly DocumentFacts[] = all;

export const factsOf = (document: string): DocumentFacts | undefined =>
  documentFacts.find(({ name }) => name === document);
