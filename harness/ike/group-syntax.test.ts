import { expect } from "chai";
import { GSA_POLICIES, KEY_BAGS } from "../wire/group-vectors.ts";
import { concat, decodeChain, fromHex, type Payload } from "../wire/index.ts";
import { malformedGroup } from "./group-syntax.ts";

const chain = (type: number, ...parts: string[]): Payload[] => {
  const body = concat(...parts.map(fromHex));
  return decodeChain(type, concat(Uint8Array.of(0, 0, (body.length + 4) >> 8, body.length + 4), body))
    .payloads;
};
const { rekey, esp, groupWide } = GSA_POLICIES;
const judged = (type: number, ...parts: string[]) => malformedGroup(chain(type, ...parts));

describe("malformed group payloads", () => {
  it("finds nothing wrong with ordinary ones", () => {
    expect(judged(51, rekey, esp, groupWide)).to.equal(undefined);
    expect(judged(51, esp)).to.equal(undefined);
    expect(judged(52, ...Object.values(KEY_BAGS))).to.equal(undefined);
  });

  it("counts what may stand there once", () => {
    expect(judged(51, rekey, rekey)).to.equal("payload 51: several Rekey SAs");
    expect(judged(51, esp, groupWide, groupWide)).to.equal("payload 51: several group-wide policies");
    expect(judged(51, groupWide)).to.equal("payload 51: no policy of an SA");
    expect(judged(52, KEY_BAGS.member, KEY_BAGS.member)).to.equal("payload 52: several AUTH_KEY");
    expect(malformedGroup([...chain(51, esp), ...chain(51, esp)])).to.equal("2 payloads 51");
  });

  it("knows protocols and the sizes of their SPIs", () => {
    expect(judged(51, esp.replace("0304", "0604"))).to.equal("payload 51: protocol or SPI size");
    expect(judged(51, esp.replace("0304", "0504"))).to.equal("payload 51: protocol or SPI size");
    expect(judged(52, "0300000400000004")).to.equal("payload 52: protocol or SPI size");
  });

  it("looks at selectors, transforms, attributes and what is left over", () => {
    expect(judged(51, esp.replace("07000010", "09000010"))).to.equal("payload 51: traffic selector");
    expect(judged(51, esp.replace("0300000c", "0700000c"))).to.equal("payload 51: transforms");
    expect(judged(51, esp, "00000008 00010000")).to.equal("payload 51: attribute 1");
    expect(judged(51, esp.replace("0001000400000e10", "800100048007000e"))).to.equal(
      "payload 51: attribute 1",
    );
    expect(judged(51, esp, "000000")).to.equal("payload 51: trailing octets");
    expect(judged(52, "03040010c00000010001000401020304")).to.equal("payload 52: attribute 1");
    expect(judged(52, "0000000800030000")).to.equal("payload 52: attribute 3");
    expect(judged(52, "0000000d000300050000000001")).to.equal(undefined);
    expect(judged(52, "00000003")).to.equal("payload 52: body");
  });
});
