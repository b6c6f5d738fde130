import { expect } from "chai";
import { transformKeyword } from "../wire/registry/proposal-spec.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { groupPolicy } from "./policy-of.ts";

describe("the policy of a group out of a configuration", () => {
  it("takes what is ordinary for what is not said", () => {
    const policy = groupPolicy({ id: "keyid:67727031", rekey: "ed25519", data: ["aes128gcm16-unspec32"] });
    expect(policy.id).to.deep.equal({ type: 11, data: Uint8Array.of(0x67, 0x72, 0x70, 0x31) });
    expect(policy).to.include({ full: false, mode: "tunnel", senderIdBits: 8, mostSenderIds: 16 });
    const [data] = policy.data;
    expect(data?.transforms.map(transformKeyword)).to.deep.equal(["aes128gcm16", "unspec32"]);
    expect(data?.destination.startAddress).to.deep.equal(Uint8Array.of(239, 2, 2, 2));
    expect(data?.lifetimeSeconds).to.equal(3600);
    expect(policy.rekey?.transforms.map(transformKeyword)).to.deep.equal(["aes256gcm16", "kw256"]);
    expect(policy.rekey?.destination).to.include({ ipProtocol: 17, startPort: 848, endPort: 848 });
    expect(policy.rekey?.lifetimeSeconds).to.equal(86_400);
  });

  it("makes AH of what has no cipher, and IPv6 sources for IPv6 destinations", () => {
    const policy = groupPolicy({
      id: "group.example",
      rekey: "inband",
      data: ["sha256-noesn"],
      dataGroups: ["ff3e::4321:1234"],
    });
    expect(policy.rekey).to.equal(undefined);
    expect(policy.data[0]?.protocolId).to.equal(PROTOCOL.AH);
    expect(policy.data[0]?.source.endAddress).to.have.length(16);
  });

  it("refuses words that do not exist", () => {
    const group = { id: "group.example", rekey: "implicit" } as const;
    expect(() => groupPolicy({ ...group, data: ["aes128gcm17"] })).to.throw(/aes128gcm17/);
    expect(() => groupPolicy({ ...group, data: [], rekeyProposal: "aes256gcm16" })).to.throw(/key wrap/);
    expect(() => groupPolicy({ ...group, data: ["aes128gcm16iiv-unspec32"] })).to.throw(/implicit IV/);
    expect(groupPolicy({ ...group, data: ["aes128gcm16iiv-noesn"] }).data).to.have.length(1);
    const rekeyProposal = "aes256gcm16iiv-kw256";
    expect(() => groupPolicy({ ...group, data: [], rekeyProposal })).to.throw(/implicit IV/);
    expect(() => groupPolicy({ ...group, data: ["aes128gcm16"], dataGroups: ["nowhere"] })).to.throw(
      /nowhere/,
    );
  });
});
