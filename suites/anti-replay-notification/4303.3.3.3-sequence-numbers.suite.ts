import {
  EXCHANGE,
  errorNotify,
  expectChoice,
  expectCopiesAsTold,
  expectNoCycle,
  expectNotify,
  expectTraffic,
  goNearTwo32,
  listPayloads,
  NOTIFY,
  numbersIn,
  require,
  Session,
  test,
  withNumbers,
} from "../../harness/script/index.ts";

const LAST = 2 ** 32 - 1;
/** No draft: what RFC 4303 alone says of everybody. */
const PLAIN = { drafts: {} };
const BOTH_KINDS = ["aes256gcm16-esn-noesn", "aes128-sha512-esn-noesn"];
const ONLY_32 = ["aes256gcm16-noesn", "aes128-sha512-noesn"];

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Nobody announces anything, and the peer's counter begins near 2^32. A sender takes it that the other end checks
   * replays: it makes a new Child SA before its numbers begin again.
   * Note: to send no more is no cycle either, and tolerated.
   */
  test(`as-${peer}-takes-it-that-replays-are-checked`, {
    requirements: ["ARN-102"],
    peer,
    lies: ["lets-its-counter-cycle"],
    config: { ...PLAIN, espCounter: LAST - 20, espProposals: ONLY_32 },
  }, async (s) => {
    const session = await s.establish(peer);
    await expectNoCycle(session, LAST - 20);
  });

  /**
   * A peer without replay protection, which could use both kinds of numbers, should keep to 32 bits, as it would need a
   * window to know the high half of the others. Whatever it agrees to carries traffic.
   * Note: extended numbers that work are tolerated. Those that it agrees to and then cannot install are not: there is no
   * Child SA, though both ends could have 32 bits.
   */
  test(`as-${peer}-keeps-to-32-bits-without-a-window`, {
    requirements: ["ARN-103"],
    peer,
    lies: ["negotiates-numbers-that-it-cannot-receive"],
    config: { ...PLAIN, replayWindow: 0, espProposals: BOTH_KINDS },
  }, async (s) => {
    const session = await s.establish(peer);
    await session.proveTraffic();
    if (session.child.esn) s.tolerate("negotiates extended numbers without replay protection");
  });
}

for (const window of [0, 32, 1024]) {
  for (const offer of [[0], [1], [0, 1], [1, 0]]) {
    const esn = offer.includes(1);
    /**
     * The peer has this window, and may use the kinds of numbers that the tester offers. With a window it chooses one
     * of these; without, it should keep to 32 bits, and may refuse an offer of 64 bits alone. What is chosen must work:
     * traffic flows, with 64 bits across 2^32, too. Of three copies of a packet one is delivered if there is a window,
     * and without one all of them.
     * Note: extended numbers without a window that work are tolerated, and so is a check of replays nobody asked for. No
     * Child SA at all is not, where 32 bits were offered, too.
     */
    test(`with-window-${window}-offered-${offer.join("-and-")}-makes-a-child-sa-that-works`, {
      requirements: window === 0 && esn ? ["ARN-103", "ARN-107"] : ["ARN-107"],
      peer: "responder",
      lies: [
        ...(window > 0 ? ["delivers-duplicates"] : []),
        ...(window === 0 && esn ? ["negotiates-numbers-that-it-cannot-receive"] : []),
        ...(esn ? [] : ["uses-64-bit-numbers-unasked"]),
      ],
      config: { ...PLAIN, replayWindow: window, espProposals: esn ? BOTH_KINDS : ONLY_32 },
    }, async (s) => {
      s.policy.esp = withNumbers(s, ...offer);
      const { sa } = await s.tryDial();
      const { request, response } = s.exchange(EXCHANGE.IKE_AUTH);
      const error = errorNotify(response?.payloads ?? []);
      if (window === 0 && !offer.includes(0) && error)
        return expectNotify(response, NOTIFY.NO_PROPOSAL_CHOSEN);
      require(!error, "a Child SA with numbers of the offer", listPayloads(response));
      const [id] = numbersIn(expectChoice(response, request));
      const session = new Session(s, sa);
      await session.proveTraffic();
      if (window === 0 && id === 1) s.tolerate("negotiates extended numbers without replay protection");
      await expectCopiesAsTold(session, window);
      if (id !== 1) return;
      await goNearTwo32(session);
      session.pipe().outbound.counter = 2n ** 32n + 5n;
      await expectTraffic(session, "crossing 2^32");
    });
  }
}
