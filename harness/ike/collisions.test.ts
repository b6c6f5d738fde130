import { expect } from "chai";
import { disagreements } from "../run/agreement.ts";
import { makePair, type Pair, type PairOptions } from "../run/pair.ts";
import { hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { ChildSa } from "./child.ts";
import { awaitCrossing, type Crossing, lowestNonce, oursIsRedundant, settle } from "./collisions.ts";
import type { Endpoint } from "./endpoint.ts";
import { notifies } from "./payloads.ts";
import type { IkeSa } from "./sa.ts";

interface Up {
  pair: Pair;
  /** The same IKE SA as both ends hold it. */
  a: IkeSa;
  b: IkeSa;
  /** Error notifies and TEMPORARY_FAILURE that were sent, by end. */
  refusals: { a: number[]; b: number[] };
}

/** A pair that is up, on a network of 10 ms one way: commands of the same moment cross. */
function up(seed: string, policies: PairOptions["policies"] = {}): Up {
  const refusals = { a: [] as number[], b: [] as number[] };
  const config = { ikeProposals: ["aes256gcm16-prfsha256-x25519"], espProposals: ["aes256gcm16"] };
  const pair = makePair({
    ...{ seed, config, policies, impairment: { delayMs: 10 } },
    event: (end, event) => {
      if (event.type !== "sent") return;
      for (const type of [NOTIFY.TEMPORARY_FAILURE, NOTIFY.CHILD_SA_NOT_FOUND])
        if (notifies(event.message.payloads, type).length > 0) refusals[end].push(type);
    },
  });
  const a = pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b);
  pair.a.settle();
  pair.network.run(100);
  const [b] = pair.b.endpoint.core.sas.values();
  if (!b || a.state !== "established") throw new Error("the pair did not come up");
  return { pair, a, b, refusals };
}

/** Both ends do something in the same moment; then time passes. */
function cross({ pair }: Up, byA: () => void, byB: () => void): void {
  byA();
  byB();
  pair.a.settle();
  pair.b.settle();
  pair.network.run(120_000);
  expect(disagreements(pair.a.endpoint, pair.b.endpoint)).to.deep.equal([]);
}

const counts = ({ pair }: Up): number[] =>
  [pair.a, pair.b].flatMap(({ endpoint: { core } }) => [core.sas.size, core.children().length]);

type Verb = (endpoint: Endpoint, sa: IkeSa, done: () => void) => void;

/** A verb on the one Child SA of an IKE SA. */
const onChild =
  (act: (endpoint: Endpoint, child: ChildSa, done: () => void) => void): Verb =>
  (endpoint, { children: [child] }, done) => {
    if (!child) throw new Error("no Child SA");
    act(endpoint, child, done);
  };

const VERBS: Record<string, Verb> = {
  "create a Child SA": (endpoint, sa, done) => endpoint.createChild(sa, {}, done),
  "rekey the Child SA": onChild((endpoint, child, done) => endpoint.rekeyChild(child, {}, done)),
  "delete the Child SA": onChild((endpoint, child, done) => endpoint.deleteChild(child, done)),
  "rekey the IKE SA": (endpoint, sa, done) => endpoint.rekeyIke(sa, {}, done),
  "delete the IKE SA": (endpoint, sa, done) => endpoint.deleteIke(sa, done),
};

