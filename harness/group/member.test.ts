import { expect } from "chai";
import { identity } from "../ike/identity.ts";
import { GROUP, MemberLab } from "./member-lab.ts";

const THREE = ["a.example", "b.example", "c.example"];

describe("group member", () => {
  it("registers, and reads what a sender sends to the group", async () => {
    const lab = await MemberLab.make({ members: THREE });
    expect(lab.register("a.example", { sender: true })).to.equal(undefined);
    expect(lab.register("b.example")).to.equal(undefined);
    expect(lab.register("c.example")).to.equal(undefined);
    expect(lab.send("a.example", "hello")).to.equal(true);
    expect(lab.data("b.example")).to.deep.equal(["hello"]);
    expect(lab.data("c.example")).to.deep.equal(["hello"]);
    expect(lab.data("a.example")).to.deep.equal([]);
    expect(lab.send("b.example", "no")).to.equal(false);
    for (const name of THREE) expect(lab.findings(name)).to.deep.equal([]);
  });

  for (const rekey of ["ed25519", "implicit", "inband"] as const) {
    it(`follows rekeys: ${rekey}`, async () => {
      const lab = await MemberLab.make({ members: THREE, group: { rekey, DTD: 2 } });
      for (const name of THREE) lab.register(name, { sender: true });
      lab.send("a.example", "one");
      lab.controller.rekey(GROUP, rekey === "inband" ? "data" : "both");
      lab.pass(200);
      const spis = lab
        .host("b.example")
        .member.membership(GROUP)
        ?.data.map(({ state }) => state);
      expect(spis).to.have.length.greaterThan(1);
      lab.send("a.example", "two");
      expect(lab.data("b.example")).to.deep.equal(["one", "two"]);
      expect(lab.findings("b.example")).to.deep.equal([]);
      lab.pass(5000);
      lab.send("b.example", "three");
      expect(lab.data("c.example")).to.deep.equal(["one", "two", "three"]);
    });
  }

  it("is excluded by the key tree, and reads no more", async () => {
    const lab = await MemberLab.make({ members: THREE, group: { keyTree: 2 }, policy: { tries: 0 } });
    for (const name of THREE) lab.register(name, { sender: name === "a.example" });
    lab.send("a.example", "all");
    lab.controller.exclude(GROUP, identity("c.example"));
    lab.pass(3000);
    lab.controller.rekey(GROUP, "data");
    lab.pass(3000);
    lab.send("a.example", "secret");
    expect(lab.data("b.example")).to.deep.equal(["all", "secret"]);
    expect(lab.data("c.example")).to.deep.equal(["all"]);
  });
});
