import { expectNoEcho, goNearTwo32, require, test } from "../../harness/script/index.ts";

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The peer knows both kinds of numbers, and 32 bits are negotiated: the tester allows no other. Then the ICV of its
   * packets covers no high half, not even behind numbers near 2^32, and a counter that goes on behind 2^32 is a wrapped
   * one, whose packets are replays.
   */
  test(`as-${peer}-uses-no-64-bit-numbers-unless-negotiated`, {
    requirements: ["SN-07"],
    peer,
    lies: ["uses-64-bit-numbers-unasked"],
    config: { espProposals: ["aes256gcm16-noesn", "aes128-sha512-noesn"] },
  }, async (s) => {
    const session = await s.establish(peer);
    require(!session.child.esn, "32-bit numbers", "64-bit numbers");
    await session.proveTraffic();
    await goNearTwo32(session);
    await expectNoEcho(session, "a number behind 2^32", { sequence: 2n ** 32n + 100n });
  });
}
