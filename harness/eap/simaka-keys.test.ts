import { expect } from "chai";
import { fromHex, hex } from "../wire/bytes.ts";
import { isSigned, simKeys } from "./simaka-keys.ts";

const octets = (...texts: string[]) => texts.map(fromHex);

/** RFC 4186 appendix A. */
const NONCE_MT = fromHex("0123456789abcdeffedcba9876543210");
const keys = simKeys(
  "1244070100000001@eapsim.foo",
  octets("a0a1a2a3a4a5a6a7", "b0b1b2b3b4b5b6b7", "c0c1c2c3c4c5c6c7"),
  NONCE_MT,
  fromHex("0001"),
  1,
);
const SRES = fromHex("d1d2d3d4 e1e2e3e4 f1f2f3f4");
/** The response to the challenge of appendix A.6. */
const RESPONSE = fromHex("0b0000 0b050000 f56d6433e68ed2976ac11937fc3d1154");
const ENVELOPE = { code: 2, identifier: 2, type: 18 };

describe("eap: keys of SIM and AKA", () => {
  it("are those of RFC 4186 appendix A", () => {
    expect(hex(keys.K_encr)).to.equal("536e5ebc4465582aa6a8ec9986ebb620");
    expect(hex(keys.K_aut)).to.equal("25af1942efcbf4bc72b3943421f2a974");
    expect(hex(keys.MSK)).to.equal(
      "39d45aeaf4e30601983e972b6cfd46d1c363773365690d09cd44976b525f47d3" +
        "a60a985e955c53b090b2e4b73719196a402542968fd14a888f46b9a7886e4488",
    );
    expect(hex(keys.EMSK)).to.equal(
      "5949eab0fff69d52315c6c634fd14a7f0d52023d56f79698fa6596abeed4f93f" +
        "bb48eb534d985414ceed0d9a8ed33c387c9dfdab92ffbdf240fcecf65a2c93b9",
    );
  });

  it("make AT_MAC over the whole packet and what is behind it", () => {
    const cover = { key: keys.K_aut, more: SRES };
    expect(isSigned(ENVELOPE, RESPONSE, cover)).to.equal(true);
    expect(isSigned({ ...ENVELOPE, identifier: 3 }, RESPONSE, cover)).to.equal(false);
    expect(isSigned(ENVELOPE, RESPONSE, { ...cover, more: NONCE_MT })).to.equal(false);
    expect(isSigned(ENVELOPE, RESPONSE.subarray(0, 3), cover)).to.equal(false);
  });
});
