import {
  AUTH_METHOD,
  authMethods,
  bothSign,
  type KeyKind,
  peersProof,
  require,
  test,
  triesAnew,
} from "../../harness/script/index.ts";

/** Keys, and the only older method that each fits. */
const KEYS: [KeyKind, number?][] = [
  ["rsa2048", AUTH_METHOD.RSA_DIGITAL_SIGNATURE],
  ["ecdsa256", AUTH_METHOD.ECDSA_SHA256_P256],
  ["ed25519"],
];

/**
 * The tester sends no SIGNATURE_HASH_ALGORITHMS. The peer, which has a key of this kind, authenticates itself by an
 * older method that fits the key, or fails for want of one; it does not use method 14. With the notify it authenticates.
 */
for (const peer of ["responder", "initiator"] as const)
  for (const [key, method] of KEYS)
    test(`${peer}-does-not-use-method-14-with-${key}-unannounced`, {
      requirements: ["SIGAUTH-01"],
      peer,
      lies: ["signs-by-rfc7427-unasked"],
      // An initiator that verifies no signature need not announce hashes; for EdDSA the tester has no older method.
      config:
        peer === "initiator" && key !== "ed25519" ? bothSign(key) : { auth: { method: "signature", key } },
    }, async (s) => {
      const all = s.policy.signatureHashes;
      s.policy.signatureHashes = [];
      const proof = await peersProof(s, peer);
      const used = proof && authMethods.nameOf(proof.method);
      const fits = method === undefined ? "" : `${authMethods.nameOf(method)} or `;
      require(!proof || proof.method === method, `${fits}no AUTH`, used ?? "");
      s.policy.signatureHashes = all;
      require(await triesAnew(s, peer), "both SAs with the notify", s.lastReason());
    });
