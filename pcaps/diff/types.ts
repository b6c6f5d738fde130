/** What a comparison finds. */

export interface Difference {
  /** `reordered`: the same parts in another order; `a` and `b` name them from the first to the last that moved. */
  kind: "changed" | "added" | "missing" | "reordered";
  /** Where it is, as in `IKE_AUTH request > SK > SA > proposal 1 > transform ENCR > key length`. */
  path: string;
  /** The labels of `path` that name the message, or the ESP SA: `IKE_AUTH request`. */
  message: string;
  /** What was compared, in each of the two; not set on the side that lacks it. */
  a?: string;
  b?: string;
  /** Places in the two rows of views, counted from 0. */
  indexA?: number;
  indexB?: number;
  /** `at` of those views: the numbers of the packets. */
  atA?: number;
  atB?: number;
}

/** A difference inside of something that both have. */
export type Found = Pick<Difference, "kind" | "path" | "a" | "b">;
