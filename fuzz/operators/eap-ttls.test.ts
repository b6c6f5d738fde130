import { expect } from "chai";
import type { PeerConfig } from "../../peers/contract.ts";
import { eapSimOperators } from "./eap-sim.ts";
import { eapTlsOperators } from "./eap-tls.ts";
import { eapTtlsOperators } from "./eap-ttls.ts";
import { life, livePair } from "./live.ts";
import type { Draft, IkeOperator } from "./operator.ts";
import { contextOf, diceOf } from "./testing.ts";

const login = (type: "ttls" | "sim" | "aka"): Partial<PeerConfig> => ({
  auth: { method: "signature", key: "ecdsa256" },
  testerAuth: { method: "eap", type },
});

/** Names of those of these operators that draw something for a message of such a login. */
async function drawn(type: "ttls" | "sim" | "aka", operators: readonly IkeOperator[]): Promise<Set<string>> {
  const names = new Set<string>();
  const pair = await livePair({
    config: login(type),
    message(message) {
      for (const operator of operators)
        if (operator.draw(message, diceOf(operator.name))) names.add(operator.name);
    },
  });
  expect(await life(pair)).to.equal(undefined);
  return names;
}

/** How a login by TTLS ends of which one end lies from its first message on. */
async function lied(operator: IkeOperator, change: Draft, liar: "a" | "b"): Promise<string | undefined> {
  let told = false;
  const pair = await livePair({
    config: login("ttls"),
    message(message, core, end) {
      if (told || end !== liar || !operator.draw(message, diceOf("lie"))) return;
      told = operator.apply(message, change, contextOf(core));
    },
  });
  const end = await life(pair);
  expect(told).to.equal(true);
  return end;
}

describe("operators on messages inside of EAP", () => {
  it("find something to lie about in TTLS, SIM and AKA", async () => {
    const names = (operators: readonly IkeOperator[]) => new Set(operators.map(({ name }) => name));
    const ttls = [...eapTtlsOperators, ...eapTlsOperators];
    expect(await drawn("ttls", ttls)).to.deep.equal(names(ttls));
    for (const type of ["sim", "aka"] as const)
      expect(await drawn(type, eapSimOperators)).to.deep.equal(names(eapSimOperators));
  });

  it("change AVPs before TLS encrypts them, at either end", async () => {
    for (const operator of eapTtlsOperators) {
      const draft =
        operator.name === "eap-ttls-avp-flags" ? { value: 0xff } : { value: 1, octets: "05000102" };
      for (const liar of ["a", "b"] as const)
        expect(await lied(operator, { ...draft, at: "first" }, liar), `${operator.name} of ${liar}`).to.match(
          /EAP/,
        );
    }
  });

  it("leave other AVPs alone", async () => {
    const [operator] = eapTtlsOperators;
    expect(await lied(operator!, { value: 7, at: "second" }, "a")).to.match(/EAP/);
    expect(await lied(operator!, { value: 79, at: "first" }, "a")).to.equal(undefined);
  });
});
