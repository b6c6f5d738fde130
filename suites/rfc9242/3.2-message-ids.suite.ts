import {
  beforeIkeAuth,
  bigKe,
  changeOwn,
  EXCHANGE,
  eachCarrier,
  expectAuth,
  intermediates,
  needIntermediate,
  precede,
  proveDespite,
  require,
  responsesOf,
  Session,
  sealed,
  sendUnder,
  test,
  twinOf,
  unknownPayload,
} from "../../harness/script/index.ts";

const { IKE_INTERMEDIATE } = EXCHANGE;

for (const [what, config] of eachCarrier) {
  for (const messageId of [0, 2, 0xffff_ffff]) {
    /**
     * The tester begins its first IKE_INTERMEDIATE exchange, for ${what}, with Message ID ${messageId}, well sealed, where
     * 1 is due. The peer does not answer it. With the right Message ID the exchange takes place, and both SAs come up.
     * Note: the peer may tell of it with INVALID_MESSAGE_ID in an exchange of its own (RFC 7296 section 2.3).
     */
    test(`does-not-take-message-id-${messageId}-for-${what}`, {
      requirements: ["INT-11"],
      peer: "responder",
      config,
      lies: ["takes-requests-with-any-message-id"],
    }, async (s) => {
      const session = needIntermediate(await s.init());
      const since = s.mark();
      const payloads = what === "a-key-exchange" ? [bigKe()] : [];
      sendUnder(session, sealed(session, { exchangeType: IKE_INTERMEDIATE, payloads, messageId }));
      await s.wait();
      const answers = responsesOf(s, IKE_INTERMEDIATE, since).length;
      require(answers === 0, "no response", `${answers} responses`);
      await proveDespite(s, "responder", { begun: session });
      require(intermediates(s, "responder").length > 0, "an IKE_INTERMEDIATE exchange", "none");
    });
  }
}

const OFFSETS = { "one-more": 1, "one-less": -1, "far-away": 0x7fff_ffff };

for (const [what, config] of eachCarrier) {
  for (const [difference, offset] of Object.entries(OFFSETS)) {
    /**
     * In front of its response to IKE_INTERMEDIATE, for ${what}, the tester sends another one, well sealed and with the same payloads
     * and one more, whose Message ID is ${difference}. The peer does not take it for its answer: AUTH covers the right one, and both SAs come up.
     */
    test(`does-not-take-a-response-whose-message-id-is-${difference}-for-${what}`, {
      requirements: ["INT-11"],
      peer: "initiator",
      config,
      lies: ["takes-responses-with-any-message-id"],
    }, async (s) => {
      const undo = changeOwn(s, "initiator", (message) => {
        const { sa, header } = message;
        if (!sa) return;
        const messageId = (header.messageId + offset) >>> 0;
        precede(message, () => {
          const payloads = [...message.payloads, unknownPayload()];
          const wrong = { exchangeType: IKE_INTERMEDIATE, payloads, messageId, response: true };
          return sealed(new Session(s, sa), wrong);
        });
      });
      await proveDespite(s, "initiator", { undo });
    });
  }
}

for (const [what, config] of eachCarrier) {
  /**
   * The tester repeats its last IKE_INTERMEDIATE request, for ${what}, before IKE_AUTH, as if the response had got lost. The
   * peer answers with the very octets of its first response, though it may have other keys by now. AUTH covers the
   * exchange once, and both SAs come up.
   */
  test(`repeats-its-response-to-${what}`, {
    requirements: ["INT-16", "INT-17", "INT-28"],
    peer: "responder",
    config,
    lies: ["ignores-repeats"],
  }, async (s) => {
    const session = await beforeIkeAuth(s);
    const first = responsesOf(s, IKE_INTERMEDIATE);
    const since = s.mark();
    sendUnder(session, ...s.exchange(IKE_INTERMEDIATE).request.datagrams);
    await s.until(() => responsesOf(s, IKE_INTERMEDIATE, since).length > 0);
    await s.wait();
    const again = responsesOf(s, IKE_INTERMEDIATE, since);
    const same = again.length > 0 && again.every((octets) => first.includes(octets));
    require(same, "the same response again", `${again.length} responses, not all of them the same`);
    await expectAuth(session);
  });
}

for (const [what, config] of eachCarrier) {
  /**
   * After the IKE_INTERMEDIATE exchange for ${what} the tester sends another request of the same Message ID, with other
   * content, well sealed. The peer processes it no more: it is silent, or repeats its response. AUTH covers the first one, and both
   * SAs come up.
   */
  test(`does-not-process-${what}-twice`, {
    requirements: ["INT-11"],
    peer: "responder",
    config,
    lies: ["answers-repeats-anew"],
  }, async (s) => {
    const twin = twinOf(s, IKE_INTERMEDIATE, [unknownPayload()]);
    const session = await beforeIkeAuth(s);
    const first = responsesOf(s, IKE_INTERMEDIATE);
    const since = s.mark();
    const messageId = session.sa.nextMessageId - 1;
    const fresh = { exchangeType: IKE_INTERMEDIATE, payloads: [unknownPayload()], messageId };
    sendUnder(session, twin(), sealed(session, fresh));
    await s.wait();
    const others = responsesOf(s, IKE_INTERMEDIATE, since).filter((octets) => !first.includes(octets));
    require(others.length === 0, "silence, or the same response again", "another response");
    await expectAuth(session);
  });
}
