import { expect } from "chai";
import { type SeededRandom, seededRandom } from "../crypto/seeded-random.ts";
import type { ChildSa } from "../ike/child.ts";
import { disagreements } from "../run/agreement.ts";
import { makePair, type Pair } from "../run/pair.ts";
import type { Host } from "../script/host.ts";

const CONFIG = {
  ikeProposals: ["aes256gcm16-prfsha256-x25519-ke1_ecp256-ke3_x448"],
  espProposals: ["aes256gcm16-x25519-ke1_ecp256"],
};
/** The last retransmission comes 31.5 s after the first. */
const PATIENT = { retransmitTries: 7, retransmitMs: 500 };
const COMMANDS = [
  "rekey Child",
  "rekey Child",
  "rekey IKE",
  "rekey IKE",
  "create Child",
  "delete Child",
] as const;
/** All retransmissions and series are over by then. */
const LONG_MS = 600_000;

const below = (random: SeededRandom, n: number): number => (random(1)[0] ?? 0) % n;

/** Has nothing of an end arrive for up to 25 s, longer than a series waits. */
function breakOff({ network, a, b }: Pair, random: SeededRandom): void {
  const { options } = [a, b][below(random, 2)]?.endpoint.core ?? a.endpoint.core;
  const { send } = options;
  const from = network.clock.now() + below(random, 120);
  const to = from + 100 * below(random, 250);
  options.send = (datagram) => {
    const now = network.clock.now();
    if (now < from || now >= to) send(datagram);
  };
}

/** Gives the command to whatever SAs there are then. */
function command({ endpoint }: Host, what: (typeof COMMANDS)[number], done: () => void): void {
  const sa = [...endpoint.core.sas.values()].find(({ state }) => state === "established");
  const child = sa?.children.find((c: ChildSa) => c.state === "installed");
  if (!sa || !child) return done();
  if (what === "rekey IKE") endpoint.rekeyIke(sa, {}, done);
  else if (what === "rekey Child") endpoint.rekeyChild(child, {}, done);
  else if (what === "create Child") endpoint.createChild(sa, {}, done);
  else endpoint.deleteChild(child, done);
}

/** Some commands at either end while the network breaks off now and then; gives what is not as it must be. */
function live(seed: number): string[] {
  const random = seededRandom(`broken series ${seed}`);
  const impairment = { delayMs: 10, jitterMs: below(random, 40) };
  const policies = { a: PATIENT, b: PATIENT };
  const pair = makePair({ seed: `broken series ${seed}`, impairment, config: CONFIG, policies });
  pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b);
  pair.a.settle();
  pair.network.run(10_000);
  const ended = Array.from({ length: 2 + below(random, 4) }, () => 0);
  for (const index of ended.keys()) {
    const host = below(random, 2) === 0 ? pair.a : pair.b;
    const what = COMMANDS[below(random, COMMANDS.length)] ?? "rekey IKE";
    const delay = below(random, 2) === 0 ? below(random, 60) : 100 * below(random, 250);
    host.endpoint.core.after(delay, () => command(host, what, () => ended[index]!++));
    host.settle();
  }
  for (let left = below(random, 3); left > 0; left--) breakOff(pair, random);
  pair.network.run(LONG_MS);
  const wrong = ended.filter((times) => times !== 1).map((times) => `a command ended ${times} times`);
  return [...wrong, ...disagreements(pair.a.endpoint, pair.b.endpoint)];
}

/** 300 seeds on an ordinary run; `BAKEOFF_SEEDS=10000` for the full one. */
const SEEDS = Number(process.env.BAKEOFF_SEEDS ?? 300);

describe("series of additional key exchanges that break off", () => {
  it(`end every command once, and leave both ends with the same SAs (${SEEDS} seeds)`, function () {
    this.timeout(0);
    const failed: string[] = [];
    for (let seed = 0; seed < SEEDS; seed++) {
      const problems = live(seed);
      if (problems.length > 0) failed.push(`seed ${seed}: ${problems.join("; ")}`);
    }
    expect(failed.slice(0, 20), `${failed.length} of ${SEEDS} seeds`).to.deep.equal([]);
  });
});
