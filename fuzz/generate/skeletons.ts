/** Honest conversations that lies are told in: which acts follow each other, by stage and role of the peer. */
import type { PeerRole } from "../../peers/contract.ts";
import type { Dice } from "../dice.ts";
import type { Setup } from "../setups.ts";
import { ACTS, type Act, type Stage, type Step, type Trace } from "../trace.ts";

export type Skeleton = readonly Act[];

/** Up to an established IKE SA. */
export const beginning = (peer: PeerRole): Skeleton =>
  peer === "responder" ? ["init", "auth"] : ["peer-initiate"];

const REKEYED_CHILD: readonly Skeleton[] = [
  ["rekey-child"],
  ["rekey-child", "esp"],
  ["create-child", "rekey-child"],
  ["peer-rekey-child"],
  ["peer-rekey-child", "esp"],
  ["rekey-child", "rekey-child"],
];
const REKEYED_IKE: readonly Skeleton[] = [
  ["rekey-ike"],
  ["rekey-ike", "informational"],
  ["rekey-ike", "create-child"],
  ["peer-rekey-ike"],
  ["peer-rekey-ike", "informational"],
  ["rekey-ike", "rekey-ike"],
];
const CREATED_CHILD: readonly Skeleton[] = [
  ["create-child"],
  ["create-child", "esp"],
  ["create-child", "delete-child"],
  ["create-child", "create-child"],
  ["rekey-ike", "create-child"],
];
const ALONE: readonly Skeleton[] = [[]];
const ESTABLISHED: readonly Skeleton[] = [
  [],
  [],
  ["informational"],
  ["create-child"],
  ["esp"],
  ["rekey-ike"],
  ["delete-ike"],
];

/** What follows the beginning; the first is the shortest. */
const TAILS: { readonly [S in Stage]: readonly Skeleton[] } = {
  init: ESTABLISHED,
  cookie: ESTABLISHED,
  intermediate: ESTABLISHED,
  auth: ESTABLISHED,
  eap: ESTABLISHED,
  "create-child": CREATED_CHILD,
  "rekey-ike": REKEYED_IKE,
  "rekey-child": REKEYED_CHILD,
  followup: [...REKEYED_IKE, ...REKEYED_CHILD, ["create-child"]],
  informational: [
    ["informational"],
    ["informational", "informational"],
    ["delete-child"],
    ["delete-ike"],
    ["peer-delete-child"],
    ["peer-delete-ike"],
    ["create-child", "delete-child"],
    ["rekey-child"],
    ["rekey-ike"],
    ["peer-rekey-child"],
    ["peer-rekey-ike"],
  ],
  group: [[], ["register"], ["register", "register"], ["register", "informational"]],
  esp: [
    ["esp"],
    ["esp", "esp"],
    ["peer-esp"],
    ["esp", "peer-esp"],
    ["rekey-child", "esp"],
    ["create-child", "esp"],
  ],
};

/** In a group there are no Child SAs, and the IKE SA is not rekeyed. */
const IN_A_GROUP: ReadonlySet<Act> = new Set([
  "init",
  "auth",
  "peer-initiate",
  "register",
  "informational",
  "delete-ike",
  "peer-delete-ike",
]);

const isGroup = ({ wishes }: Setup): boolean => wishes.config?.groups !== undefined;

/** The acts that make sense with a setup and a role of the peer. */
export function actsOf(setup: Setup, peer: PeerRole): Act[] {
  const members: readonly Act[] = peer === "responder" ? ["init", "auth", "register"] : ["peer-initiate"];
  const others = isGroup(setup) ? IN_A_GROUP : new Set(ACTS.filter((act) => act !== "register"));
  const begun: readonly Act[] = ["init", "auth", "peer-initiate", "register"];
  return ACTS.filter((act) => others.has(act) && (!begun.includes(act) || members.includes(act)));
}

/** The conversations in which a stage is reached; the first is the shortest. At init, also those that stop there. */
export function skeletonsOf(setup: Setup, peer: PeerRole, stage: Stage): Skeleton[] {
  const acts = new Set(actsOf(setup, peer));
  const early = peer === "responder" && (stage === "init" || stage === "cookie");
  const short: Skeleton[] = early ? [["init"], ["init"], ["init"]] : [];
  const tails = TAILS[stage].filter((tail) => tail.every((act) => acts.has(act)));
  return [...short, ...(tails.length > 0 ? tails : ALONE).map((tail) => [...beginning(peer), ...tail])];
}

/** Conversations that hold every act once; their messages are the samples. */
export function samplers(setup: Setup, peer: PeerRole): Skeleton[] {
  const acts = new Set(actsOf(setup, peer));
  const order: Skeleton = [
    ...(["create-child", "esp", "peer-esp", "informational", "rekey-child", "peer-rekey-child"] as const),
    ...([
      "rekey-ike",
      "peer-rekey-ike",
      "register",
      "delete-child",
      "peer-delete-child",
      "delete-ike",
    ] as const),
  ];
  const whole = [...beginning(peer), ...order.filter((act) => acts.has(act))];
  return setup.stages.includes("informational") ? [whole, [...beginning(peer), "peer-delete-ike"]] : [whole];
}

/** After these the peer holds something else than before. */
const TURNING: readonly Act[] = [
  ...(["create-child", "rekey-child", "rekey-ike", "delete-child", "informational"] as const),
  ...(["peer-rekey-child", "peer-rekey-ike", "peer-delete-child"] as const),
];

/** One or two acts that leave something behind, and then this one; one that begins an IKE SA has another one beside it. */
export function leadingTo(act: Act, setup: Setup, peer: PeerRole, dice: Dice): Skeleton {
  const begun = beginning(peer);
  const at = begun.indexOf(act);
  if (at >= 0) return [...begun, ...begun.slice(0, at + 1)];
  const acts = actsOf(setup, peer);
  const turning = TURNING.filter((other) => acts.includes(other));
  const count = dice.chance(0.3) ? 2 : 1;
  return [...begun, ...Array.from({ length: count }, () => dice.pick(turning)), act];
}

/** Most steps of a sequence behind the beginning. */
const MOST_DRAWN = 3;

/**
 * Two or three acts of all there are, in any order, at once or one after the other, on the newest SA or one before it;
 * behind the beginning, or with a part of it left out.
 */
export function drawSequence(setup: Setup, peer: PeerRole, dice: Dice): Step[] {
  const acts = actsOf(setup, peer);
  const begun = beginning(peer);
  const kept = dice.chance(0.85) ? begun : begun.slice(0, dice.number(begun.length));
  const steps: Step[] = kept.map((act) => ({ act }));
  const count = 2 + dice.number(MOST_DRAWN - 1);
  for (let i = 0; i < count; i++) {
    const step: Step = { act: dice.pick(acts) };
    if (dice.chance(0.15)) step.sa = dice.number(3);
    if (i > 0 && dice.chance(0.25)) step.together = true;
    steps.push(step);
  }
  return steps;
}

/** The conversation without lies. */
export const honestTrace = (setup: Setup, peer: PeerRole, skeleton: Skeleton): Trace => ({
  ...{ trace: 1, setup: setup.name, peer },
  steps: skeleton.map((act) => ({ act })),
});
