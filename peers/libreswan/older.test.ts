import { expect } from "chai";
import { inNewerWords, inOlderWords } from "./older.ts";
import { parseStates } from "./status.ts";

describe("libreswan 4", () => {
  it("is told in its own words", () => {
    expect(inOlderWords("conn x\n  keyexchange=ikev2\n  pfs=yes")).to.equal(
      "conn x\n  ikev2=insist\n  pfs=yes",
    );
    expect(inOlderWords("whack --no-impair omit_v2_notification\nwhack --impair send_no_delete")).to.equal(
      "whack --no-impair omit-v2n-signature-hash-algorithms\nwhack --impair send-no-delete",
    );
    expect(inOlderWords("--rekey-child")).to.equal("--rekey-ipsec");
  });

  it("is understood in the words of 5", () => {
    const said = '000 #2: "bakeoff":500 STATE_V2_ESTABLISHED_CHILD_SA (established Child SA); REKEY in 1s;';
    expect(parseStates(inNewerWords(said))).to.deep.equal([{ serial: 2, state: "ESTABLISHED_CHILD_SA" }]);
  });
});
