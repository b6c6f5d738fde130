import {
  EXCHANGE,
  expectAlive,
  hex,
  isResponse,
  lose,
  messagesReceived,
  require,
  type Script,
  sealed,
  sendUnder,
  test,
} from "../../harness/script/index.ts";

/** The different requests that came since the mark, repeats counted once. */
const requestsSince = (s: Script, since: number): Set<string> =>
  new Set(
    messagesReceived(s, since)
      .filter((m) => !isResponse(m))
      .map(({ header }) => `${hex(header.spiI)} ${header.messageId}`),
  );

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Nobody announces a larger window. The peer is told to rekey first the Child SA and then the IKE SA, while we
   * leave its first request unanswered: it must keep the second one back. Once we answer, the next request comes.
   */
  test(`as-${peer}-sends-one-request-at-a-time`, {
    requirements: ["IKEV2-069", "IKEV2-068"],
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
    require(await s.until(() => requestsSince(s, since).size > 1), "the next request", "silence");
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

/**
 * A request comes whose Message ID lies far above the window. The peer must not acknowledge it with a response;
 * it may tell us of it in an INFORMATIONAL request of its own. The request that is due is answered afterwards.
 */
test("does-not-answer-above-its-window", {
  requirements: ["IKEV2-074"],
  peer: "responder",
  lies: ["answers-above-its-window"],
}, async (s) => {
  const session = await s.dial();
  const messageId = session.sa.nextMessageId + 5;
  const since = s.mark();
  sendUnder(session, sealed(session, { exchangeType: EXCHANGE.INFORMATIONAL, messageId, payloads: [] }));
  await s.wait();
  const answers = messagesReceived(s, since).filter((m) => isResponse(m) && m.header.messageId === messageId);
  require(answers.length === 0, `no response to Message ID ${messageId}`, "a response");
  await expectAlive(session);
});
