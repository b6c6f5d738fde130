import {
  expectEcho,
  expectNoCycle,
  expectTraffic,
  goNearTwo32,
  numbersIn,
  require,
  test,
} from "../../harness/script/index.ts";

const TWO_32 = 2 ** 32;
const told = (word: string) => ({ espProposals: [`aes256gcm16-${word}`, `aes128-sha512-${word}`] });

const MEANINGS = [
  { id: 0, bits: 32, word: "noesn" },
  { id: 1, bits: 64, word: "esn" },
] as const;

for (const peer of ["responder", "initiator"] as const) {
  for (const { id, bits, word } of MEANINGS) {
    /**
     * One value of the Sequence Numbers transform is all that the peer is told. Its number is what it was before the
     * type got its new name: 0 for 32-bit numbers, 1 for 64-bit numbers of which the lower half travels. The ICV of both
     * directions covers as much of the number as that says, which the traffic shows.
     */
    test(`as-${peer}-means-${bits}-bit-numbers-by-${id}`, {
      requirements: ["SN-01", "SN-07"],
      peer,
      lies: ["swaps-the-meaning-of-sequence-numbers"],
      config: told(word),
    }, async (s) => {
      const session = await s.establish(peer);
      const numbers = numbersIn(session.child.proposal);
      require(numbers.join() === `${id}`, `Sequence Numbers ${id}`, numbers.join() || "none");
      await session.proveTraffic();
    });
  }

  /**
   * With id 1 the tester's counter comes close to 2^32 and crosses it: the peer finds the high half that did not travel,
   * also for a packet from before the boundary that comes late.
   */
  test(`as-${peer}-follows-64-bit-numbers-across-2-to-the-32`, {
    requirements: ["SN-01"],
    peer,
    lies: ["forgets-high-bits", "forgets-the-number-before-the-boundary"],
    config: told("esn"),
  }, async (s) => {
    const session = await s.establish(peer);
    await goNearTwo32(session);
    session.pipe().outbound.counter = BigInt(TWO_32) + 5n;
    await expectTraffic(session, "crossing 2^32");
    await expectEcho(session, "a late packet from before 2^32", { sequence: BigInt(TWO_32) - 3n });
  });

  /**
   * With id 0 the peer's counter begins near 2^32. As the tester may check replays it must not begin again with 0: the
   * peer makes a new Child SA in time.
   * Note: to send no more is no cycle either, and tolerated.
   */
  test(`as-${peer}-replaces-a-child-sa-before-32-bits-end`, {
    requirements: ["SN-01"],
    peer,
    lies: ["lets-its-counter-cycle"],
    config: { ...told("noesn"), espCounter: TWO_32 - 20 },
  }, async (s) => {
    const session = await s.establish(peer);
    await expectNoCycle(session, TWO_32 - 20);
  });
}
