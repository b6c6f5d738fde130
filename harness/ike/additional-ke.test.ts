import { expect } from "chai";
import fc from "fast-check";
import { EMPTY } from "../wire/bytes.ts";
import { parseProposal } from "../wire/registry/proposal-spec.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Proposal, Transform } from "../wire/types.ts";
import {
  additionalMethods,
  chooseAdditional,
  hasAdditional,
  isAdditional,
  repeatsMethod,
} from "./additional-ke.ts";
import type { Decisions } from "./hooks.ts";

const TYPES = Array.from({ length: 7 }, (_, i) => TRANSFORM.ADDKE1 + i);

function ike(spec: string): Proposal {
  const proposal = parseProposal(spec, PROTOCOL.IKE);
  if ("error" in proposal) throw new Error(proposal.reason);
  return proposal;
}

const ordinary = <P extends keyof Decisions>(_point: P, answer: Decisions[P]): Decisions[P] => answer;

/** Methods by type; a type that is not there is left out. */
type Offer = ReadonlyMap<number, readonly number[]>;

const proposalOf = (offer: Offer): Proposal => ({
  ...{ number: 1, protocolId: PROTOCOL.IKE, spi: EMPTY },
  transforms: [...offer].flatMap(([type, ids]) => ids.map((id): Transform => ({ type, id, attributes: [] }))),
});

/** Up to seven types with up to five methods of a few, NONE among them. */
const offers = fc
  .array(fc.option(fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 5 })), {
    maxLength: 7,
  })
  .map((all): Offer => new Map(all.flatMap((ids, i) => (ids ? [[TRANSFORM.ADDKE1 + i, ids] as const] : []))));

const idsOf = (offer: Offer, type: number): readonly number[] => offer.get(type) ?? [0];

/** Every choice that both ends allow, tried one after the other. */
function exists(offer: Offer, policy: Offer, types: readonly number[] = TYPES, used: number[] = []): boolean {
  const [type, ...rest] = types;
  if (type === undefined) return true;
  return idsOf(offer, type).some((id) => {
    const allowed = idsOf(policy, type).includes(id) && (id === 0 || !used.includes(id));
    return allowed && exists(offer, policy, rest, [...used, id]);
  });
}

const choose = (offer: Offer, policy: Offer): Transform[] | undefined =>
  chooseAdditional(proposalOf(offer), proposalOf(policy), ordinary);

describe("additional key exchanges of a proposal", () => {
  it("are those of the types 6 to 12", () => {
    const types = Array.from({ length: 16 }, (_, i) => i).filter(isAdditional);
    expect(types).to.deep.equal([6, 7, 8, 9, 10, 11, 12]);
    expect(hasAdditional(ike("aes256-sha256-x25519"))).to.equal(false);
    expect(hasAdditional(ike("aes256-sha256-x25519-ke7_none"))).to.equal(true);
  });

  it("are done in the order of their types, without those of NONE", () => {
    const chosen = ike("aes256-sha256-x25519-ke5_ecp256-ke2_mlkem768-ke1_none-ke7_ecp384");
    expect(additionalMethods({ ...chosen, transforms: chosen.transforms.reverse() })).to.deep.equal([
      36, 19, 20,
    ]);
  });

  it("repeat a method only where two types have it, NONE apart", () => {
    expect(repeatsMethod(ike("aes256-sha256-x25519-ke1_ecp256-ke2_ecp256"))).to.equal(true);
    expect(repeatsMethod(ike("aes256-sha256-x25519-ke1_none-ke2_none-ke3_ecp256"))).to.equal(false);
    expect(repeatsMethod(ike("aes256-sha256-x25519-ke1_x25519"))).to.equal(false);
  });
});

describe("the choice of additional key exchanges", () => {
  it("is found wherever there is one, and only there", () => {
    fc.assert(
      fc.property(offers, offers, (offer, policy) => {
        expect(choose(offer, policy) !== undefined).to.equal(exists(offer, policy));
      }),
      { numRuns: 400 },
    );
  });

  it("has one offered and allowed method of each type of the offer, and none twice", () => {
    fc.assert(
      fc.property(offers, offers, (offer, policy) => {
        const chosen = choose(offer, policy);
        if (!chosen) return;
        expect(chosen.map(({ type }) => type)).to.deep.equal([...offer.keys()].sort((a, b) => a - b));
        for (const { type, id } of chosen) {
          expect(offer.get(type)).to.include(id);
          expect(idsOf(policy, type)).to.include(id);
        }
        expect(repeatsMethod({ ...proposalOf(offer), transforms: chosen })).to.equal(false);
      }),
      { numRuns: 400 },
    );
  });

  it("is what our policy likes best, where nothing stands in the way", () => {
    const policy = ike("aes256-sha256-x25519-ke1_mlkem768-ke1_ecp256-ke1_none");
    const offer = ike("aes256-sha256-x25519-ke1_none-ke1_ecp256-ke1_mlkem768");
    expect(chooseAdditional(offer, policy, ordinary)?.map(({ id }) => id)).to.deep.equal([36]);
  });

  it("takes no type of which every method has attributes, not even for NONE", () => {
    const policy = ike("aes256-sha256-x25519-ke1_ecp256-ke1_none-ke2_ecp384");
    const odd: Transform = { type: TRANSFORM.ADDKE1, id: 19, attributes: [{ type: 14, value: 256 }] };
    const offer = ike("aes256-sha256-x25519-ke2_ecp384");
    offer.transforms.push(odd);
    expect(chooseAdditional(offer, policy, ordinary)).to.equal(undefined);
    offer.transforms.push({ ...odd, attributes: [] });
    expect(chooseAdditional(offer, policy, ordinary)?.map(({ id }) => id)).to.deep.equal([19, 20]);
  });

  /** Seven types that all have the same ids. */
  const same = (count: number, from = 1000): Offer =>
    new Map(TYPES.map((type) => [type, Array.from({ length: count }, (_, i) => from + i)]));

  for (const [what, offer, policy, found] of [
    ["fifty ids for each of seven types", same(50), same(50), true],
    ["six ids for seven types, which is one too few", same(6), same(6), false],
    ["fifty ids for each of seven types, of which six are ours", same(50), same(6, 1020), false],
    ["fifty ids for each of seven types, of which none is ours", same(50), same(50, 2000), false],
  ] as const)
    it(`takes no time for ${what}`, () => {
      const started = performance.now();
      for (let i = 0; i < 10; i++) expect(choose(offer, policy) !== undefined).to.equal(found);
      expect(performance.now() - started).to.be.lessThan(1000);
    });
});
