import { icvLengthOf } from "../../harness/esp/sa.ts";
import {
  type EspFromPeer,
  espFromPeer,
  expectEcho,
  expectNoEcho,
  expectTraffic,
  isDelivered,
  replies,
  require,
  type Session,
  sendEcho,
  test,
} from "../../harness/script/index.ts";

/** Packets of the peer with 16 different sizes of what is inside. */
async function sixteenSizes(session: Session): Promise<EspFromPeer[]> {
  const { child } = session;
  for (let size = 40; size < 56; size++) sendEcho(session, { size });
  await session.script.until(() => espFromPeer(session, child).length >= 16);
  const packets = espFromPeer(session, child);
  require(packets.length >= 16, "16 echo replies inside of ESP", `${packets.length} packets`);
  return packets;
}

/** Fills the padding of a packet, which ends two octets before the end. */
const fill = (octet: number) => (plaintext: Uint8Array) => {
  const end = plaintext.length - 2;
  return plaintext.fill(octet, end - (plaintext[end] ?? 0), end);
};

for (const spec of ["aes256gcm16", "aes128-sha512", "null-sha256"]) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * The peer answers echo requests of 16 sizes, one after the other. Each answer ends on a boundary of 4 octets and
     * of the cipher's block, and its padding is 1, 2, 3 and so on, which is what a sender writes where the cipher has
     * no words of its own.
     */
    test(`as-${peer}-aligns-and-pads-with-${spec}`, {
      requirements: ["ESP-12", "ESP-13", "ESP-14", "ESP-11"],
      peer,
      lies: spec === "aes256gcm16" ? ["pads-with-zeros", "pads-to-the-octet"] : ["pads-with-zeros"],
      config: { espProposals: [spec] },
    }, async (s) => {
      const session = await s.establish(peer);
      const { child } = session;
      const { ivLength, blockSize } = child.encr;
      for (const { packet, result } of await sixteenSizes(session)) {
        const encrypted = packet.length - 8 - ivLength - icvLengthOf(child);
        const over = encrypted % Math.max(4, blockSize);
        require(over === 0, "an end on the boundary", `${encrypted} octets of ciphertext`);
        require(result.ok, "padding 1, 2, 3...", result.ok ? "" : `${result.reason}: ${result.detail}`);
      }
    });

    /** Up to 255 octets of padding are allowed, more than alignment needs. The peer must take it off and deliver. */
    test(`as-${peer}-takes-long-padding-with-${spec}`, {
      requirements: ["ESP-12", "ESP-16"],
      peer,
      lies: ["refuses-long-padding"],
      config: { espProposals: [spec] },
    }, async (s) => {
      const session = await s.establish(peer);
      for (const padding of [20, 100, 255]) {
        await expectEcho(session, `a packet with ${padding} octets of padding`, { padding });
      }
    });
  }
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Padding of other octets than 1, 2, 3, under a good ICV. The receiver should look at it and drop the packet; one
   * that delivers it is tolerated. Either way the SA goes on.
   */
  test(`as-${peer}-inspects-padding`, {
    requirements: ["ESP-15"],
    peer,
    lies: ["stops-at-wrong-padding"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectTraffic(session, "the Child SA came up");
    const echo = sendEcho(session, { padding: 16, mutatePlaintext: fill(0xee) });
    await s.wait();
    if (replies(session, echo) > 0) s.tolerate("delivers a packet with wrong padding, which it should drop");
    await expectTraffic(session, "a packet with wrong padding");
  });

  /** A Pad Length of more octets than the packet has, under a good ICV, is the sender's fault: dropped without harm. */
  test(`as-${peer}-survives-a-pad-length-beyond-the-packet`, {
    requirements: ["ESP-12"],
    peer,
    lies: ["stops-at-wrong-pad-length"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectTraffic(session, "the Child SA came up");
    const beyond = (plaintext: Uint8Array) => plaintext.fill(255, plaintext.length - 2, plaintext.length - 1);
    await expectNoEcho(session, "a Pad Length beyond the packet", { mutatePlaintext: beyond });
    require(await isDelivered(session), "the next packet delivered", "no echo reply");
  });
}
