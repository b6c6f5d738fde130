import {
  EXCHANGE,
  espProposals,
  expectAlive,
  expectCopiesAsTold,
  expectNotify,
  expectTraffic,
  NOTIFY,
  TRANSFORM,
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
    requirements: ["ARN-103"],
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

for (const spec of ["aes128-noesn", "null-noesn"]) {
  /**
   * The tester offers a cipher with no integrity algorithm for a new Child SA. What is not authenticated has no number to
   * check replays by, so replay protection could not be on, and RFC 8221 section 4 forbids such an SA altogether: the
   * peer refuses it.
   */
  test(`refuses-${spec.split("-")[0]}-without-integrity`, {
    requirements: ["ARN-105"],
    peer: "responder",
    lies: ["takes-a-cipher-without-integrity"],
    config: PLAIN,
  }, async (s) => {
    const session = await s.dial();
    const bare = espProposals(spec).map((p) => ({
      ...p,
      transforms: p.transforms.filter(({ type }) => type !== TRANSFORM.INTEG),
    }));
    await session.tryCreateChild({ proposals: bare });
    expectNotify(s.exchange(EXCHANGE.CREATE_CHILD_SA).response, NOTIFY.NO_PROPOSAL_CHOSEN);
    await expectAlive(session);
  });
}
