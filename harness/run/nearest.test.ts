import { expect } from "chai";
import { nearest } from "./nearest.ts";

describe("nearest", () => {
  it("finds a slip of the finger", () => {
    expect(nearest("stongswan", ["libreswan", "strongswan", "builtin"])).to.equal("strongswan");
    expect(nearest("LIBRESWNA", ["libreswan", "strongswan"])).to.equal("libreswan");
  });

  it("prefers a common beginning", () => {
    expect(nearest("6", ["5.9", "6.1"])).to.equal("6.1");
    expect(nearest("strong", ["string", "strongswan"])).to.equal("strongswan");
  });

  it("has no answer without candidates", () => {
    expect(nearest("x", [])).to.equal(undefined);
  });
});
