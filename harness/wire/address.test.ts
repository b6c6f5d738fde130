import { isIPv6 } from "node:net";
import { expect } from "chai";
import fc from "fast-check";
import { formatAddress, formatRange, parseAddress, parsePrefix } from "./address.ts";
import { fromHex } from "./bytes.ts";

describe("addresses", () => {
  it("are read", () => {
    expect(parseAddress("192.0.2.1")).to.deep.equal(fromHex("c0000201"));
    expect(parseAddress("2001:db8::1")).to.deep.equal(fromHex("20010db8 00000000 00000000 00000001"));
    expect(parseAddress("::")).to.deep.equal(new Uint8Array(16));
    expect(parseAddress("::ffff:192.0.2.1")).to.deep.equal(fromHex("00000000 00000000 0000ffff c0000201"));
    expect(parseAddress("1:2:3:4:5:6:7:8")).to.deep.equal(fromHex("0001 0002 0003 0004 0005 0006 0007 0008"));
  });

  it("are refused where they are none", () => {
    for (const text of [
      "",
      "192.0.2",
      "192.0.2.256",
      "2001:db8::1%eth0",
      "2001:db8",
      "::1::",
      "example.org",
    ]) {
      expect(parseAddress(text), text).to.equal(undefined);
    }
  });

  it("are written in the shortest form", () => {
    expect(formatAddress(fromHex("c0000201"))).to.equal("192.0.2.1");
    expect(formatAddress(new Uint8Array(16))).to.equal("::");
    expect(formatAddress(fromHex("20010db8 00000001 00000000 00000001"))).to.equal("2001:db8:0:1::1");
    expect(formatAddress(fromHex("0001 0000 0003 0004 0005 0006 0007 0008"))).to.equal("1:0:3:4:5:6:7:8");
    expect(formatAddress(fromHex("0102"))).to.equal("0x0102");
  });

  it("come back from their text", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 0, 1, 255), { minLength: 16, maxLength: 16 }), (octets) => {
        const bytes = Uint8Array.from(octets);
        const text = formatAddress(bytes);
        expect(isIPv6(text)).to.equal(true);
        expect(parseAddress(text)).to.deep.equal(bytes);
      }),
    );
  });
});

describe("prefixes", () => {
  it("give first and last address", () => {
    expect(parsePrefix("203.0.113.5/28")).to.deep.equal({
      start: fromHex("cb007100"),
      end: fromHex("cb00710f"),
    });
    expect(parsePrefix("0.0.0.0/0")).to.deep.equal({ start: fromHex("00000000"), end: fromHex("ffffffff") });
    expect(parsePrefix("192.0.2.7")).to.deep.equal({ start: fromHex("c0000207"), end: fromHex("c0000207") });
    expect(parsePrefix("2001:db8::/63")?.end).to.deep.equal(fromHex("20010db8 00000001 ffffffff ffffffff"));
    for (const text of [
      "192.0.2.0/33",
      "192.0.2.0/",
      "192.0.2.0/-1",
      "192.0.2.0/8/8",
      "/8",
      "2001:db8::/129",
    ]) {
      expect(parsePrefix(text), text).to.equal(undefined);
    }
  });

  it("are found again in a range", () => {
    for (const text of ["203.0.113.0/28", "0.0.0.0/0", "192.0.2.1/32", "2001:db8::/32"]) {
      expect(formatRange(parsePrefix(text)!)).to.equal(text);
    }
    expect(formatRange({ start: fromHex("c0000201"), end: fromHex("c0000204") })).to.equal(
      "192.0.2.1-192.0.2.4",
    );
    expect(formatRange({ start: fromHex("c0000201"), end: fromHex("aa") })).to.equal("192.0.2.1-0xaa");
  });
});
