import {
  AUTH_METHOD,
  concat,
  equal,
  expect,
  expectNoFindings,
  GCAUTH,
  GROUP,
  group,
  hex,
  joined,
  MEMBER_KEY_BAG_ATTRIBUTE,
  memberValues,
  PAYLOAD,
  type Payload,
  PROTOCOL,
  payload,
  require,
  type SeenRekey,
  saPolicies,
  TRANSFORM,
  TRANSFORM_ATTRIBUTE,
  test,
  transformsOfType,
} from "../../harness/script/index.ts";

const spiPair = ({ datagram }: SeenRekey): string => hex(datagram.data.subarray(0, 16));
const rekeySpi = (payloads: Payload[]): string =>
  hex(saPolicies(payloads, PROTOCOL.GIKE_UPDATE)[0]?.spi ?? new Uint8Array());

/**
 * The controller is told twice to renew the keys of the data SAs. Each time a GSA_REKEY comes by multicast: the SPI pair
 * of its header is the SPI of the Rekey SA, and its Message ID is 0 and then 1.
 */
test("sends-numbered-rekeys-on-the-rekey-sa", {
  requirements: ["G-IKEV2-34", "G-IKEV2-44"],
  peer: "responder",
  config: group(),
  lies: ["sends-rekeys-on-another-spi", "skips-numbers-of-rekeys"],
}, async (s) => {
  const { log, granted, member } = await joined(s);
  const messages = [await log.afterRekey("data"), await log.afterRekey("data")];
  const spi = rekeySpi(granted.response);
  expect(messages.map(spiPair), "SPI pairs").to.deep.equal([spi, spi]);
  expect(
    messages.map(({ messageId }) => messageId),
    "Message IDs",
  ).to.deep.equal([0, 1]);
  expectNoFindings(member);
});

/**
 * After one rekey of the data SAs the controller is told to replace the Rekey SA, and then to renew the data SAs again.
 * The message on the new Rekey SA has the SPI that the message before it named, and Message ID 0.
 */
test("begins-with-zero-on-a-new-rekey-sa", {
  requirements: ["G-IKEV2-43"],
  peer: "responder",
  config: group(),
  lies: ["goes-on-counting-on-a-new-rekey-sa"],
}, async (s) => {
  const { log, member } = await joined(s);
  await log.afterRekey("data");
  const change = await log.afterRekey("rekey SA");
  const next = await log.afterRekey("data");
  expect(spiPair(next), "SPI pair").to.equal(rekeySpi(change.payloads));
  expect(next.messageId, "Message ID").to.equal(0);
  expectNoFindings(member);
});

/**
 * The controller may send copies of a GSA_REKEY, since nobody tells it that one got lost. All datagrams of one Message ID
 * are the same octet by octet.
 */
test("repeats-rekeys-octet-by-octet", {
  requirements: ["G-IKEV2-45"],
  peer: "responder",
  config: group(),
  lies: ["seals-copies-of-rekeys-anew"],
}, async (s) => {
  const { log } = await joined(s);
  const first = await log.afterRekey("data");
  const copies = log.seen.filter((m) => spiPair(m) === spiPair(first) && m.messageId === first.messageId);
  for (const { datagram } of copies)
    require(equal(datagram.data, first.datagram.data), hex(first.datagram.data), hex(datagram.data));
});

/**
 * Nobody answers a GSA_REKEY. The next one comes all the same, and once the few seconds for copies are over none of them comes
 * again.
 */
test("waits-for-no-answer-to-rekeys", {
  requirements: ["G-IKEV2-32"],
  peer: "responder",
  config: group(),
  lies: ["sends-rekeys-until-answered"],
}, async (s) => {
  const { log } = await joined(s);
  await log.afterRekey("data");
  await log.afterRekey("data");
  await s.wait();
  const before = log.seen.length;
  await s.wait();
  expect(log.seen.length - before, "GSA_REKEY that came again").to.equal(0);
});

