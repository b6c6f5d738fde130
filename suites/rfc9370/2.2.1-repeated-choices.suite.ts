import {
  EXCHANGE,
  expectAlive,
  heard,
  peerDeletedIke,
  rekeyVerb,
  repeated,
  require,
  test,
  withFollowUps,
} from "../../harness/script/index.ts";

for (const peer of ["responder", "initiator"] as const)
  for (const what of ["child-sa", "ike-sa"] as const) {
    /**
     * The peer rekeys the ${what} on command, and offers the same two methods for two additional types. The tester chooses one of them
     * for both. For the peer this has failed: no IKE_FOLLOWUP_KE follows, and the IKE SA goes on. Note: it may delete the IKE SA instead.
     */
    test(`as-${peer}-takes-no-choice-with-a-method-twice-for-the-${what}`, {
      requirements: ["MKE-09", "MKE-10"],
      peer,
      lies: ["accepts-one-method-twice"],
      config: withFollowUps(what, "ke1_ecp256-ke1_ecp384-ke2_ecp256-ke2_ecp384"),
    }, async (s) => {
      const session = await s.establish(peer);
      s.change(EXCHANGE.CREATE_CHILD_SA, repeated, "response");
      await rekeyVerb(s, what)();
      const answered = () => s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer").some((e) => e.response);
      require(await s.until(answered), "a CREATE_CHILD_SA request", s.lastReason());
      await s.wait();
      const begun = heard(s, EXCHANGE.IKE_FOLLOWUP_KE);
      require(begun === 0, "no IKE_FOLLOWUP_KE", `${begun} requests`);
      if (!peerDeletedIke(s)) await expectAlive(session);
    });
  }
