import {
  controllerOf,
  controllerWithMember,
  EXCHANGE,
  errorNotify,
  expect,
  expectReads,
  GROUP,
  group,
  hasNotify,
  identity,
  listPayloads,
  NOTIFY,
  notifies,
  PAYLOAD,
  PROTOCOL,
  type Proposal,
  payload,
  require,
  type SeenMessage,
  TRANSFORM,
  test,
} from "../../harness/script/index.ts";

const READS = "the peer to read data of the group once it has registered";
const SECOND = "group.example";

/** Transform types that section 4.4.2.1 has for each protocol. */
const TYPES: Record<number, number[]> = {
  [PROTOCOL.GIKE_UPDATE]: [TRANSFORM.ENCR, TRANSFORM.INTEG, TRANSFORM.GCAUTH, TRANSFORM.KWA],
  [PROTOCOL.ESP]: [TRANSFORM.ENCR, TRANSFORM.INTEG, TRANSFORM.SN],
  [PROTOCOL.AH]: [TRANSFORM.INTEG, TRANSFORM.SN],
};

const proposalsOf = ({ payloads }: SeenMessage): Proposal[] => payload(payloads, "SA")?.proposals ?? [];

const hasType = ({ transforms }: Proposal, type: number): boolean => transforms.some((t) => t.type === type);

/**
 * The peer is told to join a group. Its IKE_SA_INIT request offers a key wrap algorithm, transform type 13: without one
 * no key of the group could be wrapped (sections 2.3 and 4.5.4).
 */
test("offers-a-key-wrap-algorithm-in-ike-sa-init", {
  requirements: ["G-IKEV2-05"],
  peer: "initiator",
  config: group(),
  lies: ["offers-no-key-wrap"],
}, async (s) => {
  const gc = await controllerOf(s);
  await gc.tryRegisters();
  const { request } = s.exchange(EXCHANGE.IKE_SA_INIT, "peer");
  const offered = proposalsOf(request).some((proposal) => hasType(proposal, TRANSFORM.KWA));
  require(offered, "a proposal with a transform of type 13 (KWA)", listPayloads(request));
  await expectReads(gc, READS);
});

/**
 * The peer is told to join a group. It registers by GSA_AUTH, exchange type 39, which sets up no Child SA: there are no
 * TSi and TSr in it (section 2.3.1). Data of the group reach it then.
 */
test("registers-by-gsa-auth-without-a-child-sa", {
  requirements: ["G-IKEV2-07"],
  peer: "initiator",
  config: group(),
  lies: ["registers-in-ike-auth", "adds-traffic-selectors-to-gsa-auth"],
}, async (s) => {
  const gc = await controllerOf(s);
  const { request, exchangeType } = await gc.registers();
  expect(exchangeType, "exchange type of the registration").to.equal(EXCHANGE.GSA_AUTH);
  require(!payload(request.payloads, "TS"), "no TSi and TSr", listPayloads(request));
  await expectReads(gc, READS);
});

/**
 * The peer joins one group, then another one that the same controller has: by GSA_REGISTRATION on the IKE SA that is there,
 * or by one more GSA_AUTH. The request names the second group, and data of both reach it.
 */
test("joins-a-second-group-of-the-same-controller", {
  requirements: ["G-IKEV2-07"],
  peer: "initiator",
  config: group(
    {},
    { id: SECOND, rekey: "inband", data: ["aes128gcm16-unspec32"], dataGroups: ["239.2.2.9"] },
  ),
  lies: ["registers-once-more-for-its-first-group"],
}, async (s) => {
  const gc = await controllerWithMember(s);
  const { response } = await gc.registers({}, SECOND);
  require(!errorNotify(response?.payloads ?? []), "GSA and KD of the second group", listPayloads(response));
  const [second] = gc.dataSas(SECOND);
  require(second !== undefined, "a registration for the second group", "one for the first again");
  await expectReads(gc, "the peer to read data of the second group", second);
  await expectReads(gc, "the peer to go on reading data of the first group");
});

/**
 * The peer is told that it will send to the group. Its request has GROUP_SENDER (section 2.3.1), of exactly 4 octets
 * (section 4.7.4), with Protocol ID and SPI Size zero (section 4.7).
 */
test("says-by-group-sender-that-it-will-send", {
  requirements: ["G-IKEV2-08", "G-IKEV2-103", "G-IKEV2-104"],
  peer: "initiator",
  config: group(),
  lies: ["omits-group-sender", "writes-two-octets-of-group-sender", "says-group-sender-for-esp"],
}, async (s) => {
  const gc = await controllerOf(s);
  const { request } = await gc.registers({ sender: true });
  const [sender] = notifies(request.payloads, NOTIFY.GROUP_SENDER);
  require(sender !== undefined, "N(GROUP_SENDER)", listPayloads(request));
  expect(sender.data.length, "octets of GROUP_SENDER").to.equal(4);
  expect(sender.protocolId, "Protocol ID of GROUP_SENDER").to.equal(0);
  expect(sender.spi.length, "SPI Size of GROUP_SENDER").to.equal(0);
});

