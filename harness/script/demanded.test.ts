import { expect } from "chai";
import { isDemanded } from "./demanded.ts";
import { espProposals, ikeProposals } from "./policy.ts";

describe("demanded algorithms", () => {
  it("are those at MUST in RFC 8247 and RFC 8221", () => {
    expect(
      ikeProposals("aes256-sha256-modp2048", "aes128-sha256-x25519-modp2048").every(isDemanded),
    ).to.equal(true);
    expect(espProposals("aes256gcm16", "aes128-sha256", "null-sha256").every(isDemanded)).to.equal(true);
  });

  it("are no others, nor proposals that lack an alternative for one type", () => {
    const ike = ["aes256-sha256-x25519", "aes256gcm16-prfsha256-modp2048", "aes192-sha256-modp2048"];
    expect(ikeProposals(...ike).some(isDemanded)).to.equal(false);
    expect(espProposals("aes256gcm16-esn", "chacha20poly1305", "aes128-sha1").some(isDemanded)).to.equal(
      false,
    );
  });
});
