import { test } from "../../harness/script/index.ts";

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Traffic passes both ways through the Child SA. What the peer sends there is encrypted first, and goes nowhere
   * else: no packet of it comes in clear, to whatever port.
   * Note: seen is what reaches the tester's IP addresses.
   */
  test(`${peer}-sends-nothing-in-clear`, {
    requirements: ["ESP-24"],
    peer,
    lies: ["leaks-a-packet-in-clear"],
  }, async (s) => {
    const session = await s.establish(peer);
    await session.proveTraffic();
    await session.proveTraffic();
  });
}
