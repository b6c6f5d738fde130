import { expect } from "chai";
import { DriverUnsupported } from "../contract.ts";
import { childSas, ikeSas } from "./proposals.ts";

describe("OpenIKED proposals", () => {
  const ike: [string, string][] = [
    ["aes256-sha256-x25519", "enc aes-256 auth hmac-sha2-256 prf hmac-sha2-256 group curve25519"],
    ["aes256gcm16-prfsha384-ecp384", "enc aes-256-gcm prf hmac-sha2-384 group ecp384"],
    [
      "aes128cbc-3des-sha1-md5-prfsha512-modp2048-ecp256",
      "enc aes-128 enc 3des auth hmac-sha1 auth hmac-md5 prf hmac-sha2-512 group modp2048 group ecp256",
    ],
  ];
  for (const [spec, words] of ike) {
    it(`ikesa: ${spec}`, () => expect(ikeSas([spec])).to.deep.equal([`ikesa ${words}`]));
  }

  it("keeps the order of preference", () => {
    expect(ikeSas(["aes192-sha512-modp3072", "aes128gcm12-prfsha256-ecp521"])).to.deep.equal([
      "ikesa enc aes-192 auth hmac-sha2-512 prf hmac-sha2-512 group modp3072",
      "ikesa enc aes-128-gcm-12 prf hmac-sha2-256 group ecp521",
    ]);
  });

  it("refuses what OpenIKED has no words for", () => {
    for (const spec of [
      "aes256-sha256-x448",
      "chacha20poly1305-prfsha256-x25519",
      "aes256ctr-sha256",
      "sha1",
    ]) {
      expect(() => ikeSas([spec]), spec).to.throw(DriverUnsupported, spec);
    }
    expect(() => ikeSas(["aes256gcm16-aes256-sha256-x25519"])).to.throw(DriverUnsupported, "AEAD");
  });

  const esp: [string, string][] = [
    ["aes256-sha512", "enc aes-256 auth hmac-sha2-512 group none"],
    ["aes128ctr-sha1-noesn", "enc aes-128-ctr auth hmac-sha1 group none"],
    ["3des-sha384-x25519", "enc 3des auth hmac-sha2-384 group curve25519"],
  ];
  for (const [spec, words] of esp) {
    it(`childsa: ${spec}`, () => expect(childSas([spec])).to.deep.equal([`childsa ${words} noesn`]));
  }

  it("leaves out what cannot be installed, as long as something is left", () => {
    expect(childSas(["aes256gcm16", "aes128-sha256", "aes128-sha512"])).to.deep.equal([
      "childsa enc aes-128 auth hmac-sha2-512 group none noesn",
    ]);
  });

  const impossible: [string, RegExp][] = [
    ["aes256gcm16", /PF_KEY.*aes256gcm16/],
    ["aes128-sha256", /PF_KEY.*aes128-sha256/],
    ["aes256-sha512-sha256", /PF_KEY/],
    ["aes256-sha512-esn", /no ESN/],
    ["aes256-sha512-esn-noesn", /no ESN/],
    ["aes256", /integrity/],
    ["null-sha1", /null/],
  ];
  for (const [spec, reason] of impossible) {
    it(`says why there is no ESP with ${spec}`, () =>
      expect(() => childSas([spec])).to.throw(DriverUnsupported, reason));
  }
});
