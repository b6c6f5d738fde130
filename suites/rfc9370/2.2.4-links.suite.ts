import {
  changeLinks,
  concat,
  EXCHANGE,
  expectAlive,
  expectNoNotify,
  expectSeries,
  expectStateNotFound,
  expectUsed,
  linksIn,
  makeLinks,
  NOTIFY,
  ourFollowUp,
  rekey,
  require,
  seriesOf,
  test,
  tryRekey,
  withFollowUps,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const SAS = ["child-sa", "ike-sa"] as const;

/** Links of several sizes. The tester's must come back as it was, whatever its size. */
for (const octets of [1, 8, 255, 4000])
  for (const what of SAS)
    for (const peer of ROLES) {
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
  for (const what of SAS)
    for (const peer of ROLES) {
      /**
       * The tester rekeys with an additional key exchange, and its IKE_FOLLOWUP_KE request has what the name says in the
       * place of the peer's link. The peer knows no such series: it answers STATE_NOT_FOUND without data. That ends nothing:
       * the IKE SA answers, and a new series with the right link comes to its end.
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
        const next = await rekey(session, what, "us");
        expectSeries(s, "us", [19]);
        await expectUsed(next);
      });
    }

for (const what of SAS)
  for (const peer of ROLES) {
    /**
     * The tester rekeys with two additional key exchanges. The peer's responses to CREATE_CHILD_SA and to the first
     * IKE_FOLLOWUP_KE have ADDITIONAL_KEY_EXCHANGE, as another one has to follow; its response to the last is without.
     */
    test(`as-${peer}-sends-no-link-in-the-last-response-when-the-${what}-is-rekeyed`, {
      requirements: ["MKE-27", "MKE-28"],
      peer,
      lies: ["sends-a-link-in-the-last-response"],
      config: withFollowUps(what, "ke1_ecp256-ke2_ecp384"),
    }, async (s) => {
      const session = await s.establish(peer);
      await tryRekey(session, what);
      const last = ourFollowUp(s).response;
      const before = seriesOf(s, "us").slice(0, -1);
      const links = before.map(({ response }) => linksIn(response?.payloads ?? []).length).join(", ");
      require(links === "1, 1", "ADDITIONAL_KEY_EXCHANGE in the first two responses", links);
      expectNoNotify(last, NOTIFY.ADDITIONAL_KEY_EXCHANGE);
    });

    /**
     * The peer rekeys on command with two additional key exchanges. The tester's response to the last IKE_FOLLOWUP_KE is
     * without ADDITIONAL_KEY_EXCHANGE: the peer does not expect it there, and uses what was made.
     */
    test(`as-${peer}-expects-no-link-in-the-last-response-when-it-rekeys-the-${what}`, {
      requirements: ["MKE-28"],
      peer,
      lies: ["expects-a-link-in-the-last-response"],
      config: withFollowUps(what, "ke1_ecp256-ke2_ecp384"),
    }, async (s) => {
      const next = await rekey(await s.establish(peer), what, "peer");
      expectNoNotify(s.exchange(EXCHANGE.IKE_FOLLOWUP_KE, "peer").response, NOTIFY.ADDITIONAL_KEY_EXCHANGE);
      await expectUsed(next);
    });
  }
