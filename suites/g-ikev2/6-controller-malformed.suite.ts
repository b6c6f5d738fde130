import {
  EXCHANGE,
  errorNotify,
  expect,
  expectNoFindings,
  fromHex,
  furtherMember,
  type GroupMember,
  group,
  joined,
  listPayloads,
  memberOf,
  PAYLOAD,
  type Payload,
  payload,
  require,
  type Script,
  test,
} from "../../harness/script/index.ts";

const raw = (type: number, octets: string): Payload => ({ kind: "raw", type, data: fromHex(octets) });

const beside =
  (...more: Payload[]) =>
  (payloads: Payload[]) => [...payloads, ...more];

/** A policy and a key bag as a controller would send them. */
const GSA =
  "03040030c0000001070000100000ffff00000000ffffffff070000100000ffffef020202ef0202020000000805000002";
const KD =
  "03040034c00000010001002800000000000000002d21366cb06489df5c7d40bf745b5e7ffbcb2b5755acd682ed47039297ff2dea";

/** What must be refused. */
const FORBIDDEN: Record<string, (payloads: Payload[]) => Payload[]> = {
  "a-policy-of-its-own": beside(raw(PAYLOAD.GSA, GSA)),
  "keys-of-its-own": beside(raw(PAYLOAD.KD, KD)),
};

/** What may be refused, or overlooked. */
const ODD: Record<string, (payloads: Payload[]) => Payload[]> = {
  "a-policy-that-is-cut-off": beside(raw(PAYLOAD.GSA, GSA.slice(0, 30))),
  "a-key-bag-of-length-zero": beside(raw(PAYLOAD.KD, "03040000c0000001")),
};

const CASES = { ...FORBIDDEN, ...ODD };

/** The tester asks for membership so, in this exchange; what came back. */
async function ask(
  s: Script,
  member: GroupMember,
  change: (payloads: Payload[]) => Payload[],
  more: boolean,
) {
  const exchangeType = more ? EXCHANGE.GSA_REGISTRATION : EXCHANGE.GSA_AUTH;
  const over = s.change(exchangeType, (message) => {
    message.payloads = change(message.payloads);
  });
  await (more ? member.tryRegisterMore() : member.tryRegister());
  over();
  return s.exchange(exchangeType).response;
}

for (const [what, change] of Object.entries(CASES)) {
  for (const exchange of ["gsa-auth", "gsa-registration"] as const) {
    /**
     * The tester's ${exchange} request has ${what}. The controller answers. What it must not take it refuses by an error
     * notify, with no policy and no keys. Whatever it said, it then lets the tester register in order.
     */
    test(`bears-${what}-in-${exchange}`, {
      requirements: ["G-IKEV2-E1"],
      peer: "responder",
      config: group(),
      lies: what in FORBIDDEN ? ["is-silent-to-malformed-registrations"] : ["dies-of-odd-registrations"],
    }, async (s) => {
      const { member } = await joined(s);
      const response = await ask(s, member, change, exchange === "gsa-registration");
      require(response !== undefined, "an answer", "silence");
      if (what in FORBIDDEN) {
        const refused = errorNotify(response.payloads) && !payload(response.payloads, "KD");
        require(refused === true, "an error notify and no keys", listPayloads(response));
      }
      expectNoFindings(await registered(s));
    });
  }
}

async function registered(s: Script): Promise<GroupMember> {
  const member = memberOf(s);
  await member.register();
  return member;
}

/**
 * The tester registers sixty times on end, as a sender. The controller may refuse it from some time on, but answers;
 * another member can register all the while, and the tester's IKE SA stands.
 */
test("serves-others-while-a-member-floods-it", {
  requirements: ["G-IKEV2-E1"],
  peer: "responder",
  config: group({ members: ["tester.example", "other.example"] }),
  lies: ["tires-of-registrations"],
}, async (s) => {
  const { member } = await joined(s);
  for (let count = 0; count < 60; count++) {
    const { response } = await member.tryRegisterMore({ sender: true });
    expect(response.length, `payloads of answer ${count + 1}`).to.be.above(0);
  }
  const other = furtherMember(s, "other.example", "192.0.2.5");
  await other.register();
  expectNoFindings(other);
});
