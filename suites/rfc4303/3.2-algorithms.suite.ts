import {
  EXCHANGE,
  espFromPeer,
  espProposals,
  expectNotify,
  expectTraffic,
  NOTIFY,
  require,
  test,
} from "../../harness/script/index.ts";

interface Algorithm {
  spec: string;
  requirements: string[];
  lies: string[];
}

const hmac = ["swaps-child-keys", "cuts-icv-to-96-bits"];
const aead = ["swaps-child-keys", "zeroes-the-salt"];

const ALGORITHMS: Algorithm[] = [
  { spec: "aes128-sha1", requirements: ["ESP-CBC-02"], lies: ["swaps-child-keys"] },
  { spec: "aes128-sha256", requirements: ["ESP-HMAC-01", "ESP-ALG-01"], lies: hmac },
  { spec: "aes256-sha256", requirements: ["ESP-HMAC-01", "ESP-ALG-01"], lies: hmac },
  { spec: "aes256-sha384", requirements: ["ESP-HMAC-01"], lies: hmac },
  { spec: "aes256-sha512", requirements: ["ESP-HMAC-01"], lies: hmac },
  { spec: "aes128ctr-sha256", requirements: ["ESP-CTR-01"], lies: [...hmac, "zeroes-the-salt"] },
  { spec: "aes128gcm16", requirements: ["ESP-GCM-03", "ESP-GCM-05", "ESP-ALG-01"], lies: aead },
  { spec: "aes256gcm16", requirements: ["ESP-GCM-03", "ESP-GCM-05", "ESP-ALG-01"], lies: aead },
  { spec: "aes256gcm12", requirements: ["ESP-GCM-04"], lies: aead },
  { spec: "aes256gcm8", requirements: ["ESP-GCM-04"], lies: aead },
  { spec: "aes128ccm16", requirements: ["ESP-CCM-01"], lies: aead },
  { spec: "aes128ccm8", requirements: ["ESP-CCM-01"], lies: aead },
  { spec: "chacha20poly1305", requirements: ["ESP-CP-01"], lies: aead },
  {
    spec: "aes128gmac",
    requirements: ["ESP-GMAC-01", "ESP-GMAC-02", "ESP-GMAC-03"],
    lies: ["zeroes-the-salt", "cuts-the-icv-of-gmac"],
  },
  { spec: "null-sha256", requirements: ["ESP-47", "ESP-ALG-01"], lies: hmac },
];

for (const peer of ["responder", "initiator"] as const) {
  for (const algorithm of ALGORITHMS) {
    /**
     * A Child SA with this algorithm alone. The tester's echo request is answered inside of ESP and the peer's own
     * echo request arrives, both opened with keys the tester derived by itself; so KEYMAT was cut in the right
     * order, and nonce, AAD, padding and the length of the ICV are right in both directions. Unsupported where a
     * responder refuses what RFC 8221 does not demand.
     */
    test(`${peer}-moves-traffic-both-ways-with-${algorithm.spec}`, {
      requirements: ["ESP-KEY-01", "ESP-24", ...algorithm.requirements],
      peer,
      lies: algorithm.lies,
      config: { espProposals: [algorithm.spec] },
    }, async (s) => {
      const session = await s.establish(peer);
      await session.proveTraffic();
    });
  }

  /**
   * A CREATE_CHILD_SA request offers NULL encryption without any integrity. Both at once is not allowed, so the peer,
   * which is configured for NULL encryption with HMAC-SHA2-256, must refuse with NO_PROPOSAL_CHOSEN.
   */
  test(`as-${peer}-refuses-null-encryption-without-integrity`, {
    requirements: ["ESP-01"],
    peer,
    lies: ["accepts-null-with-no-integrity"],
    config: { espProposals: ["null-sha256"] },
  }, async (s) => {
    const session = await s.establish(peer);
    await session.tryCreateChild({ proposals: espProposals("null") });
    const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    expectNotify(response, NOTIFY.NO_PROPOSAL_CHOSEN);
    await expectTraffic(session, "the refusal");
  });
}

const WITH_IV: Pick<Algorithm, "spec" | "requirements">[] = [
  { spec: "aes256gcm16", requirements: ["ESP-GCM-01", "ESP-GCM-02"] },
  { spec: "aes128gmac", requirements: ["ESP-GMAC-01"] },
  { spec: "aes128-sha512", requirements: ["ESP-CBC-01"] },
  { spec: "chacha20poly1305", requirements: ["ESP-CP-01"] },
  { spec: "aes128ctr-sha256", requirements: ["ESP-CTR-01"] },
];

for (const { spec, requirements } of WITH_IV) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * The tester provokes 24 packets. No initialization vector comes twice: with a counter-mode cipher that would
     * give the key stream away. With AES-CBC none is a ciphertext block of a packet before, which would make it
     * predictable.
     */
    test(`as-${peer}-never-repeats-an-iv-with-${spec}`, {
      requirements,
      peer,
      lies: spec === "aes128-sha512" ? ["repeats-iv", "chains-cbc-iv"] : ["repeats-iv"],
      config: { espProposals: [spec] },
    }, async (s) => {
      const session = await s.establish(peer);
      const { child } = session;
      for (let i = 0; i < 24; i++) await expectTraffic(session, "an echo request");
      const { ivLength, randomIv } = child.encr;
      const packets = espFromPeer(session, child).map(({ packet }) => Buffer.from(packet));
      packets.forEach((packet, i) => {
        const iv = packet.subarray(8, 8 + ivLength);
        const seen = (other: Buffer) =>
          randomIv ? other.includes(iv) : iv.equals(other.subarray(8, 8 + ivLength));
        const before = packets.slice(0, i).findIndex(seen);
        require(before <
          0, "a fresh IV in every packet", `the IV of packet ${i + 1} is in packet ${before + 1}`);
      });
    });
  }
}
