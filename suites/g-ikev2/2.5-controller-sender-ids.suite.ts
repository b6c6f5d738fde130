import {
  deletesOf,
  expect,
  Failure,
  type GroupMember,
  GW_POLICY_ATTRIBUTE,
  group,
  groupWideValues,
  hex,
  joined,
  MEMBER_KEY_BAG_ATTRIBUTE,
  memberValues,
  type Payload,
  PROTOCOL,
  saPolicies,
  test,
} from "../../harness/script/index.ts";

/** As hex without leading zeros: the text says no width. */
const senderIds = (payloads: Payload[]): string[] =>
  memberValues(payloads, MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID).map((value) =>
    typeof value === "number" ? "a number" : hex(value).replace(/^0+(?=.)/, ""),
  );

const bits = (payloads: Payload[]) => groupWideValues(payloads, GW_POLICY_ATTRIBUTE.GWP_SENDER_ID_BITS);

/**
 * The cipher of the group counts its IVs. The tester registers as a sender with three encryption modules: it gets the
 * number of bits, and three Sender-IDs that differ and fit, or fewer. At its next registration it gets others.
 */
test("gives-senders-ids-of-their-own", {
  requirements: ["G-IKEV2-57", "G-IKEV2-94", "G-IKEV2-100", "G-IKEV2-100a"],
  peer: "responder",
  config: group(),
  lies: [
    "conceals-the-bits-of-sender-ids",
    "gives-one-sender-id-more",
    "gives-no-sender-ids",
    "gives-the-same-sender-ids-again",
  ],
}, async (s) => {
  const { granted, member } = await joined(s, { sender: true, senderIds: 3 });
  const again = await member.registerMore({ sender: true, senderIds: 3 });
  for (const { response } of [granted, again]) {
    expect(bits(response).length, "GWP_SENDER_ID_BITS").to.equal(1);
    expect(senderIds(response).length, "GM_SENDER_ID").to.be.within(1, 3);
    if (senderIds(response).length < 3) s.tolerate("gives fewer Sender-IDs than were asked for");
    const [most] = bits(response);
    for (const id of senderIds(response))
      expect(Number.parseInt(id, 16), "Sender-ID").to.be.below(2 ** Number(most));
  }
  const all = [...senderIds(granted.response), ...senderIds(again.response)];
  expect(new Set(all).size, `different ones of ${all.join(", ")}`).to.equal(all.length);
});

const WITHOUT = {
  "a-receiver": { wishes: {}, spec: {} },
  "a-sender-whose-cipher-does-not-count": {
    wishes: { sender: true },
    spec: { data: ["aes128-sha256-unspec32"] },
  },
};

for (const [who, { wishes, spec }] of Object.entries(WITHOUT)) {
  /** The tester registers as ${who}. It gets neither Sender-IDs nor their number of bits. */
  test(`gives-no-sender-ids-to-${who}`, {
    requirements: ["G-IKEV2-94"],
    peer: "responder",
    config: group(spec),
    lies: ["gives-everybody-a-sender-id"],
  }, async (s) => {
    const { granted } = await joined(s, wishes);
    expect(senderIds(granted.response), "GM_SENDER_ID").to.deep.equal([]);
    expect(bits(granted.response), "GWP_SENDER_ID_BITS").to.deep.equal([]);
  });
}

const MOST = 12;

/** Registers until an id comes a second time; the SPIs of data SAs before and after. */
async function untilIdsRepeat(member: GroupMember, first: Payload[]): Promise<[string, string]> {
  const seen = new Set(senderIds(first));
  let before = spiOf(first);
  for (let count = 0; count < MOST; count++) {
    const { response } = await member.registerMore({ sender: true });
    if (senderIds(response).some((id) => seen.has(id))) return [before, spiOf(response)];
    for (const id of senderIds(response)) seen.add(id);
    before = spiOf(response);
  }
  throw new Failure("an end of the four Sender-IDs of two bits", `${seen.size} of them`);
}

const spiOf = (payloads: Payload[]): string =>
  saPolicies(payloads, PROTOCOL.ESP)
    .map(({ spi }) => hex(spi))
    .join();

/**
 * Sender-IDs have two bits: there are four. The tester registers as a sender until they are used up. Before one comes a
 * second time the controller excludes all members, by Deletes with SPI zero for the data SAs and then for protocol 6, and
 * makes new data SAs (section 2.5.1).
 */
test("excludes-everybody-before-sender-ids-come-again", {
  requirements: ["G-IKEV2-58"],
  peer: "responder",
  config: group({ senderIdBits: 2 }),
  lies: ["gives-sender-ids-again-at-once"],
}, async (s) => {
  const { member, log, granted } = await joined(s, { sender: true });
  const [before, after] = await untilIdsRepeat(member, granted.response);
  await s.wait();
  expect(after, "SPIs of the data SAs").to.not.equal(before);
  const deletes = log.messages.flatMap(({ payloads }) => deletesOf(payloads));
  const all = deletes.filter(({ spis }) => spis.some((spi) => spi.every((octet) => octet === 0)));
  expect(
    all.map(({ protocolId }) => protocolId),
    "Deletes of all SAs",
  ).to.include.members([PROTOCOL.ESP, PROTOCOL.GIKE_UPDATE]);
});
