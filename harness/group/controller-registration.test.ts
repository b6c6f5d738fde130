import { expect } from "chai";
import { notify } from "../ike/payloads.ts";
import { hex } from "../wire/bytes.ts";
import { GW_POLICY_ATTRIBUTE, MEMBER_KEY_BAG_ATTRIBUTE } from "../wire/registry/group-attributes.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import type { Payload } from "../wire/types.ts";
import { GROUP, groupSender, idg, Lab, notifiesOf, sag, wish } from "./controller-lab.ts";
import { groupBags, groupWidePolicies, memberValues, saKeys, saPolicies } from "./group-payloads.ts";
import { wrappingOf } from "./keys.ts";

const id = { type: 11, data: Uint8Array.of(0x67, 0x72, 0x70, 0x31) };
const types = (payloads: Payload[], protocolId: number) =>
  saPolicies(payloads, protocolId)[0]?.transforms.map(({ type }) => type);
const attributes = (payloads: Payload[], protocolId: number) =>
  saPolicies(payloads, protocolId)[0]?.attributes.map(({ type }) => type);

describe("registration with a group controller", () => {
  it("gives policy and keys", () => {
    const lab = new Lab({});
    const answer = lab.register();
    expect(answer.map(({ type }) => type)).to.deep.equal([PAYLOAD.GSA, PAYLOAD.KD]);
    expect(types(answer, 6)).to.deep.equal([TRANSFORM.ENCR, TRANSFORM.KWA, TRANSFORM.GCAUTH]);
    expect(types(answer, 3)).to.deep.equal([TRANSFORM.ENCR, TRANSFORM.SN]);
    expect([attributes(answer, 6), attributes(answer, 3)]).to.deep.equal([[1], [1]]);
    const { sa } = lab.member();
    const wrapping = sa && wrappingOf(sa);
    for (const protocolId of [6, 3]) {
      const [bag] = groupBags(answer, protocolId);
      expect(hex(bag?.spi ?? id.data)).to.equal(hex(saPolicies(answer, protocolId)[0]?.spi ?? id.data));
      const [key, ...more] = bag ? saKeys(bag) : [];
      expect([key?.keyId, key?.kwkId, more]).to.deep.equal([0, 0, []]);
      const KEYMAT = key && wrapping?.kwa.unwrap(wrapping.GSK_w, key.encryptedKey);
      expect(KEYMAT).to.have.length(protocolId === 6 ? 68 : 20);
    }
    expect(memberValues(answer, MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID)).to.deep.equal([]);
    expect(lab.controller.members(id)).to.have.length(1);
  });

  it("refuses in order: the group, the member, its state, what it can do", () => {
    const full = { full: true as const, members: ["a.example"] };
    const lab = new Lab({ group: full, members: ["a.example", "b.example"] });
    const offer = sag("3:1:aes256gcm16-unspec32");
    expect(notifiesOf(lab.register([idg("keyid:00"), offer], "b.example"))).to.deep.equal([
      NOTIFY.INVALID_GROUP_ID,
    ]);
    expect(notifiesOf(lab.register(wish(offer), "b.example"))).to.deep.equal([NOTIFY.AUTHORIZATION_FAILED]);
    expect(notifiesOf(lab.register(wish(offer)))).to.deep.equal([NOTIFY.REGISTRATION_FAILED]);
    expect(lab.member().sa?.established).to.equal(true);
    const open = new Lab({});
    expect(notifiesOf(open.register(wish(offer)))).to.deep.equal([NOTIFY.NO_PROPOSAL_CHOSEN]);
    expect(open.controller.members(id)).to.have.length(0);
    expect(open.controller.state(id).data).to.have.length(0);
  });

  it("ends the IKE SA of who asks for no group, or sends what is the controller's to send", () => {
    const gsa: Payload = { kind: "GSA", type: PAYLOAD.GSA, policies: [] };
    for (const payloads of [[], wish(gsa), wish(idg(GROUP)), wish(groupSender(1), groupSender(1))]) {
      const lab = new Lab({});
      lab.register(payloads);
      expect(lab.member().outcome?.failure).to.match(/notify 7/);
      expect(lab.findings).to.have.length(1);
    }
  });

  it("takes the pairs of SAg together", () => {
    const rekey = "aes256gcm16-kw256-gcimplicit";
    const [data, other] = ["aes128gcm16-unspec32", "aes256gcm16-unspec32"];
    const accepted = (...offers: string[]) =>
      notifiesOf(new Lab({}).register(wish(sag(...offers)))).length === 0;
    expect(accepted(`6:1:${rekey}`, `3:1:${data}`)).to.equal(true);
    expect(accepted(`6:1:${rekey}`, `3:2:${data}`)).to.equal(true);
    expect(accepted(`6:1:${rekey}`, `3:1:${other}`, `6:2:${rekey}`, `3:2:${data}`)).to.equal(true);
    expect(accepted(`6:1:${rekey}`, `3:1:${other}`, `6:2:aes128gcm16-kw256`, `3:2:${data}`)).to.equal(false);
    expect(accepted(`3:1:${data}`)).to.equal(false);
    expect(accepted(`6:1:${rekey}`, `3:1:${data}-x25519`)).to.equal(true);
  });

  it("counts Sender-IDs, for those who ask, where the cipher counts", () => {
    const lab = new Lab({});
    const senderIds = (answer: Payload[]) =>
      memberValues(answer, MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID).map((v) =>
        v instanceof Uint8Array ? hex(v) : v,
      );
    expect(senderIds(lab.register(wish(groupSender(2))))).to.deep.equal(["00000000", "00000001"]);
    const again = lab.register(wish(groupSender(1)));
    expect(senderIds(again)).to.deep.equal(["00000002"]);
    const wide = groupWidePolicies(again)[0];
    expect(wide?.attributes).to.deep.equal([{ type: GW_POLICY_ATTRIBUTE.GWP_SENDER_ID_BITS, value: 8 }]);
    const cbc = new Lab({ group: { data: ["aes128-sha256-unspec32"] } });
    expect(senderIds(cbc.register(wish(groupSender(2))))).to.deep.equal([]);
  });

  it("excludes everybody before Sender-IDs come again", () => {
    const lab = new Lab({ group: { senderIdBits: 1 }, members: ["a.example", "b.example"] });
    const first = lab.register(wish(groupSender(2)));
    const second = lab.register(wish(groupSender(1)), "b.example");
    expect(lab.multicast).to.have.length(1);
    expect(hex(saPolicies(second, 3)[0]?.spi ?? id.data)).to.not.equal(
      hex(saPolicies(first, 3)[0]?.spi ?? id.data),
    );
    expect(lab.controller.members(id).map(({ senderIds }) => senderIds)).to.deep.equal([[0]]);
  });

  it("lets a member go that says so, and answers it with nothing", () => {
    const lab = new Lab({});
    lab.register();
    expect(lab.register(wish(notify(NOTIFY.NO_PROPOSAL_CHOSEN)))).to.deep.equal([]);
    expect(lab.controller.members(id)).to.have.length(0);
  });

  it("tells what a late member must know, and the mode", () => {
    const lab = new Lab({ group: { mode: "transport", ATD: 5, DTD: 10, promisesNextSpi: true } });
    lab.register();
    lab.controller.rekey(id, "data");
    lab.pass(60_000);
    const late = lab.register();
    expect(attributes(late, 6)).to.deep.equal([1, 2, 3]);
    expect(saPolicies(late, 6)[0]?.attributes[0]?.value).to.deep.equal(Uint8Array.of(0, 1, 0x51, 0x44));
    expect(saPolicies(late, 6)[0]?.attributes[1]?.value).to.deep.equal(Uint8Array.of(0, 0, 0, 1));
    expect(notifiesOf(late)).to.deep.equal([NOTIFY.USE_TRANSPORT_MODE]);
    const wide = groupWidePolicies(late)[0];
    expect(wide?.attributes.map(({ value }) => value)).to.deep.equal([5, 10]);
  });

  it("closes the IKE SA when it is not needed, and refuses Child SAs on it", () => {
    const lab = new Lab({ group: { closesIkeAfter: 5 } });
    lab.register();
    const { sa, endpoint } = lab.member();
    let refused: unknown;
    if (sa)
      endpoint.createChild(sa, {}, (child) => {
        refused = child;
      });
    lab.run();
    expect(refused).to.equal("refused with notify 35 (NO_ADDITIONAL_SAS)");
    lab.pass(6000);
    expect(sa?.state).to.equal("closed");
    expect(lab.controller.members(id)).to.have.length(1);
  });

  it("takes one sender at a time for SAs whose numbers are those of one", () => {
    const lab = new Lab({ group: { data: ["aes128gcm16-noesn"] }, members: ["a.example", "b.example"] });
    for (let count = 0; count < 2; count++)
      expect(groupBags(lab.register(wish(groupSender(1))), 3)).to.have.length(1);
    expect(notifiesOf(lab.register(wish(groupSender(1)), "b.example"))).to.deep.equal([
      NOTIFY.REGISTRATION_FAILED,
    ]);
    expect(groupBags(lab.register(wish(), "b.example"), 3)).to.have.length(1);
    lab.register(wish());
    expect(groupBags(lab.register(wish(groupSender(1)), "b.example"), 3)).to.have.length(1);
  });

  it("sets one timer for an idle IKE SA, however often its member asks", () => {
    const lab = new Lab({ group: { closesIkeAfter: 500 } });
    lab.register();
    const { size } = lab.server.core.timers;
    for (let count = 0; count < 100; count++) lab.register();
    expect(lab.server.core.timers.size).to.equal(size);
  });

  it("keeps its state when one of a thousand members floods it", () => {
    const lab = new Lab({ group: { keyTree: 4 } });
    lab.register();
    for (let index = 1; index < 1000; index++) lab.enroll(`m${index}.example`);
    const state = lab.controller.state(id);
    const before = [state.members().length, state.tree?.size, state.rekey?.spi];
    expect(before.slice(0, 2)).to.deep.equal([1000, 1000]);
    const refusals = Array.from({ length: 300 }, () => notifiesOf(lab.register(wish(groupSender(16)))));
    expect(refusals.filter((n) => n.includes(NOTIFY.REGISTRATION_FAILED))).to.have.length.above(290);
    expect([state.members().length, state.tree?.size, state.rekey?.spi]).to.deep.equal(before);
    expect(lab.multicast).to.have.length(0);
    expect(groupBags(lab.enroll("m999.example"), 3)).to.have.length(1);
  });
});
