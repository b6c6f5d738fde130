import {
  expectEcho,
  expectNoEcho,
  expectTraffic,
  isDelivered,
  replies,
  require,
  type Session,
  sendEcho,
  test,
} from "../../harness/script/index.ts";

/** Lets the next packets have numbers above this one. */
async function jumpTo(session: Session, counter: bigint): Promise<void> {
  session.pipe().outbound.counter = counter;
  await expectTraffic(session, `a jump to sequence number ${counter}`);
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The same packet three times, octet by octet, as an attacker replays it: the echo request in it is answered once.
   * Note: everybody must have the anti-replay service, but a receiver may switch it off for an SA (section 3.4.3). Here
   * and in the tests of this section it is on, as nobody told the peer otherwise.
   */
  test(`as-${peer}-delivers-a-replayed-packet-once`, {
    requirements: ["ESP-32", "ESP-36"],
    peer,
    lies: ["delivers-duplicates"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectTraffic(session, "the Child SA came up");
    const echo = sendEcho(session, { octets: (packet) => [packet, packet, packet] });
    await s.until(() => replies(session, echo) > 0);
    await s.wait();
    const count = replies(session, echo);
    require(count === 1, "one echo reply to three copies of a packet", `${count} replies`);
    await expectTraffic(session, "replayed packets");
  });

  /** Another packet, well sealed, under a number that was used already, is a duplicate as well. */
  test(`as-${peer}-drops-a-number-used-before`, {
    requirements: ["ESP-32", "ESP-36"],
    peer,
    lies: ["delivers-duplicates"],
  }, async (s) => {
    const session = await s.establish(peer);
    await jumpTo(session, 40n);
    await expectEcho(session, "a packet 5 behind the highest", { sequence: 36n });
    await expectNoEcho(session, "a number used before", { sequence: 36n }, { sequence: 41n });
  });

  /** A number that was never used, but lies further behind than any window reaches, cannot be told from a replay. */
  test(`as-${peer}-drops-numbers-behind-the-window`, {
    requirements: ["ESP-36"],
    peer,
    lies: ["delivers-old-numbers"],
  }, async (s) => {
    const session = await s.establish(peer);
    await jumpTo(session, 2n ** 24n);
    await expectNoEcho(session, "a number 2^24 behind", { sequence: 300n }, { sequence: 5000n });
  });

  /** The first packet of an SA has number 1: 0 is never sent, and not taken, neither first nor later. */
  test(`as-${peer}-drops-sequence-number-zero`, {
    requirements: ["ESP-35", "ESP-05"],
    peer,
    lies: ["delivers-number-zero"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectNoEcho(session, "sequence number 0 as the first", { sequence: 0n });
    await expectNoEcho(session, "sequence number 0 behind 1", { sequence: 0n });
  });

  /**
   * Packets overtake each other. One that is 31 behind the highest must be taken, as every window has 32 numbers; one
   * that is 63 behind should be, as 64 are the recommended size. The exact edge is not tried: implementations differ
   * there by one (RFC 6479).
   */
  test(`as-${peer}-takes-packets-that-are-late`, {
    requirements: ["ESP-39", "ESP-40"],
    peer,
    lies: ["keeps-a-window-of-16"],
  }, async (s) => {
    const session = await s.establish(peer);
    await jumpTo(session, 1000n);
    const highest = session.pipe().outbound.counter;
    for (const behind of [3n, 12n, 31n]) {
      await expectEcho(session, `a packet ${behind} behind the highest`, { sequence: highest - behind });
    }
    const late = await isDelivered(session, { sequence: highest - 62n });
    if (!late) s.tolerate("the window has fewer than the recommended 64 numbers");
    await expectTraffic(session, "late packets");
  });

  /** Packets get lost: a first number above 1 and jumps by 100, 10,000 and 2^30 are no reason to drop. */
  test(`as-${peer}-takes-packets-behind-a-gap`, {
    requirements: ["ESP-35"],
    peer,
    lies: ["takes-only-the-next-numbers"],
  }, async (s) => {
    const session = await s.establish(peer);
    for (const counter of [6n, 106n, 10_000n, 2n ** 30n]) await jumpTo(session, counter);
  });

  /**
   * A forged packet with a very high number and a wrong ICV must not move the window: only a verified number may.
   * Otherwise anybody could shut an SA with one packet.
   */
  test(`as-${peer}-keeps-its-window-when-a-forged-number-comes`, {
    requirements: ["ESP-38"],
    peer,
    lies: ["moves-window-before-icv"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectTraffic(session, "the Child SA came up");
    const forged = [1000n, 2n ** 20n, 2n ** 31n - 1n].map((sequence) => ({ sequence, corruptIcv: true }));
    await expectNoEcho(session, "a forged high number", ...forged);
  });
}
