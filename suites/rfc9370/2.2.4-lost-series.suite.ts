import {
  Ambiguous,
  beginRekey,
  type ChildSa,
  changeKe,
  changeLinks,
  concat,
  EXCHANGE,
  errorNotify,
  expectAlive,
  expectKept,
  expectNoError,
  expectRefusedRound,
  expectSeries,
  expectStateNotFound,
  expectUnused,
  expectUsed,
  Failure,
  followUpsOf,
  hasNotify,
  isProtected,
  isResponse,
  linksIn,
  makeLinks,
  messagesReceived,
  NOTIFY,
  notify,
  ourFollowUp,
  PAYLOAD,
  type Payload,
  pauseSeries,
  peerDeletedIke,
  rekey,
  rekeyVerb,
  require,
  type Script,
  type Session,
  sealed,
  sendUnder,
  seriesOf,
  test,
  tryRekey,
  Unsupported,
  untilPaused,
  withFollowUps,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const SAS = ["child-sa", "ike-sa"] as const;
const { IKE_FOLLOWUP_KE } = EXCHANGE;

/** A KE payload with a point that is none: nobody has to look at it. */
const anyKe = (): Payload => ({ kind: "KE", type: PAYLOAD.KE, group: 19, data: new Uint8Array(64).fill(7) });

/** Links of several sizes. The tester's must come back as it was, whatever its size. */
for (const octets of [1, 8, 255, 4000])
  for (const what of SAS)
    for (const peer of ROLES) {
      /**
       * The peer rekeys on command with two additional key exchanges, and the tester's ADDITIONAL_KEY_EXCHANGE has as many
       * octets as the name says, other ones in each response. The peer sends them back octet by octet, and the series ends
       * well. They are opaque to the peer; no text limits their size.
       */
      test(`as-${peer}-sends-links-of-${octets}-octets-back-when-it-rekeys-the-${what}`, {
        requirements: ["MKE-29"],
        peer,
        lies: [
          "turns-a-bit-of-the-links-it-echoes",
          ...(octets > 64 ? ["cuts-the-links-it-echoes"] : []),
          ...(octets === 8 ? [] : ["takes-links-of-eight-octets-alone"]),
        ],
        config: withFollowUps(what, "ke1_ecp256-ke2_ecp384"),
      }, async (s) => {
        makeLinks(s, (core) => core.random(octets));
        const next = await rekey(await s.establish(peer), what, "peer");
        expectSeries(s, "peer", [19, 20]);
        await expectUsed(next);
      });
    }

for (const peer of ROLES) {
  /**
   * As above, but the tester's ADDITIONAL_KEY_EXCHANGE has no data. The text calls them opaque, and does not say that there
   * are some.
   * Note: who gives this series up without harm to the IKE SA is tolerated.
   */
  test(`as-${peer}-can-do-with-an-empty-link`, {
    requirements: ["MKE-29"],
    peer,
    lies: ["ends-the-ike-sa-on-an-empty-link"],
    config: withFollowUps("child-sa", "ke1_ecp256"),
  }, async (s) => {
    makeLinks(s, () => new Uint8Array());
    const session = await s.establish(peer);
    const { child: old } = session;
    await s.arena.driver.rekeyChild();
    const answered = () => seriesOf(s, "peer").some((e) => e.response);
    require(await s.until(answered), "the peer to rekey the Child SA", s.lastReason());
    if (!(await s.until(() => session.child !== old, s.arena.quiet)))
      s.tolerate("gives a series up where ADDITIONAL_KEY_EXCHANGE has no data");
    await expectUsed(session);
  });
}

/** What the tester makes of the link that it should send back. */
const SPOILT: [name: string, change: (link: Uint8Array) => Uint8Array | undefined][] = [
  ["an-altered-link", (link) => link.map((octet, i) => (i === 0 ? octet ^ 1 : octet))],
  ["a-longer-link", (link) => concat(link, Uint8Array.of(0))],
  ["another-link", () => new TextEncoder().encode("of another series")],
  ["an-empty-link", () => new Uint8Array()],
  ["no-link", () => undefined],
];

for (const [name, spoil] of SPOILT)
  for (const what of SAS)
    for (const peer of ROLES) {
      /**
       * The tester rekeys with an additional key exchange, and its IKE_FOLLOWUP_KE request has what the name says in the
       * place of the peer's link. The peer knows no such series: it answers STATE_NOT_FOUND without data. That ends nothing:
       * the IKE SA answers, and a new series with the right link comes to its end.
       */
      test(`as-${peer}-does-not-find-the-state-of-${name}-when-the-${what}-is-rekeyed`, {
        requirements: ["MKE-33", "MKE-33a", "MKE-34", "MKE-30"],
        peer,
        lies: [
          ...["takes-any-link", "says-why-in-state-not-found", "says-invalid-syntax-to-an-unknown-link"],
          ...["ends-the-ike-sa-on-an-unknown-link", "names-esp-in-state-not-found"],
        ],
        config: withFollowUps(what, "ke1_ecp256"),
      }, async (s) => {
        const session = await s.establish(peer);
        const right = changeLinks(s, spoil);
        await tryRekey(session, what);
        expectStateNotFound(ourFollowUp(s).response);
        right();
        await expectAlive(session);
        const next = await rekey(session, what, "us");
        expectSeries(s, "us", [19]);
        await expectUsed(next);
      });
    }

for (const peer of ROLES) {
  /**
   * The tester sends IKE_FOLLOWUP_KE where no series is under way. The answer is STATE_NOT_FOUND, and the IKE SA goes on.
   */
  test(`as-${peer}-does-not-find-a-state-without-a-series`, {
    requirements: ["MKE-33", "MKE-33a", "MKE-34"],
    peer,
    lies: ["says-invalid-syntax-to-an-unknown-link", "ends-the-ike-sa-on-an-unknown-link"],
    config: withFollowUps("child-sa", "ke1_ecp256"),
  }, async (s) => {
    const session = await s.establish(peer);
    const link = notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, Uint8Array.of(0x42));
    expectStateNotFound(await session.request(IKE_FOLLOWUP_KE, [anyKe(), link]));
    await expectUsed(session);
  });

  /**
   * When a series is over, the tester repeats its last IKE_FOLLOWUP_KE request under a new Message ID: the same link, the
   * same KE payload. Its state is gone, so the answer is STATE_NOT_FOUND. The Child SA that came of the series stays.
   */
  test(`as-${peer}-does-not-find-the-state-of-a-series-that-is-over`, {
    requirements: ["MKE-33", "MKE-34"],
    peer,
    lies: ["keeps-the-state-of-a-series-that-is-over", "ends-the-ike-sa-on-an-unknown-link"],
    config: withFollowUps("child-sa", "ke1_ecp256"),
  }, async (s) => {
    const session = await s.establish(peer);
    await session.rekeyChild();
    const { request } = ourFollowUp(s);
    expectStateNotFound(await session.request(IKE_FOLLOWUP_KE, request.payloads));
    await expectUsed(session);
  });

  /**
   * The second IKE_FOLLOWUP_KE of a series has the link of the first, if the peer gave it another one.
   * Note: who has one link for a whole series finds the state, and goes on.
   */
  test(`as-${peer}-does-not-find-a-state-by-the-link-before`, {
    requirements: ["MKE-33", "MKE-34"],
    peer,
    lies: ["takes-any-link"],
    config: withFollowUps("child-sa", "ke1_ecp256-ke2_ecp384"),
  }, async (s) => {
    const session = await s.establish(peer);
    let first: Uint8Array | undefined;
    changeLinks(s, (link) => {
      first ??= link;
      return first;
    });
    await tryRekey(session, "child-sa");
    ourFollowUp(s);
    const [one, two] = followUpsOf(s, "us");
    const [second] = linksIn(one?.response?.payloads ?? []);
    const same = second !== undefined && first !== undefined && concat(second.data).join() === first.join();
    if (!same) expectStateNotFound(two?.response);
    await expectUsed(session);
  });

  /**
   * The tester opens a series and stops. More than 20 seconds later it goes on: the peer has freed the state, and says
   * STATE_NOT_FOUND. The IKE SA goes on.
   */
  test(`as-${peer}-frees-the-state-of-a-series-that-does-not-go-on`, {
    requirements: ["MKE-32", "MKE-33", "MKE-34"],
    peer,
    lies: ["keeps-series-for-an-hour"],
    config: withFollowUps("child-sa", "ke1_ecp256"),
  }, async (s) => {
    const session = await s.establish(peer);
    if (!s.arena.virtual) throw new Unsupported("a wait of 30 s, which is too long where time is real");
    const { paused, resume } = pauseSeries(s);
    beginRekey(session, "child-sa");
    await untilPaused(s, paused);
    await s.wait(30_000);
    resume();
    await s.until(() => followUpsOf(s, "us").some((e) => e.response));
    expectStateNotFound(ourFollowUp(s).response);
    await expectUsed(session);
  });

  /**
   * The tester opens thirty series, one after the other, and goes on with none of them. The peer lets that pass or refuses
   * some, and frees what it does not want to keep: the IKE SA answers, the first Child SA carries traffic.
   */
  test(`as-${peer}-bears-many-series-that-do-not-go-on`, {
    requirements: ["MKE-32", "MKE-34"],
    peer,
    lies: ["hangs-after-ten-series"],
    config: withFollowUps("child-sa", "ke1_ecp256"),
  }, async (s) => {
    const session = await s.establish(peer);
    const { paused } = pauseSeries(s);
    for (let i = 0; i < 30; i++) {
      let ended = false;
      s.host.endpoint.createChild(session.sa, {}, () => {
        ended = true;
      });
      s.host.settle();
      if (!(await s.until(() => ended || paused() > i))) throw new Failure("an answer", "silence");
      if (ended) break;
    }
    await expectUsed(session);
  });
}

