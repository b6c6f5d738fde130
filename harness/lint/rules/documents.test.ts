import { expect } from "chai";
import { Linter } from "../linter.ts";
import type { Rule } from "../rule.ts";
import type { Seen } from "../seen.ts";
import { documents } from "./documents.ts";
import type { Planted } from "./planted/by-hand.ts";
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

  it("have a planted breach for each of their requirements", () => {
    const planted = new Set(PLANTED.map(([name, requirement]) => `${requirement} ${name}`));
    const bare = documents.flatMap(({ name, requirements }) =>
      requirements.map((id) => `${id} ${name}`).filter((one) => !planted.has(one)),
    );
    expect(bare).to.deep.equal([]);
  });
});
