import {
  cross,
  EITHER_SA,
  EXCHANGE,
  errorNotify,
  expectNotify,
  expectSeries,
  expectUsed,
  Failure,
  followUpsOf,
  lose,
  mindNoAdditionalSas,
  NOTIFY,
  type Rekeyed,
  rekeyVerb,
  require,
  type Script,
  Session,
  test,
  tryRekey,
  withFollowUps,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const SAS = ["child-sa", "ike-sa"] as const;
const { CREATE_CHILD_SA, IKE_FOLLOWUP_KE } = EXCHANGE;

/** Both ends rekey at once, and the nonces of the tester decide whose exchange is redundant. */
async function crossRekeys(session: Session, what: Rekeyed, redundant: "ours" | "theirs"): Promise<void> {
  const { script: s, sa, child } = session;
  const { endpoint } = s.host;
  await cross(session, {
    ...{ exchangeType: CREATE_CHILD_SA, redundant, theirs: rekeyVerb(s, what) },
    ours: (done: (made: unknown) => void) =>
      what === "ike-sa" ? endpoint.rekeyIke(sa, {}, done) : endpoint.rekeyChild(child, {}, done),
  });
  const { response } = s.exchange(CREATE_CHILD_SA);
  if (!response) throw new Failure("an answer to our rekeying, too", "silence");
  mindNoAdditionalSas(response);
  const error = errorNotify(response.payloads);
  if (error) s.tolerate(`refuses a rekeying that crosses its own with error ${error.notifyType}`);
}

type Old = Pick<Session, "sa" | "child">;

/** The session of the newest IKE SA that is in use, once the peer has come to an end. */
async function left(s: Script, { sa: oldSa, child: old }: Old, what: Rekeyed): Promise<Session> {
  const newest = () =>
    s.trace.ikeSas().findLast((sa) => sa.state === "established" && sa.children.length > 0);
  const over = () =>
    what === "ike-sa"
      ? newest() !== oldSa
      : oldSa.children.some((c) => c.replaces === old && c.state === "installed");
  require(await s.untilRepeated(over), "one new SA in the place of the old one", s.lastReason());
  const sa = newest();
  if (!sa) throw new Failure("an IKE SA with the Child SA", "none");
  return new Session(s, sa);
}

for (const what of SAS)
  for (const peer of ROLES) {
    /**
     * Both ends rekey the same SA at once, and the nonces of the tester make the peer's exchange the one with the lowest.
     * Nothing is made yet, as additional key exchanges were chosen: the peer only stops. It sends no IKE_FOLLOWUP_KE for
     * its own exchange, and answers those of the tester. What comes of them is used.
     * Note: to refuse the tester's rekeying because of the own one is tolerated.
     */
    test(`as-${peer}-begins-no-follow-up-when-its-rekeying-of-the-${what}-has-lost`, {
      requirements: ["MKE-38", "MKE-40"],
      peer,
      lies: ["follows-up-though-it-has-lost"],
      config: withFollowUps(what, "ke1_ecp256"),
    }, async (s) => {
      const session = await s.establish(peer);
      const { sa, child } = session;
      await crossRekeys(session, what, "theirs");
      const next = await left(s, { sa, child }, what);
      if (s.tolerated === undefined) {
        const begun = followUpsOf(s, "peer").length;
        require(begun === 0, "no IKE_FOLLOWUP_KE for the exchange with the lowest nonce", `${begun}`);
        expectSeries(s, "us", [19]);
      }
      await expectUsed(next);
    });

    /**
     * The other way round: the tester's exchange has the lowest nonce, and the tester stops. The peer goes on with its own
     * series, and what comes of it is used.
     * Note: to refuse the tester's rekeying because of the own one is tolerated.
     */
    test(`as-${peer}-goes-on-when-its-rekeying-of-the-${what}-has-won`, {
      requirements: ["MKE-38", "MKE-40"],
      peer,
      lies: ["stops-the-rekeying-that-has-won", "leaves-follow-ups-out-of-the-keys"],
      config: withFollowUps(what, "ke1_ecp256"),
    }, async (s) => {
      const session = await s.establish(peer);
      const { sa, child } = session;
      await crossRekeys(session, what, "ours");
      const next = await left(s, { sa, child }, what);
      expectSeries(s, "peer", [19]);
      await expectUsed(next);
    });
  }

for (const [what, peer] of EITHER_SA) {
  /**
   * The peer rekeys on command, and the tester leaves its first IKE_FOLLOWUP_KE unanswered. Meanwhile the tester asks to
   * rekey the same SA, too late: the peer answers TEMPORARY_FAILURE. Then the tester answers, and the peer's series
   * comes to its end.
   */
  test(`as-${peer}-puts-off-a-rekeying-of-the-${what}-that-it-follows-up`, {
    requirements: ["MKE-39", "MKE-40"],
    peer,
    lies: ["lets-itself-be-rekeyed-while-it-follows-up", "refuses-a-late-rekeying-for-its-proposals"],
    config: withFollowUps(what, "ke1_ecp256"),
  }, async (s) => {
    const session = await s.establish(peer);
    let waits = false;
    const release = lose(s, ({ header, isResponse }) => {
      const matches = !isResponse && header.exchangeType === IKE_FOLLOWUP_KE;
      waits ||= matches;
      return matches;
    });
    await rekeyVerb(s, what)();
    require(await s.until(() => waits), "IKE_FOLLOWUP_KE", s.lastReason());
    await tryRekey(session, what);
    expectNotify(s.exchange(CREATE_CHILD_SA).response, NOTIFY.TEMPORARY_FAILURE);
    release();
    const next = await left(s, session, what);
    expectSeries(s, "peer", [19]);
    await expectUsed(next);
  });
}
