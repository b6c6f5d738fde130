import {
  type ChildSa,
  EXCHANGE,
  equal,
  expectAlive,
  expectWithin,
  Failure,
  hex,
  NOTIFY,
  notifies,
  PAYLOAD,
  PROTOCOL,
  payload,
  require,
  type Script,
  type Session,
  test,
} from "../../harness/script/index.ts";

const HOW = {
  "without-pfs": { espProposals: ["aes256gcm16", "aes128-sha256"] },
  "with-pfs": { espProposals: ["aes256gcm16-modp2048", "aes128-sha256-modp2048"] },
};
const ROLES = ["responder", "initiator"] as const;

/** The new SA has SPIs and keys of its own; that it uses the same algorithms is a SHOULD. */
function expectReplaced(s: Script, old: ChildSa, fresh: ChildSa, pfs: boolean): void {
  const spis = (c: ChildSa) => `SPIs ${hex(c.spiIn)} and ${hex(c.spiOut)}`;
  const newSpis = !equal(old.spiIn, fresh.spiIn) && !equal(old.spiOut, fresh.spiOut);
  require(newSpis, `other SPIs than ${spis(old)}`, spis(fresh));
  require(!equal(old.keysIn.encr, fresh.keysIn.encr), "new keys", "the old ones");
  require(fresh.pfs === pfs, `PFS: ${pfs}`, `PFS: ${fresh.pfs}`);
  const algorithms = (c: ChildSa) => `${c.encr.name} ${c.encrKeyBits} ${c.integ?.name}`;
  if (algorithms(old) !== algorithms(fresh))
    s.tolerate(`takes ${algorithms(fresh)} in place of ${algorithms(old)}`);
}

for (const peer of ROLES) {
  for (const [how, config] of Object.entries(HOW)) {
    /**
     * The tester replaces the Child SA and deletes the old one. Traffic then passes both ways through the new SA,
     * under keys that only the nonces of CREATE_CHILD_SA, and with PFS its key exchange, can give.
     */
    test(`accepts-a-child-rekey-${how}-as-${peer}`, {
      requirements: ["IKEV2-013", "IKEV2-173", "IKEV2-174", "IKEV2-038"],
      peer,
      lies: [
        "keys-new-child-sas-with-the-first-nonces",
        "keeps-the-old-keys-after-a-rekey",
        ...(how === "with-pfs" ? ["leaves-g-ir-out-of-keymat"] : []),
      ],
      config,
    }, async (s) => {
      const session = await s.establish(peer);
      const old = session.child;
      const fresh = await session.rekeyChild();
      expectReplaced(s, old, fresh, how === "with-pfs");
      await session.proveTraffic(fresh);
      await expectAlive(session);
    });

    /**
     * The peer replaces the Child SA on command. Its request names the old SA in REKEY_SA by the SPI that it
     * receives on, and covers at least the traffic of the old SA. It then deletes the old SA by itself, and
     * traffic passes both ways through the new one.
     */
    test(`rekeys-the-child-sa-${how}-as-${peer}`, {
      requirements: [
        "IKEV2-031",
        "IKEV2-032",
        "IKEV2-119",
        "IKEV2-130",
        "IKEV2-144",
        "IKEV2-145",
        "IKEV2-173",
      ],
      peer,
      lies: [
        "omits-rekey-sa",
        "names-its-outbound-spi-in-rekey-sa",
        "offers-less-traffic-in-a-rekey",
        "keeps-the-replaced-child-sa",
        "keys-new-child-sas-with-the-first-nonces",
        "keeps-the-old-keys-after-a-rekey",
        ...(how === "with-pfs" ? ["leaves-g-ir-out-of-keymat"] : []),
      ],
      config,
    }, async (s) => {
      const session = await s.establish(peer);
      const old = session.child;
      const { request } = await peerAsks(session);
      const [rekey] = notifies(request.payloads, NOTIFY.REKEY_SA);
      const named = rekey ? `SPI ${hex(rekey.spi)} of protocol ${rekey.protocolId}` : "no REKEY_SA";
      require(named ===
        `SPI ${hex(old.spiOut)} of protocol ${PROTOCOL.ESP}`, `SPI ${hex(old.spiOut)} of ESP`, named);
      require(rekey?.data.length === 0, "no data in REKEY_SA", `${rekey?.data.length} octets`);
      expectWithin(old.remoteTs, payload(request.payloads, "TS", PAYLOAD.TSi)?.selectors ?? [], "old TSi");
      expectWithin(old.localTs, payload(request.payloads, "TS", PAYLOAD.TSr)?.selectors ?? [], "old TSr");
      const fresh = session.sa.children.find((c) => c.replaces === old);
      if (!fresh) throw new Failure("a new Child SA", s.lastReason());
      expectReplaced(s, old, fresh, how === "with-pfs");
      const deleted = await s.until(() => old.state === "closed");
      require(deleted, "a Delete of the replaced Child SA from the peer", "none");
      await session.proveTraffic(fresh);
    });
  }
}

const peerAsks = (session: Session) => {
  const { script } = session;
  const answered = () => script.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer").find((e) => e.response);
  return session.provoke(() => script.arena.driver.rekeyChild(), answered, "the peer to rekey the Child SA");
};

for (const peer of ROLES) {
  /**
   * The tester replaces the Child SA and does not delete the old one yet. The very first packet on the new SA is
   * answered: the peer was ready for it before it sent its response. The old SA still works, too.
   * Note: a fiftieth of a second is granted, so that a peer that loses packets now and then, as it installs the SA just
   * after its response, has the same verdict in every run.
   */
  test(`as-${peer}-takes-esp-on-a-new-child-sa-at-once`, {
    requirements: ["IKEV2-123", "IKEV2-125"],
    peer,
    lies: ["misses-the-first-esp-packet", "drops-a-child-sa-once-replaced"],
  }, async (s) => {
    const session = await s.establish(peer);
    const old = session.child;
    await session.proveTraffic(old);
    s.decide("replaced Child SA", "keep");
    const fresh = await session.createChild({ replaces: old });
    await s.wait(s.arena.quiet / 15);
    require(await session.ping({ child: fresh, tries: 1 }), "an answer to the first packet", "none");
    require(await session.ping({ child: old }), "an answer on the old SA, which nobody deleted", "none");
  });
}
