import { expect } from "chai";
import { pki } from "../../harness/pki/pki.ts";
import { materialFor } from "../../harness/script/policy.ts";
import { type AuthSpec, DriverUnsupported, type PeerConfig } from "../contract.ts";
import { tunnelConfig } from "../runtime/testing.ts";
import { authLines, identity, impairments, importCommands } from "./auth.ts";

const base = tunnelConfig(["aes256-sha256-x25519"], ["aes256gcm16"]);
const PSK: AuthSpec = { method: "psk" };
const lines = (auth: AuthSpec, testerAuth: AuthSpec) => authLines({ ...base, auth, testerAuth });

describe("libreswan's authentication", () => {
  it("writes binary identities in hex", () => {
    expect(["keyid:00ff", "dn:CN=x", "null:"].map(identity)).to.deep.equal([
      ...["@#00ff", "@~300c310a30080603550403130178", "%null"],
    ]);
  });

  it("gives each end its own way, and names the hash of both kinds of key", () => {
    const pss: AuthSpec = { method: "signature", key: "rsa2048", scheme: "rsa-pss-sha256" };
    const ecdsa: AuthSpec = { method: "signature", key: "ecdsa384" };
    expect(lines(PSK, PSK)).to.deep.equal(["authby=secret"]);
    expect(lines(PSK, ecdsa)).to.deep.equal(["leftauth=secret", "rightauth=ecdsa"]);
    expect(lines(pss, ecdsa)).to.deep.equal([
      ...["leftauth=rsasig", "rightauth=ecdsa", "leftcert=bakeoff-peer"],
      "authby=rsa-sha2_256,ecdsa-sha2_256",
    ]);
    expect(lines(ecdsa, { method: "null" })).to.include.members(["leftauth=ecdsa", "rightauth=null"]);
  });

  it("hides RFC 7427 from both ends for the older methods, and no longer afterwards", () => {
    const old: AuthSpec = { method: "signature", key: "ecdsa256", oldMethods: true };
    expect(lines(old, old)).to.include("authby=ecdsa-sha2_256");
    const on = (config: PeerConfig) => impairments(config).filter((text) => text.startsWith("--impair"));
    expect(on({ ...base, auth: old })).to.have.length(2);
    expect(on(base)).to.deep.equal([]);
  });

  it("says what it has no means for", () => {
    const refused: [AuthSpec, AuthSpec][] = [
      [{ method: "signature", key: "ed25519" }, PSK],
      [{ method: "signature", key: "rsa2048", scheme: "rsa-pkcs1-sha256" }, PSK],
      [PSK, { method: "eap", type: "md5" }],
      [{ method: "eap", type: "tls" }, PSK],
      [PSK, { method: "null" }],
    ];
    for (const [auth, testerAuth] of refused)
      expect(() => lines(auth, testerAuth)).to.throw(DriverUnsupported);
  });

  it("forgets what was imported before", async () => {
    const config: PeerConfig = { ...base, auth: { method: "signature", key: "rsa2048" } };
    const commands = importCommands(await materialFor(config, "peer", pki));
    expect(commands[0]).to.match(/^certutil -F /);
    expect(commands.at(-1)).to.match(/^pk12util -i /);
  });
});
