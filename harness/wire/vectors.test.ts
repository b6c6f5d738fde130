import { expect } from "chai";
import {
  decodeChain,
  decodeMessage,
  encodeChain,
  encodeMessage,
  fromHex,
  hex,
  isFrameError,
} from "./index.ts";
import { REAL_CHAINS, REAL_MESSAGES } from "./vectors.ts";

describe("messages of a whole worked example", () => {
  for (const [name, octets] of Object.entries(REAL_MESSAGES)) {
    it(`${name} comes back octet by octet and without a finding`, () => {
      const message = decodeMessage(fromHex(octets));
      if (isFrameError(message)) throw new Error(message.error);
      expect(message.findings).to.equal(undefined);
      expect(message.trailing).to.equal(undefined);
      expect(message.payloads.map((payload) => payload.kind)).to.not.include("raw");
      expect(hex(encodeMessage(message))).to.equal(hex(fromHex(octets)));
    });
  }

  for (const [name, { first, octets, kinds }] of Object.entries(REAL_CHAINS)) {
    it(`${name} comes back octet by octet and without a finding`, () => {
      const chain = decodeChain(first, fromHex(octets));
      expect(chain.findings).to.deep.equal([]);
      expect(chain.payloads.map((payload) => payload.kind)).to.deep.equal(kinds);
      expect(hex(encodeChain(chain.payloads, chain.trailing))).to.equal(octets.replace(/\s+/g, ""));
    });
  }
});
