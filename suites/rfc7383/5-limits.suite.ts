import {
  cutRequest,
  EXCHANGE,
  expectAlive,
  isProtected,
  isResponse,
  messagesReceived,
  needFragmentation,
  notify,
  type Payload,
  type Session,
  sendUnder,
  test,
} from "../../harness/script/index.ts";

/** The highest number there is of a fragment. */
const HIGHEST = 65_535;
/** Status notifies that nobody knows; together longer than section 5 lets a peer collect. */
const long = (): Payload[] => Array.from({ length: 7 }, () => notify(60_000, new Uint8Array(10_000)));

/** Fails unless the peer brings up a new IKE SA and answers under it. */
async function expectNext(session: Session): Promise<void> {
  await session.script.wait();
  await expectAlive(await session.script.dial());
}

/**
 * Under the keys of the IKE SA the peer gets fragment 65,535 of 65,535, then the first and one of the middle. It may
 * keep or drop them, but must not set memory aside for all of them, or fail the IKE SA for an incomplete request: the
 * same request then comes whole, and is answered.
 */
test("responder-survives-fragment-65535-of-65535", {
  requirements: ["IKEFRAG-38", "IKEFRAG-47"],
  peer: "responder",
  lies: ["dies-of-many-fragments"],
}, async (s) => {
  const session = needFragmentation(await s.dial());
  const { stray } = cutRequest(session, [], EXCHANGE.INFORMATIONAL);
  sendUnder(session, stray(HIGHEST, HIGHEST), stray(1, HIGHEST), stray(HIGHEST >> 1, HIGHEST));
  await s.wait();
  await expectAlive(session);
});

/**
 * A request of 70,000 octets comes in 70 fragments, and another one but for its last fragment. A peer should not
 * collect more than 64 KB, and drop the IKE SA with its fragments beyond; it must go on: a new IKE SA comes up.
 */
test("responder-survives-more-fragments-than-it-should-collect", {
  requirements: ["IKEFRAG-47", "IKEFRAG-48"],
  peer: "responder",
  lies: ["dies-of-much-in-fragments"],
}, async (s) => {
  const session = needFragmentation(await s.dial());
  for (const end of [undefined, -1]) {
    const since = s.mark();
    sendUnder(session, ...cutRequest(session, long(), EXCHANGE.INFORMATIONAL).set(70).slice(0, end));
    await s.wait();
    if (messagesReceived(s, since).some((m) => isResponse(m) && isProtected(m)))
      s.tolerate("collects more than 64 KB of fragments");
  }
  await expectNext(session);
});
