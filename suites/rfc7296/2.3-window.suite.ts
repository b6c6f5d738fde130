import {
  EXCHANGE,
  expect,
  expectAlive,
  hex,
  isResponse,
  lose,
  type Message,
  messagesReceived,
  NOTIFY,
  notifies,
  notify,
  require,
  type Script,
  sealed,
  sendUnder,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

/** The different requests that came since the mark and not before, repeats counted once. */
function requestsSince(s: Script, since: number): Set<string> {
  const requests = (messages: Message[]) =>
    messages.filter((m) => !isResponse(m)).map(({ header }) => `${hex(header.spiI)} ${header.messageId}`);
  const fresh = messagesReceived(s, since);
  const before = requests(messagesReceived(s).slice(0, -fresh.length || undefined));
  return new Set(requests(fresh).filter((name) => !before.includes(name)));
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Nobody announces a larger window. The peer is told to rekey first the Child SA and then the IKE SA, while we
   * leave its first request unanswered: it must keep the second one back. Once we answer, the next request comes.
   * Unsupported where it does not, for then there was nothing to keep back.
   */
  test(`as-${peer}-sends-one-request-at-a-time`, {
    requirements: ["IKEV2-069"],
    peer,
    lies: ["sends-requests-at-once"],
  }, async (s) => {
    await s.establish(peer);
    const answer = lose(s, (message) => !message.isResponse);
    const since = s.mark();
    await s.arena.driver.rekeyChild();
    require(await s.until(() => requestsSince(s, since).size > 0), "a request to rekey", "silence");
    await s.arena.driver.rekeyIke();
    await s.wait();
    const open = requestsSince(s, since).size;
    require(open === 1, "one request at a time", `${open} unanswered ones`);
    answer();
    if (!(await s.untilRepeated(() => requestsSince(s, since).size > 1)))
      throw new Unsupported("while it waits the peer begins nothing that it would have to keep back");
  });

  /**
   * We leave a request of the peer unanswered and send one of our own. The peer must process and answer it
   * although it waits itself.
   */
  test(`as-${peer}-answers-while-its-own-request-is-open`, {
    requirements: ["IKEV2-071"],
    peer,
    lies: ["answers-nothing-while-it-waits"],
  }, async (s) => {
    const session = await s.establish(peer);
    lose(s, (message) => !message.isResponse);
    const since = s.mark();
    await s.arena.driver.rekeyChild();
    require(await s.until(() => requestsSince(s, since).size > 0), "a request to rekey", "silence");
    await expectAlive(session);
  });
}

/** Window sizes that the peer announced, in octets. */
const windowsOf = (s: Script): number[][] =>
  s.trace.exchanges.flatMap(({ by, request, response }) => {
    const { payloads = [] } = (by === "peer" ? request : response) ?? {};
    return notifies(payloads, NOTIFY.SET_WINDOW_SIZE).map(({ data }) => [...data]);
  });

/** How many requests above the window a test sends, and how many complaints about them are few. */
const MANY = 24;
const FEW = 12;

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Our part of IKE_AUTH announces a window of two. The peer is told to rekey the Child SA, to rekey the IKE SA and to
   * delete the Child SA, while we answer nothing: at most two of its requests may be open. If it announces a window
   * itself, that has four octets.
   */
  test(`as-${peer}-keeps-to-a-window-of-two`, {
    requirements: ["IKEV2-070", "IKEV2-067"],
    peer,
    lies: ["sends-requests-at-once", "announces-its-window-in-two-octets"],
  }, async (s) => {
    const window = notify(NOTIFY.SET_WINDOW_SIZE, Uint8Array.of(0, 0, 0, 2));
    const which = peer === "responder" ? "request" : "response";
    s.change(EXCHANGE.IKE_AUTH, ({ payloads }) => void payloads.push(window), which);
    await s.establish(peer);
    for (const size of windowsOf(s)) expect(size).to.have.length(4);
    lose(s, (message) => !message.isResponse);
    const since = s.mark();
    const { driver } = s.arena;
    await driver.rekeyChild();
    require(await s.until(() => requestsSince(s, since).size > 0), "a request to rekey", "silence");
    await driver.rekeyIke();
    await driver.delete("child");
    await s.wait();
    const open = requestsSince(s, since).size;
    require(open <= 2, "two requests at a time", `${open} unanswered ones`);
  });

  /**
   * A request comes whose Message ID lies far above the window. The peer must not acknowledge it with a response;
   * it may tell us of it in an INFORMATIONAL request of its own. The request that is due is answered afterwards.
   */
  test(`as-${peer}-does-not-answer-above-its-window`, {
    requirements: ["IKEV2-074"],
    peer,
    lies: ["answers-above-its-window"],
  }, async (s) => {
    const session = await s.establish(peer);
    const messageId = session.sa.nextMessageId + 5;
    const since = s.mark();
    sendUnder(session, sealed(session, { exchangeType: EXCHANGE.INFORMATIONAL, messageId, payloads: [] }));
    await s.wait();
    const answers = messagesReceived(s, since).filter(
      (m) => isResponse(m) && m.header.messageId === messageId,
    );
    require(answers.length === 0, `no response to Message ID ${messageId}`, "a response");
    await expectAlive(session);
  });

  /**
   * Many requests come whose Message IDs lie above the window. The peer may tell us of that in INFORMATIONAL requests of
   * its own with the Message ID in four octets, but must limit their rate: of so many in a moment it may report half at
   * most.
   */
  test(`as-${peer}-reports-few-of-many-message-ids-above-its-window`, {
    requirements: ["IKEV2-075"],
    peer,
    lies: ["reports-every-message-id-above-its-window"],
  }, async (s) => {
    const session = await s.establish(peer);
    const next = session.sa.nextMessageId + 5;
    const ids = Array.from({ length: MANY }, (_, i) => next + i);
    const shape = { exchangeType: EXCHANGE.INFORMATIONAL, payloads: [] };
    sendUnder(session, ...ids.map((messageId) => sealed(session, { ...shape, messageId })));
    await s.wait();
    require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
    const reports = s.trace
      .exchangesOf(EXCHANGE.INFORMATIONAL, "peer")
      .flatMap(({ request }) => notifies(request.payloads, NOTIFY.INVALID_MESSAGE_ID));
    for (const { data } of reports) expect(data).to.have.length(4);
    require(reports.length <= FEW, `${FEW} INVALID_MESSAGE_ID or less`, `${reports.length}`);
  });
}
