import { expect } from "chai";
import fc from "fast-check";
import { MEMBER_KEY_BAG_ATTRIBUTE } from "../wire/registry/group-attributes.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";
import type { Payload } from "../wire/types.ts";
import { groupSender, idg, Lab, notifiesOf, sag, wish } from "./controller-lab.ts";
import { groupBags, memberValues } from "./group-payloads.ts";

const id = { type: 11, data: Uint8Array.of(0x67, 0x72, 0x70, 0x31) };

/** Payloads that a registration has, with octets in them that make no sense. */
const nonsense = fc.array(
  fc.record({
    kind: fc.constant("raw" as const),
    type: fc.constantFrom(PAYLOAD.SA, PAYLOAD.NOTIFY, PAYLOAD.IDg, PAYLOAD.GSA, PAYLOAD.KD, PAYLOAD.DELETE),
    critical: fc.boolean(),
    data: fc.uint8Array({ maxLength: 64 }),
  }),
  { maxLength: 6 },
);

const sensible: Payload[] = [
  ...[wish(), [idg("keyid:00")], [groupSender(1)], [groupSender(0xffffffff)]].flat(),
  sag("6:1:aes256gcm16-kw256-gcimplicit", "3:1:aes128gcm16-unspec32"),
];

describe("a group controller among hostile members", () => {
  it("answers whatever a member asks, and goes on serving the others", () => {
    const lab = new Lab({ group: { keyTree: 2 }, members: ["a.example", "b.example"] });
    lab.register(wish(), "b.example");
    fc.assert(
      fc.property(nonsense, fc.subarray(sensible), (some, others) => {
        lab.register([...others, ...some]);
        lab.pass(60_000);
        lab.register(wish());
        expect(lab.controller.members(id).length).to.be.within(1, 2);
      }),
      { numRuns: 150 },
    );
    expect(groupBags(lab.register(wish(), "b.example"), 3)[0]).to.not.equal(undefined);
  });

  it("makes nothing of large numbers", () => {
    const lab = new Lab({});
    const answer = lab.register(wish(groupSender(0xffffffff)));
    expect(memberValues(answer, MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID)).to.have.length(16);
    const offers = Array.from({ length: 250 }, (_, number) => `3:${number}:aes256-sha256-noesn`);
    expect(notifiesOf(lab.register(wish(sag(...offers))))).to.deep.equal([NOTIFY.NO_PROPOSAL_CHOSEN]);
  });
});
