import { NEXT_HEADER } from "../../harness/esp/sa.ts";
import { expectNoEcho, expectTraffic, test } from "../../harness/script/index.ts";

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Dummy packets (Next Header 59) are to be discarded without error. The first one holds a whole echo request, which
   * must not be answered; the second holds octets that are no packet at all. Traffic goes on behind them.
   */
  test(`as-${peer}-discards-dummy-packets`, {
    requirements: ["ESP-18", "ESP-43"],
    peer,
    lies: ["delivers-dummy-packets", "stops-at-dummy-packets"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectTraffic(session, "the Child SA came up");
    const random = (plaintext: Uint8Array) => {
      plaintext.set(s.arena.random(plaintext.length - 2));
      return plaintext.fill(0, plaintext.length - 2, plaintext.length - 1);
    };
    const nextHeader = NEXT_HEADER.none;
    await expectNoEcho(session, "a dummy packet", { nextHeader }, { nextHeader, mutatePlaintext: random });
  });
}
