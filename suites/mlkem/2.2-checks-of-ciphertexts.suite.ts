import {
  expectIkeDeleted,
  expectNoFurther,
  expectUnseenMismatch,
  expectUnseenMismatchInChild,
  inTurn,
  KEM_PLACES,
  rekeyWithSpoilt,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const INTERMEDIATE = KEM_PLACES["ike-intermediate"];
const INIT = KEM_PLACES["ike-sa-init"];

/** Ciphertexts that fail the type check of FIPS 203 section 7.3, made of a good one. */
const WRONG_LENGTHS = {
  "no-octets": (ct: Uint8Array) => ct.subarray(0, 0),
  "one-octet-less": (ct: Uint8Array) => ct.subarray(0, -1),
  "one-octet-more": (ct: Uint8Array) => Uint8Array.of(...ct, 0),
};

/** Those that pass it, and belong to no message. */
const ALTERED = {
  "with-its-first-bit-turned": (ct: Uint8Array) => ct.map((octet, i) => (i === 0 ? octet ^ 1 : octet)),
  "with-its-last-bit-turned": (ct: Uint8Array) =>
    ct.map((octet, i) => (i === ct.length - 1 ? octet ^ 128 : octet)),
  "of-zeros": (ct: Uint8Array) => ct.map(() => 0),
};

/** One for each length. */
const SETS = ["512", "768", "1024"];

for (const [index, [what, spoil]] of Object.entries(WRONG_LENGTHS).entries()) {
  const set = SETS[index];
  /**
   * The peer initiates, and the ciphertext of ML-KEM-${set} in the tester's IKE_INTERMEDIATE response is one of ${what}. Neither
   * IKE_AUTH nor another IKE_INTERMEDIATE follows; the peer's next attempt, with a right one, succeeds.
   */
  test(
    `goes-no-further-after-a-ciphertext-of-ml-kem-${set}-of-${what}`,
    {
      requirements: ["MLKEM-12", "MLKEM-13"],
      peer: "initiator",
      config: { ikeProposals: [`aes256-sha256-x25519-ke1_mlkem${set}-ke2_ecp256`] },
      lies: ["takes-any-ciphertext"],
    },
    (s) => expectNoFurther(s, INTERMEDIATE, `mlkem${set}`, spoil),
  );

  /** The same where ML-KEM-512 is the only key exchange of IKE_SA_INIT: no IKE_AUTH after a ciphertext of ${what}. */
  test(
    `goes-no-further-after-a-ciphertext-of-${what}-in-ike-sa-init`,
    {
      requirements: ["MLKEM-12", "MLKEM-13"],
      peer: "initiator",
      config: INIT.config("mlkem512"),
      lies: ["takes-any-ciphertext"],
    },
    (s) => expectNoFurther(s, INIT, "mlkem512", spoil),
  );
}

for (const peer of ROLES) {
  for (const place of ["create-child-sa", "ike-followup-ke"] as const) {
    /**
     * The peer rekeys its Child SA, and the ML-KEM-768 ciphertext in the tester's response to ${place} has one octet less. The tester
     * has the new Child SA by then, or is about to have it: the peer deletes the IKE SA, by a Delete payload in INFORMATIONAL.
     */
    test(`deletes-the-ike-sa-after-a-short-ciphertext-in-${place}-as-${peer}`, {
      requirements: ["MLKEM-12", "MLKEM-13", "MLKEM-14"],
      peer,
      config: KEM_PLACES[place].config("mlkem768"),
      lies: ["takes-any-ciphertext", "goes-without-deleting-the-ike-sa"],
    }, async (s) => {
      const session = await s.establish(peer);
      await rekeyWithSpoilt(session, KEM_PLACES[place], "mlkem768", WRONG_LENGTHS["one-octet-less"]);
      await expectIkeDeleted(s, "a ciphertext of the wrong length");
    });
  }
}

for (const peer of ROLES) {
  /**
   * The peer rekeys its IKE SA with ML-KEM-512 alone, and the ciphertext in the response has one octet less. The peer deletes the
   * IKE SA.
   * Note: one that took the ciphertext would delete the IKE SA as well, as the last step of its rekeying.
   */
  test(`deletes-the-ike-sa-after-a-short-ciphertext-for-a-new-one-as-${peer}`, {
    requirements: ["MLKEM-12", "MLKEM-13", "MLKEM-14"],
    peer,
    config: INIT.config("mlkem512"),
    lies: ["goes-without-deleting-the-ike-sa"],
  }, async (s) => {
    const session = await s.establish(peer);
    const spoil = WRONG_LENGTHS["one-octet-less"];
    await rekeyWithSpoilt(session, KEM_PLACES["create-child-sa"], "mlkem512", spoil, "ike");
    await expectIkeDeleted(s, "a ciphertext of the wrong length");
  });
}

for (const [index, [what, spoil]] of Object.entries(ALTERED).entries()) {
  for (const [name, place] of Object.entries({ "ike-intermediate": INTERMEDIATE, "ike-sa-init": INIT })) {
    /**
     * The peer initiates, and gets a ciphertext of ML-KEM-512 ${what} in ${name}. Decapsulation gives another secret and no error: the
     * peer goes on with IKE_AUTH, which does not open with the tester's keys. Its next attempt succeeds.
     */
    test(
      `goes-on-unaware-after-a-ciphertext-${what}-in-${name}`,
      {
        requirements: ["MLKEM-15"],
        peer: "initiator",
        config: place.config("mlkem512"),
        lies: ["reports-altered-ciphertexts"],
      },
      (s) => expectUnseenMismatch(s, place, "mlkem512", spoil),
    );
  }

  const peer = inTurn(index);
  /**
   * The peer rekeys its Child SA with ML-KEM-768 alone, and gets a ciphertext ${what}. It takes the new Child SA, under keys that
   * are not the tester's, and the IKE SA goes on.
   */
  test(
    `rekeys-unaware-with-a-ciphertext-${what}-as-${peer}`,
    {
      requirements: ["MLKEM-15"],
      peer,
      config: KEM_PLACES["create-child-sa"].config("mlkem768"),
      lies: ["reports-altered-ciphertexts"],
    },
    async (s) => expectUnseenMismatchInChild(await s.establish(peer), "mlkem768", spoil),
  );
}
