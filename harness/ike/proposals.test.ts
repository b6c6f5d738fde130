import { expect } from "chai";
import { espProposals, ikeProposals } from "../script/policy.ts";
import type { Proposal, Transform } from "../wire/types.ts";
import type { Decisions } from "./hooks.ts";
import { choose, isChoiceOf } from "./proposals.ts";

const ordinary = <P extends keyof Decisions>(_point: P, answer: Decisions[P]): Decisions[P] => answer;

describe("choosing a proposal", () => {
  const cases: [string, Proposal[], number][] = [
    ["a Child SA", espProposals("aes256gcm16"), 4],
    ["a rekeyed IKE SA", ikeProposals("aes256gcm16-prfsha256-x25519"), 8],
  ];
  for (const [what, policy, octets] of cases) {
    const under = (spi: Uint8Array) => policy.map((p) => ({ ...p, spi }));
    const [good, zero] = [under(new Uint8Array(octets).fill(7)), under(new Uint8Array(octets))];

    it(`takes no SPI of zero for ${what}`, () => {
      expect(choose(good, policy, octets, ordinary)?.number).to.equal(1);
      expect(choose(zero, policy, octets, ordinary)).to.equal(undefined);
    });

    it(`lets the peer choose none of zero for ${what}`, () => {
      expect(isChoiceOf(good, good, octets)).to.equal(true);
      expect(isChoiceOf(zero, good, octets)).to.equal(false);
    });
  }
});

describe("choosing Sequence Numbers", () => {
  const policy = espProposals("aes256gcm16-esn-noesn").map((p) => ({ ...p, spi: new Uint8Array(4).fill(7) }));
  const [base] = policy;
  if (!base) throw new Error("no proposal");
  const sn = (id: number, attributes: Transform["attributes"] = []): Transform => ({
    type: 5,
    id,
    attributes,
  });
  const offering = (...numbers: Transform[]): Proposal[] => [
    { ...base, transforms: [...numbers, ...base.transforms.filter(({ type }) => type !== 5)] },
  ];
  const chosen = (...numbers: Transform[]) => {
    const result = choose(offering(...numbers), policy, 4, ordinary);
    return result?.transforms.filter(({ type }) => type === 5).map(({ id }) => id);
  };

  it("passes over ids that unicast ESP has no use for", () => {
    for (const odd of [2, 7, 1024, 1025]) {
      expect(chosen(sn(odd))).to.equal(undefined);
      expect(chosen(sn(odd), sn(0))).to.deep.equal([0]);
      expect(chosen(sn(1), sn(odd))).to.deep.equal([1]);
    }
  });

  it("takes one of several, first in our order", () => {
    expect(chosen(sn(0), sn(1))).to.deep.equal([1]);
    expect(chosen(sn(0), sn(0))).to.deep.equal([0]);
  });

  it("passes over transforms with attributes, and refuses an offer without any", () => {
    for (const type of [14, 17]) {
      expect(chosen(sn(0, [{ type, value: 128 }]))).to.equal(undefined);
      expect(chosen(sn(1, [{ type, value: 128 }]), sn(0))).to.deep.equal([0]);
    }
    expect(chosen()).to.equal(undefined);
  });

  it("has no place in a proposal for IKE", () => {
    const ike = ikeProposals("aes256gcm16-prfsha256-x25519");
    const odd = ike.map((p) => ({ ...p, transforms: [...p.transforms, sn(0)] }));
    expect(choose(ike, ike, 0, ordinary)).to.not.equal(undefined);
    expect(choose(odd, ike, 0, ordinary)).to.equal(undefined);
  });

  it("is no choice where it is none of the offer, or two of it", () => {
    const offer = offering(sn(0), sn(1));
    expect(isChoiceOf(offering(sn(1)), offer, 4)).to.equal(true);
    expect(isChoiceOf(offering(sn(2)), offer, 4)).to.equal(false);
    expect(isChoiceOf(offering(sn(0), sn(1)), offer, 4)).to.equal(false);
    expect(isChoiceOf(offering(), offer, 4)).to.equal(false);
  });
});