/** What the tester's KE payload in IKE_FOLLOWUP_KE is instead of what was negotiated. */
const SPOILT_KE: [name: string, change: (ke: Extract<Payload, { kind: "KE" }>) => Payload[], lie: string][] =
  [
    ["of-another-method", (ke) => [{ ...ke, group: 31 }], "takes-a-follow-up-of-another-method"],
    [
      "of-too-many-octets",
      (ke) => [{ ...ke, data: concat(ke.data, Uint8Array.of(0)) }],
      "cuts-ke-values-that-are-too-long",
    ],
    ["that-is-there-twice", (ke) => [ke, ke], "overlooks-a-second-ke-in-a-follow-up"],
    ["left-out", () => [], "does-without-ke-in-a-follow-up"],
  ];

for (const [name, spoil, lie] of SPOILT_KE)
  for (const peer of ROLES) {
    /**
     * The tester rekeys the Child SA, and the KE payload of its IKE_FOLLOWUP_KE request is what the name says. The peer
     * refuses it with an error, and makes no Child SA. It may end the IKE SA by that, as INVALID_SYNTAX does.
     */
    test(`as-${peer}-refuses-a-follow-up-with-ke-${name}`, {
      requirements: name === "of-another-method" ? ["MKE-31"] : ["MKE-25", "MKE-31"],
      peer,
      lies: [lie],
      config: withFollowUps("child-sa", "ke1_ecp256"),
    }, async (s) => {
      const session = await s.establish(peer);
      s.change(IKE_FOLLOWUP_KE, changeKe(spoil));
      await tryRekey(session, "child-sa");
      const { response } = ourFollowUp(s);
      expectRefusedRound(response);
      if (errorNotify(response?.payloads ?? [])?.notifyType === NOTIFY.INVALID_SYNTAX)
        return require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
      await expectAlive(session);
    });
  }

