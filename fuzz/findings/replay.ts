/** Plays findings again on a peer of the lab, in a process of its own. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { orderOf, startedBy } from "../../harness/run/external.ts";
import { checkLab, openLab } from "../../harness/run/lab.ts";
import type { LaneOrder } from "../../harness/run/lane-protocol.ts";
import { UsageError } from "../../harness/run/usage-error.ts";
import { type ChosenPeer, findPeer, PeerNameError, peerName } from "../../peers/definition.ts";
import { isDefinitionFile } from "../../peers/external.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import type { Alarm } from "../alarm.ts";
import { isGone, LaneChild } from "../campaign/lane-child.ts";
import type { FuzzOrder, ShortOutcome } from "../campaign/protocol.ts";
import { isAddress } from "../campaign/safety.ts";
import type { Trace } from "../trace.ts";
import { KEPT } from "./capture.ts";
import type { StoredFinding } from "./finding.ts";

/** What one play of a finding came to. */
export interface Played {
  /** The alarm of the finding, if it came again. */
  shown?: Alarm;
  alarms: Alarm[];
  outcome?: ShortOutcome;
  /** Folder with the capture. */
  capture?: string;
  ladder: string;
}

export interface ReplayLane {
  /** Plays this conversation for the finding on a fresh peer. @throws LabError when the lane cannot go on */
  play(finding: StoredFinding, trace?: Trace): Promise<Played>;
}

export interface ReplayOptions {
  lie?: string;
  /** Folder for captures. */
  captures: string;
  signal: AbortSignal;
}

/** The peer named, or the one that the finding is of. @throws UsageError for none of the lab */
export function peerOf({ peer }: StoredFinding, given?: string): ChosenPeer {
  const spec = given ?? `${peer.name}@${peer.version}:${peer.runtime}`;
  const of = given === undefined ? "the finding's peer" : `--peer ${given}`;
  if (isAddress(spec) || spec.endsWith(":address"))
    throw new UsageError(`${of}: a finding is played again on a peer of the lab, not on an address`);
  if (isDefinitionFile(spec)) return startedBy(spec).chosen;
  try {
    return findPeer(spec);
  } catch (error) {
    if (error instanceof PeerNameError) throw new UsageError(`${of}: ${error.message}`);
    throw error;
  }
}

/** A replay may be as fast as it likes: it is one conversation at a time. */
const RATE = 10_000;
const RESTARTS = 10_000;

/**
 * Starts the peer, and stops it when `work` is over.
 * @throws LabError when the peer cannot be started
 */
export async function withReplayLane<T>(
  peer: ChosenPeer,
  options: ReplayOptions,
  work: (lane: ReplayLane) => Promise<T>,
): Promise<T> {
  await checkLab([peer]);
  const lab = await openLab(randomBytes(4).toString("hex"));
  const results: T[] = [];
  try {
    await lab.withNetwork(peer, 0, async (network) => {
      const lane = new Lane(peer, { ...options, runId: lab.runId, network });
      try {
        results.push(await work(lane));
      } finally {
        await lane.stop();
      }
    });
  } finally {
    await lab.close();
  }
  const [result] = results;
  if (result === undefined) throw new LabError("start-failed", `${peerName(peer)}: was not played against`);
  return result;
}

interface LaneOptions extends ReplayOptions {
  runId: string;
  network: LaneOrder["network"];
}

class Lane implements ReplayLane {
  readonly #order: FuzzOrder;
  readonly #signal: AbortSignal;
  #child: LaneChild | undefined;
  #plays = 0;

  constructor(peer: ChosenPeer, { lie, captures, signal, runId, network }: LaneOptions) {
    const id = peerName(peer);
    this.#signal = signal;
    this.#order = {
      ...{ kind: "order", peer: id, id, seed: "1", runId, lane: 0, window: 1, rate: RATE },
      ...{ restartsAnHour: RESTARTS, captures },
      ...(lie !== undefined && { lie }),
      ...(network && { network }),
      ...(peer.file !== undefined && orderOf(startedBy(peer.file))),
    };
  }

  async play(finding: StoredFinding, trace = finding.trace): Promise<Played> {
    const { number, seed, stage, setup } = finding;
    this.#child ??= new LaneChild(this.#order, { signal: this.#signal, onMessage: () => {} });
    const answer = await this.#child.replay({
      ...{ kind: "replay", id: this.#plays++, case: { number, seed, stage, trace }, setup },
      ...{ restart: false, alarm: alarmOf(finding) },
    });
    if (!isGone(answer)) {
      const { alarms, outcome, capture } = answer;
      return { ...played(finding, alarms), ...(outcome && { outcome }), ...kept(capture) };
    }
    this.#child = undefined;
    if (this.#signal.aborted) throw new LabError("control", "the replay was interrupted");
    // A peer in our own process that stands still takes it along.
    if (answer.stuck) return { ...played(finding, [stoodStill(answer.reason)]), ladder: "" };
    throw new LabError("start-failed", answer.reason);
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
  }
}

const stoodStill = (reason: string): Alarm => ({
  ...{ oracle: "hang", title: "stands still", signature: "stands still", severity: "high", alone: true },
  detail: `the process of the lane ${reason}`,
});

const alarmOf = ({ oracle, title, signature, severity, detail, alone }: StoredFinding): Alarm => ({
  ...{ oracle, title, signature, severity, detail, alone },
});

/** The frames of a crash may differ from run to run, and so may what tells that nothing comes any more. */
function played({ signature, oracle }: StoredFinding, alarms: Alarm[]): Pick<Played, "alarms" | "shown"> {
  const shown =
    alarms.find((alarm) => alarm.signature === signature) ??
    alarms.find((alarm) => alarm.oracle === oracle && (oracle === "crash" || oracle === "hang"));
  return { alarms, ...(shown && { shown }) };
}

function kept(capture: string | undefined): Pick<Played, "capture" | "ladder"> {
  if (capture === undefined) return { ladder: "" };
  const file = join(capture, KEPT.ladder);
  return { capture, ladder: existsSync(file) ? readFileSync(file, "utf8") : "" };
}
