import { expect } from "chai";
import type { PeerConfig } from "../../peers/contract.ts";
import { setups } from "../setups.ts";
import { isUnread, parseFinding } from "./finding.ts";
import { sampleFinding } from "./testing.ts";
import { wishesSchema } from "./wishes.ts";

describe("what a finding may have both ends told", () => {
  const reason = (config: object) => {
    const read = parseFinding({ ...sampleFinding, setup: { name: "psk", wishes: { config } } });
    return isUnread(read) ? read.reason : undefined;
  };

  it("is all that setups say", () => {
    for (const { name, wishes } of setups)
      expect(wishesSchema.safeParse(wishes).success, name).to.equal(true);
  });

  it("holds no address of an end", () => {
    for (const end of ["local", "remote"])
      expect(reason({ [end]: { host: "198.51.100.9", port: 500 } })).to.match(/unknown field/);
  });

  it("holds nothing that becomes a line of a daemon's configuration", () => {
    const line = "a@b\n  leftupdown=/bin/sh";
    for (const config of [
      { localId: line },
      { localTs: [line] },
      { ikeProposals: [line] },
      { drafts: { [line]: "" } },
      { eapIdentity: "a\u0000b" },
    ])
      expect(reason(config)).to.match(/control character/);
    expect(reason({ localTs: ["-batch"] })).to.match(/no prefix/);
    expect(reason({ addressPools: ["$(id)"] })).to.match(/no prefix/);
  });

  it("sends what is for a group to no host", () => {
    const group = (more: object): Partial<PeerConfig> => ({
      groups: [{ id: "group.example", rekey: "inband", data: ["aes128gcm16-unspec32"], ...more }],
    });
    expect(reason(group({}))).to.equal(undefined);
    expect(reason(group({ rekeyGroup: { host: "239.1.1.1", port: 848 } }))).to.equal(undefined);
    for (const host of ["198.51.100.9", "127.0.0.53", "239.1.1.1.example", "2001:db8::1"]) {
      expect(reason(group({ rekeyGroup: { host, port: 53 } })), host).to.match(/none of a group/);
      expect(reason(group({ dataGroups: [host] })), host).to.match(/none of a group/);
    }
  });

  it("is small", () => {
    expect(reason({ psk: "a".repeat(5_000) })).to.match(/4096/);
    expect(reason({ ikeProposals: Array(300).fill("aes256-sha256-x25519") })).to.match(/256/);
    expect(reason({ replayWindow: 2 ** 52 })).to.match(/range/);
  });
});
