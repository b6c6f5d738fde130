import {
  EXCHANGE,
  encrTransforms,
  equal,
  everything,
  expect,
  expectNoFindings,
  GSA_ATTRIBUTE,
  type GsaPolicy,
  GW_POLICY_ATTRIBUTE,
  group,
  groupWidePolicies,
  groupWideValues,
  hex,
  joined,
  listPayloads,
  NOTIFY,
  type Payload,
  PROTOCOL,
  payload,
  readU32,
  require,
  SN,
  saPolicies,
  TRANSFORM,
  test,
  transformsOfType,
  valuesOf,
} from "../../harness/script/index.ts";

const UDP = 17;
const IMPLICIT_IV = [29, 30, 31];

const isMulticast = (address: Uint8Array): boolean =>
  address.length === 4 ? (address[0] ?? 0) >> 4 === 0xe : address[0] === 0xff;

const types = ({ transforms }: GsaPolicy): number[] =>
  transforms.map(({ type }) => type).sort((a, b) => a - b);
const sn = (payloads: Payload[]): number[] =>
  saPolicies(payloads, PROTOCOL.ESP).flatMap((p) => transformsOfType(p, TRANSFORM.SN).map(({ id }) => id));

/**
 * The group has a Rekey SA and two data SAs, one with a combined mode cipher. The GSA payload has the policy of each SA
 * once, one of the group at most, and in each policy exactly one transform of each type that its protocol needs.
 */
test("gives-one-policy-for-each-sa-with-one-transform-of-each-type", {
  requirements: ["G-IKEV2-61", "G-IKEV2-73", "G-IKEV2-78", "G-IKEV2-79", "G-IKEV2-79a", "G-IKEV2-101"],
  peer: "responder",
  config: group({ data: ["aes128gcm16-unspec32", "aes256-sha256-unspec32"], ATD: 1, DTD: 2 }),
  lies: [
    "leaves-sn-out",
    "gives-two-rekey-policies",
    "doubles-the-cipher",
    "adds-integrity-to-group-aead",
    "leaves-integrity-out",
    "leaves-the-group-key-wrap-out",
  ],
}, async (s) => {
  const { granted, member } = await joined(s);
  const [rekey, ...others] = saPolicies(granted.response, PROTOCOL.GIKE_UPDATE);
  expect(others.length, "further policies of Rekey SAs").to.equal(0);
  expect(rekey && types(rekey), "transform types of the Rekey SA").to.deep.equal([
    TRANSFORM.ENCR,
    TRANSFORM.KWA,
    TRANSFORM.GCAUTH,
  ]);
  expect(groupWidePolicies(granted.response).length, "policies of the group").to.be.at.most(1);
  for (const policy of saPolicies(granted.response, PROTOCOL.ESP)) {
    const aead = transformsOfType(policy, TRANSFORM.ENCR).some(({ id }) => encrTransforms.get(id)?.aead);
    const integ = transformsOfType(policy, TRANSFORM.INTEG).filter(({ id }) => !(aead && id === 0));
    const found = types(policy).filter((type) => type !== TRANSFORM.INTEG);
    expect(found, "transform types of a data SA").to.deep.equal([TRANSFORM.ENCR, TRANSFORM.SN]);
    expect(integ.length, "integrity transforms").to.equal(aead ? 0 : 1);
  }
  expectNoFindings(member);
});

/** The destination of the Rekey SA is one multicast address, UDP and one port; its source one address and port, or any. */
test("rekeys-from-one-address-to-one-multicast-address", {
  requirements: ["G-IKEV2-75", "G-IKEV2-76"],
  peer: "responder",
  config: group(),
  lies: ["rekeys-to-many-addresses", "rekeys-from-a-few-addresses"],
}, async (s) => {
  const { granted } = await joined(s);
  const [policy] = saPolicies(granted.response, PROTOCOL.GIKE_UPDATE);
  require(policy !== undefined, "a Rekey SA", "none");
  const { source, destination } = policy;
  expect(hex(destination.endAddress), "end of the destination").to.equal(hex(destination.startAddress));
  require(isMulticast(destination.startAddress), "a multicast address", hex(destination.startAddress));
  expect(destination.ipProtocol, "protocol").to.equal(UDP);
  expect(destination.endPort, "end of the ports").to.equal(destination.startPort);
  const wildcard = source.startAddress.every((o) => o === 0) && source.endAddress.every((o) => o === 0xff);
  if (wildcard) s.tolerate("the source of the Rekey SA is a wildcard");
  else expect(hex(source.endAddress), "end of the source").to.equal(hex(source.startAddress));
});

