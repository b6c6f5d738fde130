import { expect } from "chai";
import fc from "fast-check";
import type { IkeSa } from "../ike/sa.ts";
import type { Impairment } from "../link/memory.ts";
import { disagreements } from "./agreement.ts";
import { makePair, type Pair } from "./pair.ts";

/** 60 runs by default. */
const RUNS = Number(process.env.BAKEOFF_RUNS ?? 60);

const VERBS = ["create", "rekeyChild", "rekeyIke", "deleteChild", "liveness", "deleteIke"] as const;

interface Command {
  by: "a" | "b";
  verb: (typeof VERBS)[number];
  /** Which of the SAs there are, modulo their number. */
  which: number;
  /** Milliseconds until the next command: 0 makes them cross. */
  pause: number;
}

const command = fc.record<Command>({
  by: fc.constantFrom("a", "b"),
  verb: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...VERBS) },
    { weight: 24, arbitrary: fc.constantFrom("rekeyIke", "rekeyChild", "create") },
  ),
  which: fc.nat(7),
  pause: fc.oneof(fc.constantFrom(0, 1, 2, 50), fc.integer({ min: 0, max: 5000 })),
});

const networks = fc.constantFrom<Partial<Impairment>>(
  { delayMs: 10 },
  { delayMs: 10, jitterMs: 30 },
  { loss: 0.2, duplication: 0.2, jitterMs: 300, maxInARow: 2 },
);

const nth = <T>(all: T[], which: number): T | undefined => all[which % Math.max(1, all.length)];

/** Gives one command; counts those that have not ended. */
function give(pair: Pair, { by, verb, which }: Command, open: { count: number }): void {
  const { endpoint } = pair[by];
  const sa = nth<IkeSa>(
    [...endpoint.core.sas.values()].filter((s) => s.state === "established"),
    which,
  );
  const child = nth(
    endpoint.core.children().filter((c) => c.state === "installed"),
    which,
  );
  const done = () => {
    open.count--;
  };
  if (!sa || (!child && (verb === "rekeyChild" || verb === "deleteChild"))) return;
  open.count++;
  if (verb === "create") endpoint.createChild(sa, {}, done);
  else if (verb === "rekeyIke") endpoint.rekeyIke(sa, {}, done);
  else if (verb === "liveness") endpoint.liveness(sa, done);
  else if (verb === "deleteIke") endpoint.deleteIke(sa, done);
  else if (child && verb === "rekeyChild") endpoint.rekeyChild(child, {}, done);
  else if (child) endpoint.deleteChild(child, done);
  pair[by].settle();
}

async function play(seed: number, impairment: Partial<Impairment>, commands: Command[]): Promise<string[]> {
  const policy = { retransmitTries: 12, retransmitMs: 200, retry: { tries: 3, waitMs: 300 } };
  const config = { ikeProposals: ["aes256gcm16-prfsha256-x25519"], espProposals: ["aes256gcm16"] };
  const pair = makePair({ seed: `crossing ${seed}`, impairment, config, policies: { a: policy, b: policy } });
  let up = false;
  pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b, () => {
    up = true;
  });
  pair.a.settle();
  await pair.network.until(() => up, 3_600_000);
  const open = { count: 0 };
  for (const one of commands) {
    give(pair, one, open);
    await pair.network.until(() => false, one.pause);
  }
  await pair.network.until(() => false, 24 * 3_600_000);
  const problems = disagreements(pair.a.endpoint, pair.b.endpoint);
  if (open.count > 0) problems.push(`${open.count} commands never ended`);
  for (const { endpoint } of [pair.a, pair.b]) {
    const odd = endpoint.core.children().filter((c) => c.state !== "installed");
    if (odd.length > 0) problems.push(`Child SAs left ${odd.map((c) => c.state).join()}`);
    const states = [...endpoint.core.sas.values()].map((s) => s.state).filter((s) => s !== "established");
    if (states.length > 0) problems.push(`IKE SAs left ${states.join()}`);
  }
  return problems;
}

describe("commands of both ends that cross", () => {
  it("end, and leave SAs on which both ends agree", async () => {
    const runs = fc.asyncProperty(
      fc.nat(),
      networks,
      fc.array(command, { minLength: 1, maxLength: 10 }),
      async (seed, impairment, commands) => {
        expect((await play(seed, impairment, commands)).join("; ")).to.equal("");
      },
    );
    await fc.assert(runs, { numRuns: RUNS, seed: Number(process.env.BAKEOFF_SEED ?? 1) });
  }).timeout(0);
});