for (const [name, spoil, lie] of SPOILT_KE.slice(0, 3))
  for (const peer of ROLES) {
    /**
     * The peer rekeys the Child SA on command, and the KE payload of the tester's IKE_FOLLOWUP_KE response is what the name
     * says. The peer does not use the new Child SA.
     */
    test(`as-${peer}-takes-no-follow-up-response-with-ke-${name}`, {
      requirements: ["MKE-31"],
      peer,
      lies: [lie],
      config: withFollowUps("child-sa", "ke1_ecp256"),
    }, async (s) => {
      const session = await s.establish(peer);
      const { child: old } = session;
      s.change(IKE_FOLLOWUP_KE, changeKe(spoil), "response");
      await s.arena.driver.rekeyChild();
      const made = (): ChildSa | undefined => s.trace.childSas().find((c) => c.replaces === old);
      require(await s.until(() => made() !== undefined), "IKE_FOLLOWUP_KE", s.lastReason());
      const fresh = made();
      if (fresh) await expectUnused(session, fresh);
    });
  }

for (const what of SAS)
  for (const peer of ROLES) {
    /**
     * The peer rekeys on command with two additional key exchanges, and the tester answers the first IKE_FOLLOWUP_KE by
     * STATE_NOT_FOUND. The series has failed: the second one does not come. The IKE SA goes on, with the old Child SA or one
     * that the peer makes in its place.
     */
    test(`as-${peer}-gives-up-rekeying-the-${what}-on-state-not-found`, {
      requirements: ["MKE-35", "MKE-34"],
      peer,
      lies: ["goes-on-after-state-not-found", "ends-the-ike-sa-on-state-not-found"],
      config: withFollowUps(what, "ke1_ecp256-ke2_ecp384"),
    }, async (s) => {
      const session = await s.establish(peer);
      forgetSeries(session, 1);
      await rekeyVerb(s, what)();
      const refused = () => followUpsOf(s, "peer").some((e) => e.response);
      require(await s.until(refused), "IKE_FOLLOWUP_KE", s.lastReason());
      await s.wait();
      expectNoFollowUpOnRefusal(s);
      await expectKept(session, "deletes the IKE SA after a series that failed");
      if (peerDeletedIke(s)) return;
      require(session.sa.children.length > 0, "a Child SA, the old one or another", "none");
      await session.proveTraffic();
    });

    /**
     * The tester answers every series of the peer by STATE_NOT_FOUND, again and again. A peer that goes on trying deletes
     * the IKE SA after some times.
     * Note: who tries only when told to is told so four times; to keep the IKE SA then is tolerated, as these may be four
     * separate attempts.
     */
    test(`as-${peer}-does-not-try-to-rekey-the-${what}-for-ever`, {
      requirements: ["MKE-37", "MKE-35"],
      peer,
      lies: what === "child-sa" ? ["tries-a-lost-series-for-ever"] : ["ends-the-ike-sa-on-state-not-found"],
      config: withFollowUps(what, "ke1_ecp256"),
    }, async (s) => {
      const session = await s.establish(peer);
      forgetSeries(session, 99);
      const MOST = 12;
      const tried = () => followUpsOf(s, "peer").length;
      const commands = () => !peerDeletedIke(s) && session.sa.children.length > 0;
      for (let i = 0; i < 4 && commands(); i++) {
        const before = tried();
        await rekeyVerb(s, what)();
        if (!(await s.until(() => tried() > before, 3 * s.arena.quiet))) break;
        await s.wait();
      }
      require(tried() > 0, "IKE_FOLLOWUP_KE", s.lastReason());
      require(tried() < MOST, "a Delete of the IKE SA", `${tried()} series, which were all refused`);
      if (peerDeletedIke(s)) return;
      await expectAlive(session);
      s.tolerate(`keeps the IKE SA after ${tried()} series of which the state was not found`);
    });
  }

