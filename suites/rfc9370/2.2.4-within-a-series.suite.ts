import {
  Ambiguous,
  anyKe,
  beginRekey,
  EITHER_SA,
  EXCHANGE,
  expectAlive,
  expectKept,
  expectNoError,
  expectSeries,
  expectUsed,
  isProtected,
  isResponse,
  linksIn,
  messagesReceived,
  newest,
  pauseSeries,
  require,
  sealed,
  sendUnder,
  test,
  untilPaused,
  withFollowUps,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const { IKE_FOLLOWUP_KE } = EXCHANGE;

for (const [what, peer] of EITHER_SA) {
  /**
   * The tester opens a series for the rekeying, deletes the IKE SA before IKE_FOLLOWUP_KE, and then goes on all the same,
   * under the keys of the old IKE SA: the Delete is answered, but nothing that comes after it under these keys, and the
   * peer serves a new attempt.
   */
  test(`as-${peer}-ends-the-series-for-the-${what}-with-its-ike-sa`, {
    requirements: ["MKE-33"],
    peer,
    lies: ["keeps-a-deleted-ike-sa"],
    config: withFollowUps(what, "ke1_ecp256"),
  }, async (s) => {
    const session = await s.establish(peer);
    const { paused } = pauseSeries(s);
    beginRekey(session, what);
    await untilPaused(s, paused);
    await session.deleteIke();
    expectNoError(s.exchange(EXCHANGE.INFORMATIONAL).response);
    const [link] = linksIn(s.exchange(EXCHANGE.CREATE_CHILD_SA).response?.payloads ?? []);
    const since = s.mark();
    const payloads = [anyKe(), ...(link ? [link] : [])];
    sendUnder(session, sealed(session, { exchangeType: IKE_FOLLOWUP_KE, payloads }));
    await s.wait();
    const answered = messagesReceived(s, since).some(
      (m) => isResponse(m) && isProtected(m) && m.header.exchangeType === IKE_FOLLOWUP_KE,
    );
    require(!answered, "no answer under the keys of an IKE SA that was deleted", "one");
    require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
  });

  /**
   * The tester opens a series for the rekeying, and asks for a sign of life before it goes on: both are answered, and the
   * series comes to its end. All exchanges of an IKE SA are independent of each other; an initiator may do something else
   * between those of a series.
   */
  test(`as-${peer}-answers-informational-within-a-series-for-the-${what}`, {
    requirements: ["MKE-25", "MKE-40"],
    peer,
    lies: ["answers-nothing-within-a-series"],
    config: withFollowUps(what, "ke1_ecp256-ke2_ecp384"),
  }, async (s) => {
    const session = await s.establish(peer);
    const { paused, resume } = pauseSeries(s);
    const made = beginRekey(session, what);
    await untilPaused(s, paused);
    expectNoError(await session.informational());
    resume();
    await s.until(() => made.result !== undefined);
    expectSeries(s, "us", [19, 20]);
    await expectUsed(newest(session));
  });
}

for (const peer of ROLES) {
  /**
   * The tester opens a series that rekeys the Child SA, and deletes this Child SA before it goes on. Whether a new one
   * comes of the series or an error, is for the peer to say; the IKE SA goes on.
   * Note: who deletes an IKE SA without Child SAs is tolerated.
   */
  test(`as-${peer}-bears-the-delete-of-what-a-series-rekeys`, {
    requirements: ["MKE-34", "MKE-25"],
    peer,
    lies: ["answers-nothing-within-a-series"],
    config: withFollowUps("child-sa", "ke1_ecp256"),
  }, async (s) => {
    const session = await s.establish(peer);
    const { paused, resume } = pauseSeries(s);
    const made = beginRekey(session, "child-sa");
    await untilPaused(s, paused);
    await session.deleteChild();
    expectNoError(s.exchange(EXCHANGE.INFORMATIONAL).response);
    resume();
    require(await s.until(() => made.result !== undefined), "an answer to IKE_FOLLOWUP_KE", "silence");
    await expectKept(session, "deletes an IKE SA without Child SAs");
  });

  /**
   * The tester opens one series for a new Child SA and a second one before it goes on with the first. The link tells them
   * apart: both come to their end, and the Child SAs carry traffic. A peer may refuse the second one, if it goes on with the
   * first.
   * Note: the text speaks of several series where the window is larger than one. Whether they can be begun one after the
   * other in a window of one, it does not say.
   */
  test(`as-${peer}-tells-two-series-apart`, {
    requirements: ["MKE-25", "MKE-27", "MKE-40"],
    peer,
    lies: ["mixes-two-series-up"],
    config: withFollowUps("child-sa", "ke1_ecp256-ke2_ecp384"),
  }, async (s) => {
    const session = await s.establish(peer);
    const { paused, resume } = pauseSeries(s);
    const results: unknown[] = [];
    for (const _ of [1, 2])
      s.host.endpoint.createChild(session.sa, {}, (made) => {
        results.push(made);
      });
    s.host.settle();
    const opened = () => paused() + results.length === 2;
    require(await s.until(opened), "an answer to both CREATE_CHILD_SA", "silence");
    if (paused() === 0) await untilPaused(s, paused);
    const refused = results.length > 0;
    resume();
    require(await s.until(() => results.length === 2), "an end of both series", `${results.length}`);
    const made = session.sa.children.slice(1);
    if (refused && made.length === 0)
      throw new Ambiguous("a second series in a window of one ends both; the text speaks of larger windows");
    if (refused) s.tolerate("has one series at a time");
    require(made.length === (refused ? 1 : 2), "the Child SAs of both series", `${made.length}`);
    for (const child of made) await session.proveTraffic(child);
    await expectAlive(session);
  });
}
