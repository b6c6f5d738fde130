import { expect } from "chai";
import { fromHex, hex } from "../wire/bytes.ts";
import { cardOf, gsmTriplet, milenage, opcOf } from "./milenage.ts";

/** Test set 1 of 3GPP TS 35.207. */
const K = fromHex("465b5ce8b199b49faa5f0a2ee238a6bc");
const OPc = opcOf(K, fromHex("cdc202d5123e20f62b6d676ac72cb318"));
const RAND = fromHex("23553cbe9637a89d218ae64dae47bf35");

describe("eap: Milenage", () => {
  it("computes test set 1 of 3GPP TS 35.207", () => {
    expect(hex(OPc)).to.equal("cd63cb71954a9f4e48a5994e37a02baf");
    const vector = milenage({ K, OPc }, RAND, fromHex("ff9bb4d0b607"), fromHex("b9b9"));
    expect(
      Object.fromEntries(Object.entries(vector).map(([name, value]) => [name, hex(value)])),
    ).to.deep.equal({
      macA: "4a9ffac354dfafb3",
      macS: "01cfaf9ec4e871e9",
      RES: "a54211d5e3ba50bf",
      CK: "b40ba9a3c58b2a05bbf0d987b21bf8cb",
      IK: "f769bcd751044604127672711c6d3441",
      AK: "aa689c648370",
      AKs: "451e8beca43b",
    });
  });

  it("makes triplets of GSM from it", () => {
    const { SRES, Kc } = gsmTriplet({ K, OPc }, RAND);
    expect([hex(SRES), hex(Kc)]).to.deep.equal(["46f8416a", "eae4be823af9a08b"]);
  });

  it("has another card for another password", () => {
    const [one, other] = [cardOf("one"), cardOf("other")];
    expect(new Set([one.K, one.OPc, other.K, other.OPc].map(hex)).size).to.equal(4);
    expect(cardOf("one")).to.deep.equal(one);
  });
});
