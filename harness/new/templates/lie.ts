/** A lie for the test the-test. */
import type { Lie } from "../../../peers/builtin/lies/lie.ts";

export const theLies: readonly Lie[] = [
  {
    name: "the-lie",
    breaks: "THE-ID",
    effect: "what a tester sees of it",
    // What the peer does wrong: `LieBehaviour` in lie.ts says what there is, tools.ts has pieces to make it of.
    behaviour: () => ({}),
  },
];
