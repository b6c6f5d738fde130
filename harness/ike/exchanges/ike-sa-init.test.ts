import { expect } from "chai";
import { makePair } from "../../run/pair.ts";

describe("IKE_SA_INIT", () => {
  it("takes no responder whose SPI is zero (section 3.1)", () => {
    const pair = makePair({ seed: "zero" });
    pair.b.options.extensions.push({
      name: "zero",
      outgoing: (message) => {
        message.header = { ...message.header, spiR: new Uint8Array(8) };
      },
    });
    const sa = pair.a.endpoint.init(pair.addresses.a, pair.addresses.b);
    pair.a.settle();
    pair.network.run(100);
    expect(sa.keys).to.equal(undefined);
  });

  it("leaves nothing behind when the policy names no key exchange method", () => {
    const pair = makePair({ seed: "none", policies: { a: { ike: [] } } });
    let failure: string | undefined;
    pair.a.endpoint.init(pair.addresses.a, pair.addresses.b, (reason) => {
      failure = reason;
    });
    expect(failure).to.match(/no key exchange method/);
    expect(pair.a.endpoint.core.sas.size).to.equal(0);
  });
});
