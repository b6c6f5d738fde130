import {
  EXCHANGE,
  expect,
  expectNoAnswer,
  isResponse,
  messagesReceived,
  require,
  test,
} from "../../harness/script/index.ts";

/** Three INFORMATIONAL requests in a row: each response must bear the Message ID of its request. */
test("answers-with-the-message-id-of-the-request", {
  requirements: ["IKEV2-064"],
  peer: "responder",
  lies: ["answers-with-the-next-message-id"],
}, async (s) => {
  const session = await s.dial();
  for (let round = 0; round < 3; round++) {
    const wanted = `a response with Message ID ${session.sa.nextMessageId}`;
    const since = s.mark();
    const response = await session.tryRequest(EXCHANGE.INFORMATIONAL, []);
    expectNoAnswer(s, since, wanted);
    require(response !== undefined, wanted, "silence");
  }
});

/**
 * The peer initiates and then deletes its Child SA: IKE_SA_INIT has Message ID 0, IKE_AUTH 1 and the requests after
 * it 2 and so on, each one more than the one before.
 */
test("counts-its-requests-as-initiator", {
  requirements: ["IKEV2-063"],
  peer: "initiator",
  lies: ["skips-message-ids"],
}, async (s) => {
  const session = await s.accept();
  const { driver } = s.arena;
  const seen = () => s.trace.exchangesOf(EXCHANGE.INFORMATIONAL, "peer").at(-1);
  await session.provoke(() => driver.delete("child"), seen, "a Delete of the peer");
  const ids = new Set(s.trace.exchanges.filter((e) => e.by === "peer").map((e) => e.messageId));
  expect([...ids], "Message IDs in order").to.deep.equal([...ids].map((_, i) => i));
  expect(s.exchange(EXCHANGE.IKE_AUTH, "peer").messageId, "Message ID of IKE_AUTH").to.equal(1);
});

/**
 * We initiate; then the peer sends its first own request, a Delete of the Child SA. The two directions count apart,
 * so this request has Message ID 0, although we have used 0 and 1 ourselves.
 */
test("counts-its-own-requests-as-responder-from-zero", {
  requirements: ["IKEV2-065"],
  peer: "responder",
  lies: ["shares-one-message-id-counter"],
}, async (s) => {
  await s.dial();
  await s.arena.driver.delete("child");
  const request = () => messagesReceived(s).find((m) => !isResponse(m));
  require(await s.until(() => request() !== undefined), "a Delete of the peer", s.lastReason());
  expect(request()?.header.messageId, "Message ID of its first request").to.equal(0);
});