const SIGNED = ["ed25519", "rsa-pss", "ecdsa-p256"] as const;

for (const rekey of SIGNED) {
  /**
   * The group's rekeys are signed with ${rekey}. AUTH has method 14 and the AlgorithmIdentifier that GCAUTH names, and the
   * signature verifies with AUTH_KEY over the message as it were without encryption (section 2.4.1.1).
   */
  test(`signs-its-rekeys-with-${rekey}`, {
    requirements: ["G-IKEV2-35", "G-IKEV2-39", "G-IKEV2-82"],
    peer: "responder",
    config: group({ rekey }),
    lies: ["leaves-auth-out-of-rekeys", "signs-the-lengths-as-sent", "names-another-algorithm-in-rekeys"],
  }, async (s) => {
    const { log, granted } = await joined(s);
    const { payloads } = await log.afterRekey("data");
    const auth = payload(payloads, "AUTH");
    expect(auth?.method, "Auth Method").to.equal(AUTH_METHOD.DIGITAL_SIGNATURE);
    const [policy] = saPolicies(granted.response, PROTOCOL.GIKE_UPDATE);
    const [gcauth] = policy ? transformsOfType(policy, TRANSFORM.GCAUTH) : [];
    const named = gcauth?.attributes.find(
      ({ type }) => type === TRANSFORM_ATTRIBUTE.SIGNATURE_ALGORITHM_IDENTIFIER,
    )?.value;
    require(named instanceof Uint8Array && auth !== undefined, "attribute 18 of GCAUTH", "none");
    const begins = auth.data.subarray(0, named.length + 1);
    expect(hex(begins), "begin of AUTH").to.equal(hex(concat(Uint8Array.of(named.length), named)));
  });
}

/**
 * The group's rekeys are authenticated by nothing but the group's keys. There is no AUTH in them, and at registration
 * neither AUTH_KEY nor an algorithm in GCAUTH.
 */
test("signs-nothing-with-implicit-authentication", {
  requirements: ["G-IKEV2-36", "G-IKEV2-38", "G-IKEV2-81"],
  peer: "responder",
  config: group({ rekey: "implicit" }),
  lies: [
    "signs-implicit-rekeys",
    "gives-an-auth-key-to-implicit-groups",
    "names-an-algorithm-of-implicit-authentication",
  ],
}, async (s) => {
  const { log, granted } = await joined(s);
  const [policy] = saPolicies(granted.response, PROTOCOL.GIKE_UPDATE);
  const gcauth = policy ? transformsOfType(policy, TRANSFORM.GCAUTH) : [];
  expect(
    gcauth.map(({ id, attributes }) => [id, attributes.length]),
    "GCAUTH",
  ).to.deep.equal([[GCAUTH.IMPLICIT, 0]]);
  const keys = memberValues(granted.response, MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY);
  expect(keys.length, "AUTH_KEY").to.equal(0);
  const { payloads } = await log.afterRekey("data");
  const kinds = payloads.map(({ type }) => type);
  expect(kinds, "payloads of GSA_REKEY").to.not.include(PAYLOAD.AUTH);
});

for (const rekey of ["implicit", ...SIGNED] as const) {
  /**
   * The group's rekeys are authenticated by ${rekey}. GCAUTH is implicit or a digital signature: the working group gave
   * shared-key authentication up (March 2022).
   */
  test(`authenticates-by-signature-or-not-at-all-with-${rekey}`, {
    requirements: ["G-IKEV2-78"],
    peer: "responder",
    config: group({ rekey }),
    lies: ["authenticates-rekeys-by-a-shared-key"],
  }, async (s) => {
    const { granted } = await joined(s);
    const [policy] = saPolicies(granted.response, PROTOCOL.GIKE_UPDATE);
    const ids = policy ? transformsOfType(policy, TRANSFORM.GCAUTH).map(({ id }) => id) : [];
    expect(ids, "GCAUTH").to.deep.equal([rekey === "implicit" ? GCAUTH.IMPLICIT : GCAUTH.DIGITAL_SIGNATURE]);
  });
}