describe("crossing requests", () => {
  it("know the lower nonce: octet by octet, a prefix being lower", () => {
    const [low, high] = [Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0)];
    expect(lowestNonce(high, low)).to.equal(low);
    expect(oursIsRedundant(low, high, { lowest: Uint8Array.of(1, 3) })).to.equal(true);
    expect(oursIsRedundant(high, Uint8Array.of(9), { lowest: low })).to.equal(false);
  });

  for (const seed of ["1", "2", "3", "4"]) {
    it(`leave one IKE SA when both ends rekey it, and the Child SA moves there (seed ${seed})`, () => {
      const all = up(seed);
      const spi = hex(all.a.children[0]?.spiIn ?? new Uint8Array());
      const made: (IkeSa | string)[] = [];
      cross(
        all,
        () => all.pair.a.endpoint.rekeyIke(all.a, {}, (sa) => made.push(sa)),
        () => all.pair.b.endpoint.rekeyIke(all.b, {}, (sa) => made.push(sa)),
      );
      expect(counts(all)).to.deep.equal([1, 1, 1, 1]);
      const [left] = all.pair.a.endpoint.core.sas.values();
      expect(left).not.to.equal(all.a);
      expect(hex(left?.children[0]?.spiIn ?? new Uint8Array())).to.equal(spi);
      // Both commands end with the SA that stays.
      expect(new Set(made.map((sa) => (typeof sa === "string" ? sa : hex(sa.spiR)))).size).to.equal(1);
    });

    it(`leave one Child SA when both ends rekey it (seed ${seed})`, () => {
      const all = up(seed);
      const [x, y] = [all.a.children[0], all.b.children[0]];
      if (!x || !y) throw new Error("no Child SA");
      cross(
        all,
        () => all.pair.a.endpoint.rekeyChild(x),
        () => all.pair.b.endpoint.rekeyChild(y),
      );
      expect(counts(all)).to.deep.equal([1, 1, 1, 1]);
      expect(all.a.children[0]).not.to.equal(x);
      expect(all.refusals).to.deep.equal({ a: [], b: [] });
    });
  }

  for (const [byA, first] of Object.entries(VERBS)) {
    for (const [byB, second] of Object.entries(VERBS)) {
      it(`end in SAs on which both agree: ${byA}, and ${byB} at the other end`, () => {
        const all = up(`${byA} and ${byB}`);
        let ended = 0;
        const done = () => {
          ended++;
        };
        cross(
          all,
          () => first(all.pair.a.endpoint, all.a, done),
          () => second(all.pair.b.endpoint, all.b, done),
        );
        expect(ended).to.equal(2);
        const endpoints = [all.pair.a.endpoint, all.pair.b.endpoint];
        const left = endpoints.flatMap(({ core }) => [...core.sas.values(), ...core.children()]);
        expect(
          left.map((sa) => sa.state).filter((s) => s !== "established" && s !== "installed"),
        ).to.deep.equal([]);
        const gone = byA === "delete the IKE SA" || byB === "delete the IKE SA";
        expect(endpoints.map(({ core }) => core.sas.size)).to.deep.equal(gone ? [0, 0] : [1, 1]);
      });
    }
  }

  it("refuse a new Child SA while rekeying the IKE SA, and the other way round", () => {
    const all = up("5", { b: { retry: { tries: 0, waitMs: 0 } } });
    const outcome: unknown[] = [];
    cross(
      all,
      () => all.pair.a.endpoint.rekeyIke(all.a, {}, (sa) => outcome.push(typeof sa)),
      () => all.pair.b.endpoint.createChild(all.b, {}, (child) => outcome.push(typeof child)),
    );
    expect(outcome).to.deep.equal(["string", "string"]);
    const { TEMPORARY_FAILURE } = NOTIFY;
    expect(all.refusals).to.deep.equal({ a: [TEMPORARY_FAILURE], b: [TEMPORARY_FAILURE] });
    expect(counts(all)).to.deep.equal([1, 1, 1, 1]);
  });

  it("refuse to rekey a Child SA that is being closed", () => {
    const all = up("6");
    const [x, y] = [all.a.children[0], all.b.children[0]];
    if (!x || !y) throw new Error("no Child SA");
    cross(
      all,
      () => all.pair.a.endpoint.deleteChild(x),
      () => all.pair.b.endpoint.rekeyChild(y),
    );
    expect(all.refusals).to.deep.equal({ a: [NOTIFY.TEMPORARY_FAILURE], b: [] });
    expect(counts(all)).to.deep.equal([1, 0, 1, 0]);
  });

  it("close what both ends close", () => {
    const all = up("7");
    cross(
      all,
      () => all.pair.a.endpoint.deleteIke(all.a),
      () => all.pair.b.endpoint.deleteIke(all.b),
    );
    expect(counts(all)).to.deep.equal([0, 0, 0, 0]);
  });

  it("move commands that wait for the window to the new IKE SA", () => {
    const all = up("8");
    const children: unknown[] = [];
    cross(
      all,
      () => {
        all.pair.a.endpoint.rekeyIke(all.a);
        all.pair.a.endpoint.createChild(all.a, {}, (child) => children.push(typeof child));
      },
      () => {},
    );
    expect(children).to.deep.equal(["object"]);
    expect(counts(all)).to.deep.equal([1, 2, 1, 2]);
  });

  it("repeat a Delete of a Child SA under the new IKE SA, if the peer has not seen it under the old one", () => {
    const all = up("10");
    const { a, b } = all.pair;
    const { options } = b.endpoint.core;
    const { send } = options;
    options.send = () => {};
    const [child] = all.b.children;
    const ended: string[] = [];
    if (child) b.endpoint.deleteChild(child, () => ended.push("delete"));
    b.settle();
    options.send = send;
    cross(
      all,
      () => a.endpoint.rekeyIke(all.a),
      () => {},
    );
    expect(ended).to.deep.equal(["delete"]);
    expect(counts(all)).to.deep.equal([1, 0, 1, 0]);
  });

  it("end every command of an SA that closes", () => {
    const all = up("9");
    const ended: string[] = [];
    const { endpoint } = all.pair.a;
    endpoint.createChild(all.a, {}, () => ended.push("create"));
    endpoint.liveness(all.a, () => ended.push("liveness"));
    endpoint.request(all.a, EXCHANGE.INFORMATIONAL, [], () => ended.push("request"));
    endpoint.core.closeIke(all.a, "tested");
    expect(ended).to.deep.equal(["create", "liveness", "request"]);
  });

  it("tell each of those who wait for the other end, before or behind its end, once", () => {
    for (const made of ["made", undefined]) {
      const crossing: Crossing<string> = { lowest: new Uint8Array(16) };
      const told: string[] = [];
      awaitCrossing(crossing, (what) => told.push(`first: ${what}`));
      awaitCrossing(crossing, (what) => told.push(`second: ${what}`));
      expect(told).to.deep.equal([]);
      settle(crossing, made);
      awaitCrossing(crossing, (what) => told.push(`late: ${what}`));
      const what = made ?? "the peer did not finish its rekeying, which crossed ours";
      expect(told).to.deep.equal([`first: ${what}`, `second: ${what}`, `late: ${what}`]);
    }
  });
});
