import {
  type ChildSa,
  cross,
  EXCHANGE,
  errorNotify,
  expectAlive,
  Failure,
  hold,
  NOTIFY,
  require,
  type Session,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

/** Both ends rekey the same Child SA at once. Gives both new ones; undefined if the peer refuses ours, which is remarked. */
async function crossRekeys(
  session: Session,
  redundant: "ours" | "theirs",
): Promise<Record<"ours" | "theirs", ChildSa> | undefined> {
  const { script: s, child: old } = session;
  await cross(session, {
    ...{ exchangeType: EXCHANGE.CREATE_CHILD_SA, redundant },
    theirs: () => s.arena.driver.rekeyChild(),
    ours: (done: (made: ChildSa | string) => void) => s.host.endpoint.rekeyChild(old, {}, done),
  });
  const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
  if (!response) throw new Failure("an answer to our rekey, too", "silence");
  if (errorNotify(response.payloads)) {
    s.tolerate("refuses to rekey a Child SA that it rekeys itself, which it should not (section 2.25.1)");
    return undefined;
  }
  const made = s.trace.childSas().filter((c) => c.replaces === old);
  const [ours, theirs] = [made.find((c) => c.initiatedByUs), made.find((c) => !c.initiatedByUs)];
  if (!ours || !theirs) throw new Failure("a new Child SA from both requests", `${made.length}`);
  return { ours, theirs };
}

for (const peer of ROLES) {
  for (const redundant of ["ours", "theirs"] as const) {
    /**
     * Both ends rekey the same Child SA at once: each gets the other's request while its own is unanswered. Both
     * exchanges succeed. The nonces of the tester decide which new SA is redundant: who made it should delete it, and
     * the other side the old one. Traffic passes through the survivor.
     * Note: both that it answers as usual and the rule of the lowest nonce are SHOULDs; other ends of the crossing are
     * tolerated if traffic passes.
     */
    test(`as-${peer}-settles-crossing-rekeys-when-${redundant === "ours" ? "its-own" : "the-testers"}-survives`, {
      requirements: ["IKEV2-129", "IKEV2-130", "IKEV2-222"],
      peer,
      lies: ["keys-new-child-sas-with-the-first-nonces"],
    }, async (s) => {
      const session = await s.establish(peer);
      const made = await crossRekeys(session, redundant);
      const installed = () => session.sa.children.filter((c) => c.state === "installed");
      await s.until(() => session.sa.children.length === 1);
      if (made) {
        const expected = redundant === "ours" ? made.theirs : made.ours;
        const [survivor, ...more] = installed();
        if (survivor !== expected || more.length > 0 || session.sa.children.length > 1)
          s.tolerate(`leaves ${session.sa.children.length} Child SAs, or the wrong one`);
      }
      await session.proveTraffic();
      await expectAlive(session);
    });
  }

  /**
   * Both ends rekey the same Child SA at once, and the tester does not delete the one that is redundant. Until that is
   * done both are in use: the peer answers what comes through either of them.
   */
  test(`as-${peer}-hears-both-new-child-sas`, {
    requirements: ["IKEV2-128"],
    peer,
    lies: ["hears-one-of-two-new-child-sas"],
  }, async (s) => {
    const session = await s.establish(peer);
    s.decide("redundant SA", "keep");
    const made = await crossRekeys(session, "ours");
    if (!made) return session.proveTraffic();
    require(await session.ping({ child: made.theirs }), "an answer through the peer's new SA", "none");
    require(await session.ping({ child: made.ours }), "an answer through our new SA", "none");
    await expectAlive(session);
  });

  /**
   * The peer replaces the Child SA and deletes the old one; our own request to rekey that one arrives after that. The
   * peer should say CHILD_SA_NOT_FOUND, which ends nothing: the new Child SA carries traffic.
   * Note: the manner of the refusal is a SHOULD.
   */
  test(`as-${peer}-refuses-a-late-rekey-of-a-replaced-child-sa`, {
    requirements: ["IKEV2-131", "IKEV2-220", "IKEV2-222"],
    peer,
    lies: ["ends-the-ike-sa-on-a-late-rekey"],
  }, async (s) => {
    const session = await s.establish(peer);
    const { child: old } = session;
    const release = hold(s, EXCHANGE.CREATE_CHILD_SA);
    let ended = false;
    s.host.endpoint.rekeyChild(old, {}, () => {
      ended = true;
    });
    await session.peerRekeysChild(old);
    await s.until(() => old.state === "closed");
    release();
    await s.until(() => ended);
    const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    if (!response) throw new Failure("N(CHILD_SA_NOT_FOUND)", "silence");
    const error = errorNotify(response.payloads);
    if (error?.notifyType !== NOTIFY.CHILD_SA_NOT_FOUND)
      s.tolerate(error ? `says error ${error.notifyType}` : "makes a Child SA in place of one that is gone");
    await session.proveTraffic();
    await expectAlive(session);
  });
}