/** A rekey of everything has no authentication method in its policy: that never changes (section 4.4.2.1.1). */
test("leaves-the-authentication-method-out-of-rekeys", {
  requirements: ["G-IKEV2-83"],
  peer: "responder",
  config: group(),
  lies: ["repeats-gcauth-in-rekeys"],
}, async (s) => {
  const { log } = await joined(s);
  const { payloads } = await log.afterRekey("both");
  const types = saPolicies(payloads).flatMap(({ transforms }) => transforms.map(({ type }) => type));
  expect(types, "transform types").to.not.include(TRANSFORM.GCAUTH);
});

/** The tester is a sender. The rekeys have no Sender-IDs: those of the registration stay its own. */
test("gives-no-sender-ids-in-rekeys", {
  requirements: ["G-IKEV2-33"],
  peer: "responder",
  config: group(),
  lies: ["gives-sender-ids-in-rekeys"],
}, async (s) => {
  const { log } = await joined(s, { sender: true });
  const { payloads } = await log.afterRekey("both");
  const ids = memberValues(payloads, MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID);
  expect(ids.length, "GM_SENDER_ID").to.equal(0);
});

/**
 * The group has so many data SAs that their rekey is longer than a packet. Whether it comes whole or in fragments, its
 * signature is that of the whole message (section 2.4.1.2).
 */
test("signs-long-rekeys-as-a-whole", {
  requirements: ["G-IKEV2-41"],
  peer: "responder",
  config: group({ data: Array.from({ length: 20 }, () => "aes128gcm16-unspec32") }),
  lies: ["signs-the-first-fragment-alone"],
}, async (s) => {
  const { log, member } = await joined(s);
  const { payloads } = await log.afterRekey("data");
  expect(saPolicies(payloads, PROTOCOL.ESP).length, "data SAs").to.equal(20);
  await member.expects("rekeyed");
});

/**
 * A rekey of the data SAs alone has other SPIs and keys, and the policy of before: another policy takes a new Rekey SA
 * (section 3.2.1).
 */
test("keeps-the-policy-in-a-rekey-of-data-sas", {
  requirements: ["G-IKEV2-68"],
  peer: "responder",
  config: group(),
  lies: ["changes-the-policy-by-the-way"],
}, async (s) => {
  const { log, granted } = await joined(s);
  const { payloads } = await log.after((driver) => driver.rekey(GROUP, "data")).then(([first]) => first!);
  if (saPolicies(payloads, PROTOCOL.GIKE_UPDATE).length > 0) return;
  const shape = (all: Payload[]) =>
    saPolicies(all, PROTOCOL.ESP).map(({ transforms, source, destination }) => ({
      transforms,
      source,
      destination,
    }));
  expect(shape(payloads), "policy of the data SAs").to.deep.equal(shape(granted.response));
});

/**
 * The tester sends the controller a GSA_REKEY that it got itself, as one who reflects it would. No answer comes, and the
 * controller goes on.
 */
test("says-nothing-to-its-own-rekeys", {
  requirements: ["G-IKEV2-E2"],
  peer: "responder",
  config: group(),
  lies: ["answers-group-rekeys"],
}, async (s) => {
  const { log } = await joined(s);
  const { datagram } = await log.afterRekey("data");
  const since = s.mark();
  s.sendOctets(datagram.data);
  await s.wait();
  const answers = s.received(since).filter(({ destination }) => destination.host === s.arena.local.host);
  const about = answers.filter(({ data }) => hex(data).includes(hex(datagram.data.subarray(0, 16))));
  expect(about.length, "answers to GSA_REKEY").to.equal(0);
  await log.afterRekey("data");
});
