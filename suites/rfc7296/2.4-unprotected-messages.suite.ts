import {
  EXCHANGE,
  encodeMessage,
  expectAlive,
  expectNoAnswer,
  expectNoNotify,
  FLAG,
  forged,
  heard,
  isResponse,
  lose,
  messagesReceived,
  NOTIFY,
  notify,
  require,
  type Script,
  Session,
  sendUnder,
  test,
} from "../../harness/script/index.ts";

/** What a stranger could say to end an IKE SA. */
const HINTS = [
  ["invalid-ike-spi", NOTIFY.INVALID_IKE_SPI],
  ["authentication-failed", NOTIFY.AUTHENTICATION_FAILED],
] as const;

const CASES = HINTS.flatMap(([name, type]) =>
  (["responder", "initiator"] as const).map((peer) => ({ name, type, peer })),
);

/** True once a request of this type came, whether or not our endpoint took it. */
const requested = (s: Script, exchangeType: number): boolean =>
  messagesReceived(s).some((m) => !isResponse(m) && m.header.exchangeType === exchangeType);

for (const { name, type, peer } of CASES) {
  /**
   * An INFORMATIONAL request in clear, with the SPIs of the IKE SA and the Message ID that is due, says that the SA
   * is no good. Nothing protects it, so the peer must neither answer it nor conclude anything: the SA answers, and
   * traffic passes. The peer may check by itself whether we are alive.
   */
  test(`as-${peer}-outlives-a-request-in-clear-that-says-${name}`, {
    requirements: ["IKEV2-080", "IKEV2-198"],
    peer,
    lies: ["obeys-messages-in-clear"],
  }, async (s) => {
    const session = await s.establish(peer);
    const since = s.mark();
    sendUnder(session, forged(session, { exchangeType: EXCHANGE.INFORMATIONAL, payloads: [notify(type)] }));
    await s.wait();
    expectNoAnswer(s, since, "no response to a message in clear");
    await expectAlive(session);
    await session.proveTraffic();
  });

  /**
   * The peer waits for the response to its own request, and a response in clear says that the SA is no good. The
   * peer must go on waiting, and so repeat its request, which we then answer.
   */
  test(`as-${peer}-waits-on-after-a-response-in-clear-that-says-${name}`, {
    requirements: ["IKEV2-080", "IKEV2-081", "IKEV2-198"],
    peer,
    lies: ["obeys-messages-in-clear"],
  }, async (s) => {
    const session = await s.establish(peer);
    const answer = lose(s, (message) => !message.isResponse);
    const since = s.mark();
    await s.arena.driver.delete("child");
    const open = () => messagesReceived(s, since).findLast((m) => !isResponse(m))?.header;
    require(await s.until(() => open() !== undefined), "a Delete of the peer", "silence");
    const { exchangeType = EXCHANGE.INFORMATIONAL, messageId } = open() ?? {};
    const hint = { exchangeType, messageId, response: true, payloads: [notify(type)] };
    sendUnder(session, forged(session, hint));
    answer();
    const again = () => s.trace.exchangesOf(EXCHANGE.INFORMATIONAL, "peer").length > 0;
    require(await s.untilRepeated(again), "the request once more", s.lastReason());
  });
}

/** How many hints a test gives, and how many requests in answer to them are few. */
const MANY = 100;
const FEW = 10;

for (const peer of ["responder", "initiator"] as const) {
  /**
   * A hundred messages in clear say INVALID_IKE_SPI for the SPIs of the IKE SA. The peer may check by itself whether we
   * are alive, but must limit the rate at which it does: ten requests in that moment are enough for anybody.
   */
  test(`as-${peer}-limits-what-hints-in-clear-make-it-do`, {
    requirements: ["IKEV2-082"],
    peer,
    lies: ["checks-liveness-at-every-hint"],
  }, async (s) => {
    const session = await s.establish(peer);
    const payloads = [notify(NOTIFY.INVALID_IKE_SPI)];
    const hint = forged(session, { exchangeType: EXCHANGE.INFORMATIONAL, payloads });
    const since = s.mark();
    sendUnder(session, ...Array.from({ length: MANY }, () => hint));
    await s.wait();
    await expectAlive(session);
    const requests = heard(s, EXCHANGE.INFORMATIONAL, since);
    require(requests <= FEW, `${FEW} requests of the peer or less`, `${requests}`);
  });
}