/** Has our endpoint not know the peer's links, as many times: it answers STATE_NOT_FOUND. */
function forgetSeries({ script }: Session, times: number): void {
  let left = times;
  script.extensions.push({
    name: "forget series",
    incoming: ({ header, isResponse: response, payloads }) => {
      if (left === 0 || response || header.exchangeType !== IKE_FOLLOWUP_KE) return undefined;
      left--;
      for (const link of linksIn(payloads)) link.data = new TextEncoder().encode("long forgotten");
      return undefined;
    },
  });
}

/** Fails if the peer goes on with a series of which the state was not found: only CREATE_CHILD_SA begins another one. */
function expectNoFollowUpOnRefusal(s: Script): void {
  const series = s.trace.exchanges.filter(
    ({ by, exchangeType }) =>
      by === "peer" && (exchangeType === EXCHANGE.CREATE_CHILD_SA || exchangeType === IKE_FOLLOWUP_KE),
  );
  const refused = series.findIndex((e) => hasNotify(e.response?.payloads ?? [], NOTIFY.STATE_NOT_FOUND));
  const next = series[refused + 1];
  require(next?.exchangeType !== IKE_FOLLOWUP_KE, "no IKE_FOLLOWUP_KE behind STATE_NOT_FOUND", "one");
}

for (const what of SAS)
  for (const peer of ROLES) {
    /**
     * The tester opens a series for the rekeying, deletes the IKE SA before IKE_FOLLOWUP_KE, and then goes on all the same,
     * under the keys of the old IKE SA: nothing under these keys comes back, and the peer serves a new attempt.
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
  }

for (const peer of ROLES) {
  /**
   * The tester opens a series, and asks for a sign of life before it goes on: both are answered, and the series comes to
   * its end. An initiator may do something else between the exchanges of a series.
   */
  test(`as-${peer}-answers-informational-within-a-series`, {
    requirements: ["MKE-25", "MKE-40"],
    peer,
    lies: ["answers-nothing-within-a-series"],
    config: withFollowUps("child-sa", "ke1_ecp256-ke2_ecp384"),
  }, async (s) => {
    const session = await s.establish(peer);
    const { paused, resume } = pauseSeries(s);
    const made = beginRekey(session, "child-sa");
    await untilPaused(s, paused);
    expectNoError(await session.informational());
    resume();
    await s.until(() => made.result !== undefined);
    expectSeries(s, "us", [19, 20]);
    await expectUsed(session);
  });

  /**
   * The tester opens a series that rekeys the Child SA, and deletes this Child SA before it goes on. Whether a new one
   * comes of the series or an error, is for the peer to say; the IKE SA goes on.
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
    await expectAlive(session);
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
