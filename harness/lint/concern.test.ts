import { expect } from "chai";
import { Linter } from "./linter.ts";
import { RuleSet } from "./rule-set.ts";
import { RULES } from "./rules/index.ts";
import { plantedInEsp } from "./rules/planted/esp.ts";
import { plantedInExtensions } from "./rules/planted/extensions.ts";
import { plantedInGroups } from "./rules/planted/groups.ts";
import { plantedInKeyExchanges } from "./rules/planted/key-exchanges.ts";
import { PLANTED } from "./rules/planted/rfc7296/index.ts";
import { seenOf } from "./rules/planted/rfc7296/said.ts";
import type { Seen } from "./seen.ts";

/** The same rules, asked about everything. */
const ASKED = new RuleSet(RULES.map((rule) => ({ ...rule, concerns: undefined })));

/** Conversations with breaches of all rules. */
function* conversations(): Generator<readonly Seen[]> {
  for (const { of, change } of PLANTED) {
    const said = of();
    change(said);
    yield seenOf(said);
  }
  const byHand = [...plantedInEsp, ...plantedInExtensions, ...plantedInKeyExchanges, ...plantedInGroups];
  for (const [, , lying, honest] of byHand) {
    yield lying;
    yield honest;
  }
}

describe("what rules concern", () => {
  const talks = [...conversations()];

  it("leaves no breach out that they would find when asked about everything", () => {
    let found = 0;
    for (const seen of talks) {
      const [linter, asked] = [new Linter(), new Linter({ rules: ASKED })];
      const findings = seen.flatMap((each) => linter.see(each));
      found += findings.length;
      expect(JSON.stringify(findings)).to.equal(JSON.stringify(seen.flatMap((each) => asked.see(each))));
    }
    expect(found).to.be.greaterThan(RULES.length);
  });

  it("is of no account for who is judged: what others say is remembered all the same", () => {
    for (const seen of talks) {
      const all = new Linter();
      const one = new Linter({ side: ({ packets }) => packets.at(-1) === seen.length });
      const last = seen.flatMap((each) => all.see(each)).filter(({ packet }) => packet === seen.length);
      expect(JSON.stringify(seen.flatMap((each) => one.see(each)))).to.equal(JSON.stringify(last));
    }
  });
});
