import { expect } from "chai";
import { seededRandom } from "../crypto/seeded-random.ts";
import { kemOf } from "./kem.ts";
import { zeroKeyPair } from "./zero-key.ts";

describe("the ML-KEM key of zeros", () => {
  for (const keyword of ["mlkem512", "mlkem768", "mlkem1024"])
    it(`gives the secret of whoever encapsulates to it, ${keyword}`, () => {
      const pair = zeroKeyPair(keyword);
      const answer = kemOf(keyword).respond?.(seededRandom(keyword), pair.publicValue);
      expect(pair.derive(answer?.publicValue ?? new Uint8Array())).to.deep.equal(
        answer?.derive(pair.publicValue),
      );
    });
});