/**
 * The peer initiates. Before our true IKE_AUTH response, one in clear says AUTHENTICATION_FAILED. The peer must not
 * believe it: the true response, which comes on its repeated request, makes both SAs, and traffic passes.
 */
test("does-not-believe-authentication-failed-in-clear", {
  requirements: ["IKEV2-080", "IKEV2-198"],
  peer: "initiator",
  lies: ["obeys-messages-in-clear"],
}, async (s) => {
  const answer = lose(s, ({ header }) => header.exchangeType === EXCHANGE.IKE_AUTH);
  require(await s.provoke(() => requested(s, EXCHANGE.IKE_AUTH)), "an IKE_AUTH request", s.lastReason());
  const [sa] = s.trace.ikeSas();
  require(sa !== undefined, "an IKE SA with keys", "none");
  const session = new Session(s, sa);
  const payloads = [notify(NOTIFY.AUTHENTICATION_FAILED)];
  sendUnder(
    session,
    forged(session, { exchangeType: EXCHANGE.IKE_AUTH, messageId: 1, response: true, payloads }),
  );
  answer();
  require(await s.untilRepeated(() => sa.children.length > 0), "both SAs to come up", s.lastReason());
  await session.proveTraffic();
});

/**
 * The peer initiates. Before our true IKE_SA_INIT response, a forged one says NO_PROPOSAL_CHOSEN. Since nothing
 * protects it, the peer should go on for a while and so find the true response. Note: a peer that gives up at once
 * is tolerated, for the text does not say MUST; it has to answer others, though.
 */
test("goes-on-after-a-forged-no-proposal-chosen", {
  requirements: ["IKEV2-187", "IKEV2-080"],
  peer: "initiator",
  lies: ["goes-deaf-after-an-error-in-clear"],
}, async (s) => {
  const answer = lose(s, ({ header }) => header.exchangeType === EXCHANGE.IKE_SA_INIT);
  require(await s.provoke(() =>
    requested(s, EXCHANGE.IKE_SA_INIT),
  ), "an IKE_SA_INIT request", s.lastReason());
  const [request] = messagesReceived(s);
  require(request !== undefined, "an IKE_SA_INIT request", "none");
  const header = { ...request.header, flags: FLAG.response, nextPayload: undefined };
  s.sendOctets(encodeMessage({ header, payloads: [notify(NOTIFY.NO_PROPOSAL_CHOSEN)] }));
  answer();
  if (await s.untilRepeated(() => s.trace.childSas().length > 0)) return;
  require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
  s.tolerate("gives up at the first unprotected error; section 2.21.1 asks to keep trying");
});

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The peer answers a liveness check and deletes its Child SA on command. INITIAL_CONTACT has its
   * place in the first IKE_AUTH message only, if anywhere.
   */
  test(`as-${peer}-sends-initial-contact-in-ike-auth-only`, {
    requirements: ["IKEV2-078"],
    peer,
    lies: ["sends-initial-contact-anywhere"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectAlive(session);
    const seen = () => s.trace.exchangesOf(EXCHANGE.INFORMATIONAL, "peer").at(-1);
    await session.provoke(() => s.arena.driver.delete("child"), seen, "a Delete of the peer");
    const { exchanges } = s.trace;
    for (const { by, request, response, exchangeType } of exchanges) {
      if (exchangeType === EXCHANGE.IKE_AUTH) continue;
      expectNoNotify(by === "peer" ? request : response, NOTIFY.INITIAL_CONTACT);
    }
  });
}
