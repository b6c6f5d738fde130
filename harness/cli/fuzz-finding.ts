/** What the commands on a finding share. */
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isUnread, readFinding, type StoredFinding } from "../../fuzz/findings/finding.ts";
import { peerOf, type ReplayLane, withReplayLane } from "../../fuzz/findings/replay.ts";
import { FINDING_FILE } from "../../fuzz/findings/store.ts";
import { findLie, lies } from "../../peers/builtin/lies/index.ts";
import { peerName } from "../../peers/definition.ts";
import { UsageError, unknownName } from "../run/usage-error.ts";
import { onSignals } from "./signals.ts";

export interface GivenFinding {
  /** Of the file itself, where a folder was given. */
  path: string;
  finding: StoredFinding;
}

/** Reads a finding from its file or its folder. @throws UsageError */
export function givenFinding(given: string): GivenFinding {
  const isFolder = existsSync(given) && statSync(given).isDirectory();
  const path = isFolder ? join(given, FINDING_FILE) : given;
  const finding = readFinding(path);
  if (isUnread(finding)) throw new UsageError(`${path}: ${finding.reason}`);
  return { path, finding };
}

export interface PeerFlags {
  peer?: string;
  lie?: string;
}

/** Holds a fresh peer while `work` plays on it; captures are gone afterwards. @throws UsageError, LabError */
export async function onPeer<T>(
  finding: StoredFinding,
  flags: PeerFlags,
  what: string,
  work: (lane: ReplayLane) => Promise<T>,
): Promise<T> {
  const peer = peerOf(finding, flags.peer);
  const lie = lieOf(finding, flags, peerName(peer), peer.definition.name === "builtin");
  const captures = mkdtempSync(join(tmpdir(), "bakeoff-replay-"));
  const { signal, release } = onSignals(process.stderr, what);
  try {
    return await withReplayLane(peer, { captures, signal, ...(lie !== undefined && { lie }) }, work);
  } finally {
    release();
    rmSync(captures, { recursive: true, force: true });
  }
}

/** `none` takes the fault away that was planted when it was found. */
function lieOf({ lie }: StoredFinding, flags: PeerFlags, peer: string, builtin: boolean): string | undefined {
  const wanted = flags.lie ?? (builtin ? lie : undefined);
  if (wanted === undefined || wanted === "none") return undefined;
  if (!builtin) throw new UsageError(`--lie: only the builtin peer has them, not ${peer}`);
  if (findLie(wanted)) return wanted;
  throw unknownName(
    "lie",
    wanted,
    lies.map(({ name }) => name),
  );
}