/** The group's data SAs are of ESP. No AH policy has the same selectors. */
test("gives-no-esp-and-ah-for-the-same-traffic", {
  requirements: ["G-IKEV2-74"],
  peer: "responder",
  config: group(),
  lies: ["doubles-the-data-sa-as-ah"],
}, async (s) => {
  const { granted } = await joined(s, { SAg: "none" }).catch(() => joined(s, { SAg: everything() }));
  const same = (a: GsaPolicy, b: GsaPolicy) =>
    equal(a.destination.startAddress, b.destination.startAddress) &&
    equal(a.source.startAddress, b.source.startAddress);
  const [esp, ah] = [PROTOCOL.ESP, PROTOCOL.AH].map((id) => saPolicies(granted.response, id));
  const doubled = esp!.some((a) => ah!.some((b) => same(a, b)));
  require(!doubled, "ESP or AH for the same selectors", "both");
});

/**
 * The group has several senders, whose numbers nobody can put in order: its data SAs have 32-bit unspecified numbers.
 * Extended numbers are in no group, whatever a member offers (decisions of the working group of March 2022).
 */
test("leaves-the-numbers-of-several-senders-unspecified", {
  requirements: ["G-IKEV2-85", "G-IKEV2-86"],
  peer: "responder",
  config: group(),
  lies: ["numbers-groups-by-64-bits", "numbers-several-senders-in-sequence"],
}, async (s) => {
  const { granted, member } = await joined(s, { SAg: "none" });
  expect(sn(granted.response), "Sequence Numbers").to.deep.equal([SN.UNSPECIFIED_32]);
  const SAg = everything().map((p) => ({
    ...p,
    transforms: p.transforms.map((t) => (t.type === TRANSFORM.SN ? { ...t, id: SN.PARTIAL_64 } : t)),
  }));
  const { response } = await member.tryRegisterMore({ SAg });
  expect(sn(response), "Sequence Numbers for who offers extended ones").to.not.include(SN.PARTIAL_64);
});

/** The group has one sender: its data SA should have 32-bit sequential numbers, and has no extended ones. */
test("numbers-the-packets-of-a-single-sender-in-sequence", {
  requirements: ["G-IKEV2-84", "G-IKEV2-85"],
  peer: "responder",
  config: group({ data: ["aes128gcm16-noesn"], senders: ["other.example"] }),
  lies: ["numbers-a-single-sender-by-an-unknown-way", "numbers-groups-by-64-bits"],
}, async (s) => {
  const { granted } = await joined(s);
  const [id] = sn(granted.response);
  if (id === SN.UNSPECIFIED_32) return s.tolerate("leaves the numbers of a single sender unspecified");
  expect(id, "Sequence Numbers").to.equal(SN.SEQUENTIAL_32);
});

/**
 * Every offer of the tester in IKE_SA_INIT and SAg begins with ciphers of implicit IV. They are chosen neither for the
 * IKE SA nor for the Rekey SA, nor for data SAs whose numbers are not unique (section 2.7).
 */
