import { expect } from "chai";
import { DriverUnsupported, type PeerConfig } from "../contract.ts";
import { tunnelConfig } from "../runtime/testing.ts";
import { ikedConf } from "./config.ts";

const config: PeerConfig = {
  ...tunnelConfig(["aes256-sha256-x25519"], ["aes256gcm16", "aes256-sha512"]),
  remoteId: "192.0.2.1",
  psk: "a \"b' $c\n",
  localTs: ["203.0.113.0/28", "203.0.113.64/28"],
  remoteTs: ["198.51.100.0/24"],
};

const conf = (changes: Partial<PeerConfig> = {}) => ikedConf({ ...config, ...changes }, "nobody knows");
const settings = (changes?: Partial<PeerConfig>) =>
  conf(changes)
    .split("\n")
    .filter((line) => line.startsWith("set "))
    .map((line) => line.slice(4));
const policies = (changes?: Partial<PeerConfig>) =>
  conf(changes)
    .split("\n")
    .filter((line) => line.startsWith("ikev2 "));

describe("OpenIKED configuration", () => {
  it("has one policy for the other end, with everything in its place", () => {
    expect(policies()[1]).to.equal(
      'ikev2 "bakeoff" active tunnel esp ' +
        'from "203.0.113.0/28" to "198.51.100.0/24", from "203.0.113.64/28" to "198.51.100.0/24" ' +
        'local "192.0.2.2" peer "192.0.2.1" ' +
        "ikesa enc aes-256 auth hmac-sha2-256 prf hmac-sha2-256 group curve25519 " +
        "childsa enc aes-256 auth hmac-sha2-512 group none noesn " +
        'srcid "peer.example" dstid "192.0.2.1" ikelifetime 100 lifetime 8h psk "0x6120226227202463' +
        '0a"',
    );
  });

  it("has one for everybody else before it, with a key of its own", () => {
    expect(policies()[0]).to.equal(
      'ikev2 "others" default passive esp from any to any local any peer any ' +
        "ikesa enc aes-256 auth hmac-sha2-256 prf hmac-sha2-256 group curve25519 " +
        'psk "0x6e6f626f6479206b6e6f7773"',
    );
  });

  it("is passive, without timers and MOBIKE, and with fragmentation until told otherwise", () => {
    expect(settings()).to.deep.equal(["passive", "nomobike", "dpd_check_interval 0", "fragmentation"]);
    expect(settings({ fragmentation: true })).to.include("fragmentation");
    expect(settings({ fragmentation: false })).to.include("nofragmentation");
    expect(settings({ unique: "replace" })).to.include("enforcesingleikesa");
  });

  it("asks for transport mode", () => {
    const [, policy] = policies({ mode: "transport", localTs: ["192.0.2.2/32"], remoteTs: ["192.0.2.1/32"] });
    expect(policy).to.include("active transport esp");
  });

  it("leases inner addresses, or asks for one", () => {
    const [, lessor] = policies({ addressPools: ["203.0.113.96/28"] });
    expect(lessor).to.include('from "203.0.113.0/28" to dynamic, from "203.0.113.64/28" to dynamic');
    expect(lessor).to.match(/ config address "203\.0\.113\.96\/28"$/);
    const [, client] = policies({ requestAddresses: ["ipv4"] });
    expect(client).to.include('from "0.0.0.0/0" to "198.51.100.0/24"');
    expect(client).to.match(/ request address "0\.0\.0\.0"$/);
  });

  const impossible: [string, Partial<PeerConfig>, string][] = [
    ["a cookie", { cookies: "always" }, "cookie"],
    ["a port of its own", { remote: { host: "192.0.2.1", port: 4501 } }, "port 4501"],
    ["a childless IKE SA", { childless: "force" }, "childless"],
    ["PPKs", { ppks: [{ id: "ppk", secret: "secret" }] }, "PPKs"],
    ["a PPK that it must have", { ppkRequired: true }, "PPKs"],
    ["no replay protection", { replayWindow: 0 }, "32 numbers"],
    ["where its counters begin", { espCounter: 9 }, "counters"],
    ["an opaque identity", { localId: "keyid:00ff" }, "keyid:00ff"],
    ["an identity that it would cut", { localId: "x".repeat(256) }, "255 octets"],
    ["a name with quotation marks", { remoteId: 'a"b' }, 'a"b'],
    ["IPv6 in IPv4", { localTs: ["2001:db8:1::/124"], remoteTs: ["2001:db8:2::/124"] }, "IP version"],
  ];
  for (const [what, changes, reason] of impossible) {
    it(`cannot be told of ${what}`, () => expect(() => conf(changes)).to.throw(DriverUnsupported, reason));
  }
});
