import {
  changeGrants,
  controllerWithMember,
  type Datagram,
  EXCHANGE,
  espOfMember,
  expect,
  expectKept,
  expectNoAnswer,
  expectReads,
  expectServesMember,
  expectUnread,
  type GroupController,
  GSA_ATTRIBUTE,
  group,
  listPayloads,
  type Payload,
  PROTOCOL,
  rekeyWith,
  require,
  type Script,
  Session,
  saPolicies,
  test,
  u32,
  withMember,
} from "../../harness/script/index.ts";

/** The IKE SA of the peer's last registration. */
function sessionOf(gc: GroupController): Session {
  const sa = gc.registrations().at(-1)?.request.sa;
  require(sa !== undefined, "a registration under an IKE SA", "none");
  return new Session(gc.script, sa);
}

/** Says in GSA that the next message on the Rekey SA has this number. */
function setFirstNumber(payloads: Payload[], value: number): void {
  const type = GSA_ATTRIBUTE.GSA_INITIAL_MESSAGE_ID;
  for (const policy of saPolicies(payloads, PROTOCOL.GIKE_UPDATE))
    policy.attributes = [...policy.attributes.filter((a) => a.type !== type), { type, value: u32(value) }];
}

/** With or without the non-ESP marker of port 4500 in front. */
function isRekey({ protocol, data }: Datagram): boolean {
  const marker = data.subarray(0, 4).every((octet) => octet === 0) ? 4 : 0;
  return protocol === "udp" && data[marker + 18] === EXCHANGE.GSA_REKEY;
}

/** We take no IKE_SA_INIT of the peer's until the returned function is called. */
function refuseStrangers(s: Script): () => void {
  let over = false;
  s.extensions.push({
    name: "refuse strangers",
    incoming: ({ header }) => (!over && header.exchangeType === EXCHANGE.IKE_SA_INIT ? "drop" : undefined),
  });
  return () => {
    over = true;
  };
}

/**
 * The peer has joined a group and was told of nothing else. It asks for no Child SA on that IKE SA (section 2.3); when
 * the tester asks for one, its place in the group stays as it is. Note: it should not make that one either; a peer that does is
 * tolerated.
 */
test("makes-no-child-sa-on-the-ike-sa-of-its-own-registration", {
  requirements: ["G-IKEV2-06"],
  peer: "initiator",
  config: group({ rekey: "inband" }),
  lies: ["makes-a-child-sa-beside-its-group"],
}, async (s) => {
  const gc = await withMember(s);
  const [asked] = s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer");
  require(!asked, "no CREATE_CHILD_SA of the peer's own", listPayloads(asked?.request));
  const child = await sessionOf(gc).tryCreateChild();
  if (typeof child !== "string")
    s.tolerate("makes a Child SA beside its group; section 2.3 recommends against");
  await expectReads(gc, "the peer to stay in its group whatever becomes of a Child SA");
});

/**
 * The peer joined a group to receive only. Its application sends something nevertheless: no ESP comes out, as its data SA
 * is installed inbound only (section 2.3.3).
 */
test("sends-nothing-to-a-group-that-it-only-listens-to", {
  requirements: ["G-IKEV2-21"],
  peer: "initiator",
  config: group(),
  lies: ["sends-as-a-receiver"],
}, async (s) => {
  const gc = await withMember(s);
  const sent = await espOfMember(gc);
  expect(sent, "ESP of the peer to the group").to.have.length(0);
  await expectReads(gc, "the peer to go on reading");
});

/**
 * The peer is the single sender of a group. Its own packet comes back to it, as multicast does that loops: its data SA
 * is installed outbound only (section 2.3.3), so that nothing reaches its application.
 */
test("does-not-deliver-its-own-packets-that-come-back", {
  requirements: ["G-IKEV2-22"],
  peer: "initiator",
  config: group({ data: ["aes128gcm16-noesn"] }),
  lies: ["delivers-its-own-traffic"],
}, async (s) => {
  const gc = await controllerWithMember(s, { sender: true });
  const [packet] = await espOfMember(gc, "an echo");
  require(packet !== undefined, "ESP of the peer to the group", "none");
  s.host.send(packet);
  await s.wait();
  expect(await gc.received(), "what the peer's application got").not.to.include("an echo");
});

/**
 * The controller renews the keys of the data by multicast. The peer follows, but never sends a message of the exchange
 * GSA_REKEY itself: its Rekey SA is installed inbound only (section 2.3.3), and nothing answers such a message.
 */
