import {
  beginner,
  EXCHANGE,
  expectRounds,
  expectSizes,
  KEM_PLACES,
  methodNumber,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const METHODS = {
  "frodokem-976-aes": "frodoa3",
  "frodokem-976-shake": "frodos3",
  "frodokem-1344-aes": "frodoa5",
  "frodokem-1344-shake": "frodos5",
};
const FORMAT_LIES = [
  "puts-the-end-of-its-kem-values-first",
  "puts-a-length-behind-its-kem-values",
  "leaves-kem-messages-out-of-auth",
];

for (const [name, keyword] of Object.entries(METHODS)) {
  for (const peer of ROLES) {
    /**
     * X25519 in IKE_SA_INIT, and ${name} in IKE_INTERMEDIATE: a key of 15632 or 21520 octets goes one way, and a ciphertext with its
     * salt, of 15792 or 21696 octets, the other. IKE_AUTH and ESP open with keys that depend on both secrets.
     * Note: the methods have no numbers of IANA yet; those of strongSwan's branch stand in unless the peer's definition has others.
     */
    test(`does-${name}-as-additional-key-exchange-as-${peer}`, {
      requirements: ["FRODO-01", "FRODO-02", "FRODO-03", "FRODO-04", "FRODO-07", "FRODO-11"],
      peer,
      config: KEM_PLACES["ike-intermediate"].config(keyword),
      lies: ["pads-the-secrets-of-kems", ...(keyword === "frodoa3" ? FORMAT_LIES : [])],
    }, async (s) => {
      const session = await s.establish(peer);
      expectRounds(s, beginner(peer), [methodNumber(s, keyword)]);
      expectSizes(s, beginner(peer), keyword, EXCHANGE.IKE_INTERMEDIATE);
      await session.proveTraffic();
    });
  }
}

for (const peer of ROLES) {
  /** ML-KEM-768 as additional key exchange 1 and FrodoKEM-976-SHAKE as number 2: two rounds in this order. */
  test(`does-frodokem-behind-ml-kem-as-${peer}`, {
    requirements: ["FRODO-09", "FRODO-11"],
    peer,
    config: { ikeProposals: ["aes256-sha256-x25519-ke1_mlkem768-ke2_frodos3"] },
    lies: ["does-the-second-kem-first", "leaves-kem-messages-out-of-auth"],
  }, async (s) => {
    const session = await s.establish(peer);
    expectRounds(s, beginner(peer), [36, methodNumber(s, "frodos3")]);
    await session.proveTraffic();
  });
}
