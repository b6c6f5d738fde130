import {
  Ambiguous,
  EXCHANGE,
  errorNotify,
  expectAlive,
  expectNoAnswer,
  forged,
  isProtected,
  listPayloads,
  messagesReceived,
  notify,
  PAYLOAD,
  type Payload,
  PROTOCOL,
  require,
  sealed,
  sendUnder,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

const deleteIke: Payload = {
  ...{ kind: "Delete", type: PAYLOAD.DELETE, protocolId: PROTOCOL.IKE, spiSize: 0, spis: [] },
};

const deleteEsp = (spi: Uint8Array): Payload => ({
  ...{ kind: "Delete", type: PAYLOAD.DELETE, protocolId: PROTOCOL.ESP, spiSize: 4, spis: [spi] },
});

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The tester sends three empty INFORMATIONAL requests, as a liveness check does. The peer must answer each; the
   * answer bears no error.
   */
  test(`as-${peer}-answers-liveness-checks`, {
    requirements: ["IKEV2-036", "IKEV2-037", "IKEV2-084"],
    peer,
    lies: ["ignores-liveness-checks", "answers-liveness-with-an-error"],
  }, async (s) => {
    const session = await s.establish(peer);
    for (let round = 0; round < 3; round++) {
      const response = await session.informational();
      require(errorNotify(response.payloads) === undefined, "no error", listPayloads(response));
    }
  });

  /**
   * Somebody on the way forges an INFORMATIONAL request in clear, with the right SPIs and the Message ID that is due:
   * a Delete of the IKE SA. It is not protected, so it must not be processed: the SA lives on, and carries traffic.
   */
  test(`as-${peer}-does-not-process-an-informational-request-in-clear`, {
    requirements: ["IKEV2-034"],
    peer,
    lies: ["obeys-messages-in-clear"],
  }, async (s) => {
    const session = await s.establish(peer);
    const since = s.mark();
    sendUnder(session, forged(session, { exchangeType: EXCHANGE.INFORMATIONAL, payloads: [deleteIke] }));
    await s.wait();
    expectNoAnswer(s, since, "no answer to a message in clear");
    await expectAlive(session);
    await session.proveTraffic();
  });

  /**
   * We set up a second IKE SA and send on it a Delete that names the Child SA of the first one. What is about a Child SA
   * goes under the IKE SA that made it: the response deletes nothing, and the Child SA still carries traffic.
   * Unsupported where the peer's policy leaves one end one IKE SA.
   */
  test(`as-${peer}-heeds-a-delete-only-under-the-ike-sa-of-the-child`, {
    requirements: ["IKEV2-035"],
    peer,
    lies: ["honours-deletes-under-another-ike-sa"],
  }, async (s) => {
    const first = await s.establish(peer);
    const { child } = first;
    const second = await s.dial();
    if (child.state !== "installed")
      throw new Unsupported("the peer ends an IKE SA when its other end makes another");
    const { payloads } = await second.informational(deleteEsp(child.spiIn));
    const deleted = payloads.some((p) => p.kind === "Delete" && p.spis.length > 0);
    require(!deleted, "no Child SA deleted in the response", listPayloads({ payloads }));
    require(await first.ping({ child }), "traffic through the first Child SA still", "none");
  });
}

/**
 * An INFORMATIONAL request holds a status notify that nobody knows. The peer must answer, and not with an error.
 */
test("answers-an-informational-request-it-does-not-understand", {
  requirements: ["IKEV2-036", "IKEV2-271"],
  peer: "responder",
  lies: ["ignores-unknown-informational-requests"],
}, async (s) => {
  const session = await s.dial();
  const response = await session.informational(notify(60_001, new Uint8Array(12)));
  require(errorNotify(response.payloads) === undefined, "no error", listPayloads(response));
  await expectAlive(session);
});

/**
 * A Delete of the IKE SA comes under its keys, but before IKE_AUTH. INFORMATIONAL is not allowed so early, so the
 * peer must not act on it: IKE_AUTH then succeeds. Note: the text forbids us to send it and does not say what becomes
 * of it. An answer without effect is tolerated; IKE_AUTH then has the next Message ID. A peer that in silence has no more
 * to do with whoever breaks the rules so is on another reading.
 */
test("does-not-process-an-informational-request-before-ike-auth", {
  requirements: ["IKEV2-034"],
  peer: "responder",
  lies: ["obeys-before-ike-auth"],
}, async (s) => {
  const session = await s.init();
  const early = { exchangeType: EXCHANGE.INFORMATIONAL, payloads: [deleteIke], messageId: 1 };
  const since = s.mark();
  sendUnder(session, sealed(session, early));
  await s.wait();
  const answered = messagesReceived(s, since).some((m) => isProtected(m));
  if (answered) {
    session.sa.nextMessageId = 2;
    s.tolerate("answers an INFORMATIONAL request before IKE_AUTH");
  }
  const { failure, childFailure } = await s.tryAuth(session.sa);
  const problem = failure ?? childFailure;
  if (problem && !answered && (await s.peerAnswers()))
    throw new Ambiguous("gives up a half-open IKE SA at an INFORMATIONAL request that nobody may send");
  require(problem === undefined, "IKE_AUTH to succeed", problem ?? "");
});
