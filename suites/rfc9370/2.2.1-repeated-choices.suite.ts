import {
  EXCHANGE,
  expectAlive,
  heard,
  type OutgoingMessage,
  payload,
  peerDeletedIke,
  rekeyVerb,
  require,
  TRANSFORM,
  test,
  withFollowUps,
} from "../../harness/script/index.ts";

const { ADDKE1, ADDKE2 } = TRANSFORM;

/** The method of the second additional type of our choice becomes that of the first. */
function repeated({ payloads }: OutgoingMessage): void {
  const sa = payload(payloads, "SA");
  if (!sa) return;
  sa.proposals = sa.proposals.map((p) => {
    const first = p.transforms.find(({ type }) => type === ADDKE1)?.id ?? 0;
    return { ...p, transforms: p.transforms.map((t) => (t.type === ADDKE2 ? { ...t, id: first } : t)) };
  });
}

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
