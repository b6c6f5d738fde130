import {
  espFromPeer,
  establishDivided,
  expectNoEcho,
  require,
  subspaceNumber,
  test,
} from "../../harness/script/index.ts";

for (const spec of ["aes256gcm16-esn", "aes256gcm16iiv-esn", "aes128-sha256-esn"]) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * The subspace is in the 16 most significant bits of the number, which travels whole. With a combined-mode cipher
     * SPI and number are what is authenticated besides; of an implicit IV the number is the IV; an HMAC covers the
     * packet as it travels. The traffic of both directions shows that the peer does it so.
     */
    test(`as-${peer}-authenticates-the-subspace-with-${spec}`, {
      requirements: ["ARS-12"],
      peer,
      lies: ["leaves-the-subspace-out-of-what-it-seals", "keeps-the-header-of-plain-esp"],
      config: { espProposals: [spec] },
    }, async (s) => {
      const { session } = await establishDivided(s, peer);
      await session.proveTraffic();
      const odd = espFromPeer(session, session.child).find(({ result }) => !result.ok)?.result;
      require(!odd, "packets that open", odd && !odd.ok ? odd.detail : "");
    });
  }
}

/** The id of a packet is changed on the way. Its ICV is then wrong, and it is dropped. */
test("drops-a-packet-whose-subspace-was-changed", {
  requirements: ["ARS-12"],
  peer: "responder",
  lies: ["leaves-the-subspace-out-of-what-it-checks"],
  config: { espProposals: ["aes256gcm16-esn"] },
}, async (s) => {
  const { session } = await establishDivided(s, "responder");
  const changed = (packet: Uint8Array) => {
    packet[5] = (packet[5] ?? 0) ^ 1;
    return [packet];
  };
  await expectNoEcho(session, "a packet moved to another subspace", {
    sequence: subspaceNumber(0, 77),
    octets: changed,
  });
});
