import { expect } from "chai";
import { disagreements } from "../../run/agreement.ts";
import { makePair, type Pair } from "../../run/pair.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import type { ChildSa } from "../child.ts";
import type { IkeSa } from "../sa.ts";

const MINUTE = 60_000;

interface Up {
  pair: Pair;
  /** The same SAs as both ends hold them. */
  a: IkeSa;
  b: IkeSa;
  child: ChildSa;
  /** When b answered CREATE_CHILD_SA requests. */
  asked: number[];
}

/** A pair that is up; both ends try again. */
function up(seed: string): Up {
  const config = { ikeProposals: ["aes256gcm16-prfsha256-x25519"], espProposals: ["aes256gcm16"] };
  const retry = { tries: 5, waitMs: 5000 };
  const policies = { a: { retry }, b: { retry } };
  const asked: number[] = [];
  const pair = makePair({ seed, config, policies, impairment: { delayMs: 10 } });
  pair.b.options.extensions.push({
    name: "when asked",
    outgoing: ({ isResponse, header }) => {
      if (isResponse && header.exchangeType === EXCHANGE.CREATE_CHILD_SA)
        asked.push(pair.network.clock.now());
    },
  });
  const a = pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b);
  pair.a.settle();
  pair.network.run(100);
  const [b] = pair.b.endpoint.core.sas.values();
  const [child] = a.children;
  if (!b || !child) throw new Error("the pair did not come up");
  return { pair, a, b, child, asked };
}

const VERBS = ["create", "rekey", "rekey IKE"] as const;

/** Has `a` begin; the list gets what comes of it. */
function begin({ pair, a, child }: Up, verb: (typeof VERBS)[number]): unknown[] {
  const results: unknown[] = [];
  const done = (result: unknown) => void results.push(result);
  const { endpoint } = pair.a;
  if (verb === "create") endpoint.createChild(a, {}, done);
  else if (verb === "rekey") endpoint.rekeyChild(child, {}, done);
  else endpoint.rekeyIke(a, {}, done);
  pair.a.settle();
  return results;
}

/** An end that has rekeyed the IKE SA puts off what comes under the old one. */
function busy({ b }: Up): void {
  b.state = "rekeyed";
}

function idle({ b }: Up): void {
  b.state = "established";
}

interface Linked {
  replaces?: Linked;
}

const steps = (from: Linked | undefined): number => (from?.replaces ? 1 + steps(from.replaces) : 0);

describe("a request that the peer puts off (section 2.25)", () => {
  for (const verb of VERBS) {
    it(`is made again, later and later, until it is done: ${verb}`, () => {
      const all = up(`again ${verb}`);
      busy(all);
      const results = begin(all, verb);
      all.pair.network.run(6000);
      idle(all);
      all.pair.network.run(2 * MINUTE);
      expect(results.map((r) => typeof r)).to.deep.equal(["object"]);
      const [first, second] = all.asked.slice(1).map((at, i) => at - (all.asked[i] ?? 0));
      expect(first).to.be.within(5000, 10_100);
      if (second !== undefined) expect(second).to.be.within(10_000, 20_100);
      expect(disagreements(all.pair.a.endpoint, all.pair.b.endpoint)).to.deep.equal([]);
    });

    it(`ends the IKE SA if that goes on for minutes: ${verb}`, () => {
      const all = up(`endless ${verb}`);
      busy(all);
      const results = begin(all, verb);
      all.pair.network.run(2 * MINUTE);
      expect(all.a.state).to.equal("established");
      all.pair.network.run(8 * MINUTE);
      expect([all.a.state, all.b.state, all.asked.length]).to.deep.equal(["closed", "closed", 6]);
      expect(results.map((r) => typeof r)).to.deep.equal(["string"]);
    });
  }

  it("is not made again if there is nothing left to replace", () => {
    const all = up("gone");
    busy(all);
    const results = begin(all, "rekey");
    all.pair.network.run(100);
    idle(all);
    all.pair.a.endpoint.deleteChild(all.child);
    all.pair.a.settle();
    all.pair.network.run(10 * MINUTE);
    expect([typeof results[0], all.asked.length]).to.deep.equal(["string", 1]);
  });

  it("goes to the new IKE SA if the peer replaces it meanwhile", () => {
    const all = up("moved");
    busy(all);
    const results = begin(all, "create");
    all.pair.network.run(100);
    idle(all);
    all.pair.b.endpoint.rekeyIke(all.b);
    all.pair.b.settle();
    all.pair.network.run(MINUTE);
    expect(results.map((r) => typeof r)).to.deep.equal(["object"]);
    expect(all.a.state).to.equal("closed");
    for (const { endpoint } of [all.pair.a, all.pair.b]) expect(endpoint.core.children()).to.have.length(2);
  });

  it("gets an end if the IKE SA goes meanwhile", () => {
    const all = up("closed");
    busy(all);
    const results = begin(all, "create");
    all.pair.network.run(100);
    all.pair.a.endpoint.core.closeIke(all.a, "tested");
    all.pair.network.run(MINUTE);
    expect(results.map((r) => typeof r)).to.deep.equal(["string"]);
  });
});

describe("a Child SA that the peer does not know", () => {
  it("is dropped without a Delete and made anew", () => {
    const all = up("unknown");
    const [twin] = all.b.children;
    if (twin) all.pair.b.endpoint.core.closeChild(twin, "tested");
    const results = begin(all, "rekey");
    all.pair.network.run(MINUTE);
    expect(results).to.deep.equal(all.a.children);
    expect(all.child.state).to.equal("closed");
    expect(all.a.children[0]?.replaces).to.equal(undefined);
    expect(disagreements(all.pair.a.endpoint, all.pair.b.endpoint)).to.deep.equal([]);
  });
});

describe("the predecessors of an SA", () => {
  it("are forgotten but for the last ones, however often it is rekeyed", () => {
    const all = up("chain");
    let sa = all.a;
    for (let i = 0; i < 6; i++) {
      const [child] = sa.children;
      if (child) all.pair.a.endpoint.rekeyChild(child);
      all.pair.a.endpoint.rekeyIke(sa, {}, (made) => {
        if (typeof made !== "string") sa = made;
      });
      all.pair.a.settle();
      all.pair.network.run(5000);
    }
    const [child] = sa.children;
    expect([steps(sa), steps(child)].every((n) => n > 0 && n <= 3)).to.equal(true);
    expect([...all.pair.b.endpoint.core.sas.values()].every((s) => steps(s) <= 3)).to.equal(true);
  });
});
