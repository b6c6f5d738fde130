import { expect } from "chai";
import type { PeerConfig } from "../../../peers/contract.ts";
import { makePair, type Pair } from "../../run/pair.ts";
import { selector } from "../../script/policy.ts";
import { formatAddress } from "../../wire/address.ts";
import { EMPTY } from "../../wire/bytes.ts";
import { CFG_ATTRIBUTE } from "../../wire/registry/cfg-attributes.ts";
import { CFG } from "../../wire/registry/cfg-types.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import type { Payload, TrafficSelector } from "../../wire/types.ts";
import type { Core } from "../core.ts";
import { payload } from "../payloads.ts";
import { IkeSa } from "../sa.ts";
import {
  answerConfiguration,
  type ConfigurationAnswer,
  cpPayload,
  requestConfiguration,
  takeConfiguration,
} from "./configuration.ts";

const pairWith = (config: Partial<PeerConfig>): Pair => makePair({ seed: "configuration", config });

/** An IKE SA of its own at the responder, as IKE_AUTH finds it. */
function responderSa({ b, addresses }: Pair): IkeSa {
  const { core } = b.endpoint;
  const sa = new IkeSa("responder", core.random(8), addresses.b, addresses.a);
  sa.spiR = core.freshSpi(8);
  core.add(sa);
  return sa;
}

const initiatorSa = ({ a, addresses }: Pair): IkeSa =>
  new IkeSa("initiator", a.endpoint.core.freshSpi(8), addresses.a, addresses.b);

const text = (selectors: TrafficSelector[] | undefined): string =>
  (selectors ?? []).map((ts) => `${formatAddress(ts.startAddress)}-${formatAddress(ts.endAddress)}`).join();

const request = (...attributes: [number, Uint8Array?][]): Payload[] => [
  cpPayload(
    CFG.REQUEST,
    attributes.map(([type, data]) => ({ type, data: data ?? EMPTY })),
  ),
];

const answer = (pair: Pair, asked: Payload[]): ConfigurationAnswer =>
  answerConfiguration(pair.b.endpoint.core, responderSa(pair), asked);

const { INTERNAL_IP4_ADDRESS, INTERNAL_IP6_ADDRESS, APPLICATION_VERSION } = CFG_ATTRIBUTE;

