import { expect } from "chai";
import { DriverUnsupported } from "../contract.ts";
import { espSettings, ikeSetting } from "./proposals.ts";

describe("libreswan proposals", () => {
  const ike: [string, string][] = [
    ["aes256gcm16-prfsha256-x25519", "aes_gcm_c_256-sha2_256-dh31"],
    ["aes128gcm8-prfsha512-ecp256-x25519", "aes_gcm_a_128-sha2_512-dh19+dh31"],
    ["aes128-sha256-modp2048", "aes_cbc_128-sha2_256-dh14"],
    ["aes256-aes128-sha384-prfsha384-ecp384", "aes_cbc_256+aes_cbc_128-sha2_384-dh20"],
    ["aes192ctr-sha1-modp1536", "aes_ctr_192-sha1-dh5"],
    ["chacha20poly1305-prfsha256-x25519", "chacha20_poly1305-sha2_256-dh31"],
    ["3des-aesxcbc-modp4096", "3des-aes_xcbc-dh16"],
  ];
  for (const [spec, setting] of ike) {
    it(`ike: ${spec}`, () => expect(ikeSetting([spec])).to.equal(setting));
  }

  it("keeps the order of preference", () => {
    expect(ikeSetting(["aes256-sha512-x25519", "aes128-sha256-modp2048"])).to.equal(
      "aes_cbc_256-sha2_512-dh31,aes_cbc_128-sha2_256-dh14",
    );
  });

  it("refuses what libreswan has no words for", () => {
    for (const spec of ["aes256-sha256-x448", "aes256-sha256-ke1_mlkem768", "sha256-x25519", "aes257-sha1"]) {
      expect(() => ikeSetting([spec]), spec).to.throw(DriverUnsupported, spec);
    }
    expect(() => ikeSetting(["aes256-aescmac-x25519"])).to.throw(DriverUnsupported, "AES-CMAC");
    expect(() => ikeSetting(["aes256-sha256-prfsha512-x25519"])).to.throw(DriverUnsupported, "same hash");
  });

  const esp: [string[], string, string, string][] = [
    [["aes256gcm16"], "aes_gcm_c_256", "no", "no"],
    [["aes128-sha256", "null-sha1"], "aes_cbc_128-sha2_256,null-sha1", "no", "no"],
    [["aes256gcm16-x25519-esn"], "aes_gcm_c_256;dh31", "yes", "yes"],
    [
      ["aes128ccm12-x25519-noesn", "aes256-sha512-x25519-esn"],
      "aes_ccm_b_128;dh31,aes_cbc_256-sha2_512;dh31",
      "yes",
      "either",
    ],
  ];
  for (const [specs, setting, pfs, esn] of esp) {
    it(`esp: ${specs.join(", ")}`, () =>
      expect(espSettings(specs)).to.deep.equal({ esp: setting, pfs, esn }));
  }

  it("has a key exchange in all ESP proposals or in none", () => {
    expect(() => espSettings(["aes256gcm16-x25519", "aes128gcm16"])).to.throw(DriverUnsupported, "all");
  });

  it("takes one key exchange for ESP", () => {
    expect(() => espSettings(["aes256gcm16-x25519-ecp256"])).to.throw(DriverUnsupported, "one");
  });
});
