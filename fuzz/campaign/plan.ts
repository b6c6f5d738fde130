/** What makes the cases of a campaign: the same seed and the same plan make the same cases. */
import { z } from "zod";
import { UsageError, unknownName } from "../../harness/run/usage-error.ts";
import type { PeerRole } from "../../peers/contract.ts";
import type { Corpus } from "../corpus/corpus.ts";
import { Generator, type GeneratorState } from "../generate/generator.ts";
import { findSetup, type Setup, setups } from "../setups.ts";
import { type FuzzCase, STAGES, type Stage } from "../trace.ts";

/** Cases of a batch: so many that to configure a daemon is little beside them, so few that what was learned soon tells. */
const BATCH = 100;

const MOST_SEED = 200;

export const planSchema = z.strictObject({
  seed: z
    .string()
    .min(1)
    .max(MOST_SEED)
    .regex(/^\P{Cc}*$/u),
  stages: z.array(z.enum(STAGES)).min(1),
  setups: z.array(z.string()).min(1),
  roles: z.array(z.enum(["initiator", "responder"])).min(1),
  shard: z.strictObject({ index: z.int().min(1), of: z.int().min(1) }).optional(),
  guided: z.boolean(),
  batch: z.int().min(1).max(10_000),
  lie: z.string().optional(),
  variant: z.string().optional(),
  peers: z.array(z.string()).min(1),
  differential: z.boolean(),
});
export type Plan = z.infer<typeof planSchema>;

/** As a user asks for it; what is not set is as usual, or as it was before where a campaign goes on. */
export interface Wishes {
  seed?: string;
  stages?: readonly string[];
  setups?: readonly string[];
  role?: PeerRole | "both";
  shard?: { index: number; of: number };
  guided?: boolean;
  lie?: string;
  variant?: string;
  peers?: readonly string[];
  differential?: boolean;
}

const ROLES: readonly PeerRole[] = ["responder", "initiator"];

/** @throws UsageError naming what does not exist, or makes no case at all */
export function makePlan(wishes: Wishes): Plan {
  const stages = wishes.stages?.map(stageOf) ?? [...STAGES];
  const chosen = wishes.setups?.map(setupOf) ?? [...setups];
  const { role = "both", shard, lie, variant, peers = ["builtin"], seed = "1" } = wishes;
  if (!planSchema.shape.seed.safeParse(seed).success)
    throw new UsageError(`--seed: must have 1 to ${MOST_SEED} characters, and none of control`);
  const roles = role === "both" ? [...ROLES] : [role];
  const usable = chosen.filter((setup) => isUsable(setup, stages, roles));
  if (usable.length === 0)
    throw new UsageError(`no setup reaches these stages in role ${role}: ${stages.join(", ")}`);
  return {
    ...{ seed, stages, setups: usable.map(({ name }) => name), roles },
    ...(shard && { shard }),
    ...{ guided: wishes.guided ?? true, batch: BATCH },
    ...(lie !== undefined && { lie }),
    ...(variant !== undefined && { variant }),
    ...{ peers: [...peers], differential: wishes.differential ?? false },
  };
}

const isUsable = (setup: Setup, stages: readonly Stage[], roles: readonly PeerRole[]): boolean =>
  setup.stages.some((stage) => stages.includes(stage)) && setup.roles.some((role) => roles.includes(role));

function stageOf(given: string): Stage {
  const found = STAGES.find((stage) => stage === given);
  if (!found) throw unknownName("stage", given, STAGES);
  return found;
}

function setupOf(given: string): Setup {
  const found = findSetup(given);
  const names = setups.map(({ name }) => name);
  if (!found) throw unknownName("setup", given, names);
  return found;
}

/** The plan of a campaign to go on with. @throws UsageError where something else is asked for now */
export function samePlan(before: Plan, wishes: Wishes): Plan {
  const { stages, setups: names, role, seed, shard, guided, lie, variant, peers, differential } = wishes;
  const told = {
    ...{ seed, shard, guided, lie, variant, peers, differential },
    ...{ stages: stages?.map(stageOf), roles: role === "both" ? ROLES : role && [role] },
  };
  for (const [name, value] of Object.entries(told)) {
    const was: unknown = Reflect.get(before, name);
    if (value === undefined || JSON.stringify(was) === JSON.stringify(value)) continue;
    throw new UsageError(
      `--resume: ${name} was ${JSON.stringify(was) ?? "not set"}, and is ${JSON.stringify(value)} now`,
    );
  }
  const missing = names?.find((name) => !before.setups.includes(name));
  if (missing !== undefined) throw new UsageError(`--resume: setup ${missing} was not part of the campaign`);
  return before;
}

/** What makes the plan's cases. @throws what the file system throws for the corpus */
export function generatorOf(plan: Plan, corpus?: Corpus, resume?: GeneratorState): Promise<Generator> {
  const { seed, stages, roles, shard, guided, batch } = plan;
  return Generator.create({
    ...{ seed, stages, roles, guided, batch, setups: plan.setups.flatMap((name) => findSetup(name) ?? []) },
    ...(shard && { shard }),
    ...(corpus && { corpus }),
    ...(resume && { resume }),
  });
}

/** The first cases of a plan, of which nothing is learned. */
export function* plannedCases(generator: Generator, count: number): Iterable<FuzzCase> {
  let left = count;
  while (left > 0) {
    const batch = generator.nextBatch();
    if (!batch) return;
    for (let next = batch.nextCase(); next && left > 0; next = batch.nextCase()) {
      left -= 1;
      yield next;
    }
  }
}
