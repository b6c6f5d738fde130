import {
  allowOnlyAnotherGroup,
  distinctRequests,
  EXCHANGE,
  encodeMessage,
  equal,
  expect,
  expectNotify,
  hasNotify,
  hex,
  ikeProposals,
  messagesReceived,
  NOTIFY,
  notifies,
  notify,
  PAYLOAD,
  payload,
  require,
  type Script,
  type SeenMessage,
  SetupProblem,
  test,
} from "../../harness/script/index.ts";

const NO_SPI = "0000000000000000";
const MODP2048 = 14;

/** The peer's IKE_SA_INIT requests, in order. */
const initRequests = (s: Script): SeenMessage[] => distinctRequests(s, EXCHANGE.IKE_SA_INIT);

const cookieOf = (message: SeenMessage | undefined): Uint8Array | undefined =>
  notifies(message?.payloads ?? [], NOTIFY.COOKIE)[0]?.data;

/** Five IKE SAs are begun. The peer must give each another SPI, none of them zero. */
test("gives-each-ike-sa-its-own-spi", {
  requirements: ["IKEV2-101"],
  peer: "responder",
  lies: ["gives-every-ike-sa-the-same-spi"],
}, async (s) => {
  const spis: string[] = [];
  for (let round = 0; round < 5; round++) {
    const { sa } = await s.init();
    spis.push(hex(sa.spiR));
  }
  expect(new Set(spis).size, "number of different SPIs").to.equal(spis.length);
  expect(spis, "its SPIs").not.to.include(NO_SPI);
});

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The peer rekeys the IKE SA on command. The SPI that it offers for the new one must be another than that of the old
   * one, which it still has, and not zero.
   */
  test(`as-${peer}-gives-the-next-ike-sa-another-spi`, {
    requirements: ["IKEV2-101"],
    peer,
    lies: ["offers-the-spi-of-the-old-ike-sa"],
  }, async (s) => {
    const session = await s.establish(peer);
    const seen = () => s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer")[0]?.request;
    const request = await session.provoke(() => s.arena.driver.rekeyIke(), seen, "a rekey of the IKE SA");
    const spis = (payload(request.payloads, "SA")?.proposals ?? []).map((p) => hex(p.spi));
    expect(spis, "SPIs offered").to.have.length.above(0);
    expect(spis, "SPIs offered, and that of the old IKE SA").not.to.include(
      hex(peer === "responder" ? session.sa.spiR : session.sa.spiI),
    );
    expect(spis, "SPIs offered").not.to.include(NO_SPI);
  });
}

/**
 * The peer is set to ask for cookies. It answers our IKE_SA_INIT request with a COOKIE of 1 to 64 octets and no more,
 * and takes the repeated request with that cookie: both SAs come up, and traffic passes.
 */
test("asks-for-a-cookie-and-takes-it-back", {
  requirements: ["IKEV2-105", "IKEV2-106"],
  peer: "responder",
  lies: ["never-asks-for-cookies", "sends-long-cookies"],
  config: { cookies: "always" },
}, async (s) => {
  const { failure } = await s.tryInit();
  const [first] = s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT);
  expectNotify(first?.response, NOTIFY.COOKIE);
  expect(cookieOf(first?.response)?.length, "octets of the cookie").to.be.within(1, 64);
  expect(payload(first?.response?.payloads ?? [], "SA"), "SA payload beside COOKIE").to.equal(undefined);
  require(failure === undefined, "an IKE_SA_INIT response for the cookie", failure ?? "");
});

/**
 * The peer asks for cookies. A request of another initiator comes with a cookie that is not his: it must be
 * processed as if it had none, and so be asked for one.
 */
test("takes-a-wrong-cookie-for-none", {
  requirements: ["IKEV2-108"],
  peer: "responder",
  lies: ["accepts-any-cookie", "refuses-a-wrong-cookie"],
  config: { cookies: "always" },
}, async (s) => {
  await s.init();
  const { request } = s.exchange(EXCHANGE.IKE_SA_INIT);
  const cookie = cookieOf(request);
  if (!cookie) throw new SetupProblem("the peer asked for no cookie");
  const wrong = notify(
    NOTIFY.COOKIE,
    cookie.map((octet) => octet ^ 0xff),
  );
  const rest = request.payloads.filter((p) => p.kind !== "Notify" || p.notifyType !== NOTIFY.COOKIE);
  const since = s.mark();
  const spiI = s.arena.random(8);
  s.sendOctets(encodeMessage({ header: { ...request.header, spiI }, payloads: [wrong, ...rest] }));
  const found = () => messagesReceived(s, since).find((m) => equal(m.header.spiI, spiI));
  await s.until(() => found() !== undefined);
  const answer = found();
  expectNotify(answer, NOTIFY.COOKIE);
  expect(payload(answer?.payloads ?? [], "SA"), "SA payload beside COOKIE").to.equal(undefined);
});

/**
 * The peer asks for a cookie and then for another group. Our request with that group lacks the cookie, as that of an
 * initiator may: the peer asks for one again, or does without, and in the end both SAs come up.
 */
