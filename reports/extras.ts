/** What a report tells beyond the results. */
export interface Extras {
  /** Doc comment by test id. */
  documentation?: ReadonlyMap<string, string>;
  /** Ladder text by `testKey`; a ladder not given is read from the test's evidence. */
  ladders?: ReadonlyMap<string, string>;
}
