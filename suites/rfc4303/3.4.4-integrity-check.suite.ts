import { icvLengthOf } from "../../harness/esp/sa.ts";
import { expectNoEcho, expectTraffic, test } from "../../harness/script/index.ts";

/** Flips a bit of the octets at these places; negative ones count from the end. */
const flip =
  (...places: number[]) =>
  (packet: Uint8Array): Uint8Array[] => {
    const forged = packet.slice();
    for (const at of places) {
      const index = at < 0 ? forged.length + at : at;
      forged[index] = (forged[index] ?? 0) ^ 0x10;
    }
    return [forged];
  };

for (const spec of ["aes256gcm16", "aes128-sha512", "chacha20poly1305"]) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * One bit is flipped in the sequence number, the IV, the first and last octet of the ciphertext, and the first and
     * last octet of the ICV. None of these packets is delivered, nothing answers them, and the next good one passes.
     */
    test(`as-${peer}-drops-packets-with-a-flipped-bit-with-${spec}`, {
      requirements: ["ESP-41", "ESP-42", "ESP-46"],
      peer,
      lies: ["ignores-icv"],
      config: { espProposals: [spec] },
    }, async (s) => {
      const session = await s.establish(peer);
      await expectTraffic(session, "the Child SA came up");
      const { child } = session;
      const icv = icvLengthOf(child);
      const places = [7, 8, 8 + child.encr.ivLength, -icv - 1, -icv, -1];
      await expectNoEcho(
        session,
        "a packet with a flipped bit",
        ...places.map((at) => ({ octets: flip(at) })),
      );
    });
  }
}

for (const spec of ["aes256gcm16", "chacha20poly1305", "aes128ctr-sha256"]) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * The same bit flipped twice in the echo data under a stream cipher, once from 0 to 1 and once from 1 to 0: the
     * checksum inside still fits, so only the ICV tells. The forged data must not be delivered.
     */
    test(`as-${peer}-drops-a-forgery-whose-inner-checksum-fits-with-${spec}`, {
      requirements: ["ESP-41", "ESP-42"],
      peer,
      lies: ["ignores-icv"],
      config: { espProposals: [spec] },
    }, async (s) => {
      const session = await s.establish(peer);
      await expectTraffic(session, "the Child SA came up");
      const data = new Uint8Array(64).fill(0xff, 32);
      const start = 8 + session.child.encr.ivLength + 20 + 8;
      await expectNoEcho(session, "a forgery", { data, octets: flip(start + 10, start + 40) });
    });
  }
}

for (const peer of ["responder", "initiator"] as const) {
  /** Packets cut off after the SPI, inside the header, the IV, the ciphertext and the ICV: dropped, and the SA goes on. */
  test(`as-${peer}-survives-packets-that-are-cut-off`, {
    requirements: ["ESP-41", "ESP-42"],
    peer,
    lies: ["stops-at-short-packets"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectTraffic(session, "the Child SA came up");
    const cut = (packet: Uint8Array) =>
      [4, 7, 8, 12, 16, 17, 24, 32, 33, -1].map((end) => packet.slice(0, end));
    await expectNoEcho(session, "packets that are cut off", { octets: cut });
  });
}