test("serves-an-initiator-that-does-not-keep-its-cookie", {
  requirements: ["IKEV2-112"],
  peer: "responder",
  lies: ["refuses-whoever-forgets-its-cookie"],
  config: { cookies: "always", ikeProposals: ["aes256-sha256-modp2048"] },
}, async (s) => {
  s.policy.ike = ikeProposals("aes256-sha256-x25519-modp2048");
  s.decide("retransmission", "sealed anew");
  let since: number | undefined;
  const askedAgain = () => messagesReceived(s, since).some((m) => hasNotify(m.payloads, NOTIFY.COOKIE));
  s.change(EXCHANGE.IKE_SA_INIT, (message) => {
    if (payload(message.payloads, "KE")?.group !== MODP2048) return;
    since ??= s.mark();
    if (!askedAgain()) message.payloads = message.payloads.filter(({ type }) => type !== PAYLOAD.NOTIFY);
    // AUTH covers the last one.
    message.octets = (octets) => {
      if (message.sa) message.sa.initRequest = octets;
      return [octets];
    };
  });
  await s.dial();
  require(since !== undefined, "INVALID_KE_PAYLOAD for the first group", "none");
});

/**
 * The peer initiates, and we ask for a cookie. It must repeat its request with our cookie, unchanged, as the first
 * payload, and with everything behind it as before, octet by octet; Message ID and SPIr stay zero. Both SAs come up.
 */
test("returns-the-cookie-and-changes-nothing-else", {
  requirements: ["IKEV2-107", "IKEV2-225", "IKEV2-063"],
  peer: "initiator",
  lies: ["ignores-cookies", "puts-its-cookie-last", "renews-its-nonce-with-the-cookie"],
}, async (s) => {
  s.policy.cookies = "always";
  require(await s.provoke(() => initRequests(s).length >= 2), "the request with the cookie", s.lastReason());
  const [asked] = s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, "peer");
  const [first, second] = initRequests(s);
  const cookie = cookieOf(asked?.response) ?? new Uint8Array();
  expect(second?.payloads[0], "first payload").to.include({
    type: PAYLOAD.NOTIFY,
    notifyType: NOTIFY.COOKIE,
  });
  expect(cookieOf(second), "cookie").to.deep.equal(cookie);
  const rest = second?.datagrams[0]?.subarray(28 + 8 + cookie.length);
  expect(hex(rest ?? new Uint8Array()), "payloads behind the cookie").to.equal(
    hex(first?.datagrams[0]?.subarray(28) ?? new Uint8Array()),
  );
  expect(
    [second?.header.messageId, hex(second?.header.spiR ?? new Uint8Array())],
    "Message ID and SPIr",
  ).to.deep.equal([0, NO_SPI]);
  require(await s.until(() => s.trace.childSas().length > 0), "both SAs to come up", s.lastReason());
});

/**
 * The peer initiates, and our COOKIE comes with a responder's SPI that is not zero. That alone is no reason to refuse
 * it: the request is repeated with the cookie, and both SAs come up.
 */
test("takes-a-cookie-that-comes-with-an-spi", {
  requirements: ["IKEV2-104", "IKEV2-225"],
  peer: "initiator",
  lies: ["refuses-an-spi-with-the-cookie"],
}, async (s) => {
  s.policy.cookies = "always";
  s.change(
    EXCHANGE.IKE_SA_INIT,
    ({ header, payloads }) => {
      if (hasNotify(payloads, NOTIFY.COOKIE)) header.spiR = s.arena.random(8);
    },
    "response",
  );
  await s.accept();
  const spis = initRequests(s).map((m) => hex(m.header.spiR));
  expect(spis, "SPIr of its requests").to.deep.equal(spis.map(() => NO_SPI));
});

/**
 * The peer initiates, and we ask for a cookie twice: when the first comes back, our secret has changed. The peer must
 * return the second one, and both SAs come up.
 */
test("returns-a-second-cookie", {
  requirements: ["IKEV2-107", "IKEV2-112"],
  peer: "initiator",
  lies: ["returns-its-first-cookie-for-ever"],
}, async (s) => {
  s.policy.cookies = "always";
  const { cookieSecret } = s.host.endpoint.core;
  let asked = 0;
  s.change(
    EXCHANGE.IKE_SA_INIT,
    ({ payloads }) => {
      if (hasNotify(payloads, NOTIFY.COOKIE) && ++asked === 1) cookieSecret.fill(0x5c);
    },
    "response",
  );
  await s.accept();
  const cookies = initRequests(s).map((m) => hex(cookieOf(m) ?? new Uint8Array()));
  expect(new Set(cookies).size, "number of different cookies, none among them").to.equal(3);
});

/**
 * The peer initiates; we ask for a cookie first and then for another group. Its third request should still have the
 * cookie. Note: one without it is tolerated; it is asked for a cookie again, which must not make it fail.
 */
test("keeps-its-cookie-when-it-changes-the-group", {
  requirements: ["IKEV2-111", "IKEV2-112"],
  peer: "initiator",
  lies: ["gives-up-on-invalid-ke", "ignores-cookies"],
}, async (s) => {
  s.policy.cookies = "always";
  await allowOnlyAnotherGroup(s);
  require(await s.untilRepeated(() => s.trace.childSas().length > 0), "both SAs to come up", s.lastReason());
  const [, second, third] = initRequests(s);
  const groups = [second, third].map((m) => payload(m?.payloads ?? [], "KE")?.group);
  require(new Set(groups).size === 2 &&
    third !== undefined, "a third request, of another group", `${groups}`);
  if (!cookieOf(third)) s.tolerate("leaves the cookie out of the request with another group");
});
