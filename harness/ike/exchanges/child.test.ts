import { expect } from "chai";
import { makePair, type Pair } from "../../run/pair.ts";
import { selector } from "../../script/policy.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import type { ChildSa } from "../child.ts";
import type { OutgoingMessage } from "../hooks.ts";
import { notify } from "../payloads.ts";
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
    expect(createChild(pair)).to.equal(`refused with notify ${NOTIFY.NO_ADDITIONAL_SAS}`);
    sa.children.splice(1);
    expect(createChild(pair)).to.be.an("object");
  });
});
