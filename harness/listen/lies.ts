/** The lies that our end can tell as responder: those that a test of a responder catches without any configuration of its own. */
import { lies as allLies } from "../../peers/builtin/lies/index.ts";
import { type Lie, type LieBehaviour, lie } from "../../peers/builtin/lies/lie.ts";
import type { SuiteTest } from "../run/suites.ts";

/** What a dial's endpoint can take over of a lie; the rest needs a peer with a driver. */
const TAKEN: readonly (keyof LieBehaviour)[] = ["ike", "esp", "policy", "fragmentation"];
/** What tests may configure for a lie that shows in a dial, too. */
const HARMLESS = ["ikeProposals", "espProposals"];

const wrongCiphertext = lie(
  "wrong-ml-kem-ciphertext",
  "MLKEM-15",
  "one bit of each KEM ciphertext is another: the shared secrets differ, and IKE_AUTH fails",
  () => ({
    ike: {
      keyPair(make, peerPublic, method) {
        const pair = make();
        if (!peerPublic || !method.respond) return pair;
        const publicValue = pair.publicValue.slice();
        publicValue[0] = (publicValue[0] ?? 0) ^ 1;
        return { ...pair, publicValue };
      },
    },
  }),
);

/** Lies by name, in the order of their names. */
export type Lies = ReadonlyMap<string, Lie>;

export function responderLies(tests: readonly SuiteTest[]): Lies {
  const caught = new Set(
    tests.flatMap(({ facts }) => {
      const plain = Object.keys(facts.config ?? {}).every((key) => HARMLESS.includes(key));
      return facts.peer === "responder" && plain ? facts.lies : [];
    }),
  );
  const fitting = allLies.filter((each) => caught.has(each.name) && fits(each));
  const sorted = [wrongCiphertext, ...fitting].sort((a, b) => (a.name < b.name ? -1 : 1));
  return new Map(sorted.map((each) => [each.name, each]));
}

function fits({ behaviour }: Lie): boolean {
  const parts = Object.entries(behaviour()).flatMap(([part, value]) => (value === undefined ? [] : [part]));
  return parts.every((part) => TAKEN.some((taken) => taken === part));
}
