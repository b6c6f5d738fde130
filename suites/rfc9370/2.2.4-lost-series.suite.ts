import {
  anyKe,
  beginRekey,
  changeLinks,
  concat,
  EITHER_SA,
  EXCHANGE,
  expectKept,
  expectStateNotFound,
  expectUsed,
  Failure,
  followUpsOf,
  hasNotify,
  linksIn,
  NOTIFY,
  newest,
  notify,
  ourFollowUp,
  pauseSeries,
  peerDeletedIke,
  rekeyVerb,
  require,
  type Script,
  type Session,
  test,
  tryRekey,
  Unsupported,
  untilPaused,
  withFollowUps,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const SAS = ["child-sa", "ike-sa"] as const;
const { IKE_FOLLOWUP_KE } = EXCHANGE;

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
      const now = newest(session);
      await expectKept(now, "deletes the IKE SA after a series that failed");
      if (now.sa.state === "closed") return;
      require(now.sa.children.length > 0, "a Child SA, the old one or another", "none");
      await now.proveTraffic();
    });
  }

for (const [what, peer] of EITHER_SA) {
  /**
   * The tester answers every series of the peer by STATE_NOT_FOUND, again and again. A peer that goes on trying deletes
   * the IKE SA after some times.
   * Note: who tries only when told to is told so four times; to keep the IKE SA then is tolerated, as these may be four
   * separate attempts.
   */
  test(`as-${peer}-does-not-try-to-rekey-the-${what}-for-ever`, {
    requirements: ["MKE-37", "MKE-35"],
    peer,
    lies: ["tries-a-lost-series-for-ever"],
    config: withFollowUps(what, "ke1_ecp256"),
  }, async (s) => {
    const session = await s.establish(peer);
    forgetSeries(session, 99);
    const tried = () => followUpsOf(s, "peer").length;
    const usable = () => !peerDeletedIke(s) && session.sa.children.length > 0;
    for (let i = 0; i < 4 && usable(); i++) {
      const before = tried();
      await rekeyVerb(s, what)();
      if (!(await s.until(() => tried() > before, 3 * s.arena.quiet))) break;
      const most = before + MOST_TRIES;
      const endless = await triesOnAndOn(s, tried, most);
      require(!endless, "a Delete of the IKE SA", `${tried() - before} series, which were all refused`);
    }
    require(tried() > 0, "IKE_FOLLOWUP_KE", s.lastReason());
    const alive = await session.alive();
    if (peerDeletedIke(s)) return;
    require(alive, "the IKE SA still alive (INFORMATIONAL answered)", "silence");
    s.tolerate(`keeps the IKE SA after ${tried()} series of which the state was not found`);
  });
}

/** More than several: so many series behind one command, all lost, are too many. */
const MOST_TRIES = 12;

/** Waits until no more tries come; true if there are `most` by then. */
async function triesOnAndOn(s: Script, tried: () => number, most: number): Promise<boolean> {
  let seen: number;
  do {
    seen = tried();
    await s.wait();
  } while (tried() > seen && tried() < most);
  return tried() >= most;
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
