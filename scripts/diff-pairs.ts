/**
 * Writes the pairs of captures that `pcap diff` is proven by: `npx tsx scripts/diff-pairs.ts DIR`. A pair is a folder
 * with `a` and `b`, each of them a capture with its keys, and `expected.txt`: the one difference, or nothing.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keysJson } from "../pcaps/key-files/json.ts";
import { writePcap } from "../pcaps/write.ts";
import { equalPairs, type Pair, plantedPairs } from "./diff-pairs/pairs.ts";
import type { Recording } from "./diff-pairs/recording.ts";

const EPOCH_MS = Date.UTC(2026, 0, 1);

async function write(folder: string, pairs: AsyncIterable<Pair>): Promise<number> {
  let count = 0;
  for await (const { name, a, b, expected } of pairs) {
    count += 1;
    const place = join(
      folder,
      `${String(count).padStart(2, "0")}-${name.toLowerCase().replace(/\W+/g, "-")}`,
    );
    writeRecording(join(place, "a"), a);
    writeRecording(join(place, "b"), b);
    writeFileSync(join(place, "expected.txt"), expected === undefined ? "" : `${expected}\n`);
  }
  return count;
}

function writeRecording(folder: string, { packets, ike, esp }: Recording): void {
  mkdirSync(join(folder, "keys"), { recursive: true });
  const error = writePcap(join(folder, "capture.pcap"), packets, EPOCH_MS);
  if (error) throw new Error(error.reason);
  writeFileSync(join(folder, "keys", "keys.json"), keysJson({ ike, esp }));
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write("usage: npx tsx scripts/diff-pairs.ts DIR\n");
  process.exitCode = 2;
} else {
  const planted = await write(join(folder, "planted"), plantedPairs());
  const equal = await write(join(folder, "equal"), equalPairs());
  process.stdout.write(`${planted} pairs with a planted change, ${equal} without\n`);
}
