import { expect } from "chai";
import { makePair, type Pair } from "../../run/pair.ts";
import { selector } from "../../script/policy.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { Payload } from "../../wire/types.ts";
import type { ChildSa } from "../child.ts";
import type { OutgoingMessage } from "../hooks.ts";
import { hasNotify, notifies, notify, payload } from "../payloads.ts";
import type { Policy } from "../policy.ts";
import { MOST_CHILDREN } from "./create-child-sa.ts";

/** Changes the responses of `b` in one exchange. */
function answering(pair: Pair, exchangeType: number, change: (message: OutgoingMessage) => void): void {
  pair.b.options.extensions.push({
    name: "answering",
    outgoing: (message) => {
      if (message.isResponse && message.header.exchangeType === exchangeType) change(message);
    },
  });
}

function dial(pair: Pair) {
  const sa = pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b);
  pair.a.settle();
  pair.network.run(1000);
  return sa;
}

function createChild(pair: Pair): ChildSa | string | undefined {
  let made: ChildSa | string | undefined;
  const [sa] = pair.a.endpoint.core.sas.values();
  if (sa) pair.a.endpoint.createChild(sa, {}, (result) => (made = result));
  pair.a.settle();
  pair.network.run(1000);
  return made;
}

const widen = ({ payloads }: OutgoingMessage): void => {
  for (const p of payloads) if (p.kind === "TS") p.selectors = [selector("0.0.0.0/0")];
};

/** The answer of a responder that narrows so, to an initiator that asks for these selectors. */
function narrowed(narrowing: Policy["narrowing"], prefixes: string[]): Payload[] {
  const localTs = prefixes.map(selector);
  const pair = makePair({ seed: "narrowing", policies: { a: { localTs }, b: { narrowing } } });
  pair.b.endpoint.core.policy.remoteTs = [selector("203.0.113.0/30"), selector("203.0.113.8/30")];
  pair.b.endpoint.core.policy.localTs = [selector("203.0.113.17/32")];
  let answer: Payload[] = [];
  answering(pair, EXCHANGE.IKE_AUTH, ({ payloads }) => {
    answer = payloads;
  });
  dial(pair);
  return answer;
}

const tsi = (payloads: Payload[]) => payload(payloads, "TS", PAYLOAD.TSi)?.selectors;

describe("a responder that narrows (section 2.9)", () => {
  it("takes every pair, or the first of them and says ADDITIONAL_TS_POSSIBLE", () => {
    const pools = [selector("203.0.113.0/30"), selector("203.0.113.8/30")];
    const all = narrowed("all", ["203.0.113.0/28"]);
    expect(tsi(all)).to.deep.equal(pools);
    expect(hasNotify(all, NOTIFY.ADDITIONAL_TS_POSSIBLE)).to.equal(false);
    const first = narrowed("one pair of selectors", ["203.0.113.0/28"]);
    expect(tsi(first)).to.deep.equal(pools.slice(0, 1));
    expect(notifies(first, NOTIFY.ADDITIONAL_TS_POSSIBLE)).to.have.length(1);
    const only = narrowed("one pair of selectors", ["203.0.113.8/30"]);
    expect(hasNotify(only, NOTIFY.ADDITIONAL_TS_POSSIBLE)).to.equal(false);
  });

  it("takes one pair of addresses only, and demands it with SINGLE_PAIR_REQUIRED", () => {
    const refused = narrowed("one pair of addresses", ["203.0.113.0/28"]);
    expect(hasNotify(refused, NOTIFY.SINGLE_PAIR_REQUIRED)).to.equal(true);
    const taken = narrowed("one pair of addresses", ["203.0.113.1/32", "203.0.113.0/28"]);
    expect(tsi(taken)).to.deep.equal([selector("203.0.113.1/32")]);
  });
});

describe("negotiating a Child SA", () => {
  it("has the responder delete a Child SA of IKE_AUTH whose answer cannot be taken", () => {
    const pair = makePair({ seed: "disown" });
    answering(pair, EXCHANGE.IKE_AUTH, widen);
    const sa = dial(pair);
    expect(sa.state).to.equal("established");
    expect(pair.a.endpoint.core.children()).to.deep.equal([]);
    expect(pair.b.endpoint.core.children()).to.deep.equal([]);
  });

  it("has the responder delete one of CREATE_CHILD_SA, too", () => {
    const pair = makePair({ seed: "disown later" });
    dial(pair);
    answering(pair, EXCHANGE.CREATE_CHILD_SA, widen);
    expect(createChild(pair)).to.equal("TS wider than offered");
    for (const { endpoint } of [pair.a, pair.b]) expect(endpoint.core.children()).to.have.length(1);
  });

  it("takes no transport mode that was not offered (section 1.3.1)", () => {
    const pair = makePair({ seed: "transport" });
    dial(pair);
    answering(pair, EXCHANGE.CREATE_CHILD_SA, (m) => m.payloads.unshift(notify(NOTIFY.USE_TRANSPORT_MODE)));
    expect(createChild(pair)).to.equal("transport mode, which was not offered");
  });

  it("refuses more Child SAs than one IKE SA should need (section 1.3)", () => {
    const pair = makePair({ seed: "crowd" });
    dial(pair);
    const [sa] = pair.b.endpoint.core.sas.values();
    const [child] = sa?.children ?? [];
    if (!sa || !child) throw new Error("no Child SA");
    while (sa.children.length < MOST_CHILDREN) sa.children.push({ ...child });
    expect(createChild(pair)).to.equal("refused with notify 35 (NO_ADDITIONAL_SAS)");
    sa.children.splice(1);
    expect(createChild(pair)).to.be.an("object");
  });
});
