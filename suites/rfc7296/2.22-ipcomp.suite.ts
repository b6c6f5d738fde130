import {
  EXCHANGE,
  expectAlive,
  expectNoError,
  listPayloads,
  NOTIFY,
  notifies,
  notify,
  type OutgoingMessage,
  peerDeletedIke,
  require,
  test,
} from "../../harness/script/index.ts";

const DEFLATE = 2;
const LZS = 3;
/** Of the range for private use. */
const OURS = 241;

/** Next Header of a compressed packet: IP protocol 108. */
const IPCOMP = 108;

/** An offer of this algorithm with a CPI out of those that are negotiated. */
const offers = (algorithm: number) =>
  notify(NOTIFY.IPCOMP_SUPPORTED, Uint8Array.of(0x70, algorithm, algorithm));

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The tester rekeys the Child SA and offers IPComp with DEFLATE and with an algorithm of its own. The peer accepts
   * one of the two or none, and unless it accepts, its packets are not compressed. Then the peer rekeys, and the
   * response accepts two algorithms that it did not offer: it may refuse that, but must not use them.
   */
  test(`uses-no-ipcomp-that-was-not-agreed-on-as-${peer}`, {
    requirements: ["IKEV2-201"],
    peer,
    lies: ["accepts-ipcomp-that-nobody-offered", "compresses-unasked"],
  }, async (s) => {
    const session = await s.establish(peer);
    const asked = s.change(EXCHANGE.CREATE_CHILD_SA, ({ payloads }) => {
      payloads.unshift(offers(OURS), offers(DEFLATE));
    });
    await session.tryCreateChild({ replaces: session.child });
    asked();
    const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    expectNoError(response);
    const accepted = notifies(response?.payloads ?? [], NOTIFY.IPCOMP_SUPPORTED).map(({ data }) => data[2]);
    const one =
      accepted.length === 0 || (accepted.length === 1 && [OURS, DEFLATE].includes(accepted[0] ?? 0));
    require(one, "one of the algorithms offered, or none", listPayloads(response));
    if (accepted.length === 0) await session.proveTraffic();
    const accept = ({ payloads }: OutgoingMessage) => void payloads.unshift(offers(LZS), offers(DEFLATE));
    s.change(EXCHANGE.CREATE_CHILD_SA, accept, "response");
    const fresh = await session.peerRekeysChild();
    await s.wait();
    if (fresh.state === "closed" || peerDeletedIke(s) || (await session.ping({ child: fresh, size: 400 })))
      return;
    const compressed = s.trace.entries.some(
      ({ event }) => event.type === "esp-received" && event.result.ok && event.result.nextHeader === IPCOMP,
    );
    require(!compressed, "packets that are not compressed", "compressed ones");
    await expectAlive(session);
    s.tolerate("has no use for the Child SA, and does not say so");
  });
}
