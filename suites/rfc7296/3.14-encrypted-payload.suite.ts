import {
  decodeMessage,
  EXCHANGE,
  expectAlive,
  expectSilence,
  Failure,
  hex,
  ikeReceived,
  isFrameError,
  type Payload,
  require,
  type Session,
  sealed,
  sendUnder,
  test,
} from "../../harness/script/index.ts";

/** `lengths` are octets of padding of an empty request: with CBC the plaintext must fill whole blocks of 16. */
const CIPHERS = {
  "cbc-and-hmac": { proposal: "aes256-sha256-x25519", lengths: [31, 255] },
  aead: { proposal: "aes256gcm16-prfsha256-x25519", lengths: [7, 255] },
};

for (const [what, { proposal, lengths }] of Object.entries(CIPHERS)) {
  const config = { ikeProposals: [proposal] };

  for (const peer of ["responder", "initiator"] as const) {
    /** Empty INFORMATIONAL requests have more padding than they need, of random octets. They are answered like any other. */
    test(`takes-random-padding-of-any-length-with-${what}-as-${peer}`, {
      requirements: ["IKEV2-281", ...(what === "aead" ? ["IKEV2-301", "IKEV2-304", "IKEV2-306"] : [])],
      peer,
      lies: ["wants-minimal-padding"],
      config,
    }, async (s) => {
      const session = await s.establish(peer);
      s.change(EXCHANGE.INFORMATIONAL, ({ header, seal }) => {
        seal.padding = s.arena.random(lengths[header.messageId % lengths.length] ?? 0);
      });
      for (const _ of lengths) await expectAlive(session);
    });

    /**
     * Copies of a genuine request with one bit flipped each, in the header, the payload header, the IV, the ciphertext
     * and the ICV, are dropped without an answer. The genuine request with the same Message ID is answered.
     */
    test(`drops-messages-with-a-flipped-bit-with-${what}-as-${peer}`, {
      requirements: ["IKEV2-283", "IKEV2-305"],
      peer,
      lies: ["answers-wrong-icvs-in-clear", ...(what === "aead" ? [] : ["accepts-any-icv"])],
      config,
    }, async (s) => {
      const session = await s.establish(peer);
      const genuine = sealed(session, { exchangeType: EXCHANGE.INFORMATIONAL, payloads: [] });
      const flipped = FLIPPED(genuine.length).map((at) => {
        const copy = genuine.slice();
        copy[at] = (copy[at] ?? 0) ^ 0x40;
        return copy;
      });
      await expectSilence(
        s,
        () => sendUnder(session, ...flipped),
        async () => {
          const since = s.mark();
          sendUnder(session, genuine);
          const answered = await s.until(() => ikeReceived(s, since).length > 0);
          require(answered, "an answer to the genuine request", "silence");
        },
      );
    });

    /** The IVs of all protected messages of the peer differ. */
    test(`never-repeats-an-iv-with-${what}-as-${peer}`, {
      requirements: ["IKEV2-280", "IKEV2-302"],
      peer,
      lies: ["repeats-the-iv-of-sk"],
      config,
    }, async (s) => {
      const session = await s.establish(peer);
      for (let count = 0; count < 5; count++) await session.informational();
      const ivs = ivsReceived(session);
      require(ivs.length >= 6, "six protected messages", `${ivs.length}`);
      require(new Set(ivs).size === ivs.length, "no IV twice", ivs.join(" "));
    });
  }
}

for (const cipher of ["aes256gcm16", "aes128ccm8", "aes256ccm16"]) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * The IKE SA has this AEAD cipher, whose last figure is the length of the ICV. Both SAs come up and each end asks
     * something of the other: with the salt in front of the IV in the nonce, and all in front of it authenticated.
     */
    test(`seals-with-${cipher}-as-${peer}`, {
      requirements: ["IKEV2-303", "IKEV2-304", "IKEV2-305", "IKEV2-306"],
      peer,
      lies: ["takes-a-salt-of-zeros"],
      config: { ikeProposals: [`${cipher}-prfsha256-x25519`] },
    }, async (s) => {
      const session = await s.establish(peer);
      await expectAlive(session);
      await session.peerRekeysChild();
    });
  }
}

/**
 * Places in a message of this length: flags, the payload header's reserved bits, the IV, the ciphertext, the ICV.
 * Note: the SPIs, Next Payload and lengths are left out, as they lead to other answers than silence.
 */
const FLIPPED = (length: number): number[] => [19, 29, 33, 38, length - 20, length - 9, length - 1];

/** IVs of the SK and SKF payloads that came, in hex; the same datagram again is a retransmission. */
function ivsReceived(session: Session): string[] {
  const ivLength = session.sa.suite?.encr.ivLength ?? 0;
  const came = new Map(ikeReceived(session.script).map((octets) => [hex(octets), octets]));
  return [...came.values()].flatMap((octets) => {
    const message = decodeMessage(octets);
    const last: Payload | undefined = isFrameError(message) ? undefined : message.payloads.at(-1);
    return last?.kind === "SK" || last?.kind === "SKF" ? [hex(last.data.subarray(0, ivLength))] : [];
  });
}

for (const peer of ["responder", "initiator"] as const) {
  /** After a good request, one whose Pad Length is larger than the plaintext. The peer does not take it for a good one. */
  test(`refuses-a-pad-length-beyond-the-plaintext-as-${peer}`, {
    requirements: ["IKEV2-281"],
    peer,
    lies: ["takes-any-pad-length"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectAlive(session);
    s.change(EXCHANGE.INFORMATIONAL, (message) => {
      message.seal.padLength = 200;
    });
    const response = await session.tryRequest(EXCHANGE.INFORMATIONAL, []);
    const refused =
      response === undefined || response.payloads.some((p) => p.kind === "Notify" && p.notifyType < 16384);
    if (!refused) throw new Failure("an error or silence", "an answer without error");
  });
}
