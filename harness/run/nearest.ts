/** Edits (insert, remove, replace, swap of neighbours) that turn one word into the other, case folded. */
function distance(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 0; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      }
      rows[i]![j] = best;
    }
  }
  return rows[a.length]![b.length]!;
}

/**
 * The candidate a user most likely meant: fewest edits, a common beginning before others; the first of equals.
 * Undefined only where there is no candidate.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const typed = word.toLowerCase();
  let best: { name: string; score: number } | undefined;
  for (const name of candidates) {
    const lower = name.toLowerCase();
    const begins = typed.length > 1 && (lower.startsWith(typed) || typed.startsWith(lower));
    const score = begins ? 0.5 : distance(typed, lower);
    if (!best || score < best.score) best = { name, score };
  }
  return best?.name;
}
