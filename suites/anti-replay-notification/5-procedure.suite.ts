import {
  EXCHANGE,
  establishWithStatus,
  expectNoCycle,
  expectOneOfCopies,
  expectTraffic,
  goNearTwo32,
  isDelivered,
  numbersFromPeer,
  PROTECTS,
  PROTECTS_NOT,
  replacedByPeer,
  replayNotifies,
  repliesToCopies,
  require,
  test,
} from "../../harness/script/index.ts";

const BOTH = ["01", "00"];
const LAST = 2 ** 32 - 1;
const NO_ESN = ["aes256gcm16-noesn", "aes128-sha512-noesn"];

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The tester announces that it checks no replays. That is its own affair: the peer's check stays as it is, and of
   * three copies of a packet one is delivered.
   */
  test(`as-${peer}-goes-on-checking-replays-though-the-other-end-does-not`, {
    requirements: ["ARN-302"],
    peer,
    lies: ["drops-its-replay-check-when-told", "delivers-duplicates"],
    revisions: BOTH,
  }, async (s) => {
    const { session } = await establishWithStatus(s, peer, PROTECTS_NOT);
    await session.proveTraffic();
    await expectOneOfCopies(session);
    await expectTraffic(session, "copies of a packet");
  });

  /**
   * The tester checks no replays and has said so; the peer's counter begins near 2^32. It goes on with 0 behind the
   * largest number, and traffic goes on.
   * Note: to make a new Child SA in time is not forbidden, and tolerated.
   */
  test(`as-${peer}-counts-on-with-zero-where-nobody-checks`, {
    requirements: ["ARN-104"],
    peer,
    lies: ["stops-at-its-last-number", "skips-zero-when-its-counter-wraps"],
    config: { espCounter: LAST - 4, espProposals: NO_ESN },
    revisions: BOTH,
  }, async (s) => {
    const { session } = await establishWithStatus(s, peer, PROTECTS_NOT);
    const { child } = session;
    for (let i = 0; i < 8; i++) await isDelivered(session);
    if (replacedByPeer(session, child)) return s.tolerate("makes a new Child SA although it need not");
    const numbers = numbersFromPeer(session, child);
    const right = numbers.slice(0, 7).every((n, i) => n === (LAST - 3 + i) % 2 ** 32);
    require(right && numbers.length >= 7, `${LAST}, 0, 1...`, numbers.join(", ") || "no packets");
    await expectTraffic(session, "the counter began again");
  });

  /** The tester announces that it checks replays: the peer's counter, which begins near 2^32, must not begin again. */
  test(`as-${peer}-replaces-a-child-sa-in-time-where-the-other-end-checks`, {
    requirements: ["ARN-102"],
    peer,
    lies: ["lets-its-counter-cycle"],
    config: { espCounter: LAST - 20, espProposals: NO_ESN },
    revisions: BOTH,
  }, async (s) => {
    const { session } = await establishWithStatus(s, peer, PROTECTS);
    await expectNoCycle(session, LAST - 20);
  });

  /**
   * The tester checks no replays and says so, but the cipher takes its IV from the number (RFC 8750): a number that
   * comes again would use an IV twice under one key. The peer's counter must not begin again.
   */
  test(`as-${peer}-replaces-a-child-sa-in-time-where-the-number-is-the-iv`, {
    requirements: ["ARN-303"],
    peer,
    lies: ["repeats-the-iv-of-an-implicit-iv-cipher"],
    config: { espCounter: LAST - 20, espProposals: ["aes256gcm16iiv-noesn"] },
    revisions: BOTH,
  }, async (s) => {
    const { session } = await establishWithStatus(s, peer, PROTECTS_NOT);
    await expectNoCycle(session, LAST - 20);
  });

  /**
   * Of the first Child SA the tester says that it checks no replays; of the next one, which has its own exchange, it
   * says nothing. Nothing is inherited: the peer takes it that the tester checks, and its counter must not begin again.
   */
  test(`as-${peer}-takes-a-status-for-one-child-sa-only`, {
    requirements: ["ARN-102"],
    peer,
    lies: ["remembers-replay-status-for-the-next-child-sa"],
    config: { espCounter: LAST - 20, espProposals: NO_ESN },
    revisions: BOTH,
  }, async (s) => {
    const { session } = await establishWithStatus(s, peer, PROTECTS_NOT);
    s.change(EXCHANGE.CREATE_CHILD_SA, (message) => {
      const own = replayNotifies(s, message.payloads);
      message.payloads = message.payloads.filter((p) => !own.some((n) => n === p));
    });
    const child = await session.createChild();
    require(session.child === child, "the new Child SA in use", "another");
    await expectNoCycle(session, LAST - 20);
  });

  /**
   * The peer checks no replays, says that it can do extended numbers all the same, and the ends agree on these. Copies
   * of a packet then come through, and the peer still knows the high half of the number when the tester's counter
   * crosses 2^32.
   */
  test(`as-${peer}-follows-extended-numbers-without-a-window`, {
    requirements: ["ARN-304", "ARN-202"],
    peer,
    lies: ["forgets-the-high-half-without-a-window"],
    config: { replayWindow: 0, espProposals: ["aes256gcm16-esn", "aes128-sha512-esn"] },
  }, async (s) => {
    const { session, status } = await establishWithStatus(s, peer);
    require(!status.protects && status.esnWithout === true, "R=0 and E=1 beside ESN", "another status");
    require(session.child.esn, "extended numbers", "32 bits");
    require((await repliesToCopies(session, 2)) > 0, "an answer to copies of a packet", "none");
    await goNearTwo32(session);
    session.pipe().outbound.counter = 2n ** 32n + 5n;
    await expectTraffic(session, "crossing 2^32");
  });
}
