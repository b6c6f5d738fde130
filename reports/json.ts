import type { Results } from "./results.ts";

/** Text of results.json. */
export function toJson(results: Results): string {
  return JSON.stringify(results, null, 2) + "\n";
}
