import {
  childOffers,
  EXCHANGE,
  expect,
  expectAlive,
  expectNotify,
  hex,
  NOTIFY,
  notifies,
  type OutgoingMessage,
  payload,
  peerDeletedIke,
  require,
  spisDeletedByPeer,
  test,
  withMethods,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const [X25519, MLKEM768] = [31, 36];
const withPfs = { espProposals: ["aes256gcm16-x25519", "aes128-sha512-x25519"] };

for (const peer of ROLES) {
  /**
   * The tester asks for a Child SA with ML-KEM-768 or X25519, and its KE payload is of ML-KEM-768. The peer is told X25519 alone: it
   * answers INVALID_KE_PAYLOAD and names X25519 in two octets. With a KE payload of that, the Child SA comes up.
   */
  test(`as-${peer}-asks-for-its-group-for-a-child-sa-in-place-of-ml-kem`, {
    requirements: ["MLKEM-L2"],
    peer,
    config: withPfs,
    lies: ["answers-a-wrong-group-with-no-proposal-chosen", "names-the-group-in-four-octets"],
  }, async (s) => {
    const session = await s.establish(peer);
    const proposals = childOffers(s).map((p) => withMethods(p, MLKEM768, X25519));
    const child = await session.tryCreateChild({ proposals });
    const response = s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "us")[0]?.response;
    expectNotify(response, NOTIFY.INVALID_KE_PAYLOAD);
    const [named] = notifies(response?.payloads ?? [], NOTIFY.INVALID_KE_PAYLOAD);
    expect([...(named?.data ?? [])], "octets of INVALID_KE_PAYLOAD").to.deep.equal([0, X25519]);
    require(typeof child !== "string", "a Child SA with the named group", String(child));
    await session.proveTraffic(child);
  });

  /**
   * The peer rekeys its Child SA with X25519, and the tester chooses ML-KEM-768, which was not offered. The peer must not take the new
   * Child SA into use in the place of the old one.
   */
  test(`as-${peer}-takes-no-choice-of-ml-kem-for-a-child-sa`, {
    requirements: ["MLKEM-L4"],
    peer,
    config: withPfs,
    lies: ["takes-a-choice-of-ml-kem-for-x25519"],
  }, async (s) => {
    const session = await s.establish(peer);
    const { child: old } = session;
    const change = ({ payloads }: OutgoingMessage): void => {
      const sa = payload(payloads, "SA");
      if (sa) sa.proposals = sa.proposals.map((p) => withMethods(p, MLKEM768));
    };
    s.change(EXCHANGE.CREATE_CHILD_SA, change, "response");
    const fresh = await session.peerRekeysChild(old);
    await s.wait();
    const deleted = spisDeletedByPeer(s);
    const taken = deleted.includes(hex(old.spiOut)) && !deleted.includes(hex(fresh.spiOut));
    require(!taken || peerDeletedIke(s), "the old Child SA kept, or both deleted", "the new one kept");
    if (!peerDeletedIke(s)) await expectAlive(session);
  });
}
