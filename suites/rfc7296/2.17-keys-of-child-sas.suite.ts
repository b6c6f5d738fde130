import { test } from "../../harness/script/index.ts";

/** Transforms for ESP; the sizes of their keys and salts all differ. */
const TRANSFORMS = [
  "aes128-sha256",
  "aes256-sha512",
  "aes192-sha1",
  "aes128gcm16",
  "aes256gcm16",
  "chacha20poly1305",
];

for (const proposal of TRANSFORMS) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * The peer is configured for these ESP transforms only. Traffic passes both ways under KEYMAT cut in the order
     * of the text: initiator to responder first, encryption before integrity. Then, in an exchange that the peer
     * begins, the roles of the directions follow that exchange and not the IKE SA.
     */
    test(`cuts-keymat-for-${proposal}-as-${peer}`, {
      requirements: ["IKEV2-173"],
      peer,
      lies: ["swaps-the-directions-of-keymat"],
      config: { espProposals: [proposal] },
    }, async (s) => {
      const session = await s.establish(peer);
      await session.proveTraffic();
      const fresh = await session.peerRekeysChild();
      await session.proveTraffic(fresh);
    });
  }
}
