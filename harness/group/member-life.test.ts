import { expect } from "chai";
import fc from "fast-check";
import type { Extension } from "../ike/hooks.ts";
import { identity } from "../ike/identity.ts";
import { u32 } from "../wire/bytes.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { CONTROLLER, GROUP, type MemberHost, MemberLab } from "./member-lab.ts";

const registrations = ({ events }: MemberHost): number =>
  events.filter((e) => e.type === "registered").length;
const reasons = ({ events }: MemberHost): string[] =>
  events.flatMap((e) => (e.type === "registers-again" ? [e.reason] : []));
const spis = (host: MemberHost): string[] =>
  (host.member.membership(GROUP)?.data ?? []).map(({ planned }) => Buffer.from(planned.spi).toString("hex"));

describe("life of a group member", () => {
  it("takes old SAs away when the deactivation delay is over, and waits with new ones to send", async () => {
    const lab = await MemberLab.make({ members: ["a.example", "b.example"], group: { ATD: 1, DTD: 3 } });
    for (const name of ["a.example", "b.example"]) lab.register(name, { sender: true });
    const [old] = spis(lab.host());
    lab.controller.rekey(GROUP, "both");
    lab.pass(200);
    expect(spis(lab.host())).to.have.length(2).and.include(old);
    const sentOn = () => Buffer.from(lab.sent.at(-1)?.data.subarray(0, 4) ?? []).toString("hex");
    lab.send("a.example", "early");
    expect(sentOn()).to.equal(old);
    lab.pass(1000);
    lab.send("a.example", "late");
    expect(sentOn()).not.to.equal(old);
    lab.pass(3000);
    expect(spis(lab.host())).to.have.length(1).and.not.include(old);
    expect(lab.data("b.example")).to.deep.equal(["early", "late"]);
  });

  it("registers anew before an SA ends that nobody has rekeyed", async () => {
    const lab = await MemberLab.make({ group: { dataLifetime: 20, rekeyLifetime: 100 }, unreachable: true });
    lab.register();
    lab.pass(17_000);
    expect(registrations(lab.host())).to.equal(1);
    lab.pass(2500);
    expect(registrations(lab.host())).to.equal(2);
  });

  it("registers anew some time after it was excluded, on the IKE SA that is there or on another", async () => {
    const lab = await MemberLab.make({ group: { rekey: "inband" } });
    lab.register();
    const host = lab.host();
    lab.controller.delete(GROUP, "all");
    lab.pass(6000);
    expect(registrations(host)).to.equal(2);
    for (const sa of [...lab.server.endpoint.core.sas.values()]) lab.server.endpoint.deleteIke(sa);
    lab.pass(100);
    expect(host.member.membership(GROUP)?.state).to.equal("excluded");
    expect(spis(host)).to.deep.equal([]);
    lab.pass(6000);
    expect(registrations(host)).to.equal(3);
    expect(host.member.membership(GROUP)?.state).to.equal("registered");
  });

  it("stays a member when the IKE SA ends if it has a Rekey SA", async () => {
    const lab = await MemberLab.make({ group: { closesIkeAfter: 2 } });
    lab.register();
    lab.pass(8000);
    expect(lab.host().endpoint.core.sas.size).to.equal(0);
    lab.controller.rekey(GROUP, "data");
    lab.pass(300);
    expect(lab.host().events.some(({ type }) => type === "rekeyed")).to.equal(true);
    expect(registrations(lab.host())).to.equal(1);
  });

  it("puts its Sender-ID in the top bits of IVs", async () => {
    const lab = await MemberLab.make({ members: ["a.example", "b.example"], group: { senderIdBits: 4 } });
    lab.register("a.example", { sender: true });
    lab.register("b.example", { sender: true });
    lab.send("b.example", "one");
    lab.send("b.example", "two");
    const ivs = lab.sent.filter(({ protocol }) => protocol === "esp").map(({ data }) => data.subarray(8, 16));
    expect(ivs.map((iv) => Buffer.from(iv).toString("hex"))).to.deep.equal([
      "1000000000000001",
      "1000000000000002",
    ]);
  });

  it("never fails on octets that come to its SAs", async () => {
    const lab = await MemberLab.make();
    lab.register();
    const host = lab.host();
    const held = host.member.membership(GROUP);
    const spi = held?.rekeys[0]?.planned.spi ?? new Uint8Array(16);
    const before = lab.sent.length;
    const attacker = lab.network.attach("192.0.2.66");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), fc.nat(3), (rest, esp, flags) => {
        const head = Buffer.concat([
          spi,
          Uint8Array.of(46, 0x20, 41, flags << 3),
          u32(1),
          u32(28 + rest.length),
        ]);
        const data = esp
          ? Buffer.concat([held?.data[0]?.planned.spi ?? u32(0), rest])
          : Buffer.concat([head, rest]);
        const to = esp ? { host: "239.2.2.2", port: 0 } : { host: "239.1.1.1", port: 848 };
        const source = { host: CONTROLLER, port: esp ? 0 : 848 };
        attacker.send({ protocol: esp ? "esp" : "udp", source, destination: to, data: new Uint8Array(data) });
        lab.pass(2);
      }),
    );
    expect(lab.sent.length).to.equal(before);
    expect(lab.findings()).to.have.length.greaterThan(10);
    lab.controller.rekey(GROUP, "both");
    lab.pass(300);
    expect(host.events.some(({ type }) => type === "rekeyed")).to.equal(true);
    expect(reasons(host)).to.deep.equal([]);
  });
  it("keeps a bounded number of SAs, whatever its controller hands out", async () => {
    const lab = await MemberLab.make({ group: { DTD: 65_535 } });
    lab.register();
    for (let count = 0; count < 300; count++) lab.controller.rekey(GROUP, "both");
    lab.pass(2000);
    const held = lab.host().member.membership(GROUP);
    expect(held?.data).to.have.length.within(100, 256);
    expect(held?.rekeys).to.have.length(16);
    expect(reasons(lab.host())).to.deep.equal([]);
  });

  it("becomes a sender by another registration, on the SA that it only received on", async () => {
    const lab = await MemberLab.make({ members: ["a.example", "b.example"] });
    lab.register("a.example");
    lab.register("b.example");
    expect(lab.send("a.example", "no")).to.equal(false);
    const { member, sa } = lab.host("a.example");
    if (sa) member.register(sa, GROUP, { sender: true });
    lab.pass(100);
    expect(lab.send("a.example", "yes")).to.equal(true);
    expect(lab.data("b.example")).to.deep.equal(["yes"]);
  });

  it("does not take its own packets for those of an SA to come", async () => {
    const data = ["aes128gcm16-noesn"];
    const lab = await MemberLab.make({ group: { data, DTD: 60, promisesNextSpi: true } });
    lab.register("a.example", { sender: true });
    lab.controller.rekey(GROUP, "data");
    lab.pass(200);
    lab.host().link.join?.("239.2.2.2");
    expect(lab.send("a.example", "echo")).to.equal(true);
    expect(reasons(lab.host())).to.deep.equal([]);
  });

  it("sends no more where the counter of its IVs would run into the Sender-ID", async () => {
    const lab = await MemberLab.make({ group: { senderIdBits: 62 } });
    lab.register("a.example", { sender: true });
    const sent = Array.from({ length: 5 }, () => lab.send("a.example", "x"));
    expect(sent).to.deep.equal([true, true, true, false, false]);
  });

  it("takes payloads of its controller with the C bit", async () => {
    const lab = await MemberLab.make({ group: { rekey: "inband" } });
    const critical: Extension = {
      name: "critical",
      outgoing: ({ payloads }) => {
        for (const payload of payloads) if (payload.type >= PAYLOAD.IDg) payload.critical = true;
      },
    };
    lab.server.endpoint.core.options.extensions.push(critical);
    expect(lab.register()).to.equal(undefined);
    lab.controller.rekey(GROUP, "data");
    lab.pass(100);
    expect(spis(lab.host())).to.have.length(1);
    expect(lab.host().events.some(({ type }) => type === "rekeyed")).to.equal(true);
  });

  it("takes a Delete of all SAs on its IKE SA for all groups there, and comes again", async () => {
    const other = { id: "other.example", rekey: "inband" as const, data: ["aes128gcm16-unspec32"] };
    const lab = await MemberLab.make({ group: { rekey: "inband" }, groups: [other] });
    lab.register();
    const { member, sa } = lab.host();
    const second = identity(other.id);
    if (sa) member.register(sa, second, { sender: false });
    lab.pass(100);
    lab.controller.exclude(second, identity("a.example"));
    lab.pass(200);
    expect([GROUP, second].map((id) => member.membership(id)?.state)).to.deep.equal(["excluded", "excluded"]);
    lab.pass(20_000);
    expect([GROUP, second].map((id) => member.membership(id)?.state)).to.deep.equal([
      "registered",
      "excluded",
    ]);
  });
});
