import {
  EXCHANGE,
  expectAlive,
  expectKept,
  expectNoError,
  expectWithin,
  hex,
  NOTIFY,
  notifies,
  PAYLOAD,
  payload,
  require,
  Session,
  selector,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const HALVES = ["203.0.113.16/29", "203.0.113.24/29"];

for (const peer of ROLES) {
  /**
   * The peer has two networks behind it, and the tester asks for a Child SA for all addresses. The peer may have both in
   * one Child SA or one only; if it then says ADDITIONAL_TS_POSSIBLE, the notify has no data and names no SA. Traffic
   * passes.
   */
  test(`as-${peer}-says-additional-ts-possible-without-data`, {
    requirements: ["IKEV2-142", "IKEV2-143"],
    peer,
    lies: ["says-additional-ts-possible-with-data", "demands-a-single-pair"],
    config: { localTs: HALVES },
  }, async (s) => {
    const session = await s.establish(peer);
    await session.tryCreateChild({ remoteTs: [selector("0.0.0.0/0")] });
    const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    expectNoError(response);
    const tsr = payload(response?.payloads ?? [], "TS", PAYLOAD.TSr)?.selectors ?? [];
    expectWithin(tsr, HALVES.map(selector), "TSr");
    for (const more of notifies(response?.payloads ?? [], NOTIFY.ADDITIONAL_TS_POSSIBLE)) {
      require(more.data.length === 0, "no data in ADDITIONAL_TS_POSSIBLE", hex(more.data));
      require(more.spi.length === 0, "no SPI in ADDITIONAL_TS_POSSIBLE", hex(more.spi));
    }
    await session.proveTraffic();
  });

  /**
   * The tester makes another Child SA for the same traffic as the first. Both live: the peer answers through each of
   * them, for equal selectors alone are no reason to delete one.
   * Note: that is a SHOULD NOT. That the peer deletes the older one, in order, is tolerated. But what it has not deleted
   * must work, also when the newer one is deleted.
   */
  test(`as-${peer}-has-two-child-sas-for-the-same-traffic`, {
    requirements: ["IKEV2-122"],
    peer,
    lies: ["drops-the-older-of-equal-child-sas"],
  }, async (s) => {
    const session = await s.establish(peer);
    const { child: older } = session;
    const newer = await session.createChild();
    require(await session.ping({ child: newer }), "an answer through the new Child SA", "none");
    await expectAlive(session);
    if (older.state === "closed")
      return s.tolerate("deletes a Child SA because another one is for its traffic");
    require(await session.ping({ child: older }), "an answer through the old Child SA", "none");
    await session.deleteChild(newer);
    require(await session.ping({ child: older }), "an answer through the one that is left", "none");
  });
}

/**
 * The peer initiates; our IKE_AUTH response authenticates us and refuses the Child SA with SINGLE_PAIR_REQUIRED, as one
 * does that has a Child SA for each pair of addresses. The peer takes the IKE SA for established: it answers under it, or
 * ends it with a Delete.
 */
test("keeps-the-ike-sa-after-single-pair-required", {
  requirements: ["IKEV2-008"],
  peer: "initiator",
  lies: ["fails-ike-with-its-child"],
}, async (s) => {
  s.policy.narrowing = "one pair of addresses";
  const answer = () => s.trace.exchangesOf(EXCHANGE.IKE_AUTH, "peer").find((e) => e.response)?.response;
  await s.provoke(() => answer() !== undefined);
  const { sa } = answer() ?? {};
  require(sa !== undefined, "an IKE_AUTH request of the peer", s.lastReason());
  await expectKept(new Session(s, sa), "deletes the IKE SA that has no Child SA");
});
