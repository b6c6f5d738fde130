/** A campaign of fuzzing as a run without tests: its findings stand beside it. */
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readTextFile } from "../../pcaps/text-file.ts";
import { FINDINGS_FILE } from "../../reports/findings.ts";
import { makeResults, type PeerInfo, peerSchema, type Results, toolSchema } from "../../reports/results.ts";
import { JOURNAL } from "./out-folder.ts";
import { UsageError } from "./usage-error.ts";

const HEAD = 64 * 1024;
const MOST_OCTETS = 512 * 1024 * 1024;

const time = z.iso.datetime();
const startSchema = z.looseObject({
  kind: z.literal("campaign-started"),
  ...{ time, tool: toolSchema, seed: z.string() },
});
const peerStarted = z.looseObject({ kind: z.literal("peer-started"), info: peerSchema });
const timed = z.looseObject({ time });
const ended = z.looseObject({ kind: z.literal("campaign-ended") });

/** Whether the folder is that of a campaign, by the first line of its journal. */
export function isCampaign(folder: string): boolean {
  const journal = join(folder, JOURNAL);
  if (!existsSync(journal)) return false;
  const head = Buffer.alloc(HEAD);
  try {
    const file = openSync(journal, "r");
    try {
      const [line = ""] = head.toString("utf8", 0, readSync(file, head)).split("\n");
      return line.includes('"campaign-started"');
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

/** @throws UsageError naming the journal where it cannot be used */
export function campaignResults(folder: string): Results {
  const file = join(folder, JOURNAL);
  const text = readTextFile(file, { most: MOST_OCTETS });
  if (typeof text !== "string") throw new UsageError(`${file}: ${text.reason}`);
  const records = text.split("\n").map(recordOf);
  const start = startSchema.safeParse(records[0]);
  if (!start.success) throw new UsageError(`${file}: its first line is no start of a campaign`);
  const peers = new Map<string, PeerInfo>();
  let finished = start.data.time;
  for (const record of records) {
    const peer = peerStarted.safeParse(record);
    if (peer.success) peers.set(peer.data.info.id, peer.data.info);
    const at = timed.safeParse(record);
    if (at.success) finished = at.data.time;
  }
  const isWhole = records.some((record) => ended.safeParse(record).success);
  return makeResults({
    ...{ tool: start.data.tool, seed: start.data.seed, started: start.data.time, finished },
    ...{ peers: [...peers.values()], tests: [] },
    ...(isWhole ? {} : { interrupted: "the campaign has not ended" }),
    ...(existsSync(join(folder, FINDINGS_FILE)) ? {} : { notes: ["the campaign has no findings"] }),
  });
}

/** Of a line that is none, nothing. */
function recordOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
