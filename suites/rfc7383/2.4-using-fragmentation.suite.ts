import {
  answersSince,
  ballast,
  childRequest,
  cutRequest,
  EXCHANGE,
  expectAlive,
  expectNoError,
  expectTraffic,
  fragmentNext,
  fragmentsAmong,
  longAuth,
  messagesReceived,
  needFragmentation,
  requestAs,
  require,
  sendUnder,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

for (const peer of ["responder", "initiator"] as const) {
  for (const selectors of [15, 60] as const) {
    /**
     * The tester announces no fragmentation. The peer has a long identity and many selectors, so that its IKE_AUTH
     * message is longer than a daemon's threshold; it must come in a plain SK payload all the same.
     * Note: libreswan takes 15 selectors at most.
     */
    test(`${peer}-with-${selectors}-selectors-never-fragments-without-negotiation`, {
      requirements: ["IKEFRAG-06", "IKEFRAG-01"],
      peer,
      lies: ["fragments-without-negotiation"],
      config: longAuth(selectors),
    }, async (s) => {
      s.fragmentation();
      const established = s.establish(peer).then((session) => expectTraffic(session, "a long IKE_AUTH"));
      const failure = await established.then(
        () => undefined,
        (error: Error) => error,
      );
      const count = fragmentsAmong(messagesReceived(s)).length;
      require(count === 0, "no SKF payload", `${count} fragments`);
      // A peer for which they are too many refuses the Child SA, or deletes it once our answer is there.
      const tooMany = selectors > 15 && s.host.pipes.length === 0;
      if (failure && tooMany && (await s.peerAnswers()))
        throw new Unsupported(`${selectors} selectors: ${failure.message}`);
      if (failure) throw failure;
    });
  }

  /**
   * The peer gets a CREATE_CHILD_SA request in two fragments although nothing was negotiated. What it does with them
   * is not specified: it may ignore them, which is expected, or take them. Either way the IKE SA stays.
   * Note: strongSwan takes fragments at any time.
   */
  test(`as-${peer}-survives-fragments-without-negotiation`, {
    requirements: ["IKEFRAG-52", "IKEFRAG-06"],
    peer,
    lies: ["closes-at-skf-without-negotiation"],
  }, async (s) => {
    s.fragmentation();
    const session = await s.establish(peer);
    const since = s.mark();
    sendUnder(session, ...cutRequest(session, childRequest(session)).set(2));
    await s.wait();
    if (answersSince(s, since).length > 0) {
      s.tolerate("takes fragments that were not negotiated");
      session.sa.nextMessageId++;
    }
    await expectTraffic(session, "fragments without negotiation");
    await expectAlive(session);
  });

  /**
   * The IKE_AUTH message of the tester went out in fragments. A liveness check in a plain SK payload must be answered all the same,
   * and its answer, which fits any packet, should be plain too.
   */
  test(`as-${peer}-takes-plain-messages-after-fragments`, {
    requirements: ["IKEFRAG-12", "IKEFRAG-10"],
    peer,
    lies: ["takes-only-fragments-once-fragmented"],
  }, async (s) => {
    s.fragmentation({ chunk: 90 });
    const session = needFragmentation(await s.establish(peer));
    s.fragmentation({ chunk: 10_000 });
    const since = s.mark();
    await expectAlive(session);
    const fragments = fragmentsAmong(messagesReceived(s, since));
    if (fragments.length > 0) s.tolerate("answers a liveness check in fragments, which nothing asks for");
  });

  /**
   * The other way round: plain IKE_AUTH, then CREATE_CHILD_SA in three fragments, then a plain liveness check. Both
   * forms are taken at any time.
   */
  test(`as-${peer}-takes-fragments-after-plain-messages`, {
    requirements: ["IKEFRAG-12", "IKEFRAG-36"],
    peer,
    lies: ["drops-fragments"],
  }, async (s) => {
    s.fragmentation({ chunk: 10_000 });
    const session = needFragmentation(await s.establish(peer));
    await requestAs(session, childRequest(session), (cut) => cut.set(3));
    await expectAlive(session);
  });

  /**
   * Every protected message may be fragmented, an INFORMATIONAL request among them.
   * Note: strongSwan with its mediation extension, as distributions build it, takes every INFORMATIONAL request that
   * does not begin with SK for a connectivity check of that extension, and drops it.
   */
  test(`as-${peer}-takes-a-fragmented-informational-request`, {
    requirements: ["IKEFRAG-12", "IKEFRAG-36"],
    peer,
    lies: ["drops-fragments"],
  }, async (s) => {
    const session = needFragmentation(await s.establish(peer));
    fragmentNext(s, EXCHANGE.INFORMATIONAL, (cut) => cut.set(2));
    expectNoError(await session.request(EXCHANGE.INFORMATIONAL, [ballast(80)]));
  });
}