/**
 * The peer is told that it will only receive. Its request has no GROUP_SENDER: the controller would give it Sender-IDs,
 * of which there are not many.
 */
test("says-nothing-of-sending-if-it-only-receives", {
  requirements: ["G-IKEV2-08"],
  peer: "initiator",
  config: group(),
  lies: ["always-says-group-sender"],
}, async (s) => {
  const gc = await controllerOf(s);
  const { request } = await gc.registers();
  require(!hasNotify(request.payloads, NOTIFY.GROUP_SENDER), "no N(GROUP_SENDER)", listPayloads(request));
  await expectReads(gc, READS);
});

/**
 * The proposals of SAg name algorithms, not SAs: their SPI Size is zero (section 2.3.3). Note: SAg itself is only
 * recommended; a registration without it has nothing to look at.
 */
test("writes-no-spi-into-sag", {
  requirements: ["G-IKEV2-14"],
  peer: "initiator",
  config: group(),
  lies: ["puts-spis-into-sag"],
}, async (s) => {
  const gc = await controllerOf(s);
  const { request } = await gc.registers();
  const proposals = proposalsOf(request);
  if (proposals.length === 0) s.tolerate("no SAg, which section 2.3.3 recommends");
  for (const { spi } of proposals) expect(spi.length, "SPI Size in SAg").to.equal(0);
});

/**
 * SAg of GSA_AUTH tells what the member can do: for protocol 6 with key wrap algorithms, without which no Rekey SA is
 * possible (section 4.5.4), and with no other transform types than each protocol has (section 2.3.3). Note: that it is
 * there, and that other types are not, is only recommended.
 */
test("says-by-sag-what-it-can-do", {
  requirements: ["G-IKEV2-16", "G-IKEV2-19", "G-IKEV2-102"],
  peer: "initiator",
  config: group(),
  lies: ["offers-no-key-wrap-in-sag"],
}, async (s) => {
  const gc = await controllerOf(s);
  const { request } = await gc.registers();
  const proposals = proposalsOf(request);
  if (proposals.length === 0) s.tolerate("no SAg, which section 2.3.3 recommends");
  for (const proposal of proposals) {
    const rekeys = proposal.protocolId === PROTOCOL.GIKE_UPDATE;
    require(!rekeys ||
      hasType(proposal, TRANSFORM.KWA), "a key wrap algorithm for protocol 6", "none in SAg");
    const strange = proposal.transforms.find(({ type }) => !TYPES[proposal.protocolId]?.includes(type));
    if (strange) s.tolerate(`type ${strange.type} in SAg; section 2.3.3 says that it should not be there`);
  }
});

/**
 * The peer is told to join as somebody who sends. Its request may say by USE_AGGFRAG that it can do AGGFRAG, but not with
 * congestion control (section 6.3): several receivers could not steer one sender. Note: who says nothing of AGGFRAG
 * has nothing to get wrong.
 */
test("asks-for-no-congestion-control-in-a-group", {
  requirements: ["G-IKEV2-106"],
  peer: "initiator",
  config: group({ data: ["aes128gcm16-noesn"] }),
  lies: ["asks-for-aggfrag-with-congestion-control"],
}, async (s) => {
  const CONGESTION_CONTROL = 2;
  const gc = await controllerOf(s);
  const { request } = await gc.registers({ sender: true });
  for (const { data } of notifies(request.payloads, NOTIFY.USE_AGGFRAG))
    expect((data[0] ?? 0) & CONGESTION_CONTROL, "congestion control flag of USE_AGGFRAG").to.equal(0);
});

const GROUP_IDS: Record<string, { id: string; requirement: string }> = {
  "a-key-id": { id: GROUP, requirement: "G-IKEV2-71" },
  "an-ipv4-address": { id: "192.0.2.77", requirement: "G-IKEV2-72" },
  "an-ipv6-address": { id: "2001:db8::77", requirement: "G-IKEV2-72" },
  "a-domain-name": { id: "group.example", requirement: "G-IKEV2-72" },
  "a-mail-address": { id: "group@example.net", requirement: "G-IKEV2-72" },
};

for (const [what, { id, requirement }] of Object.entries(GROUP_IDS)) {
  /**
   * The group that the peer is told to join has ${what} for a name. IDg of the registration has it, in type and
   * octets (section 4.2); data of the group reach the peer.
   */
  test(`registers-for-a-group-that-is-named-by-${what}`, {
    requirements: [requirement],
    peer: "initiator",
    config: group({ id }),
    lies: [id === GROUP ? "calls-every-group-a-name" : "calls-every-group-a-key-id"],
  }, async (s) => {
    const gc = await controllerOf(s);
    const { request } = await gc.registers({}, id);
    const IDg = payload(request.payloads, "ID", PAYLOAD.IDg);
    require(IDg !== undefined, "IDg", listPayloads(request));
    expect({ type: IDg.idType, data: IDg.data }, "IDg").to.deep.equal(identity(id));
    await expectReads(gc, READS, gc.dataSas(id)[0]);
  });
}
