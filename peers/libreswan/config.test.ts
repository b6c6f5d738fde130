import { expect } from "chai";
import { DriverUnsupported, type PeerConfig } from "../contract.ts";
import { tunnelConfig } from "../runtime/testing.ts";
import { identity } from "./auth.ts";
import { ipsecConf, ipsecSecrets } from "./config.ts";

const config: PeerConfig = {
  ...tunnelConfig(["aes256-sha256-x25519"], ["aes256gcm16-esn"]),
  remoteId: "192.0.2.1",
  psk: "a \"b' $c\n",
  localTs: ["203.0.113.0/28", "203.0.113.64/28"],
  remoteTs: ["198.51.100.0/24"],
};

describe("libreswan configuration", () => {
  const settings = (changes: Partial<PeerConfig> = {}) => ipsecConf({ ...config, ...changes }).split(/\n */);

  it("names both sides, their identities and selectors", () => {
    expect(settings()).to.include.members([
      "left=192.0.2.2",
      "leftid=@peer.example",
      "leftsubnet=203.0.113.0/28,203.0.113.64/28",
      "right=192.0.2.1",
      "rightid=192.0.2.1",
      "rightsubnet=198.51.100.0/24",
      "type=tunnel",
      "ike=aes_cbc_256-sha2_256-dh31",
      "esp=aes_gcm_c_256",
      "pfs=no",
      "esn=yes",
    ]);
  });

  it("takes nothing that would become a line of its own", () => {
    for (const changes of [
      { localId: "a@b\n  leftupdown=/bin/sh" },
      { remoteId: "a@b\r\nconn other" },
      { localTs: ["203.0.113.0/28\n  leftupdown=/bin/sh"] },
      { addressPools: ["203.0.113.0/28\n"] },
    ])
      expect(() => settings(changes)).to.throw(DriverUnsupported, "control character");
  });

  it("leaves a host's own selector and an unset option to pluto", () => {
    const transport = settings({ mode: "transport", localTs: ["192.0.2.2/32"], remoteTs: ["192.0.2.1"] });
    expect(transport).to.include("type=transport");
    expect(transport.filter((line) => /subnet|fragmentation|ikeport/.test(line))).to.deep.equal([]);
  });

  it("sets fragmentation and an unusual port when told", () => {
    const lines = settings({ fragmentation: false, remote: { host: "192.0.2.1", port: 4501 } });
    expect(lines).to.include.members(["fragmentation=no", "rightikeport=4501"]);
  });

  it("sets the replay window when told, and no counter", () => {
    expect(settings({ replayWindow: 0 })).to.include("replay-window=0");
    expect(settings().join()).to.not.include("replay-window");
    expect(() => settings({ espCounter: 9 })).to.throw(DriverUnsupported, "counters");
  });

  it("leases addresses out of pools, asks for them, and replaces older IKE SAs, as told", () => {
    const pool = settings({ addressPools: ["203.0.113.0/28", "2001:db8:1::/124"] });
    expect(pool).to.include.members(["leftmodecfgserver=yes", "rightmodecfgclient=yes", "uniqueids=no"]);
    expect(pool).to.include("rightaddresspool=203.0.113.0/28,2001:db8:1::/124");
    expect(pool.join()).to.not.include("rightsubnet");
    const asking = settings({ requestAddresses: ["ipv4"], unique: "replace" });
    expect(asking).to.include.members(["leftmodecfgclient=yes", "rightmodecfgserver=yes"]);
    expect(asking).to.include.members(["uniqueids=yes", "initial-contact=yes"]);
    expect(asking).to.include("leftsubnet=0.0.0.0/0");
  });

  it("names PPKs in their order, requires them, and announces nothing without them", () => {
    const ppks = [
      { id: "ppk+/1=", secret: "abc" },
      { id: "ppk2", secret: "d" },
    ];
    const of = (changes: Partial<PeerConfig>) =>
      settings(changes).filter((line) => /^(ppk|intermediate)/.test(line));
    expect(of({})).to.deep.equal(["ppk=no"]);
    expect(of({ intermediate: true })).to.deep.equal(["ppk=no", "intermediate=yes"]);
    expect(of({ ppks })).to.deep.equal(["ppk=propose", 'ppk-ids="ppk+/1=,ppk2"']);
    const others = [...ppks, { id: "ppk3", secret: "e", for: "somebody.example" }];
    expect(of({ ppks: others })).to.deep.equal(of({ ppks }));
    expect(of({ ppks, ppkRequired: true })[0]).to.equal("ppk=insist");
    expect(of({ ppks, ppkIn: ["IKE_INTERMEDIATE"] })).to.include("intermediate=yes");
    expect(
      ipsecSecrets({ ...config, ppks })
        .split("\n")
        .slice(1, 3),
    ).to.deep.equal([
      '@peer.example 192.0.2.1 : PPKS "ppk+/1=" 0x616263',
      '@peer.example 192.0.2.1 : PPKS "ppk2" 0x64',
    ]);
  });

  const impossible: [string, Partial<PeerConfig>, RegExp][] = [
    [
      "a PPK in CREATE_CHILD_SA",
      { ppks: [{ id: "a", secret: "b" }], ppkIn: ["IKE_AUTH", "CREATE_CHILD_SA"] },
      /CREATE_CHILD_SA/,
    ],
    ["a PPK_ID with a comma", { ppks: [{ id: "a,b", secret: "c" }] }, /"a,b"/],
    ["a PPK_ID of 65 octets", { ppks: [{ id: "a".repeat(65), secret: "c" }] }, /64 octets/],
    ["an empty PPK", { ppks: [{ id: "a", secret: "" }] }, /empty/],
  ];
  for (const [what, changes, reason] of impossible)
    it(`cannot be told of ${what}`, () =>
      expect(() => settings(changes)).to.throw(DriverUnsupported, reason));

  it("writes identities as pluto reads them", () => {
    expect(["a.example", "u@a.example", "192.0.2.9", "2001:db8::9"].map(identity)).to.deep.equal([
      "@a.example",
      "u@a.example",
      "192.0.2.9",
      "2001:db8::9",
    ]);
  });

  it("writes the key in hex", () => {
    expect(ipsecSecrets(config)).to.equal("@peer.example 192.0.2.1 : PSK 0x6120226227202463" + "0a\n");
  });
});
