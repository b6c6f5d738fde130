import {
  EXCHANGE,
  espProposals,
  expectAlive,
  expectCopiesAsTold,
  expectNotify,
  expectTraffic,
  NOTIFY,
  repliesToCopies,
  require,
  test,
} from "../../harness/script/index.ts";

const PLAIN = { drafts: {} };

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The peer is told to check no replays, which is its choice for each SA. The Child SA works all the same, and copies
   * of a packet do no harm.
   * Note: copies that are dropped although nobody asked for it are tolerated.
   */
  test(`as-${peer}-carries-traffic-without-replay-protection`, {
    requirements: ["ARN-107"],
    peer,
    lies: ["stops-at-duplicates"],
    config: { ...PLAIN, replayWindow: 0, espProposals: ["aes256gcm16-noesn", "aes128-sha512-noesn"] },
  }, async (s) => {
    const session = await s.establish(peer);
    await session.proveTraffic();
    await expectCopiesAsTold(session, 0);
    await expectTraffic(session, "copies of a packet");
  });
}

/**
 * The tester offers AES-CBC with no integrity algorithm for a new Child SA. A peer that refuses has nothing to protect.
 * Where it agrees, nobody vouches for the numbers, so it must not check replays by them: a packet that comes three
 * times is answered three times.
 * Note: the type is optional for ESP (RFC 7296 section 3.3.3), yet RFC 8221 section 4 allows no such SA. To agree, and
 * to check no replays, is tolerated.
 */
test("checks-no-replays-without-integrity", {
  requirements: ["ARN-105"],
  peer: "responder",
  lies: ["checks-replays-without-integrity"],
  config: PLAIN,
}, async (s) => {
  const session = await s.dial();
  s.decide("Child SA without integrity", "accept");
  const child = await session.tryCreateChild({ proposals: espProposals("aes128-noesn") });
  if (typeof child === "string") {
    expectNotify(s.exchange(EXCHANGE.CREATE_CHILD_SA).response, NOTIFY.NO_PROPOSAL_CHOSEN);
    return expectAlive(session);
  }
  await expectTraffic(session, "an agreement on no integrity");
  const count = await repliesToCopies(session, 3);
  require(count === 3, "three replies to three copies of a packet", `${count}`);
  s.tolerate("agrees to a Child SA without integrity, which RFC 8221 section 4 rules out");
});
