import {
  bothSign,
  expect,
  expectOnlyHashes,
  hashesOf,
  type KeyKind,
  listHashes,
  NOTIFY,
  notifies,
  type PeerConfig,
  type PeerRole,
  peersAuth,
  peersInit,
  peersProof,
  require,
  type SchemeName,
  signatureData,
  test,
  triesAnew,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const KEYS: KeyKind[] = ["rsa2048", "ecdsa256"];
const HASHES = { sha384: 3, sha512: 4 };
/**
 * A responder signs for a tester that has the shared secret: nothing but the list of the tester says what with. An
 * initiator that has no signature to verify need not send the notify, and so verifies one.
 */
const signs = (peer: PeerRole, key: KeyKind): Partial<PeerConfig> =>
  peer === "responder" ? { auth: { method: "signature", key } } : bothSign(key);

/**
 * The peer has an RSA key, and so has the tester. In IKE_SA_INIT it sends SIGNATURE_HASH_ALGORITHMS: Protocol ID 0, no
 * SPI, ids of two octets each, SHA2-256 among them, neither SHA-1 nor the reserved id 0.
 */
for (const peer of ROLES)
  test(`${peer}-announces-its-hashes`, {
    requirements: ["SIGAUTH-09", "SIGAUTH-19", "SIGAUTH-20", "SIGAUTH-28", "SIGAUTH-30"],
    peer,
    lies: [
      "announces-hashes-with-an-odd-octet",
      "announces-hashes-for-ike",
      "announces-sha1",
      "does-without-sha256",
    ],
    config: bothSign("rsa2048"),
  }, async (s) => {
    await s.establish(peer);
    const found = notifies(peersInit(s, peer), NOTIFY.SIGNATURE_HASH_ALGORITHMS);
    expect(found.length).to.equal(1);
    for (const { protocolId, spi, data } of found)
      expect([protocolId, spi.length, data.length % 2]).to.deep.equal([0, 0, 0]);
    const ids = hashesOf(s, peer);
    require(ids.includes(2) && ids.every((id) => id > 1), "SHA2-256 (2) without 0 and SHA-1 (1)", `${ids}`);
  });

/**
 * The tester lists all hashes, and then only SHA2-512. The peer's list says what it can verify itself, and so is the
 * same both times.
 */
test("responder-announces-the-same-hashes-whatever-ours-are", {
  requirements: ["SIGAUTH-10"],
  peer: "responder",
  lies: ["announces-only-common-hashes"],
  config: bothSign("rsa2048"),
}, async (s) => {
  await s.init();
  const first = hashesOf(s, "responder");
  s.policy.signatureHashes = [4];
  await s.init();
  expect(hashesOf(s, "responder")).to.deep.equal(first);
});

/**
 * The tester lists this one hash only. The signature of the peer is made with it, or there is none; a peer that has
 * not got it must not take another. With all hashes listed the peer authenticates.
 */
for (const peer of ROLES)
  for (const key of KEYS)
    for (const [name, hash] of Object.entries(HASHES))
      test(`${peer}-signs-by-${key}-with-nothing-but-${name}-where-that-alone-is-listed`, {
        requirements: ["SIGAUTH-11", "SIGAUTH-20"],
        peer,
        lies: ["uses-a-hash-that-was-not-announced"],
        config: signs(peer, key),
      }, async (s) => {
        const all = s.policy.signatureHashes;
        s.policy.signatureHashes = [hash];
        expectOnlyHashes(await peersProof(s, peer), [hash]);
        s.policy.signatureHashes = all;
        require(await triesAnew(s, peer), "both SAs with all hashes listed", s.lastReason());
      });

/** The tester lists SHA2-512 only, and itself signs with SHA2-256: the two directions are independent. */
for (const peer of ROLES)
  test(`${peer}-takes-another-hash-than-it-has-to-use`, {
    requirements: ["SIGAUTH-12"],
    peer,
    lies: ["insists-on-one-hash-for-both-ways"],
    config: bothSign("ecdsa256"),
  }, async (s) => {
    s.policy.signatureHashes = [4];
    const { ownAuth } = s.policy;
    const scheme: SchemeName = "ecdsa-sha256";
    if (ownAuth.method === "signature") s.policy.ownAuth = { ...ownAuth, scheme };
    await s.establish(peer);
    expect(signatureData(peersAuth(s, peer)).scheme?.hash).to.equal(4);
  });

const list = (...ids: number[]): Uint8Array => Uint8Array.from(ids.flatMap((id) => [id >> 8, id & 255]));
const THOUSAND = list(2, ...Array.from({ length: 999 }, (_, i) => 1024 + i));

const HARMLESS = {
  "unknown-hashes-beside-sha256": list(9999, 2, 1024),
  "a-thousand-hashes": THOUSAND,
};

/** The list of the tester holds ids that nobody knows beside SHA2-256. They do no harm: the peer signs with SHA2-256. */
for (const peer of ROLES)
  for (const [what, data] of Object.entries(HARMLESS))
    test(`${peer}-is-not-disturbed-by-${what}`, {
      requirements: ["SIGAUTH-14"],
      peer,
      lies: ["stumbles-over-unknown-hashes"],
      config: bothSign("ecdsa256"),
    }, async (s) => {
      listHashes(s, peer, data);
      const session = await s.establish(peer);
      expect(signatureData(peersAuth(s, peer)).scheme?.hash).to.equal(2);
      await session.proveTraffic();
    });

const ODD: Record<string, { data: Uint8Array[]; hashes: number[] }> = {
  "an-odd-octet": { data: [Uint8Array.of(0, 4, 0)], hashes: [4] },
  "an-empty-list": { data: [new Uint8Array()], hashes: [] },
  "unknown-hashes-alone": { data: [list(9999, 1024)], hashes: [] },
  "sha1-alone": { data: [list(1)], hashes: [] },
  "two-lists": { data: [list(3), list(4)], hashes: [3, 4] },
};

/**
 * SIGNATURE_HASH_ALGORITHMS of the tester is odd in this way. The peer may use an older method, refuse, or sign with
 * a hash that is listed, but with no other; and the ordinary list serves it afterwards.
 */
for (const peer of ROLES)
  for (const [what, { data, hashes }] of Object.entries(ODD))
    test(`${peer}-signs-with-no-other-hash-where-there-is-${what}`, {
      requirements: ["SIGAUTH-11", ...(what === "sha1-alone" ? ["SIGAUTH-30"] : [])],
      peer,
      lies: ["uses-a-hash-that-was-not-announced"],
      config: signs(peer, "ecdsa256"),
    }, async (s) => {
      const undo = listHashes(s, peer, ...data);
      expectOnlyHashes(await peersProof(s, peer), hashes);
      undo();
      require(await triesAnew(s, peer), "both SAs with the ordinary list", s.lastReason());
    });
