/** The steps of the benchmark of captures, by name. */
import { readSeen } from "../../pcaps/decode/read-seen.ts";
import { compareViews } from "../../pcaps/diff/diff.ts";
import { Sides, type View, viewOf } from "../../pcaps/view.ts";
import { filesIn, type StepFigures } from "./pcap-files.ts";

/** Reads all that there is, and counts. */
function read(capture: string, keys: readonly string[]): Omit<StepFigures, "peakMb"> {
  const counts = { packets: 0, opened: 0, problems: 0 };
  for (const seen of readSeen(capture, keys)) {
    if (seen.kind === "fault" || seen.kind === "key-fault" || seen.kind === "unreadable") counts.problems++;
    else counts.packets++;
    if ("opening" in seen && seen.opening === "opened") counts.opened++;
  }
  return counts;
}

function* viewsIn(folder: string): Generator<View> {
  const sides = new Sides();
  const { capture, keys } = filesIn(folder);
  for (const seen of readSeen(capture, [keys])) {
    if (seen.kind !== "fault" && seen.kind !== "key-fault") yield viewOf(seen, sides);
  }
}

function diff(a: string, b: string): Omit<StepFigures, "peakMb"> {
  const { differences, more } = compareViews(viewsIn(a), viewsIn(b));
  return { packets: 0, opened: 0, problems: differences.length + more };
}

/** What only writing needs is not loaded for the other steps. */
async function write(folder: string, packets: number, seed: string): Promise<void> {
  const { writeCapture } = await import("./pcap-capture.ts");
  writeCapture(folder, packets, seed);
}

/** `write`, `read` without keys, `open` with keys, `diff`; each with the folders of its captures. */
export async function step([what, ...rest]: readonly string[]): Promise<Omit<StepFigures, "peakMb">> {
  const [first = "", second = "", third = ""] = rest;
  const { capture, keys } = filesIn(first);
  if (what === "write") await write(first, Number(second), third);
  else if (what === "read") return read(capture, []);
  else if (what === "open") return read(capture, [keys]);
  else if (what === "diff") return diff(first, second);
  return { packets: 0, opened: 0, problems: 0 };
}
