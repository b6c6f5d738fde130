import {
  EXCHANGE,
  type Exchange,
  errorNotify,
  expectAlive,
  Failure,
  heard,
  hex,
  lose,
  payload,
  require,
  test,
} from "../../harness/script/index.ts";

const isCreateChild = (m: { header: { exchangeType: number } }) =>
  m.header.exchangeType === EXCHANGE.CREATE_CHILD_SA;

/** The lower of both nonces of an exchange, octet by octet. */
function lowestNonce(exchange: Exchange | undefined): Uint8Array {
  const messages = [exchange?.request, exchange?.response];
  const nonces = messages.flatMap((m) => payload(m?.payloads ?? [], "Nonce")?.data ?? []);
  const [lowest] = nonces.sort(Buffer.compare);
  if (!lowest || nonces.length < 2) throw new Failure("an exchange with two nonces", `${nonces.length}`);
  return lowest;
}

/**
 * Both sides rekey the same Child SA: each request is sent before the other is answered. Both exchanges succeed. The
 * new SA whose exchange holds the lowest of the four nonces should then be deleted by the side that began it, and
 * the old one by the other side. Traffic passes through the survivor.
 * Note: both that it answers as usual and the rule of the lowest nonce are SHOULDs; other ends of the crossing are
 * tolerated if traffic passes.
 */
test("settles-crossing-rekeys-of-a-child-sa", {
  requirements: ["IKEV2-129", "IKEV2-130", "IKEV2-222"],
  peer: "responder",
  lies: ["keys-new-child-sas-with-the-first-nonces"],
}, async (s) => {
  const session = await s.dial();
  const old = session.child;
  const answerPeer = lose(s, (m) => isCreateChild(m) && !m.isResponse);
  const seeAnswer = lose(s, (m) => isCreateChild(m) && m.isResponse);
  await s.arena.driver.rekeyChild();
  const asked = await s.until(() => heard(s, EXCHANGE.CREATE_CHILD_SA) > 0);
  require(asked, "the peer to rekey the Child SA", "no request");
  let made: string | undefined;
  s.host.endpoint.rekeyChild(old, {}, (child) => {
    made = typeof child === "string" ? child : "";
  });
  s.host.settle();
  await s.wait();
  answerPeer();
  const answered = () => s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer").find((e) => e.response);
  await s.until(() => answered() !== undefined);
  seeAnswer();
  await s.until(() => made !== undefined);
  if (errorNotify(s.exchange(EXCHANGE.CREATE_CHILD_SA).response?.payloads ?? [])) {
    await session.proveTraffic();
    return s.tolerate(
      "refuses to rekey a Child SA that it rekeys itself, which it should not (section 2.25.1)",
    );
  }
  require(made === "", "a Child SA from our rekey, too", made ?? "no answer");
  const settled = () => session.sa.children.filter((c) => c.state === "installed").length === 1;
  await s.until(settled);
  const ours = lowestNonce(s.exchange(EXCHANGE.CREATE_CHILD_SA));
  const theirs = lowestNonce(answered());
  const survivor = session.child;
  const expected = Buffer.compare(ours, theirs) < 0 ? "the peer's" : "ours";
  const actual = survivor.initiatedByUs ? "ours" : "the peer's";
  await session.proveTraffic(survivor);
  await expectAlive(session);
  if (!settled() || actual !== expected) {
    s.tolerate(`left over: ${session.sa.children.map((c) => hex(c.spiIn)).join(" ")}, not ${expected} alone`);
  }
});
