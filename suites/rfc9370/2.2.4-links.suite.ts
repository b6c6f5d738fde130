import {
  changeLinks,
  concat,
  EITHER_SA,
  EXCHANGE,
  expectAlive,
  expectSeries,
  expectStateNotFound,
  expectUsed,
  hasNotify,
  makeLinks,
  NOTIFY,
  newest,
  ourFollowUp,
  rekey,
  require,
  seriesOf,
  test,
  tryRekey,
  withFollowUps,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

/** Links of several sizes. The tester's must come back as it was, whatever its size. */
for (const octets of [1, 8, 255, 4000])
  for (const [what, peer] of EITHER_SA) {
    /**
     * The peer rekeys on command with two additional key exchanges, and the tester's ADDITIONAL_KEY_EXCHANGE has as many
     * octets as the name says, other ones in each response. The peer sends them back octet by octet, and the series ends
     * well. They are opaque to the peer; no text limits their size.
     */
    test(`as-${peer}-sends-links-of-${octets}-octets-back-when-it-rekeys-the-${what}`, {
      requirements: ["MKE-29"],
      peer,
      lies: [
        "turns-a-bit-of-the-links-it-echoes",
        ...(octets > 64 ? ["cuts-the-links-it-echoes"] : []),
        ...(octets === 8 ? [] : ["takes-links-of-eight-octets-alone"]),
      ],
      config: withFollowUps(what, "ke1_ecp256-ke2_ecp384"),
    }, async (s) => {
      makeLinks(s, (core) => core.random(octets));
      const next = await rekey(await s.establish(peer), what, "peer");
      expectSeries(s, "peer", [19, 20]);
      await expectUsed(next);
    });
  }

for (const peer of ROLES) {
  /**
   * As above, but the tester's ADDITIONAL_KEY_EXCHANGE has no data. The text calls them opaque, and does not say that there
   * are some.
   * Note: who gives this series up without harm to the IKE SA is tolerated.
   */
  test(`as-${peer}-can-do-with-an-empty-link`, {
    requirements: ["MKE-29"],
    peer,
    lies: ["ends-the-ike-sa-on-an-empty-link"],
    config: withFollowUps("child-sa", "ke1_ecp256"),
  }, async (s) => {
    makeLinks(s, () => new Uint8Array());
    const session = await s.establish(peer);
    const { child: old } = session;
    await s.arena.driver.rekeyChild();
    const answered = () => seriesOf(s, "peer").some((e) => e.response);
    require(await s.until(answered), "the peer to rekey the Child SA", s.lastReason());
    if (!(await s.until(() => session.child !== old, s.arena.quiet)))
      s.tolerate("gives a series up where ADDITIONAL_KEY_EXCHANGE has no data");
    await expectUsed(session);
  });
}

/** What the tester makes of the link that it should send back. */
const SPOILT: [name: string, change: (link: Uint8Array) => Uint8Array | undefined][] = [
  ["an-altered-link", (link) => link.map((octet, i) => (i === 0 ? octet ^ 1 : octet))],
  ["a-longer-link", (link) => concat(link, Uint8Array.of(0))],
  ["another-link", () => new TextEncoder().encode("of another series")],
  ["an-empty-link", () => new Uint8Array()],
  ["no-link", () => undefined],
];

for (const [name, spoil] of SPOILT)
  for (const [what, peer] of EITHER_SA) {
    /**
     * The tester rekeys with an additional key exchange, and its IKE_FOLLOWUP_KE request has what the name says in the
     * place of the peer's link. The peer knows no such series: it answers STATE_NOT_FOUND without data. That ends nothing:
     * the IKE SA answers, and a new series with the right link comes to its end.
     * Note: to put the new one off with TEMPORARY_FAILURE, as the state of the first is still there, is tolerated.
     */
    test(`as-${peer}-does-not-find-the-state-of-${name}-when-the-${what}-is-rekeyed`, {
      requirements: ["MKE-33", "MKE-33a", "MKE-34", "MKE-30"],
      peer,
      lies: [
        ...["takes-any-link", "says-why-in-state-not-found", "says-invalid-syntax-to-an-unknown-link"],
        ...["ends-the-ike-sa-on-an-unknown-link", "names-esp-in-state-not-found"],
      ],
      config: withFollowUps(what, "ke1_ecp256"),
    }, async (s) => {
      const session = await s.establish(peer);
      const right = changeLinks(s, spoil);
      await tryRekey(session, what);
      expectStateNotFound(ourFollowUp(s).response);
      right();
      await expectAlive(session);
      await tryRekey(session, what);
      if (hasNotify(s.exchange(EXCHANGE.CREATE_CHILD_SA).response?.payloads ?? [], NOTIFY.TEMPORARY_FAILURE))
        return s.tolerate("puts the next rekeying off while it keeps the state of a series");
      expectSeries(s, "us", [19]);
      await expectUsed(newest(session));
    });
  }
