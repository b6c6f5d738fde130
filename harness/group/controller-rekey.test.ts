import { generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import { notify } from "../ike/payloads.ts";
import { concat, equal, hex } from "../wire/bytes.ts";
import { MEMBER_KEY_BAG_ATTRIBUTE } from "../wire/registry/group-attributes.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { DeletePayload, Payload } from "../wire/types.ts";
import { readWrappedKey } from "../wire/wrapped-key.ts";
import { Lab, type LabOptions, notifiesOf, wish } from "./controller-lab.ts";
import { groupBags, memberValues, saKeys, saPolicies } from "./group-payloads.ts";
import { KeyRing } from "./key-path.ts";
import { wrappingOf } from "./keys.ts";
import type { RekeySa } from "./rekey-message.ts";
import { openRekey } from "./rekey-open.ts";

const id = { type: 11, data: Uint8Array.of(0x67, 0x72, 0x70, 0x31) };
const EIGHT = [..."abcdefgh"].map((letter) => `${letter}.example`);

function started(options: LabOptions = {}): Lab {
  const lab = new Lab(options);
  for (const { name } of lab.members.values()) lab.register(wish(), name);
  return lab;
}

const rekeySaOf = (lab: Lab): RekeySa => {
  const { rekey } = lab.controller.state(id);
  if (!rekey) throw new Error("no Rekey SA");
  return rekey.sender.sa;
};

/** Opens the datagram of this index, which came on this Rekey SA. */
function opened(lab: Lab, sa: RekeySa, index = 0): { messageId: number; payloads: Payload[] } {
  const result = openRekey(lab.multicast[index]?.data ?? new Uint8Array(), sa);
  if (result === "wait" || "error" in result) throw new Error(JSON.stringify(result));
  return result;
}

const deletes = (payloads: Payload[]): DeletePayload[] =>
  payloads.filter((p): p is DeletePayload => p.kind === "Delete");
const spiOf = (lab: Lab) => hex(lab.controller.state(id).data[0]?.spi ?? new Uint8Array());

describe("rekeys of a group controller", () => {
  it("renew data SAs by multicast, and say the same twice", () => {
    const lab = started();
    const [sa, before] = [rekeySaOf(lab), spiOf(lab)];
    lab.controller.rekey(id, "data");
    lab.pass(5000);
    expect(lab.multicast).to.have.length(2);
    const [first, copy] = lab.multicast;
    expect(first && copy && equal(first.data, copy.data)).to.equal(true);
    expect(first?.destination).to.deep.equal({ host: "239.1.1.1", port: 848 });
    const { messageId, payloads } = opened(lab, sa);
    expect(messageId).to.equal(0);
    expect(saPolicies(payloads, 3)[0]?.spi).to.deep.equal(lab.controller.state(id).data[0]?.spi);
    expect(saPolicies(payloads, 6)).to.deep.equal([]);
    expect(deletes(payloads).map(({ spis }) => spis.map(hex))).to.deep.equal([[before]]);
    lab.controller.rekey(id, "data");
    lab.run();
    expect(opened(lab, sa, 2).messageId).to.equal(1);
  });

  it("renew the Rekey SA, wrapped by the old one, and count from zero on it", () => {
    const lab = started();
    const old = rekeySaOf(lab);
    lab.controller.rekey(id, "both");
    lab.controller.rekey(id, "data");
    lab.run();
    const { payloads } = opened(lab, old);
    const [policy] = saPolicies(payloads, 6);
    expect(policy?.transforms.map(({ type }) => type)).to.deep.equal([TRANSFORM.ENCR, TRANSFORM.KWA]);
    const key = groupBags(payloads, 6).flatMap(saKeys)[0];
    const { GSK_e, GSK_a, GSK_w } = rekeySaOf(lab);
    const KEYMAT = key && old.kwa.unwrap(old.GSK_w, key.encryptedKey);
    expect(KEYMAT).to.deep.equal(concat(GSK_e, GSK_a, GSK_w));
    const next = opened(lab, rekeySaOf(lab), 1);
    expect(next.messageId).to.equal(0);
    expect(lab.multicast[1]?.data.subarray(0, 16)).to.deep.equal(policy?.spi);
  });

  it("are signed by the key that was handed out", () => {
    for (const kind of ["ed25519", "rsa-pss", "ecdsa-p256"] as const) {
      const key = {
        ed25519: () => generateKeyPairSync("ed25519"),
        "rsa-pss": () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
        "ecdsa-p256": () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
      }[kind]().privateKey;
      const lab = new Lab({ group: { rekey: kind }, credential: { key, chain: [] } });
      const answer = lab.register();
      expect(memberValues(answer, MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY)).to.have.length(1);
      lab.controller.rekey(id, "data");
      lab.run();
      expect(opened(lab, rekeySaOf(lab)).payloads.at(-1)?.kind).to.equal("AUTH");
    }
  });

  it("leave an excluded member behind, and show it no data SA", () => {
    const lab = new Lab({ members: EIGHT, group: { keyTree: 2 } });
    const paths = EIGHT.map((name) => {
      const answer = lab.register(wish(), name);
      const { sa } = lab.member(name);
      const wrapping = sa && wrappingOf(sa);
      const wraps = memberValues(answer, MEMBER_KEY_BAG_ATTRIBUTE.WRAP_KEY);
      const wrapKeys = wraps.flatMap((value) => readWrappedKey(value) ?? []);
      if (!wrapping) throw new Error("no key wrap");
      const { GSK_w, kwa } = wrapping;
      const ring = new KeyRing({ wrapKeys, GSK_w, keyOctets: 32, unwrap: kwa.unwrap, path: [] });
      const result = ring.open(groupBags(answer, 6).flatMap(saKeys));
      if ("failure" in result) throw new Error(result.failure);
      return result.path;
    });
    const old = rekeySaOf(lab);
    lab.controller.exclude(id, { type: 2, data: new TextEncoder().encode("f.example") });
    lab.run();
    const { payloads } = opened(lab, old);
    expect(saPolicies(payloads, 3)).to.deep.equal([]);
    const wraps = memberValues(payloads, MEMBER_KEY_BAG_ATTRIBUTE.WRAP_KEY);
    const wrapKeys = wraps.flatMap((value) => readWrappedKey(value) ?? []);
    for (const [index, path] of paths.entries()) {
      const ring = new KeyRing({ wrapKeys, GSK_w: old.GSK_w, keyOctets: 32, unwrap: old.kwa.unwrap, path });
      const result = ring.open(groupBags(payloads, 6).flatMap(saKeys));
      const { GSK_e, GSK_w } = rekeySaOf(lab);
      if (index === 5) expect(result).to.have.property("failure");
      else expect(result).to.have.property("KEYMAT").that.deep.equals(concat(GSK_e, GSK_w));
    }
    expect(saPolicies(opened(lab, rekeySaOf(lab), 1).payloads, 3)).to.have.length(1);
    lab.register(wish(), "f.example");
    expect(lab.controller.members(id)).to.have.length(7);
  });

  it("come to those who are in when a registration makes new data SAs for deleted ones", () => {
    const lab = started({ members: EIGHT.slice(0, 3) });
    lab.controller.delete(id, "data");
    lab.run();
    const sent = lab.multicast.length;
    lab.register(wish(), "b.example");
    expect(lab.multicast).to.have.length(sent + 1);
    expect(lab.controller.state(id).data).to.have.length(1);
  });

  it("hide the policy by two Rekey SAs, if that is wanted", () => {
    const lab = started({ members: EIGHT.slice(0, 3), group: { keyTree: 2, hidesPolicy: true } });
    const spis = [rekeySaOf(lab).spi];
    lab.controller.exclude(id, { type: 2, data: new TextEncoder().encode("b.example") });
    lab.run();
    spis.push(rekeySaOf(lab).spi);
    const used = lab.multicast.map(({ data }) => hex(data.subarray(0, 16)));
    expect(new Set(used).size).to.equal(3);
    expect([used.at(0), used.at(-1)]).to.deep.equal(spis.map(hex));
  });

  it("go over each member's IKE SA where there is no Rekey SA", () => {
    const lab = started({ members: EIGHT.slice(0, 2), group: { rekey: "inband" } });
    expect(saPolicies(lab.member("a.example").response, 3)[0]?.attributes).to.deep.equal([]);
    lab.controller.rekey(id, "data");
    lab.run();
    for (const { inband, sa } of lab.members.values()) {
      const [payloads = []] = inband;
      const wrapping = sa && wrappingOf(sa);
      const key = groupBags(payloads, 3).flatMap(saKeys)[0];
      expect(key && wrapping?.kwa.unwrap(wrapping.GSK_w, key.encryptedKey)).to.deep.equal(
        lab.controller.state(id).data[0]?.KEYMAT,
      );
      expect(deletes(payloads)).to.have.length(1);
    }
    lab.controller.exclude(id, { type: 2, data: new TextEncoder().encode("b.example") });
    lab.run();
    const [, excluded = []] = lab.member("b.example").inband;
    expect(excluded.map(({ type }) => type)).to.deep.equal([PAYLOAD.DELETE, PAYLOAD.DELETE]);
    expect(lab.member("a.example").inband).to.have.length(2);
    expect(lab.member("b.example").inband).to.have.length(2);
  });

  it("are wrapped by the keys of the IKE SA that they go out on", () => {
    const lab = started({ group: { rekey: "inband" } });
    const { endpoint, sa, inband } = lab.member();
    if (sa) endpoint.rekeyIke(sa);
    lab.controller.rekey(id, "data");
    lab.run();
    lab.controller.rekey(id, "data");
    lab.run();
    const successor = sa?.replacedBy;
    const wrapping = successor && wrappingOf(successor);
    const key = groupBags(inband.at(-1) ?? [], 3).flatMap(saKeys)[0];
    expect(key && wrapping?.kwa.unwrap(wrapping.GSK_w, key.encryptedKey)).to.deep.equal(
      lab.controller.state(id).data[0]?.KEYMAT,
    );
  });

  it("come by themselves before a lifetime ends", () => {
    const lab = started({ group: { dataLifetime: 100, rekeyLifetime: 300 } });
    lab.pass(85_000);
    expect(lab.multicast).to.have.length(2);
    lab.pass(200_000);
    expect(saPolicies(opened(lab, rekeySaOf(lab), lab.multicast.length - 1).payloads, 3)).to.have.length(1);
  });

  it("delete data SAs, or everything", () => {
    const lab = started();
    const sa = rekeySaOf(lab);
    lab.controller.delete(id, "data");
    lab.controller.rekey(id, "data");
    lab.controller.delete(id, "all");
    lab.run();
    const zeros = (index: number) =>
      deletes(opened(lab, sa, index).payloads).map(({ protocolId, spis }) => [protocolId, spis.map(hex)]);
    expect(zeros(0)).to.deep.equal([[3, ["00000000"]]]);
    expect(deletes(opened(lab, sa, 1).payloads)).to.deep.equal([]);
    expect(zeros(2)).to.deep.equal([
      [3, ["00000000"]],
      [6, ["00".repeat(16)]],
    ]);
    expect(lab.controller.members(id)).to.deep.equal([]);
    expect(saPolicies(lab.register(), 6)[0]?.spi).to.not.deep.equal(sa.spi);
  });

  it("delete everything where one is to be put out without a key tree", () => {
    const lab = started({ members: EIGHT.slice(0, 2) });
    const sa = rekeySaOf(lab);
    lab.controller.exclude(id, { type: 2, data: new TextEncoder().encode("b.example") });
    lab.run();
    expect(deletes(opened(lab, sa).payloads).map(({ protocolId }) => protocolId)).to.deep.equal([3, 6]);
    expect(notifiesOf(lab.register(wish(), "b.example"))).to.deep.equal([NOTIFY.AUTHORIZATION_FAILED]);
    expect(saPolicies(lab.register(), 6)).to.have.length(1);
  });

  it("follow a member of a key tree that leaves", () => {
    const lab = started({ members: EIGHT.slice(0, 3), group: { keyTree: 2 } });
    lab.register(wish(notify(NOTIFY.REGISTRATION_FAILED)), "c.example");
    expect(lab.multicast).to.have.length(2);
    for (const name of ["a.example", "b.example"])
      lab.register(wish(notify(NOTIFY.NO_PROPOSAL_CHOSEN)), name);
    expect(lab.controller.state(id).rekey).to.equal(undefined);
  });

  it("are not taken from anybody", () => {
    const lab = started();
    lab.controller.rekey(id, "data");
    lab.run();
    const [datagram] = lab.multicast;
    if (datagram) lab.server.receive({ ...datagram, destination: { host: "192.0.2.100", port: 848 } });
    lab.run();
    expect(lab.findings).to.deep.equal(["a GSA_REKEY that came to its controller"]);
    expect(lab.multicast).to.have.length(1);
  });
});
