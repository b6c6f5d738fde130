/** Where a result and its twin part: all differences by meaning, and the one to look at first. */
import { PATH_SEPARATOR } from "../../harness/wire/fields.ts";
import { diffViews } from "../../pcaps/diff/diff.ts";
import type { DiffRules } from "../../pcaps/diff/rules.ts";
import type { Difference } from "../../pcaps/diff/types.ts";
import type { Mark } from "../../pcaps/ladder-svg.ts";
import type { View } from "../../pcaps/view.ts";

export interface Divergence {
  /** In order of appearance; `a` is the result, `b` its twin. */
  differences: readonly Difference[];
  first: Difference;
  /** Marks by index in the views of the result, and of the twin. */
  own: Map<number, Mark>;
  twin: Map<number, Mark>;
}

/** What implementations differ in without meaning anything by it: what they announce, and in which order they write. */
const isIdle = ({ kind, path }: Difference): boolean =>
  kind === "reordered" || /> (V|N\(([A-Z0-9_]*_SUPPORTED|SIGNATURE_HASH_ALGORITHMS)\))( #\d+)?$/.test(path);

/**
 * What to look at first: a difference in the message that the test names as the offence, else in what the peer sent,
 * else in what we sent; all that before what means nothing, and of equals the first in time. Undefined where all is equal
 * but for what rules leave out, as random values. `offence`: `at` of the view.
 */
export function divergenceOf(
  views: readonly View[],
  others: readonly View[],
  rules: DiffRules,
  offence?: number,
): Divergence | undefined {
  const differences = diffViews(views, others, rules);
  const fromPeer = ({ indexA, indexB }: Difference) =>
    (indexA === undefined ? others[indexB ?? -1] : views[indexA])?.from === "right";
  const weight = (one: Difference) =>
    (offence !== undefined && one.atA === offence ? 0 : 4) + (fromPeer(one) ? 0 : 1) + (isIdle(one) ? 2 : 0);
  const [first] = [...differences].sort((x, y) => weight(x) - weight(y));
  if (!first) return undefined;
  return {
    ...{ differences, first },
    own: marksOf(first, first.indexA, first.a, first.b),
    twin: marksOf(first, first.indexB, first.b, first.a),
  };
}

/** `here`: what this side has at the place of the difference, if it has anything. */
function marksOf(
  { path, message }: Difference,
  index: number | undefined,
  here: string | undefined,
  there: string | undefined,
): Map<number, Mark> {
  if (index === undefined) return new Map();
  const field = path.startsWith(message + PATH_SEPARATOR)
    ? path.slice(message.length + PATH_SEPARATOR.length)
    : undefined;
  const tone = "divergence";
  if (field === undefined) return new Map([[index, { tone, label: "first difference: this message" }]]);
  if (here === undefined)
    return new Map([[index, { tone, label: `first difference: no ${field}${there ? ` (${there})` : ""}` }]]);
  return new Map([[index, { tone, field, label: `first difference: ${field}: ${here}` }]]);
}

const WORDS = {
  changed: "",
  added: "only on the right: ",
  missing: "only on the left: ",
  reordered: "in another order: ",
} as const;

/** As in `IKE_AUTH request > SK > SA > proposal 1 > number: 1 -> 2`. */
export function differenceText({ kind, path, a, b }: Difference): string {
  const values = a !== undefined && b !== undefined ? `${a} -> ${b}` : (a ?? b ?? "");
  return `${WORDS[kind]}${path}${values === "" ? "" : `: ${values}`}`;
}
