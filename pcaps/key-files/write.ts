/** Writes keys for people and programs: our own file, and a Wireshark profile. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type EspSaKeys, type IkeSaKeys, writeKeyFolder } from "../keys.ts";
import { keysJson } from "./json.ts";

/**
 * Writes all keys into `keys.json`, and those that Wireshark can use into its tables. It takes one set for an SA: in
 * the folder is the last generation of each, the earlier ones stand in `generation-0` and so on, the oldest first.
 * @param ike the generations of each IKE SA, the oldest first
 * @returns notes on keys that are in no table of the folder
 */
export function writeKeyFolders(
  folder: string,
  ike: readonly (readonly IkeSaKeys[])[],
  esp: readonly EspSaKeys[],
): string[] {
  const last = ike.flatMap((generations) => generations.slice(-1));
  const notes = writeKeyFolder(folder, { ike: last, esp });
  writeFileSync(join(folder, "keys.json"), keysJson({ ike: ike.flat(), esp: [...esp] }));
  const earlier = Math.max(0, ...ike.map((generations) => generations.length - 1));
  for (let n = 0; n < earlier; n++) {
    const nth = ike.flatMap((generations) => generations.slice(0, -1).slice(n, n + 1));
    writeKeyFolder(join(folder, `generation-${n}`), { ike: nth, esp: [] });
  }
  return notes;
}
