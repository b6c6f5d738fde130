import { expect } from "chai";
import { selector } from "../script/policy.ts";
import { narrow } from "./selectors.ts";

describe("narrowing", () => {
  it("keeps the first selector whole if it is allowed, beside the wider ones (section 2.9)", () => {
    const packet = { ...selector("203.0.113.5/32"), ipProtocol: 17, startPort: 53, endPort: 53 };
    const narrowed = narrow([packet, selector("0.0.0.0/0")], [selector("203.0.113.0/28")]);
    expect(narrowed).to.deep.equal([packet, selector("203.0.113.0/28")]);
  });

  it("gives no more selectors than one payload can count, whatever is offered", () => {
    const offered = Array.from({ length: 255 }, (_, i) => ({ ...selector("0.0.0.0/0"), ipProtocol: i }));
    const allowed = Array.from({ length: 60 }, (_, i) => selector(`198.51.100.${4 * i}/30`));
    expect(narrow(offered, allowed)).to.have.length(255);
  });
});
