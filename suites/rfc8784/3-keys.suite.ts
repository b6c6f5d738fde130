import {
  beginner,
  expectNoPpkAuth,
  expectNoPpkOrRefusal,
  expectPpkRefused,
  expectPpkUsed,
  expectRounds,
  type PeerConfig,
  SHARED_PPK,
  test,
  UNKNOWN_PPK,
  withPolicy,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const PPKS: Partial<PeerConfig> = { ppks: [SHARED_PPK] };
/** A secret of so many octets; with HMAC-SHA-256 one of more than 64 is hashed first, with the AES PRFs all but 16 are. */
const secretOf = (octets: number): PeerConfig["ppks"] => [
  { ...SHARED_PPK, secret: "bakeoff+PPK/".repeat(20).slice(0, octets) },
];

for (const peer of ROLES) {
  for (const prf of ["sha256", "sha384", "sha512", "aesxcbc", "aescmac"]) {
    /** With this PRF, the keys of the IKE SA are run through prf+ with a PPK of 44 octets; AUTH verifies and ESP opens. */
    test(`as-${peer}-mixes-in-a-ppk-with-prf-${prf}`, {
      requirements: ["PPK-08"],
      peer,
      lies: ["mixes-no-ppk-into-sk-d", "mixes-in-no-ppk", "cuts-ppks"],
      config: { ...PPKS, ikeProposals: [`aes256-${prf}-x25519`] },
    }, async (s) => {
      await expectPpkUsed(s, peer);
    });
  }

  for (const octets of [1, 16, 32, 64, 65, 200]) {
    /** Both ends have a PPK of this length, and each of its octets counts. */
    test(`as-${peer}-mixes-in-a-ppk-of-${octets}-octets`, {
      requirements: ["PPK-08"],
      peer,
      lies: ["mixes-no-ppk-into-sk-d", "cuts-ppks"],
      config: { ppks: secretOf(octets) },
    }, async (s) => {
      await expectPpkUsed(s, peer);
    });
  }

  /**
   * The IKE SA has an additional key exchange in IKE_INTERMEDIATE (RFC 9370). The PPK is mixed into the keys that come
   * of it, once, in IKE_AUTH.
   */
  test(`as-${peer}-mixes-in-a-ppk-after-an-additional-key-exchange`, {
    requirements: ["PPK-08"],
    peer,
    lies: ["mixes-no-ppk-into-sk-d", "mixes-in-no-ppk"],
    config: { ...PPKS, ikeProposals: ["aes256-sha256-x25519-ke1_ecp256"] },
  }, async (s) => {
    await expectPpkUsed(s, peer);
    expectRounds(s, beginner(peer), [19]);
  });

  /**
   * An IKE SA with a PPK is rekeyed by the tester, then by the peer, and so is its Child SA. The new keys come from SK_d
   * and no PPK: each request is answered, and traffic passes under each Child SA.
   */
  test(`as-${peer}-mixes-no-ppk-in-at-a-rekey`, {
    requirements: ["PPK-09", "PPK-08"],
    peer,
    lies: ["mixes-ppks-in-again"],
    config: PPKS,
  }, async (s) => {
    const first = await expectPpkUsed(s, peer);
    const second = await first.rekeyIke();
    await second.proveTraffic(await second.rekeyChild());
    const third = await second.peerRekeysIke();
    await third.proveTraffic(await third.peerRekeysChild());
  });
}

const RSA = { method: "signature", key: "rsa2048" } as const;
const ECDSA = { method: "signature", key: "ecdsa256" } as const;
/** Ways to authenticate, as both ends use them. */
const WAYS = {
  "rsa-signatures": RSA,
  "rsa-pss-signatures": { ...RSA, scheme: "rsa-pss-sha256" },
  "ecdsa-signatures": ECDSA,
  "old-rsa-signatures": { ...RSA, oldMethods: true },
  "old-ecdsa-signatures": { ...ECDSA, oldMethods: true },
} as const;

for (const [name, auth] of Object.entries(WAYS)) {
  const config = { ...PPKS, auth, testerAuth: auth };
  for (const peer of ROLES) {
    /**
     * Both ends sign, and what they sign is made with SK_pi and SK_pr that have the PPK in them. The initiator does not
     * do without it: it has one signature to make.
     */
    test(`as-${peer}-signs-with-a-ppk-by-${name}`, {
      requirements: ["PPK-08"],
      peer,
      lies: ["mixes-no-ppk-into-sk-d", "mixes-in-no-ppk"],
      config: { ...config, ...(peer === "initiator" && { ppkRequired: true }) },
    }, async (s) => {
      s.policy.ppkRequired = peer === "responder";
      await expectPpkUsed(s, peer);
    });
  }

  /**
   * The tester has another PPK, and signs NO_PPK_AUTH as well as AUTH. The peer goes on without a PPK. Note:
   * AUTHENTICATION_FAILED is tolerated, for going on is a MAY.
   */
  test(
    `verifies-no-ppk-auth-by-${name}`,
    {
      requirements: ["PPK-16"],
      peer: "responder",
      lies: ["claims-ppks-that-it-lacks"],
      config,
    },
    expectNoPpkOrRefusal,
  );

  /** The tester has another PPK, and signs AUTH with it alone: AUTHENTICATION_FAILED. */
  test(`refuses-an-unknown-ppk-beside-${name}`, {
    requirements: ["PPK-15"],
    peer: "responder",
    lies: ["believes-whoever-names-a-ppk"],
    config,
  }, async (s) => {
    await expectPpkRefused(s, withPolicy({ ppks: [UNKNOWN_PPK], ppkRequired: true }));
  });

  /** The tester has another PPK, and verifies NO_PPK_AUTH by the method of the peer's AUTH payload. */
  test(
    `makes-no-ppk-auth-by-${name}`,
    {
      requirements: ["PPK-11", "PPK-12", "PPK-13", "PPK-21"],
      peer: "initiator",
      lies: ["omits-no-ppk-auth", "makes-no-ppk-auth-with-the-ppk"],
      config,
    },
    expectNoPpkAuth,
  );
}
