import {
  beginRekey,
  EITHER_SA,
  EXCHANGE,
  expectSeries,
  expectUsed,
  followUpsOf,
  hold,
  ikeProposals,
  lose,
  rekey,
  require,
  test,
  withFollowUps,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const ENDS = ["peer", "us"] as const;
const SAS = ["child-sa", "ike-sa"] as const;

/** Additional key exchanges and the methods that come of them; MODP is there for its leading zeros. */
const SERIES = [
  ["two-more-key-exchanges", "ke1_ecp256-ke4_ecp384", [19, 20]],
  ["three-more-key-exchanges", "ke2_ecp384-ke3_none-ke5_ecp256-ke7_modp3072", [20, 19, 15]],
] as const;

const who = (by: "us" | "peer"): string => (by === "us" ? "when-asked" : "on-command");

for (const what of SAS)
  for (const [name, additional, methods] of SERIES)
    for (const by of ENDS)
      for (const peer of ROLES) {
        /**
         * The Child SA or the IKE SA is rekeyed by the peer, which is told to, or by the tester. CREATE_CHILD_SA negotiates
         * additional key exchanges beside transform type 4. Each of them has one IKE_FOLLOWUP_KE exchange, in the order
         * of the transform types, none where NONE was chosen. ADDITIONAL_KEY_EXCHANGE is in every response that is not
         * the last, and the next request has it as it was. The keys are made of all the secrets: traffic passes through
         * the new Child SA, or the new IKE SA answers and its Child SA carries traffic.
         */
        test(`as-${peer}-rekeys-the-${what}-with-${name}-${who(by)}`, {
          requirements: [
            ...["MKE-24", "MKE-25", "MKE-26", "MKE-27", "MKE-28", "MKE-29", "MKE-30", "MKE-31", "MKE-12"],
            "MKE-40",
          ],
          peer,
          lies: [
            "leaves-follow-ups-out-of-the-keys",
            "names-esp-in-its-links",
            "takes-the-secrets-of-follow-ups-in-reverse",
            ...(what === "ike-sa" ? ["expands-with-the-old-spis-after-follow-ups"] : []),
            ...(by === "us"
              ? ["sends-a-link-in-the-last-response", "leaves-the-link-out-of-its-responses"]
              : ["expects-a-link-in-the-last-response", "turns-a-bit-of-the-links-it-echoes"]),
          ],
          config: withFollowUps(what, additional),
        }, async (s) => {
          const session = await s.establish(peer);
          const next = await rekey(session, what, by);
          expectSeries(s, by, methods);
          await expectUsed(next);
        });
      }

for (const [what, peer] of EITHER_SA)
  for (const by of ENDS) {
    /**
     * The Child SA or the IKE SA is rekeyed with ML-KEM-768 behind X25519: the encapsulation key and the ciphertext are in
     * IKE_FOLLOWUP_KE.
     */
    test(`as-${peer}-rekeys-the-${what}-with-ml-kem-768-${who(by)}`, {
      requirements: ["MKE-24", "MKE-25", "MKE-31", "MKE-40"],
      peer,
      lies: ["leaves-follow-ups-out-of-the-keys"],
      config: withFollowUps(what, "ke1_mlkem768"),
    }, async (s) => {
      const session = await s.establish(peer);
      const next = await rekey(session, what, by);
      expectSeries(s, by, [36]);
      await expectUsed(next);
    });
  }

for (const peer of ROLES) {
  /**
   * The tester asks for one more Child SA, beside the first one, with two additional key exchanges. Traffic passes through
   * both.
   */
  test(`as-${peer}-makes-a-new-child-sa-with-additional-key-exchanges`, {
    requirements: ["MKE-24", "MKE-25", "MKE-27", "MKE-28", "MKE-40"],
    peer,
    lies: ["leaves-follow-ups-out-of-the-keys", "leaves-the-link-out-of-its-responses"],
    config: withFollowUps("child-sa", "ke1_ecp256-ke2_ecp384"),
  }, async (s) => {
    const session = await s.establish(peer);
    const { child: first } = session;
    const second = await session.createChild();
    expectSeries(s, "us", [19, 20]);
    await session.proveTraffic(second);
    require(await session.ping({ child: first }), "an answer through the first Child SA, too", "none");
  });
}

for (const what of SAS)
  for (const peer of ROLES) {
    /**
     * The peer rekeys, then the tester, then the peer again, each time with an additional key exchange. Each time the keys
     * come out of those before. If it was the IKE SA, the tester rekeys the Child SA at last, with keys of the newest SK_d.
     */
    test(`as-${peer}-rekeys-the-${what}-again-and-again`, {
      requirements: ["MKE-24", "MKE-25", "MKE-40"],
      peer,
      lies: [
        "leaves-follow-ups-out-of-the-keys",
        ...(what === "ike-sa"
          ? ["keys-child-sas-with-an-old-sk-d", "keys-new-ike-sas-with-the-old-spis"]
          : []),
      ],
      config: { ...withFollowUps("child-sa", "ke1_ecp384"), ...withFollowUps(what, "ke1_ecp256") },
    }, async (s) => {
      let session = await s.establish(peer);
      for (const by of ["peer", "us", "peer"] as const) {
        session = await rekey(session, what, by);
        expectSeries(s, by, [19]);
        await expectUsed(session);
      }
      if (what === "ike-sa") await expectUsed(await rekey(session, "child-sa", "us"));
    });
  }

for (const peer of ROLES) {
  /**
   * The IKE SA is made with an additional key exchange, and rekeyed by the tester without: no text forbids that, and the
   * peer is told both proposals. No IKE_FOLLOWUP_KE follows.
   */
  test(`as-${peer}-lets-a-hybrid-ike-sa-be-rekeyed-without-additional-key-exchanges`, {
    requirements: ["MKE-24", "MKE-28"],
    peer,
    lies: ["keys-new-ike-sas-with-the-old-spis"],
    config: { ikeProposals: ["aes256-sha256-x25519-ke1_ecp256", "aes256-sha256-x25519"] },
  }, async (s) => {
    const session = await s.establish(peer);
    const [, plain] = ikeProposals(...s.arena.config.ikeProposals);
    const next = await session.rekeyIke({ proposals: plain ? [{ ...plain, number: 1 }] : [] });
    expectSeries(s, "us", []);
    await expectUsed(next);
  });

  /** The IKE SA is made without additional key exchanges, and rekeyed by the tester with one. */
  test(`as-${peer}-lets-a-classical-ike-sa-be-rekeyed-with-an-additional-key-exchange`, {
    requirements: ["MKE-24", "MKE-25", "MKE-40"],
    peer,
    lies: ["leaves-follow-ups-out-of-the-keys"],
    config: { ikeProposals: ["aes256-sha256-x25519", "aes256-sha256-x25519-ke1_ecp256"] },
  }, async (s) => {
    const session = await s.establish(peer);
    const [, hybrid] = ikeProposals(...s.arena.config.ikeProposals);
    const next = await session.rekeyIke({ proposals: hybrid ? [{ ...hybrid, number: 1 }] : [] });
    expectSeries(s, "us", [19]);
    await expectUsed(next);
  });

  /**
   * The peer is told NONE beside a method, and the tester offers NONE alone: nothing follows CREATE_CHILD_SA, and the Child
   * SA carries traffic.
   */
  test(`as-${peer}-does-no-additional-key-exchange-where-none-is-chosen`, {
    requirements: ["MKE-12", "MKE-24", "MKE-28"],
    peer,
    lies: ["leaves-g-ir-out-of-keymat"],
    config: withFollowUps("child-sa", "ke1_ecp256-ke1_none"),
  }, async (s) => {
    const session = await s.establish(peer);
    const [offer] = s.policy.rekeyEsp ?? [];
    const without = offer?.transforms.filter((t) => t.id !== 19) ?? [];
    await session.rekeyChild({ proposals: offer ? [{ ...offer, transforms: without }] : [] });
    expectSeries(s, "us", []);
    await expectUsed(session);
  });

  /**
   * The tester negotiates two additional key exchanges for the Child SA that it rekeys, and stops before the first: the
   * old Child SA carries traffic all the time. Then it goes on.
   */
  test(`as-${peer}-keeps-the-old-child-sa-until-the-series-is-over`, {
    requirements: ["MKE-25", "MKE-40"],
    peer,
    lies: ["uses-the-new-child-sa-before-its-time"],
    config: withFollowUps("child-sa", "ke1_ecp256-ke2_ecp384"),
  }, async (s) => {
    const session = await s.establish(peer);
    const { child: old } = session;
    const release = hold(s, EXCHANGE.IKE_FOLLOWUP_KE);
    const made = beginRekey(session, "child-sa");
    await s.until(() => followUpsOf(s, "us").length > 0);
    require(await session.ping({ child: old, tries: 2 }), "an answer through the old Child SA", "none");
    release();
    await s.until(() => made.result !== undefined);
    expectSeries(s, "us", [19, 20]);
    await expectUsed(session);
  });
}

/**
 * The peer rekeys on command, and the tester leaves its first IKE_FOLLOWUP_KE unanswered for a while: no other one
 * comes, the old Child SA is not deleted and carries traffic. Then the tester answers, and the series goes on to its end.
 */
test("as-responder-waits-for-the-end-of-each-key-exchange", {
  requirements: ["MKE-26", "MKE-25", "MKE-40"],
  peer: "responder",
  lies: ["asks-twice-at-once", "uses-the-new-child-sa-before-its-time"],
  config: withFollowUps("child-sa", "ke1_ecp256-ke2_ecp384"),
}, async (s) => {
  const session = await s.establish("responder");
  const { child: old } = session;
  const ids = new Set<number>();
  const find = lose(s, ({ header, isResponse }) => {
    if (isResponse) return false;
    const later = ids.size > 0 || header.exchangeType === EXCHANGE.IKE_FOLLOWUP_KE;
    if (later) ids.add(header.messageId);
    return later;
  });
  await s.arena.driver.rekeyChild();
  require(await s.until(() => ids.size > 0), "IKE_FOLLOWUP_KE", s.lastReason());
  await s.wait();
  require(await session.ping({ child: old, tries: 2 }), "an answer through the old Child SA", "none");
  require(ids.size === 1, "no other request while one IKE_FOLLOWUP_KE is unanswered", `${ids.size} of them`);
  find();
  require(await s.untilRepeated(() => session.child !== old), "the series to go on", s.lastReason());
  expectSeries(s, "peer", [19, 20]);
  await expectUsed(session);
});
