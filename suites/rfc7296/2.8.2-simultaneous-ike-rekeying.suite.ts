import {
  type ChildSa,
  cross,
  EXCHANGE,
  errorNotify,
  expectAlive,
  Failure,
  hold,
  lose,
  NOTIFY,
  require,
  type Script,
  Session,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

/** Both ends rekey the IKE SA at once; false if the peer puts ours off, which is remarked. */
async function crossRekeys(session: Session, redundant: "ours" | "theirs"): Promise<boolean> {
  const { script: s } = session;
  const { driver } = s.arena;
  const exchangeType = EXCHANGE.CREATE_CHILD_SA;
  await cross(session, {
    ...{ exchangeType, redundant, theirs: () => driver.rekeyIke() },
    ours: (done) => s.host.endpoint.rekeyIke(session.sa, {}, done),
  });
  const { response } = s.exchange(exchangeType);
  if (!response) throw new Failure("an answer to our rekey, too", "silence");
  const error = errorNotify(response.payloads);
  if (error) s.tolerate(`refuses an IKE rekey that crosses its own with error ${error.notifyType}`);
  return !error;
}

/** The IKE SAs that were made by rekeying and are there still. */
const left = (s: Script) => s.trace.ikeSas().filter((sa) => sa.state === "established");

/** Waits until one IKE SA is left and what it replaced is gone; the others are remarked. */
async function survivor(s: Script): Promise<Session> {
  const settled = await s.until(() => left(s).length === 1);
  const [sa] = left(s).filter((other) => other.children.length > 0);
  if (!sa) throw new Failure("an IKE SA with the Child SA", `${left(s).length} IKE SAs without`);
  if (!settled) s.tolerate(`${left(s).length} IKE SAs are left of two crossing rekeyings`);
  return new Session(s, sa);
}

/** The survivor answers, carries the Child SA's traffic, and is where the Child SA is deleted. */
async function expectInherited(session: Session, child: ChildSa): Promise<void> {
  require(session.sa.children.includes(child), "the Child SA under the new IKE SA", "it is not there");
  await session.proveTraffic(child);
  await session.deleteChild(child);
  const { response } = session.script.exchange(EXCHANGE.INFORMATIONAL);
  require(response?.payloads.some((p) => p.kind === "Delete") === true, "a Delete in the answer", "none");
  await expectAlive(session);
}

for (const peer of ROLES) {
  for (const redundant of ["ours", "theirs"] as const) {
    /**
     * Both ends rekey the IKE SA at once: each gets the other's request while its own is unanswered. The nonces of the
     * tester decide which of the two new IKE SAs is redundant; who made it deletes it. The other one inherits the Child
     * SA: traffic passes, and its Delete under the new IKE SA is answered with Delete.
     * Note: that it answers as usual, and the rule of the lowest nonce, are SHOULDs.
     */
    test(`as-${peer}-settles-crossing-ike-rekeys-when-${redundant === "ours" ? "its-own" : "the-testers"}-survives`, {
      requirements: ["IKEV2-132", "IKEV2-133", "IKEV2-223"],
      peer,
      lies: ["drops-child-sas-in-an-ike-rekey"],
    }, async (s) => {
      const session = await s.establish(peer);
      const { child } = session;
      const crossed = await crossRekeys(session, redundant);
      const winner = await survivor(s);
      const byUs = winner.sa.role === "initiator";
      if (crossed && byUs !== (redundant === "theirs"))
        s.tolerate("keeps the IKE SA of the exchange with the lowest nonce");
      await expectInherited(winner, child);
    });
  }

  /**
   * The peer rekeys the IKE SA; our own request for that arrives when the peer is done but for the Delete of the old one.
   * The peer should say TEMPORARY_FAILURE, as it is about to close that IKE SA. The new one lives.
   * Note: the manner of the refusal is a SHOULD.
   */
  test(`as-${peer}-puts-off-a-late-ike-rekey`, {
    requirements: ["IKEV2-134", "IKEV2-133"],
    peer,
    lies: ["drops-child-sas-in-an-ike-rekey"],
  }, async (s) => {
    const session = await s.establish(peer);
    const { child } = session;
    const release = hold(s, EXCHANGE.CREATE_CHILD_SA);
    let ended = false;
    s.host.endpoint.rekeyIke(session.sa, {}, () => {
      ended = true;
    });
    const isDelete = ({ isResponse, header }: { isResponse: boolean; header: { exchangeType: number } }) =>
      !isResponse && header.exchangeType === EXCHANGE.INFORMATIONAL;
    const found = lose(s, isDelete);
    const answered = () => s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer").find((e) => e.response);
    await session.provoke(() => s.arena.driver.rekeyIke(), answered, "the peer to rekey the IKE SA");
    await s.wait();
    release();
    await s.until(() => ended);
    found();
    const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    if (!response) throw new Failure("N(TEMPORARY_FAILURE)", "silence");
    const error = errorNotify(response.payloads);
    if (error?.notifyType !== NOTIFY.TEMPORARY_FAILURE)
      s.tolerate(error ? `says error ${error.notifyType}` : "rekeys an IKE SA that it has rekeyed");
    await expectInherited(await survivor(s), child);
  });
}
