/** Differences as they are read: message by message. */
import type { Difference } from "./types.ts";

/** Numbers of packets; not set on the side that lacks it. */
export interface Where {
  a?: number;
  b?: number;
}

export interface MessageDifferences {
  message: string;
  where: Where;
  differences: Difference[];
}

/** Under the message they are in, in the order they came. */
export function byMessage(differences: readonly Difference[]): MessageDifferences[] {
  const groups = new Map<string, MessageDifferences>();
  for (const difference of differences) {
    const { message, atA, atB } = difference;
    const key = `${message} ${atA} ${atB}`;
    const group = groups.get(key);
    if (group) group.differences.push(difference);
    else {
      const where = { ...(atA !== undefined && { a: atA }), ...(atB !== undefined && { b: atB }) };
      groups.set(key, { message, where, differences: [difference] });
    }
  }
  return [...groups.values()];
}

/** As in `A 3, B 5`. */
export const whereText = ({ a, b }: Where): string =>
  [...(a === undefined ? [] : [`A ${a}`]), ...(b === undefined ? [] : [`B ${b}`])].join(", ");
