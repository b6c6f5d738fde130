/** Where a result and its twin part: all differences by meaning, and the one to look at first. */
import { PATH_SEPARATOR } from "../../harness/wire/fields.ts";
import { diffViews } from "../../pcaps/diff/diff.ts";
import type { DiffRules } from "../../pcaps/diff/rules.ts";
import type { Difference } from "../../pcaps/diff/types.ts";
import type { Mark } from "../../pcaps/ladder-svg.ts";
import type { View } from "../../pcaps/view.ts";
import type { Offence } from "../results.ts";

export interface Divergence {
  /** In order of appearance; `a` is the result, `b` its twin. */
  differences: readonly Difference[];
  first: Difference;
  /** Marks by index in the views of the result, and of the twin. */
  own: Map<number, Mark>;
  twin: Map<number, Mark>;
}

/** What implementations differ in without meaning anything by it: what they announce, and in which order and pieces they write. */
export const isIdle = ({ kind, path }: Difference): boolean =>
  kind === "reordered" ||
  /> (fragments|V|N\(([A-Z0-9_]*_SUPPORTED|SIGNATURE_HASH_ALGORITHMS)\))( #\d+)?$/.test(path);

/**
 * What to look at first: a difference in the message of the offence, there in its field, else in what the peer sent,
 * else in what we sent; all that before what means nothing or came after the verdict, and of equals the first in time. Undefined where all is equal
 * but for what rules leave out, as random values.
 */
export function divergenceOf(
  views: readonly View[],
  others: readonly View[],
  rules: DiffRules,
  offence?: Pick<Offence, "event" | "field">,
): Divergence | undefined {
  const differences = diffViews(views, others, rules);
  const viewOf = ({ indexA, indexB }: Difference) =>
    indexA === undefined ? others[indexB ?? -1] : views[indexA];
  const fromPeer = (one: Difference) => viewOf(one)?.from === "right";
  const isThere = ({ atA }: Difference) => offence !== undefined && atA === offence.event;
  const isIt = ({ path }: Difference) =>
    offence?.field !== undefined && path.includes(PATH_SEPARATOR + offence.field);
  const weight = (one: Difference) =>
    (viewOf(one)?.late ? 16 : 0) +
    (isThere(one) ? (isIt(one) ? 0 : 4) : 8) +
    (isIdle(one) ? 2 : 0) +
    (fromPeer(one) ? 0 : 1);
  const [first] = [...differences].sort((x, y) => weight(x) - weight(y));
  if (!first) return undefined;
  return {
    ...{ differences, first },
    own: at(first.indexA, ownMark(first)),
    twin: at(first.indexB, markOf(first, first.kind !== "missing", first.b, first.a)),
  };
}

const at = (index: number | undefined, mark: Mark): Map<number, Mark> =>
  new Map(index === undefined ? [] : [[index, mark]]);

/** The mark of a difference in the ladder of the result. */
export const ownMark = (one: Difference): Mark => markOf(one, one.kind !== "added", one.a, one.b);

/** `isHere`: whether this side has what differs, `here` what it says, and `there` what the other one says. */
function markOf(
  { path, message }: Difference,
  ...[isHere, here, there]: [boolean, string | undefined, string | undefined]
): Mark {
  const field = path.startsWith(message + PATH_SEPARATOR)
    ? path.slice(message.length + PATH_SEPARATOR.length)
    : undefined;
  const tone = "divergence";
  if (field === undefined) return { tone, label: "first difference: this message" };
  const value = (text: string | undefined, rest: string) => (text === undefined ? "" : rest);
  if (!isHere) return { tone, label: `first difference: no ${field}${value(there, ` (${there})`)}` };
  return { tone, field, label: `first difference: ${field}${value(here, `: ${here}`)}` };
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
