/** The honest messages that changes are drawn for: what our side sends, as it was in memory against the builtin peer. */
import { memoryArena } from "../../harness/run/arena-memory.ts";
import type { PeerRole } from "../../peers/contract.ts";
import { copyHeader, copyPayloads } from "../play/copy.ts";
import { Player } from "../play/player.ts";
import type { Setup } from "../setups.ts";
import type { Act, FuzzCase } from "../trace.ts";
import { honestTrace, type Skeleton, samplers } from "./skeletons.ts";
import { isEsp, type Sample, stageOfAct } from "./stages.ts";

/** The messages of one step of each act, in the order in which they are sent. */
export type Samples = ReadonlyMap<Act, readonly Sample[]>;

/** The honest conversation, to see whether the peer can do it at all before anything is made of the setup. */
export const honestCase = (setup: Setup, peer: PeerRole, skeleton: Skeleton): FuzzCase => ({
  ...{ number: 0, seed: `honest ${setup.name} ${peer} ${skeleton.join(" ")}` },
  stage: stageOfAct(skeleton.at(-1) ?? "init"),
  trace: honestTrace(setup, peer, skeleton),
});

/** Messages of an act, beyond which those of its first step are enough. */
const MOST_MESSAGES = 64;

const keep = (sample: Sample): Sample =>
  isEsp(sample)
    ? { ...sample, options: { ...sample.options } }
    : {
        ...sample,
        header: copyHeader(sample.header),
        ...{ payloads: copyPayloads(sample.payloads), clear: copyPayloads(sample.clear) },
      };

/** Plays every act once; equal for equal setups, whoever asks. */
export async function recordSamples(setup: Setup, peer: PeerRole): Promise<Samples> {
  const samples = new Map<Act, Sample[]>();
  for (const skeleton of samplers(setup, peer)) {
    const arena = await memoryArena(setup.wishes, { seed: `samples ${setup.name} ${peer}` });
    const found = new Map<number, Sample[]>();
    const player = new Player(arena, {
      sees({ step }, message) {
        const list = found.get(step) ?? [];
        if (list.length < MOST_MESSAGES) found.set(step, [...list, keep(message)]);
      },
    });
    await player.play(honestCase(setup, peer, skeleton));
    player.close();
    for (const [step, list] of found) {
      const act = skeleton[step];
      if (act && !samples.has(act)) samples.set(act, list);
    }
  }
  return samples;
}
