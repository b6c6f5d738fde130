import { generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { encodeChain } from "../wire/index.ts";
import { MEMBER_KEY_BAG_ATTRIBUTE } from "../wire/registry/group-attributes.ts";
import { FLAG, type Payload } from "../wire/types.ts";
import { gsaPayload, kdPayload } from "./controller-payloads.ts";
import { CONTROLLER, GROUP, MemberLab } from "./member-lab.ts";
import { buildRekey } from "./rekey-message.ts";

const HEADER = 4;

/** Sends GSA_REKEY with these payloads, signed and sealed as it must be. */
function sendRekey(lab: MemberLab, payloads: Payload[]): void {
  const { rekey } = lab.controller.state(GROUP);
  if (!rekey) throw new Error("no Rekey SA");
  const message = { spi: rekey.spi, messageId: rekey.nextMessageId++, flags: FLAG.initiator, payloads };
  const source = { host: CONTROLLER, port: 848 };
  const destination = { host: "239.1.1.1", port: 848 };
  for (const data of buildRekey({ ...message, signed: true }, rekey.sender))
    lab.server.link.send({ protocol: "udp", source, destination, data });
  lab.pass(2);
}

/** GSA and KD of the group as it is. */
function good(lab: MemberLab): Payload[] {
  const { rekey, data, policy } = lab.controller.state(GROUP);
  if (!rekey) throw new Error("no Rekey SA");
  const own = { host: CONTROLLER, port: 848 };
  return [
    gsaPayload({ rekey, data }, { policy, own, now: 0, registration: false }),
    kdPayload({
      ...{ wrapping: rekey.wrapping, data, senderIds: [], rekey: { sa: rekey, by: [] } },
      wraps: [{ key: { id: 9, key: new Uint8Array(32) } }],
    }),
  ];
}

const lively = { tries: 1_000_000, spreadMs: 1 };

describe("a group member under a hostile controller", () => {
  it("fails on no octets of GSA and KD that are authentic", async () => {
    const lab = await MemberLab.make({ group: { promisesNextSpi: true, DTD: 5 }, policy: lively });
    lab.register("a.example", { sender: true });
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(fc.boolean(), changes, (inGsa, some) => {
        const payloads = good(lab).map((payload, at): Payload => {
          const data = encodeChain([payload]).slice(HEADER);
          for (const [place, bits] of (at === 0) === inGsa ? some : [])
            data[place % data.length] = (data[place % data.length] ?? 0) ^ bits;
          return { kind: "raw", type: payload.type, data };
        });
        sendRekey(lab, payloads);
        lab.send("a.example", "x");
        lab.pass(20);
      }),
      { numRuns: 300 },
    );
    lab.pass(10_000);
    if (lab.host().member.membership(GROUP)?.state !== "registered")
      lab.register("a.example", { sender: true });
    expect(lab.send("a.example", "still here")).to.equal(true);
  });

  it("keeps its key where the new one is of another kind", async () => {
    const lab = await MemberLab.make();
    lab.register();
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const value = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
    const attributes = [{ type: MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY, value }];
    const [gsa, kd] = good(lab);
    if (!gsa || kd?.kind !== "KD") throw new Error("no payloads");
    sendRekey(lab, [gsa, { ...kd, bags: [...kd.bags.slice(0, 2), { kind: "member", attributes }] }]);
    expect(lab.findings()).to.deep.equal(["an AUTH_KEY that does not fit"]);
    lab.controller.rekey(GROUP, "data");
    lab.pass(100);
    expect(lab.host().events.filter(({ type }) => type === "rekeyed")).to.have.length(2);
  });
});
