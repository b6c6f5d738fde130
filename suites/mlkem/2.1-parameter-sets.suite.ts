import {
  beginner,
  EXCHANGE,
  expect,
  expectAlive,
  expectRounds,
  expectSizes,
  inTurn,
  KEM_PLACES,
  methodNumber,
  needFragmentation,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const SETS = { "ml-kem-512": "mlkem512", "ml-kem-768": "mlkem768", "ml-kem-1024": "mlkem1024" };
const FORMATS = ["MLKEM-01", "MLKEM-02", "MLKEM-03", "MLKEM-04", "MLKEM-05"];
const FORMAT_LIES = [
  "puts-the-end-of-its-kem-values-first",
  "puts-a-length-behind-its-kem-values",
  "numbers-ml-kem-as-once",
  "pads-the-secrets-of-kems",
];

for (const [index, [name, set]] of Object.entries(SETS).entries()) {
  for (const [second, peer] of ROLES.entries()) {
    const type = (index + second) % 2 === 0 ? 1 : 3;
    /**
     * X25519 in IKE_SA_INIT and ${name} as additional key exchange ${type} in IKE_INTERMEDIATE. Key and ciphertext have the
     * lengths of the table in section 2.1; IKE_AUTH and ESP open with keys that depend on both secrets.
     */
    test(`does-${name}-as-additional-key-exchange-${type}-as-${peer}`, {
      requirements: FORMATS,
      peer,
      config: { ikeProposals: [`aes256-sha256-x25519-ke${type}_${set}`] },
      lies: FORMAT_LIES,
    }, async (s) => {
      const session = await s.establish(peer);
      expectRounds(s, beginner(peer), [methodNumber(s, set)]);
      expectSizes(s, beginner(peer), set, EXCHANGE.IKE_INTERMEDIATE);
      await session.proveTraffic();
    });

    /**
     * ${name} is the only key exchange of IKE_SA_INIT: its secret stands for g^ir in SKEYSEED.
     * Note: section 2.1 advises against the larger two over UDP where the Path MTU is not known or small. The peer is told to use
     * them, over a path of 1500 octets, and where they do not fit into it IP fragments carry them.
     */
    test(`does-${name}-alone-in-ike-sa-init-as-${peer}`, {
      requirements: FORMATS,
      peer,
      config: KEM_PLACES["ike-sa-init"].config(set),
      lies: FORMAT_LIES,
    }, async (s) => {
      const session = await s.establish(peer);
      expectSizes(s, beginner(peer), set, EXCHANGE.IKE_SA_INIT);
      await session.proveTraffic();
    });
  }
}

for (const [name, set] of Object.entries(SETS).slice(1)) {
  for (const peer of ROLES) {
    /** ${name} alone in IKE_SA_INIT over TCP, which section 2.1 allows whatever the Path MTU. */
    test(`does-${name}-alone-over-tcp-as-${peer}`, {
      requirements: FORMATS,
      peer,
      config: { ...KEM_PLACES["ike-sa-init"].config(set), transport: "tcp" },
      lies: ["pads-the-secrets-of-kems", "puts-a-length-behind-its-kem-values"],
    }, async (s) => {
      const session = await s.establish(peer);
      expectSizes(s, beginner(peer), set, EXCHANGE.IKE_SA_INIT);
      await session.proveTraffic();
    });
  }
}

for (const [index, chunk] of [100, 483, 1187].entries()) {
  const peer = inTurn(index);
  /** The tester cuts its message with the ML-KEM-1024 value into fragments of ${chunk} octets. */
  test(`takes-ml-kem-1024-in-fragments-of-${chunk}-octets-as-${peer}`, {
    requirements: ["MLKEM-01", "MLKEM-02"],
    peer,
    config: KEM_PLACES["ike-intermediate"].config("mlkem1024"),
    lies: ["drops-fragments", "joins-fragments-in-reverse"],
  }, async (s) => {
    s.fragmentation({ chunk });
    const session = needFragmentation(await s.establish(peer));
    const { request, response } = s.exchange(EXCHANGE.IKE_INTERMEDIATE, beginner(peer));
    const own = peer === "responder" ? request : response;
    expect(own?.datagrams.length, "our fragments").to.be.greaterThan(1);
    await session.proveTraffic();
  });
}

for (const peer of ROLES) {
  /**
   * Three additional key exchanges in one handshake, two of them of ML-KEM and one of a curve, one after the other in
   * IKE_INTERMEDIATE; then a new IKE SA with all of them. All have their part in the keys.
   */
  test(`does-two-of-ml-kem-and-a-curve-in-one-handshake-as-${peer}`, {
    requirements: ["MLKEM-05", "MLKEM-21"],
    peer,
    config: { ikeProposals: ["aes256-sha256-x25519-ke1_mlkem768-ke2_mlkem1024-ke3_ecp384"] },
    lies: ["pads-the-secrets-of-kems", "leaves-kem-secrets-out-of-rekeyed-keys"],
  }, async (s) => {
    const session = await s.establish(peer);
    const methods = [36, 37, 20];
    expectRounds(s, beginner(peer), methods);
    await session.proveTraffic();
    const fresh = await session.rekeyIke();
    expectRounds(s, "us", methods, EXCHANGE.IKE_FOLLOWUP_KE);
    await expectAlive(fresh);
    await fresh.proveTraffic();
  });
}
