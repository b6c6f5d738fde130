import { expect } from "chai";
import { espProposals, ikeProposals } from "../script/policy.ts";
import type { Proposal } from "../wire/types.ts";
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
