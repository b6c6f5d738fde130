import { expect } from "chai";
import type { AuthSpec, PeerConfig } from "../../peers/contract.ts";
import { type SeededRandom, seededRandom } from "../crypto/seeded-random.ts";
import type { AuthOutcome } from "../ike/exchanges/ike-auth.ts";
import type { Policy } from "../ike/policy.ts";
import type { Impairment } from "../link/memory.ts";
import { disagreements } from "./agreement.ts";
import { authenticated, makePair, type Pair } from "./pair.ts";

/** 300 seeds on an ordinary run; `BAKEOFF_SEEDS=10000` for the full one. */
const SEEDS = Number(process.env.BAKEOFF_SEEDS ?? 300);

/** Enough tries for what this network loses; see `honest-pair.test.ts`. */
const PATIENT: Partial<Policy> = { retransmitTries: 12, retransmitMs: 200 };
const LOSSY: Partial<Impairment> = { loss: 0.2, duplication: 0.3, jitterMs: 400, maxInARow: 2 };
const ONE_DAY = 86_400_000;

const EAP = (["md5", "gtc", "mschapv2", "tls"] as const).map((type) => ({ method: "eap", type }) as const);
const RESPONDER: AuthSpec[] = [
  { method: "psk" },
  { method: "null" },
  { method: "signature", key: "ecdsa256" },
  { method: "signature", key: "rsa2048" },
  { method: "signature", key: "ed25519" },
  { method: "signature", key: "ecdsa256", oldMethods: true },
  { method: "eap-only" },
];
const INITIATOR: AuthSpec[] = [...RESPONDER.filter(({ method }) => method !== "eap-only"), ...EAP];

const pick = <T>(random: SeededRandom, from: readonly T[]): T => from[(random(1)[0] ?? 0) % from.length] as T;
const chance = (random: SeededRandom, share: number): boolean => (random(1)[0] ?? 0) < share * 256;

/** What the two ends hold of each other, as the configuration of the responder. */
type Ways = Required<Pick<PeerConfig, "auth" | "testerAuth">>;

function draw(random: SeededRandom): Ways {
  const testerAuth = pick(random, INITIATOR);
  const auth = pick(random, RESPONDER);
  // EAP alone takes an initiator that uses EAP.
  return auth.method === "eap-only" && testerAuth.method !== "eap"
    ? { testerAuth, auth: { method: "psk" } }
    : { testerAuth, auth };
}

/** How what no end may do must fail, although both are told the same. */
function forbidden({ auth, testerAuth }: Ways): RegExp | undefined {
  const both = JSON.stringify([auth, testerAuth]);
  if (both.includes("oldMethods") && both.includes("ed25519")) return /key fits none|refused with notify 24/;
  if (testerAuth.method !== "eap") return undefined;
  if (auth.method === "null") return /^NULL authentication where we use EAP$/;
  const keyless = testerAuth.type === "md5" || testerAuth.type === "gtc";
  return auth.method === "eap-only" && keyless ? /^EAP alone, but (md5|gtc) makes no key$/ : undefined;
}

interface Plan {
  responder: Ways;
  /** Other than the responder's where the two disagree. */
  initiator: Ways;
  spoils?: "password" | "secret" | "identity";
  childless: boolean;
}

function planOf(random: SeededRandom): Plan {
  const responder = draw(random);
  const initiator = chance(random, 0.3) ? draw(random) : responder;
  const spoils = chance(random, 0.2) ? pick(random, ["password", "secret", "identity"] as const) : undefined;
  return { responder, initiator, ...(spoils && { spoils }), childless: chance(random, 0.2) };
}

function spoil(policy: Policy, what: Plan["spoils"]): void {
  if (what === "secret") policy.psk = Uint8Array.of(1, 2, 3);
  if (what === "identity") policy.localId = { type: 2, data: Uint8Array.of(0x78) };
  if (what === "password" && policy.ownAuth.method === "eap") policy.ownAuth.user.password = "wrong";
}

async function pairFor(seed: number, plan: Plan): Promise<Pair> {
  const [{ a }, { b }] = [await authenticated(plan.initiator), await authenticated(plan.responder)];
  spoil(a, plan.spoils);
  return makePair({
    seed: `authentication ${seed}`,
    impairment: LOSSY,
    ...(seed % 3 === 0 && { fragmentation: { chunk: 400 } }),
    policies: {
      a: { ...a, ...PATIENT, ...(plan.childless && { childless: "force" }) },
      b: { ...b, ...PATIENT, halfOpenMs: 300_000 },
    },
  });
}

