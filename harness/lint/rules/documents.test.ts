import { expect } from "chai";
import fc from "fast-check";
import { decodeChain } from "../../wire/chain.ts";
import { Linter } from "../linter.ts";
import type { Rule } from "../rule.ts";
import type { Seen } from "../seen.ts";
import { documents } from "./documents.ts";
import { announcing, authenticating, capture, type Planted, packet } from "./planted/by-hand.ts";
import { plantedInEsp } from "./planted/esp.ts";
import { plantedInExtensions } from "./planted/extensions.ts";
import { plantedInGroups } from "./planted/groups.ts";
import { plantedInKeyExchanges } from "./planted/key-exchanges.ts";

const PLANTED: readonly Planted[] = [
  ...[...plantedInEsp, ...plantedInExtensions, ...plantedInKeyExchanges, ...plantedInGroups],
];

function found(seen: readonly Seen[], rules: readonly Rule[]): string[] {
  const linter = new Linter({ rules });
  return seen.flatMap((one) => linter.see(one)).map(({ requirement, rule }) => `${requirement} ${rule}`);
}

const named = (name: string): Rule[] => documents.filter((rule) => rule.name === name);

describe("lint rules of ESP and the extensions", () => {
  for (const [name, requirement, lying, honest] of PLANTED)
    it(`${name} sees a breach of ${requirement}, and only that`, () => {
      expect(found(lying, named(name))).to.include(`${requirement} ${name}`);
      expect(found(honest, named(name))).to.deep.equal([]);
    });

  it("get to the end of whatever is in a message or packet", () => {
    const begun = [...announcing(16430, 16431, 16438, 16435), ...authenticating()];
    const anything = fc.record({
      exchange: fc.constantFrom(34, 35, 36, 39, 40, 41, 42, 43, 44),
      first: fc.integer({ min: 33, max: 53 }),
      octets: fc.uint8Array({ maxLength: 120 }),
      isResponse: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 6 }), (messages) => {
        const saids = messages.map(({ exchange, first, octets, isResponse }, at) => ({
          ...{ exchange, id: at >> 1, payloads: decodeChain(first, octets).payloads },
          ...(isResponse && { response: true as const }),
        }));
        const packets = messages.map(({ octets, first }) =>
          packet({
            ...{ sequence: 1, opening: "opened", octets, spi: first - 30 },
            content: { nextHeader: 144, payload: octets, padding: octets },
          }),
        );
        expect(found(capture(...begun, ...saids, ...packets), documents)).to.be.an("array");
      }),
      { numRuns: 100 },
    );
  });

  it("have a planted breach for each of their requirements", () => {
    const planted = new Set(PLANTED.map(([name, requirement]) => `${requirement} ${name}`));
    const bare = documents.flatMap(({ name, requirements }) =>
      requirements.map((id) => `${id} ${name}`).filter((one) => !planted.has(one)),
    );
    expect(bare).to.deep.equal([]);
  });
});