describe("configuration in the first Child SA's exchange", () => {
  for (const [family, pool, address] of [
    ["ipv4", "203.0.113.64/28", "203.0.113.65"],
    ["ipv6", "2001:db8:7::8/125", "2001:db8:7::8"],
    ["ipv4", "203.0.113.99/32", "203.0.113.99"],
  ] as const) {
    it(`asks for, leases and takes an address of ${pool}`, () => {
      const pair = pairWith({ addressPools: [pool] });
      const { core } = pair.a.endpoint;
      expect(core.policy.requestAddresses).to.deep.equal([family]);
      const sa = initiatorSa(pair);
      const { payloads, assigned, error } = answer(pair, requestConfiguration(core));
      expect(error).to.equal(undefined);
      expect(text(assigned)).to.equal(`${address}-${address}`);
      expect(takeConfiguration(core, sa, payloads)).to.deep.equal({ assigned });
      expect(sa.ownAddresses).to.deep.equal(assigned);
    });
  }

  it("leases each SA another address until none is left, then says INTERNAL_ADDRESS_FAILURE", () => {
    const pair = pairWith({ addressPools: ["203.0.113.64/30"] });
    const ask = request([INTERNAL_IP4_ADDRESS]);
    const given = [1, 2, 3].map(() => text(answer(pair, ask).assigned).split("-")[0]);
    expect(given).to.deep.equal(["203.0.113.65", "203.0.113.66", "203.0.113.67"]);
    expect(answer(pair, ask)).to.have.nested.property("error.notifyType", NOTIFY.INTERNAL_ADDRESS_FAILURE);
    const { core } = pair.b.endpoint;
    const [first] = core.sas.values();
    if (first) core.closeIke(first, "tested");
    expect(text(answer(pair, ask).assigned)).to.match(/^203\.0\.113\.65-/);
  });

  it("gives a suggested address if it is free, and never one outside of the pool", () => {
    const pair = pairWith({ addressPools: ["203.0.113.64/28"] });
    const suggest = (last: number) =>
      text(answer(pair, request([INTERNAL_IP4_ADDRESS, Uint8Array.of(203, 0, 113, last)])).assigned);
    expect(suggest(70)).to.match(/^203\.0\.113\.70-/);
    expect(suggest(70)).to.match(/^203\.0\.113\.65-/);
    expect(suggest(200)).to.match(/^203\.0\.113\.66-/);
  });

  it("leaves out what it does not know or cannot give", () => {
    const pair = pairWith({ addressPools: ["203.0.113.64/28"] });
    const asked = request(
      [5],
      [INTERNAL_IP6_ADDRESS],
      [APPLICATION_VERSION],
      [16383],
      [INTERNAL_IP4_ADDRESS],
    );
    const reply = payload(answer(pair, asked).payloads, "CP");
    expect(reply?.attributes.map((a) => a.type)).to.deep.equal([INTERNAL_IP4_ADDRESS, APPLICATION_VERSION]);
  });

  it("demands a request where it has pools, and sends no reply without one", () => {
    const demanding = pairWith({ addressPools: ["203.0.113.64/28"] });
    for (const asked of [[], request([APPLICATION_VERSION])])
      expect(answer(demanding, asked).error?.notifyType).to.equal(NOTIFY.FAILED_CP_REQUIRED);
    expect(answer(pairWith({}), [])).to.deep.equal({ payloads: [] });
  });

  it("ignores the wish for an address where it has no pool, which the initiator takes for a failure", () => {
    const pair = pairWith({});
    expect(answer(pair, request([INTERNAL_IP4_ADDRESS]))).to.deep.equal({ payloads: [] });
    const { core } = pair.a.endpoint;
    core.policy.requestAddresses = ["ipv4"];
    expect(takeConfiguration(core, initiatorSa(pair), [])).to.have.property("failure");
  });

  it("takes nothing that was not asked for", () => {
    const pair = pairWith({});
    const reply = [
      cpPayload(CFG.REPLY, [{ type: INTERNAL_IP4_ADDRESS, data: Uint8Array.of(203, 0, 113, 9) }]),
    ];
    expect(takeConfiguration(pair.a.endpoint.core, initiatorSa(pair), reply)).to.deep.equal({});
  });

  it("has us be the pool of a peer that asks, and ask a peer that has pools", () => {
    const { a, b } = pairWith({ requestAddresses: ["ipv4"] });
    expect(a.endpoint.core.policy.addressPools).to.deep.equal([selector("203.0.113.16/28")]);
    expect(b.endpoint.core.policy.requestAddresses).to.deep.equal(["ipv4"]);
  });
});

describe("configuration in INFORMATIONAL", () => {
  const ask = (core: Core, sa: IkeSa, payloads: Payload[], pair: Pair): Payload[] | undefined => {
    let answered: Payload[] | undefined;
    pair.a.endpoint.request(sa, EXCHANGE.INFORMATIONAL, payloads, (r) => (answered = r?.payloads));
    pair.a.settle();
    pair.network.run(core.policy.retransmitMs);
    return answered;
  };

  it("answers a request for the version with an empty one, and CFG_SET with an empty CFG_ACK", () => {
    const pair = pairWith({});
    const sa = pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b);
    pair.a.settle();
    pair.network.run(1000);
    const { core } = pair.a.endpoint;
    const version = ask(core, sa, request([APPLICATION_VERSION]), pair);
    expect(version).to.deep.equal([cpPayload(CFG.REPLY, [{ type: APPLICATION_VERSION, data: EMPTY }])]);
    const set = cpPayload(CFG.SET, [{ type: INTERNAL_IP4_ADDRESS, data: Uint8Array.of(203, 0, 113, 9) }]);
    expect(ask(core, sa, [set], pair)).to.deep.equal([cpPayload(CFG.ACK, [])]);
    expect(ask(core, sa, request([INTERNAL_IP4_ADDRESS]), pair)).to.deep.equal([]);
  });
});
