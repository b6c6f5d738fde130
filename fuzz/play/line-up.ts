/** The order of cases: those that nothing may take place beside wait, so that others need not make way for each. */
import type { FuzzCase } from "../trace.ts";
import { standsAlone } from "./conversation.ts";

/** Cases that may wait. */
const MOST_WAITING = 32;

/** What `next` gives, in another order, and no more than so many cases behind. */
export function aloneLast(next: () => FuzzCase | undefined): () => FuzzCase | undefined {
  const waiting: FuzzCase[] = [];
  let ends = false;
  /** Once the wait is over all of them come. */
  let called = false;
  return () => {
    while (!called && !ends) {
      const found = next();
      if (!found) ends = true;
      else if (!standsAlone(found.trace)) return found;
      else called = waiting.push(found) >= MOST_WAITING;
    }
    const first = waiting.shift();
    called = waiting.length > 0;
    return first;
  };
}
