import {
  EXCHANGE,
  espProposals,
  expectAlive,
  expectNotify,
  NOTIFY,
  test,
} from "../../harness/script/index.ts";

for (const specs of [["aes256gcm16iiv-unspec32"], ["aes256gcm16iiv-unspec32", "aes128gcm16iiv-unspec32"]]) {
  /**
   * The tester offers a cipher whose IV is the sequence number, with numbers that may come twice and nothing else. Such
   * an SA would use an IV twice under one key: the peer refuses, whether it knows the cipher or not.
   */
  test(`refuses-implicit-iv-with-unspecified-numbers-in-${specs.length}-proposals`, {
    requirements: ["SN-10"],
    peer: "responder",
    lies: ["takes-the-first-proposal"],
  }, async (s) => {
    const session = await s.dial();
    await session.tryCreateChild({ proposals: espProposals(...specs) });
    expectNotify(s.exchange(EXCHANGE.CREATE_CHILD_SA).response, NOTIFY.NO_PROPOSAL_CHOSEN);
    await expectAlive(session);
  });
}