test("takes-gsa-rekey-and-never-sends-one", {
  requirements: ["G-IKEV2-23"],
  peer: "initiator",
  config: group(),
  lies: ["sends-gsa-rekey-back"],
}, async (s) => {
  const gc = await withMember(s);
  const since = s.mark();
  const { fresh } = await rekeyWith(gc, () => {});
  expectNoAnswer(s, since, "nothing in return for GSA_REKEY");
  const own = s.received(since).filter(isRekey);
  expect(own, "GSA_REKEY of the peer's").to.have.length(0);
  await expectReads(gc, "the peer to read data under the new keys", fresh);
});

/**
 * Two rekeys have come on the Rekey SA when the peer registers again, and the answer says by GSA_INITIAL_MESSAGE_ID that
 * the next one has number 1. That is stale, as the peer knows better, and must be ignored (section 2.3.3): a rekey with
 * number 1 changes nothing.
 */
test("ignores-a-stale-first-number-of-its-rekey-sa", {
  requirements: ["G-IKEV2-24"],
  peer: "initiator",
  config: group(),
  lies: ["takes-stale-initial-message-ids"],
}, async (s) => {
  const gc = await withMember(s);
  for (let count = 0; count < 2; count++) await rekeyWith(gc, () => {});
  changeGrants(s, ({ payloads }) => setFirstNumber(payloads, 1));
  await gc.registers();
  const { old, fresh } = await rekeyWith(gc, (message) => {
    message.messageId = 1;
  });
  await expectUnread(gc, "a GSA_REKEY with an old number", fresh);
  await expectReads(gc, "the data SA from before to go on", old);
});

/**
 * A rekey of the group gets lost. The peer registers again then, and learns of other data SAs than it has: what it knew of
 * the group is replaced (section 2.3.3), so that data on the old SA are not delivered any more.
 */
test("replaces-all-that-it-knew-when-it-registers-again", {
  requirements: ["G-IKEV2-25"],
  peer: "initiator",
  config: group(),
  lies: ["keeps-old-sas-at-registration"],
}, async (s) => {
  const gc = await withMember(s);
  const { old, fresh } = await rekeyWith(gc, (message) => {
    message.octets = () => [];
  });
  await expectReads(gc, "the data SA from before while nothing is known of another", old);
  await gc.registers();
  await expectReads(gc, "the data SA of the new registration", fresh);
  await expectUnread(gc, "what the peer knew before it registered again", old);
});

/**
 * The peer has got a Rekey SA. It keeps the IKE SA nevertheless: to close that is for the controller (section 2.3.3). Note: it
 * should not close it; a Delete is tolerated, silence is not.
 */
test("keeps-its-ike-sa-beside-a-rekey-sa", {
  requirements: ["G-IKEV2-26"],
  peer: "initiator",
  config: group(),
  lies: ["forgets-its-ike-sa-once-registered"],
}, async (s) => {
  const gc = await withMember(s);
  await expectKept(sessionOf(gc), "closes the IKE SA; section 2.3.3 leaves that to the controller");
});

/**
 * The peer has got a Rekey SA, and the controller closes the IKE SA. That is no exclusion (section 2.3.3): without a new
 * registration the peer goes on reading, and takes the next rekey.
 */
test("stays-in-its-group-without-ike-sa-if-it-has-a-rekey-sa", {
  requirements: ["G-IKEV2-27"],
  peer: "initiator",
  config: group(),
  lies: ["takes-the-end-of-the-ike-sa-for-exclusion"],
}, async (s) => {
  const gc = await withMember(s);
  refuseStrangers(s);
  await sessionOf(gc).deleteIke();
  await expectReads(gc, "the peer to stay in the group, as it has a Rekey SA");
  const { fresh } = await rekeyWith(gc, () => {});
  await expectReads(gc, "the peer to take a rekey without IKE SA", fresh);
});

/**
 * In a group that is rekeyed inband the controller closes the peer's IKE SA. Then the peer must take itself for excluded
 * (section 2.3.3): data of the group are no longer delivered, until it has registered again.
 */
test("takes-itself-for-excluded-when-its-ike-sa-is-closed", {
  requirements: ["G-IKEV2-27"],
  peer: "initiator",
  config: group({ rekey: "inband" }),
  lies: ["goes-on-without-ike-sa"],
}, async (s) => {
  const gc = await withMember(s);
  const welcome = refuseStrangers(s);
  await sessionOf(gc).deleteIke();
  await expectUnread(gc, "a membership that ended with its IKE SA");
  welcome();
  await expectServesMember(gc);
});