/** What is wrong with how it ended; empty if all is well. */
async function live(seed: number): Promise<{ established: boolean; problems: string[] }> {
  const plan = planOf(seededRandom(`authentication plan ${seed}`));
  const pair = await pairFor(seed, plan);
  const outcomes: AuthOutcome[] = [];
  pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b, (outcome) => outcomes.push(outcome));
  pair.a.settle();
  await pair.network.until(() => outcomes.length > 0, ONE_DAY);
  await pair.network.until(() => false, ONE_DAY);
  const [outcome] = outcomes;
  if (!outcome || outcomes.length > 1)
    return { established: false, problems: [`${outcomes.length} outcomes`] };
  const { failure } = outcome;
  const problems = [...leftovers(pair, failure), ...judge(plan, failure)];
  if (outcome.childFailure) problems.push(`no Child SA: ${outcome.childFailure}`);
  if (failure === "") problems.push("a failure without a reason");
  const told = problems.map((problem) => `${problem} (${failure ?? "established"}; ${JSON.stringify(plan)})`);
  return { established: failure === undefined, problems: told };
}

/** Whether a proof of this kind is one that the other end wants; a certificate of any key is. */
const fits = (own: AuthSpec, wanted: AuthSpec): boolean =>
  own.method === wanted.method &&
  (own.method !== "eap" || wanted.method !== "eap" || own.type === wanted.type);

/** Why one of the two proofs cannot be right. */
function wrongProof({ responder, initiator, spoils }: Plan): string | undefined {
  const { testerAuth } = initiator;
  const methods = [responder.auth.method, testerAuth.method];
  if (!fits(testerAuth, responder.testerAuth)) return "the initiator does not prove itself as it should";
  if (!fits(responder.auth, initiator.auth)) return "the responder does not prove itself as it should";
  if (spoils === "identity") return "an unknown identity";
  if (spoils === "secret" && methods.includes("psk")) return "a wrong shared secret";
  const byPassword = testerAuth.method === "eap" && testerAuth.type !== "tls";
  return spoils === "password" && byPassword ? "a wrong password" : undefined;
}

/** An honest pair that is told the same comes up, unless that is forbidden; one with a wrong proof never does. */
function judge(plan: Plan, failure: string | undefined): string[] {
  const { responder, initiator, spoils } = plan;
  const wrong = wrongProof(plan);
  if (wrong) return failure === undefined ? [`let in: ${wrong}`] : [];
  const reason = forbidden(initiator);
  if (responder === initiator && !spoils) {
    const right = reason ? reason.test(failure ?? "established") : failure === undefined;
    return right ? [] : [`expected ${reason ?? "an IKE SA"}`];
  }
  return [];
}

function leftovers({ a, b }: Pair, failure: string | undefined): string[] {
  const problems = disagreements(a.endpoint, b.endpoint);
  for (const { core } of [a.endpoint, b.endpoint]) {
    const expected = failure === undefined ? 1 : 0;
    if (core.sas.size !== expected) problems.push(`${core.sas.size} IKE SAs, not ${expected}`);
    if (core.children().length !== expected) problems.push(`${core.children().length} Child SAs`);
    if (core.halfOpen.waiting > 0) problems.push("a half-open SA is left");
    if (core.timers.size > 0) problems.push(`${core.timers.size} timers are left`);
    if ([...core.sas.values()].some(({ conversation, authRounds }) => conversation ?? authRounds))
      problems.push("EAP is held on to");
  }
  return problems;
}

describe("an honest pair of any two ways to authenticate, under loss, duplication and reordering", () => {
  it(`ends ${SEEDS} seeds with equal keys at both ends, or at both with none and a reason`, async function () {
    this.timeout(0);
    const failed: string[] = [];
    let established = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const life = await live(seed);
      if (life.established) established++;
      failed.push(...life.problems.map((problem) => `seed ${seed}: ${problem}`));
    }
    expect(failed.slice(0, 20), `${failed.length} problems`).to.deep.equal([]);
    expect(established / SEEDS, "share of pairs that came up").to.be.within(0.3, 0.9);
  });
});
