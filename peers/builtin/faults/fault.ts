/**
 * A planted fault of an implementation: what the fuzzer must find. Unlike a lie it does not show in honest traffic, and
 * no test of a suite is for it.
 */
import type { Core } from "../../../harness/ike/core.ts";
import type { Decisions, Extension } from "../../../harness/ike/hooks.ts";
import type { PeerRole } from "../../contract.ts";
import type { LieBehaviour } from "../lies/lie.ts";
import type { Effects } from "./effects.ts";
import type { Seen } from "./watch.ts";

/**
 * How far a conversation must be for its trigger: one message in clear, the first SK payload, within EAP, an
 * established SA, or two and more valid exchanges in a set order.
 */
export const DEPTHS = ["clear", "first-sk", "eap", "established", "order"] as const;
export type Depth = (typeof DEPTHS)[number];

export const FAULT_KINDS = ["crash", "hang", "leak", "loop", "accept", "amplify", "skip", "bypass"] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  /** Verb first, in kebab case, as that of a lie; no lie has it. */
  name: string;
  depth: Depth;
  kind: FaultKind;
  /** Roles of the peer in which it can be triggered. */
  roles: readonly PeerRole[];
  effect: string;
  /** What a peer must be sent to show it. */
  trigger: string;
  behaviour: (effects: Effects) => LieBehaviour;
}

export type Trigger = (message: Seen, core: Core) => boolean;

/** Something happens to the daemon at every trigger. `make` gives a fresh one, for triggers that remember. */
export const upon =
  (make: () => Trigger, act: (effects: Effects) => void): Fault["behaviour"] =>
  (effects) => {
    const trigger = make();
    return {
      sees: (message, core) => {
        if (trigger(message, core)) act(effects);
      },
    };
  };

type Choices = Partial<{ [P in keyof Decisions]: Decisions[P] }>;

/** The core decides otherwise about the one message that is a trigger. */
export function decidesUpon(
  make: () => Trigger,
  choices: Choices,
  ike: Omit<Extension, "name" | "decide"> = {},
): LieBehaviour {
  const trigger = make();
  const decide: Choices = {};
  const ordinary: Choices = {};
  for (const point of pointsOf(choices)) ordinary[point] = undefined;
  return {
    ike: { ...ike, decide },
    sees: (message, core) => {
      Object.assign(decide, trigger(message, core) ? choices : ordinary);
    },
  };
}

const pointsOf = (choices: Choices): (keyof Decisions)[] =>
  Object.keys(choices).filter((point): point is keyof Decisions => point in choices);

/** Whether the message is a request, or a response, of this exchange. */
export const isOf = (message: Seen, exchangeType: number, which: "request" | "response"): boolean =>
  message.header.exchangeType === exchangeType && message.isResponse === (which === "response");
