import { expect } from "chai";
import { pki } from "../../harness/pki/pki.ts";
import { materialFor } from "../../harness/script/policy.ts";
import type { AuthSpec, PeerConfig } from "../contract.ts";
import { tunnelConfig } from "../runtime/testing.ts";
import { authSections, credentialCommands, unsupportedAuth, usesOldMethods, viciIdentity } from "./auth.ts";

const base = tunnelConfig(["aes256-sha256-x25519"], ["aes256gcm16"]);
const methods = (auth: AuthSpec, testerAuth: AuthSpec): unknown[] => {
  const sections = authSections({ ...base, auth, testerAuth }, { trust: [] });
  return Object.values(sections).map((section) => Object(section).auth);
};

describe("strongSwan's authentication", () => {
  it("spells identities so that none is taken for another", () => {
    const specs = ["a.example", "u@a.example", "192.0.2.9", "keyid:00ff", "dn:CN=x"];
    expect(specs.map(viciIdentity)).to.deep.equal([
      ...["a.example", "u@a.example", "192.0.2.9", "@#00ff"],
      "asn1dn:#300c310a3008060355040313 0178".replace(" ", ""),
    ]);
  });

  it("binds its own signatures to a scheme, and never ours", () => {
    const pss: AuthSpec = { method: "signature", key: "rsa2048", scheme: "rsa-pss-sha384" };
    const ecdsa: AuthSpec = { method: "signature", key: "ecdsa256", scheme: "ecdsa-sha256" };
    const eddsa: AuthSpec = { method: "signature", key: "ed25519", scheme: "ed25519" };
    expect(methods(pss, pss)).to.deep.equal(["ike:rsa/pss-sha384", "pubkey"]);
    expect(methods(ecdsa, { method: "psk" })).to.deep.equal(["ike:ecdsa-sha256", "psk"]);
    expect(methods(eddsa, { method: "eap", type: "gtc" })).to.deep.equal(["pubkey", "eap-gtc"]);
    expect(methods({ method: "eap-only" }, { method: "eap", type: "tls" })).to.deep.equal([
      "eap-tls",
      "eap-tls",
    ]);
  });

  it("loads the keys and certificates of its own side only", async () => {
    const config: PeerConfig = {
      ...base,
      auth: { method: "signature", key: "ecdsa256" },
      testerAuth: { method: "signature", key: "rsa2048" },
    };
    const commands = credentialCommands("lane", config, await materialFor(config, "peer", pki));
    expect(commands.map(([command]) => command)).to.deep.equal(["load-shared", "load-cert", "load-key"]);
  });

  it("says what it has no means for", () => {
    expect(unsupportedAuth({ ...base, testerAuth: { method: "null" } })).to.match(/NULL/);
    expect(unsupportedAuth({ ...base, remoteId: "null:" })).to.match(/ID_NULL/);
    expect(
      unsupportedAuth({ ...base, auth: { method: "eap-only" }, testerAuth: { method: "eap", type: "md5" } }),
    ).to.match(/mutual/);
    const sim: AuthSpec = { method: "eap", type: "sim" };
    expect(unsupportedAuth({ ...base, testerAuth: sim })).to.match(/EAP-SIM/);
    const ttls: AuthSpec = { method: "eap", type: "ttls", inner: "mschapv2" };
    expect(unsupportedAuth({ ...base, testerAuth: ttls })).to.match(/inside of EAP-TTLS/);
    expect(unsupportedAuth({ ...base, auth: ttls })).to.equal(undefined);
    expect(unsupportedAuth(base)).to.equal(undefined);
  });

  it("does without RFC 7427 when either end is to", () => {
    const old: AuthSpec = { method: "signature", key: "rsa2048", oldMethods: true };
    expect([base, { ...base, auth: old }, { ...base, testerAuth: old }].map(usesOldMethods)).to.deep.equal([
      ...[false, true, true],
    ]);
  });
});
