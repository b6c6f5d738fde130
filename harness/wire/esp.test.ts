import { expect } from "chai";
import fc from "fast-check";
import { fromHex, hex } from "./bytes.ts";
import { defaultPadding, isEspError, joinEsp, joinEspPlaintext, splitEsp, splitEspPlaintext } from "./esp.ts";

describe("ESP", () => {
  it("splits and joins a packet", () => {
    const bytes = fromHex("c0ffee01 80000001 10111213");
    const packet = splitEsp(bytes);
    if (isEspError(packet)) throw new Error(packet.error);
    expect(packet).to.deep.equal({ spi: 0xc0ffee01, sequence: 0x80000001, rest: fromHex("10111213") });
    expect(joinEsp(packet)).to.deep.equal(bytes);
  });

  it("refuses a packet without a whole header", () => {
    expect(isEspError(splitEsp(new Uint8Array(7)))).to.equal(true);
  });

  it("reads the trailer", () => {
    expect(splitEspPlaintext(fromHex("aabb 010203 03 04"))).to.deep.equal({
      payload: fromHex("aabb"),
      padding: fromHex("010203"),
      padLength: 3,
      nextHeader: 4,
    });
    expect(defaultPadding(3)).to.deep.equal(fromHex("010203"));
    expect(defaultPadding(-1)).to.have.length(0);
  });

  it("says why a trailer cannot be read", () => {
    const short = splitEspPlaintext(fromHex("04"));
    expect(isEspError(short) && short.error).to.equal("ESP trailer: 1 octets, 2 are needed");
    const lie = splitEspPlaintext(fromHex("0102 03 04"));
    expect(isEspError(lie) && lie.findings).to.deep.equal([
      { offset: 2, field: "ESP trailer > Pad Length", reason: "3, only 2 octets stand before it" },
    ]);
  });

  it("loses nothing of any plaintext", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const parts = splitEspPlaintext(bytes);
        if (!isEspError(parts)) expect(hex(joinEspPlaintext(parts))).to.equal(hex(bytes));
      }),
    );
  });
});
