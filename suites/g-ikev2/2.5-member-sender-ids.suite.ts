import {
  changeGrants,
  controllerOf,
  controllerWithMember,
  espOfMember,
  expect,
  group,
  NOTIFY,
  notifies,
  onlySa,
  openGroupEsp,
  readU32,
  registersAgain,
  require,
  setSenderIds,
  test,
} from "../../harness/script/index.ts";

/** Where the IV is in ESP: behind SPI and Sequence Number. */
const IV = { at: 8, octets: 8 };

const ivOf = (packet: Uint8Array): bigint =>
  packet.slice(IV.at, IV.at + IV.octets).reduce((value, octet) => value * 256n + BigInt(octet), 0n);

for (const count of [1, 3, 200]) {
  /**
   * The peer is told that it has ${count} encryption modules. Each needs a Sender-ID of its own, so that no IV comes
   * twice: GROUP_SENDER asks for as many (section 2.5.1). Note: how many modules there are is what the peer is told.
   */
  test(`asks-for-${count}-sender-ids-where-it-needs-as-many`, {
    requirements: ["G-IKEV2-56"],
    peer: "initiator",
    config: group(),
    lies: [count === 1 ? "asks-for-no-sender-id" : "asks-for-one-sender-id"],
  }, async (s) => {
    const gc = await controllerOf(s);
    const { request } = await gc.registers({ sender: true, senderIds: count });
    const asked = notifies(request.payloads, NOTIFY.GROUP_SENDER).map(({ data }) => data);
    require(asked.length === 1 && asked[0]?.length === 4, "one GROUP_SENDER of 4 octets", `${asked.length}`);
    expect(readU32(asked[0], 0), "Sender-IDs that the peer asks for").to.equal(count);
  });
}

/** Bits of the Sender-ID, and one that has its lowest and highest bit set. */
const WIDTHS: [number, number][] = [
  [4, 9],
  [8, 0x81],
  [12, 0x801],
  [16, 0x8001],
];

for (const [bits, id] of WIDTHS) {
  /**
   * The controller gives the peer Sender-ID ${id} in ${bits} bits. The ESP that the peer sends has it in the ${bits}
   * bits at the top of the IV (section 2.5.2); what is below differs in each packet. The packets open with the keys
   * of the group.
   */
  test(`has-its-sender-id-in-the-top-${bits}-bits-of-the-iv`, {
    requirements: ["G-IKEV2-60"],
    peer: "initiator",
    config: group(),
    lies: ["writes-its-sender-id-at-the-end-of-the-iv"],
  }, async (s) => {
    changeGrants(s, ({ payloads }) => setSenderIds(payloads, [id], bits));
    const gc = await controllerWithMember(s, { sender: true });
    const packets = [...(await espOfMember(gc, "one")), ...(await espOfMember(gc, "two"))];
    expect(packets, "packets of two data").to.have.length(2);
    for (const packet of packets) openGroupEsp(onlySa(gc), packet);
    const ivs = packets.map(({ data }) => ivOf(data));
    for (const iv of ivs)
      expect(iv >> BigInt(8 * IV.octets - bits), "the top of the IV").to.equal(BigInt(id));
    expect(new Set(ivs).size, "different IVs").to.equal(ivs.length);
  });
}

/**
 * The controller gives the peer Sender-ID 256, but only 8 bits for it. That is fatal (section 2.5.2): the peer sends
 * nothing with it, and registers again. With an id that fits it sends. Note: it may wait a moment before it registers.
 */
test("registers-again-if-its-sender-id-does-not-fit", {
  requirements: ["G-IKEV2-59"],
  peer: "initiator",
  config: group(),
  lies: ["uses-sender-ids-that-are-too-large", "never-registers-a-second-time"],
}, async (s) => {
  const over = changeGrants(s, ({ payloads }) => setSenderIds(payloads, [256], 8));
  const gc = await controllerWithMember(s, { sender: true });
  expect(await espOfMember(gc), "ESP with a Sender-ID that does not fit").to.have.length(0);
  over();
  require(await registersAgain(gc, 1), "a registration because of the Sender-ID", "none");
  await gc.registers({ sender: true });
  const [packet] = await espOfMember(gc);
  require(packet !== undefined, "ESP with the Sender-ID of a later registration", "none");
});

for (const given of [[0x51], [0x51, 0x52, 0x53]]) {
  /**
   * The peer asks for three Sender-IDs and gets ${given.length}: a controller may give fewer (section 4.5.3.3). The peer
   * sends with one of those that it has.
   */
  test(`sends-with-one-of-its-${given.length}-sender-ids`, {
    requirements: ["G-IKEV2-60"],
    peer: "initiator",
    config: group(),
    lies: ["counts-sender-ids-itself"],
  }, async (s) => {
    changeGrants(s, ({ payloads }) => setSenderIds(payloads, given, 8));
    const gc = await controllerWithMember(s, { sender: true, senderIds: 3 });
    const [packet] = await espOfMember(gc);
    require(packet !== undefined, "ESP of the peer to the group", "none");
    expect(given, "the Sender-ID in the IV").to.include(packet.data[IV.at]);
  });
}
