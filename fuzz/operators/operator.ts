/** What an operator is: one named way to lie about a message. */
import type { OutgoingEsp } from "../../harness/esp/hooks.ts";
import type { Core } from "../../harness/ike/core.ts";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import type { Dice } from "../dice.ts";
import type { Change } from "../trace.ts";

/** What an operator is about. */
export type Family =
  | "octets"
  | "field"
  | "length"
  | "structure"
  | "content"
  | "fragment"
  | "crypto"
  | "eap"
  | "sequence"
  | "esp";

/** A change without the message it is for. */
export type Draft = Omit<Change, "message" | "op">;

/**
 * What must not come of a message that was changed so, by the text: `answer` is a protected response, `established` an
 * IKE SA, `child` a Child SA, `delivery` an answer to what ESP carried.
 */
export interface Demand {
  document: string;
  requirement: string;
  never: "answer" | "established" | "child" | "delivery";
}

/** What an operator may look at and bend beside the message. */
export interface LieContext {
  core: Core;
  /** The octets of messages we sent in this conversation before, oldest first. */
  sent: readonly Uint8Array[][];
  /** Randomness of the case, for octets that the change does not fix. */
  dice: Dice;
  /** Sends the datagrams of this message `copies` times in all; 0: never. Ordinary: once. */
  copies(copies: number): void;
  /** Sends it only after the next message of ours, or when the step has ended. */
  hold(): void;
  /** Sends these IKE octets before (or after) the message. */
  also(octets: Uint8Array, when: "before" | "after"): void;
}

interface Named {
  /** Kebab case, its family's object first: `payload-omit`. */
  name: string;
  family: Family;
  /** What it does, in one sentence. */
  effect: string;
  /** Not set where peers may do as they like. */
  demand?: Demand;
}

export interface IkeOperator extends Named {
  on: "ike";
  /** A change that fits this honest message, or undefined if none does. Draws from `dice` alone. Cheap: it runs thousands of times a second. */
  draw(message: OutgoingMessage, dice: Dice): Draft | undefined;
  /** Changes the message in place. False if it no longer fits: then nothing is changed. Never throws, whatever the change says. */
  apply(message: OutgoingMessage, change: Draft, context: LieContext): boolean;
}

export interface EspOperator extends Named {
  on: "esp";
  draw(packet: OutgoingEsp, dice: Dice): Draft | undefined;
  apply(packet: OutgoingEsp, change: Draft, context: Pick<LieContext, "dice">): boolean;
}

export type Operator = IkeOperator | EspOperator;
