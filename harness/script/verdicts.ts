/** How a test ends otherwise than by passing. Everything else that is thrown is a fault of the test itself. */
import type { Payload } from "../wire/types.ts";
import type { TraceEntry } from "./trace.ts";

/** Where the fault is to be seen: in which message or datagram, and in which of its fields, as `SA > proposal 1` names one. */
export interface Place {
  /** Those of the message. */
  payloads?: readonly Payload[];
  /** For what our endpoint makes no message of: the event of the trace. */
  entry?: TraceEntry;
  field?: string;
}

/** The peer did what the text forbids, or left out what it demands. */
export class Failure extends Error {
  readonly expected: string;
  readonly actual: string;
  /** Not set for what is missing, and where the test does not know. */
  readonly place: Place | undefined;
  constructor(expected: string, actual: string, place?: Place) {
    super(`expected ${expected}, got ${actual}`);
    this.expected = expected;
    this.actual = actual;
    this.place = place;
  }
}

/** Refused, as it must, but with another notify or at another place than the text asks. */
export class WrongReason extends Failure {}

/** The peer never announced it, or its driver has no means for it. */
export class Unsupported extends Error {}

/** The peer speaks an older revision of the draft, proven from the wire. */
export class Behind extends Error {
  constructor(revision: string, proof: string) {
    super(`the peer speaks revision ${revision}: ${proof}`);
  }
}

/** The text allows two readings, and the peer follows one of them. */
export class Ambiguous extends Error {}

/** The lab is at fault, not the peer. */
export class SetupProblem extends Error {}
