import {
  afterInband,
  expect,
  expectNoFindings,
  furtherMember,
  GROUP,
  GSA_ATTRIBUTE,
  group,
  joined,
  MEMBER_KEY_BAG_ATTRIBUTE,
  memberValues,
  type Payload,
  PROTOCOL,
  readU32,
  require,
  Session,
  saPolicies,
  TRANSFORM,
  test,
  valuesOf,
} from "../../harness/script/index.ts";

const config = group({ rekey: "inband" });
const spis = (payloads: Payload[]): string[] =>
  saPolicies(payloads, PROTOCOL.ESP).map(({ spi }) => readU32(spi, 0).toString(16));

/**
 * The group has no Rekey SA. The controller is told to renew the keys: GSA_INBAND_REKEY comes under the tester's IKE SA
 * with other SPIs and keys that unwrap, and with neither Sender-IDs nor an authentication method.
 */
test("renews-keys-under-the-ike-sa-of-the-member", {
  requirements: ["G-IKEV2-33", "G-IKEV2-65", "G-IKEV2-83"],
  peer: "responder",
  config,
  lies: ["gives-sender-ids-inband", "wraps-group-keys-with-another-key"],
}, async (s) => {
  const { member, granted } = await joined(s, { sender: true });
  const [payloads = []] = await afterInband(s, (driver) => driver.rekey(GROUP, "data"));
  expect(spis(payloads), "SPIs").to.not.have.members(spis(granted.response));
  const types = saPolicies(payloads).flatMap(({ transforms }) => transforms.map(({ type }) => type));
  expect(types, "transform types").to.not.include(TRANSFORM.GCAUTH);
  const ids = memberValues(payloads, MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID);
  expect(ids.length, "GM_SENDER_ID").to.equal(0);
  await member.expects("rekeyed");
  expectNoFindings(member);
});

/**
 * The group has no Rekey SA. Neither the answer to the registration nor a rekey has what is for multicast rekeys alone:
 * GSA_INITIAL_MESSAGE_ID, GSA_NEXT_SPI, WRAP_KEY. A lifetime is allowed, though not recommended, if it leaves some time.
 */
test("says-nothing-of-multicast-rekeys-to-inband-groups", {
  requirements: ["G-IKEV2-88a", "G-IKEV2-90"],
  peer: "responder",
  config,
  lies: [
    "gives-inband-groups-no-time",
    "promises-spis-of-inband-rekeys",
    "gives-wrap-keys-inband",
    "counts-inband-rekeys",
  ],
}, async (s) => {
  const { granted } = await joined(s);
  const [rekey = []] = await afterInband(s, (driver) => driver.rekey(GROUP, "data"));
  for (const payloads of [granted.response, rekey]) {
    const policies = saPolicies(payloads);
    for (const name of ["GSA_INITIAL_MESSAGE_ID", "GSA_NEXT_SPI"] as const)
      expect(valuesOf(policies, GSA_ATTRIBUTE[name]).length, name).to.equal(0);
    const wraps = memberValues(payloads, MEMBER_KEY_BAG_ATTRIBUTE.WRAP_KEY);
    expect(wraps.length, "WRAP_KEY").to.equal(0);
    const lifetimes = valuesOf(policies, GSA_ATTRIBUTE.GSA_KEY_LIFETIME);
    if (lifetimes.length > 0) s.tolerate("gives data SAs a lifetime although it rekeys inband");
    const seconds = lifetimes.map((value) => (typeof value === "number" ? 0 : readU32(value, 0)));
    expect(Math.min(1, ...seconds), "lifetime in seconds").to.be.above(0);
  }
});

/**
 * The tester rekeys the IKE SA of its registration. Keys that come under the new one are wrapped with a key of its own
 * SK_d, in GSA_REGISTRATION and in GSA_INBAND_REKEY. Note: who fears for a first IKE SA without PPK may do so before it
 * registers; the drafts once had a notify for that, which is gone.
 */
test("wraps-keys-anew-under-a-rekeyed-ike-sa", {
  requirements: ["G-IKEV2-65"],
  peer: "responder",
  config,
  lies: ["forgets-to-rekey-gsk-w"],
}, async (s) => {
  const { member, granted } = await joined(s);
  const fresh = await new Session(s, granted.sa).rekeyIke();
  await afterInband(s, (driver) => driver.rekey(GROUP, "data"));
  await member.expects("rekeyed");
  member.sa = fresh.sa;
  await member.registerMore();
  expectNoFindings(member);
});

/**
 * Two members are in a group without Rekey SA; the controller is told to exclude one. That one gets Deletes with SPI zero
 * for the data SAs and for protocol 6, or nothing more; the other one gets new keys, and the excluded one none of them.
 */
test("excludes-a-member-under-its-ike-sa", {
  requirements: ["G-IKEV2-66"],
  peer: "responder",
  config: group({ rekey: "inband", members: ["tester.example", "other.example"] }),
  lies: ["keeps-the-keys-of-excluded-members"],
}, async (s) => {
  const { member } = await joined(s);
  const other = furtherMember(s, "other.example", "192.0.2.5");
  await other.register();
  await afterInband(s, (driver) => driver.exclude(GROUP, "tester.example"), 0);
  await other.expects("rekeyed");
  const fresh = other.membership().data.at(-1)?.planned.spi;
  const ours = member.member.membership(member.membership().group)?.data ?? [];
  const known = ours.some(({ planned }) => fresh !== undefined && planned.spi.join() === fresh.join());
  require(!known, "new keys for the other member alone", "the excluded member has them, too");
});
