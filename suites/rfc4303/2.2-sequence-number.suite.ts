import {
  espFromPeer,
  expectEcho,
  expectNoEcho,
  expectTraffic,
  isDelivered,
  require,
  type Session,
  test,
} from "../../harness/script/index.ts";
import { readU32 } from "../../harness/wire/bytes.ts";

const TWO_32 = 2n ** 32n;
const ESN = { espProposals: ["aes256gcm16-esn"] };

/** Goes near the end of the low half in steps below 2^31, as a receiver may not follow wider ones. */
async function nearBoundary(session: Session): Promise<void> {
  for (const counter of [2n ** 30n, 3n * 2n ** 30n - 1n, TWO_32 - 10n]) {
    session.pipe().outbound.counter = counter;
    await expectTraffic(session, `a jump to sequence number ${counter}`);
  }
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The tester provokes some packets and reads their sequence numbers: the first one is 1, and each is one more
   * than that before it. The order of arrival does not matter, as a daemon may seal on several threads.
   */
  test(`${peer}-counts-from-one`, {
    requirements: ["ESP-05", "ESP-06"],
    peer,
    lies: ["starts-sequence-at-zero", "skips-sequence-numbers"],
  }, async (s) => {
    const session = await s.establish(peer);
    const { child } = session;
    for (let i = 0; i < 8; i++) await isDelivered(session);
    const numbers = espFromPeer(session, child).map(({ packet }) => readU32(packet, 4));
    const inOrder = [...numbers].sort((a, b) => a - b);
    const counted = inOrder.every((n, i) => n === i + 1);
    require(counted && numbers.length >= 8, "sequence numbers 1, 2, 3...", numbers.join(", ") ||
      "no packets");
  });

  /** With extended sequence numbers the high half, still zero, is in the ICV of both directions though it does not travel. */
  test(`${peer}-authenticates-the-high-half-of-extended-numbers`, {
    requirements: ["ESP-08", "ESP-09", "ESP-10"],
    peer,
    lies: ["leaves-high-bits-out-of-icv"],
    config: ESN,
  }, async (s) => {
    const session = await s.establish(peer);
    require(session.child.esn, "a Child SA with extended sequence numbers", "32-bit numbers");
    await session.proveTraffic();
  });
}

for (const spec of ["aes256gcm16-esn", "aes128-sha256-esn"]) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * With extended sequence numbers the tester's counter comes close to 2^32 and crosses it. The peer must find the
     * high half by itself, for packets behind the boundary and for one from before it that comes late. A number of
     * long ago stays refused.
     */
    test(`as-${peer}-follows-extended-numbers-across-2-to-the-32-with-${spec}`, {
      requirements: ["ESP-08", "ESP-10"],
      peer,
      lies: ["forgets-high-bits", "forgets-the-number-before-the-boundary"],
      config: { espProposals: [spec] },
    }, async (s) => {
      const session = await s.establish(peer);
      await nearBoundary(session);
      session.pipe().outbound.counter = TWO_32 + 5n;
      await expectTraffic(session, "crossing 2^32");
      await expectEcho(session, "a late packet from before 2^32", { sequence: TWO_32 - 3n });
      await expectNoEcho(session, "sequence number 1000 of long ago", { sequence: 1000n });
    });
  }
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Without extended sequence numbers the tester's counter comes close to 2^32. A sender must not let it cycle, so
   * what then comes with the small numbers of a wrapped counter is a replay: it is not delivered.
   */
  test(`as-${peer}-drops-numbers-of-a-wrapped-counter`, {
    requirements: ["ESP-07", "ESP-36"],
    peer,
    lies: ["delivers-old-numbers"],
  }, async (s) => {
    const session = await s.establish(peer);
    await nearBoundary(session);
    const wrapped = [TWO_32 + 100n, TWO_32 + 101n, TWO_32 + 4000n];
    await expectNoEcho(session, "a wrapped sequence number", ...wrapped.map((sequence) => ({ sequence })));
  });
}