test("uses-no-implicit-ivs-where-numbers-are-not-unique", {
  requirements: ["G-IKEV2-63"],
  peer: "responder",
  config: group(),
  lies: ["protects-rekeys-by-implicit-ivs"],
}, async (s) => {
  const first = IMPLICIT_IV.map((id) => ({
    ...{ type: TRANSFORM.ENCR, id },
    attributes: id === 31 ? [] : [{ type: 14, value: 256 }],
  }));
  s.policy.ike = s.policy.ike.map((p) => ({ ...p, transforms: [...first, ...p.transforms] }));
  const SAg = everything().map((p) => ({ ...p, transforms: [...first, ...p.transforms] }));
  const { granted } = await joined(s, { SAg });
  const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
  const chosen =
    payload(response?.payloads ?? [], "SA")?.proposals.flatMap(({ transforms }) => transforms) ?? [];
  const inGroup = saPolicies(granted.response).flatMap(({ transforms }) => transforms);
  const ciphers = [...chosen, ...inGroup].filter(({ type }) => type === TRANSFORM.ENCR).map(({ id }) => id);
  for (const id of IMPLICIT_IV) expect(ciphers, "ciphers").to.not.include(id);
});

/** The group has multicast rekey: each policy has one lifetime, in the answer to a registration and in a rekey. */
test("tells-the-lifetime-of-each-sa", {
  requirements: ["G-IKEV2-88"],
  peer: "responder",
  config: group({ data: ["aes128gcm16-unspec32", "aes256gcm16-unspec32"] }),
  lies: ["conceals-lifetimes"],
}, async (s) => {
  const { granted, log } = await joined(s);
  const { payloads } = await log.afterRekey("both");
  for (const policy of [...saPolicies(granted.response), ...saPolicies(payloads)]) {
    const [seconds, ...more] = valuesOf([policy], GSA_ATTRIBUTE.GSA_KEY_LIFETIME);
    require(seconds instanceof Uint8Array, "GSA_KEY_LIFETIME", "none");
    expect(more.length, "further lifetimes").to.equal(0);
    expect(readU32(seconds, 0), "seconds").to.be.above(0);
  }
});

/**
 * The tester registers before any rekey, and again after two. First there is no GSA_INITIAL_MESSAGE_ID, since the next number is
 * 0; then it is 2. The next rekey has that number.
 */
test("tells-a-late-member-the-number-of-the-next-rekey", {
  requirements: ["G-IKEV2-89"],
  peer: "responder",
  config: group(),
  lies: ["conceals-the-number-of-rekeys", "counts-rekeys-from-seven"],
}, async (s) => {
  const { granted, log, member } = await joined(s);
  const told = (payloads: Payload[]) =>
    valuesOf(saPolicies(payloads, PROTOCOL.GIKE_UPDATE), GSA_ATTRIBUTE.GSA_INITIAL_MESSAGE_ID).map((value) =>
      typeof value === "number" ? -1 : readU32(value, 0),
    );
  expect(told(granted.response), "GSA_INITIAL_MESSAGE_ID").to.deep.equal([]);
  await log.afterRekey("data");
  await log.afterRekey("data");
  const late = await member.registerMore();
  expect(told(late.response), "GSA_INITIAL_MESSAGE_ID").to.deep.equal([2]);
  expect((await log.afterRekey("data")).messageId, "Message ID").to.equal(2);
});

/**
 * The group has activation and deactivation delays. They stand in the one policy of the group, whose protocol and RESERVED
 * are zero; the member key bag has zeros there, too.
 */
test("begins-group-policy-and-member-bag-with-zeros", {
  requirements: ["G-IKEV2-92", "G-IKEV2-97"],
  peer: "responder",
  config: group({ ATD: 5, DTD: 10 }),
  lies: ["sets-reserved-of-the-group-policy", "sets-reserved-of-the-member-bag"],
}, async (s) => {
  const { granted } = await joined(s);
  const { GWP_ATD, GWP_DTD } = GW_POLICY_ATTRIBUTE;
  const delays = [GWP_ATD, GWP_DTD].map((type) => groupWideValues(granted.response, type));
  expect(delays, "activation and deactivation delay").to.deep.equal([[5], [10]]);
  const bags = granted.KD.bags.filter((bag) => bag.kind === "member");
  for (const { reserved } of [...groupWidePolicies(granted.response), ...bags])
    expect(reserved ?? 0, "RESERVED").to.equal(0);
  const notifies = granted.response.filter(
    (p) => p.kind === "Notify" && p.notifyType < NOTIFY.INITIAL_CONTACT,
  );
  require(notifies.length === 0, "no error beside policy and keys", listPayloads({ payloads: notifies }));
});
