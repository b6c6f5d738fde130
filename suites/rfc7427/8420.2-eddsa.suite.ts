import {
  bothSign,
  expectOnlyHashes,
  hashesOf,
  type KeyKind,
  ownCredential,
  peersProof,
  require,
  test,
  triesAnew,
  withCredential,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const KEYS: KeyKind[] = ["ed25519", "ed448"];
const IDENTITY = 5;

for (const peer of ROLES)
  for (const key of KEYS) {
    /**
     * The peer has an EdDSA key, and the tester lists the SHA-2 hashes, but not Identity. The peer must not send an EdDSA
     * signature: it fails, or has another key. With Identity listed it authenticates.
     */
    test(`${peer}-keeps-${key}-from-an-end-without-identity`, {
      requirements: ["SIGAUTH-21"],
      peer,
      lies: ["uses-a-hash-that-was-not-announced"],
      config: { auth: { method: "signature", key } },
    }, async (s) => {
      const all = s.policy.signatureHashes;
      s.policy.signatureHashes = [2, 3, 4];
      expectOnlyHashes(await peersProof(s, peer), [2, 3, 4]);
      s.policy.signatureHashes = all;
      require(await triesAnew(s, peer), "both SAs with Identity listed", s.lastReason());
    });

    /**
     * Both ends have EdDSA keys. The list of the peer holds Identity.
     * Note: it SHOULD hold nothing else then; other hashes beside it are tolerated.
     */
    test(`${peer}-lists-identity-for-${key}`, {
      requirements: ["SIGAUTH-24", "SIGAUTH-26"],
      peer,
      lies: ["announces-no-identity"],
      config: bothSign(key),
    }, async (s) => {
      if (peer === "responder") await s.init();
      else await s.accept();
      const listed = hashesOf(s, peer);
      require(listed.includes(IDENTITY), "Identity (5) in the list", `${listed}`);
      if (listed.length > 1)
        s.tolerate(`lists ${listed}; RFC 8420 section 3 wants Identity alone for EdDSA alone`);
    });
  }

/**
 * The peer is told of RSA keys alone. Its list holds no Identity; or if it does, it takes an EdDSA signature of a tester
 * whose certificate is good, which is what the entry says.
 */
for (const peer of ROLES)
  test(`${peer}-lists-identity-only-where-it-takes-eddsa`, {
    requirements: ["SIGAUTH-25"],
    peer,
    lies: ["announces-identity-in-vain"],
    config: bothSign("rsa2048"),
  }, async (s) => {
    await s.establish(peer);
    if (!hashesOf(s, peer).includes(IDENTITY)) return;
    withCredential(await ownCredential(s, {}, "ed25519"))(s);
    require(await triesAnew(s, peer), "Identity (5) unlisted, or Ed25519 accepted", s.lastReason());
  });
