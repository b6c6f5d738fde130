import { expect } from "chai";
import { pki } from "../../harness/pki/pki.ts";
import { type AuthSpec, DriverUnsupported } from "../contract.ts";
import { tunnelConfig } from "../runtime/testing.ts";
import { authWords, credentialFiles } from "./auth.ts";

const config = { ...tunnelConfig(["aes256-sha256-x25519"], ["aes256-sha512"]), psk: "key" };

const RSA: AuthSpec = { method: "signature", key: "rsa2048" };
const EAP: AuthSpec = { method: "eap", type: "mschapv2" };

describe("OpenIKED authentication", () => {
  it("by a shared secret, told or not", () => {
    const words = { lines: [], words: ['psk "0x6b6579"'] };
    expect(authWords(config)).to.deep.equal(words);
    expect(authWords({ ...config, testerAuth: { method: "psk" } })).to.deep.equal(words);
  });

  it("by certificates", () => {
    const auth: AuthSpec = { method: "signature", key: "ecdsa384", scheme: "ecdsa-sha256" };
    expect(authWords({ ...config, auth, testerAuth: RSA })).to.deep.equal({ lines: [], words: [] });
  });

  it("by a certificate here and a password there", () => {
    expect(authWords({ ...config, auth: RSA, testerAuth: EAP, eapPassword: "secret" })).to.deep.equal({
      lines: ['user "tester.example" "secret"'],
      words: ['eap "mschap-v2"'],
    });
  });

  const impossible: [AuthSpec, AuthSpec, string][] = [
    [EAP, RSA, "EAP"],
    [{ method: "null" }, { method: "null" }, "null"],
    [{ method: "eap-only" }, EAP, "eap-only"],
    [RSA, { method: "psk" }, "psk"],
    [RSA, { method: "eap", type: "tls" }, "EAP-tls"],
    [{ method: "signature", key: "ed25519" }, RSA, "EdDSA"],
    [{ ...RSA, scheme: "rsa-pss-sha256" }, RSA, "rsa-pss-sha256"],
  ];
  for (const [auth, testerAuth, reason] of impossible) {
    it(`not by ${auth.method} and ${testerAuth.method}: ${reason}`, () =>
      expect(() => authWords({ ...config, auth, testerAuth })).to.throw(DriverUnsupported, reason));
  }

  it("puts keys and certificates where iked looks for them", async () => {
    const { ca, credential } = await pki();
    const own = await credential("peer.example", "ecdsa256");
    const files = credentialFiles({ own, trust: [ca] });
    expect(files.map(({ path, private: secret }) => [path, secret])).to.deep.equal([
      ["/etc/iked/private/local.key", true],
      ["/etc/iked/certs/own.pem", undefined],
      ["/etc/iked/ca/0.pem", undefined],
    ]);
    expect(files.map(({ text }) => text.split("\n")[0])).to.deep.equal([
      "-----BEGIN PRIVATE KEY-----",
      "-----BEGIN CERTIFICATE-----",
      "-----BEGIN CERTIFICATE-----",
    ]);
    expect(credentialFiles({ trust: [] })).to.deep.equal([]);
  });
});
