import {
  establishDivided,
  expectNoCycle,
  isDelivered,
  numbersBySubspace,
  require,
  test,
} from "../../harness/script/index.ts";

const told = { espProposals: ["aes256gcm16-esn", "aes128-sha512-esn"] };
const LAST = 2 ** 48 - 1;

for (const peer of ["responder", "initiator"] as const) {
  for (const limit of [1, 2, 8]) {
    /**
     * The tester receives this many subspaces, and has the peer send two dozen packets. None is in a subspace at or
     * above the limit; and in each subspace in use the numbers are 1, 2, 3..., as each has its own counter. Which
     * subspaces are used, and how packets are spread over them, is the peer's affair.
     */
    test(`as-${peer}-counts-in-each-subspace-below-${limit}`, {
      requirements: ["ARS-02", "ARS-03", "ARS-05"],
      peer,
      lies: ["uses-a-subspace-at-the-limit", "counts-over-all-subspaces", "begins-subspaces-at-zero"],
      config: told,
    }, async (s) => {
      const { session } = await establishDivided(s, peer, limit);
      for (let i = 0; i < 24; i++) await isDelivered(session);
      const bySubspace = numbersBySubspace(session);
      const total = [...bySubspace.values()].reduce((sum, { length }) => sum + length, 0);
      require(total >= 24, "24 packets of the peer", `${total}`);
      for (const [subspace, numbers] of bySubspace) {
        require(subspace < limit, `subspaces below ${limit}`, `${subspace}`);
        const counted = numbers.every((n, i) => n === i + 1);
        require(counted, `numbers 1, 2, 3... in subspace ${subspace}`, numbers.join(", "));
      }
    });
  }

  /**
   * The peer's counters begin near 2^48. Before one of them ends there is a new Child SA; no number comes twice and none
   * is small again.
   * Note: to send no more is no cycle either, and tolerated.
   */
  test(`as-${peer}-replaces-a-child-sa-before-a-subspace-ends`, {
    requirements: ["ARS-06", "ARS-06a"],
    peer,
    lies: ["lets-subspace-counters-cycle"],
    config: { ...told, espCounter: LAST - 20 },
  }, async (s) => {
    const { session } = await establishDivided(s, peer, 1);
    await expectNoCycle(session, LAST - 20, (...of) => [...numbersBySubspace(...of).values()].flat());
  });
}
