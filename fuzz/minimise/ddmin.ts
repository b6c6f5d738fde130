/** Delta debugging (Zeller and Hildebrandt): a part of a list that still shows, of which no single item can be left out. */

/** `shows` holds for `items`; the result is in the order of `items`. */
export async function ddmin<T>(
  items: readonly T[],
  shows: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let kept = items;
  for (let pieces = 2; kept.length > 0; ) {
    const without = await firstWithout(kept, Math.min(pieces, kept.length), shows);
    if (without) {
      kept = without;
      pieces = Math.max(2, pieces - 1);
    } else if (pieces >= kept.length) return kept;
    else pieces *= 2;
  }
  return kept;
}

/** The list without one of its `pieces` that still shows; the last pieces are tried first, for what came late is often idle. */
async function firstWithout<T>(
  items: readonly T[],
  pieces: number,
  shows: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[] | undefined> {
  for (let piece = pieces - 1; piece >= 0; piece--) {
    const from = Math.floor((piece * items.length) / pieces);
    const to = Math.floor(((piece + 1) * items.length) / pieces);
    const rest = [...items.slice(0, from), ...items.slice(to)];
    if (await shows(rest)) return rest;
  }
  return undefined;
}
