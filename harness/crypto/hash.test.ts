import { createHash, createHmac } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { hex } from "../wire/bytes.ts";
import { digest, type HashName, hmac } from "./hash.ts";

const NAMES: readonly HashName[] = ["sha1", "sha256", "sha384", "sha512"];

describe("crypto: hashes", () => {
  for (const name of NAMES) {
    it(`${name} and its HMAC are those of node:crypto, for keys and data of any size`, () => {
      const octets = fc.uint8Array({ maxLength: 300 });
      fc.assert(
        fc.property(octets, octets, (key, data) => {
          expect(hex(digest(name, data))).to.equal(createHash(name).update(data).digest("hex"));
          expect(hex(hmac(name, key, data))).to.equal(createHmac(name, key).update(data).digest("hex"));
        }),
      );
    });
  }
});
