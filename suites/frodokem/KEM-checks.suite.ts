import {
  expectDistinct,
  expectKeyRefused,
  expectNoFurther,
  expectNotTaken,
  expectUnseenMismatch,
  expectUnseenMismatchInChild,
  KEM_PLACES,
  type KePayload,
  kemValues,
  methodNumber,
  reuseKey,
  type Script,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const KEYWORD = "frodoa1";
const INTERMEDIATE = KEM_PLACES["ike-intermediate"];
const CHILD = KEM_PLACES["create-child-sa"];
const FOLLOWUP = KEM_PLACES["ike-followup-ke"];

const WRONG_LENGTHS = {
  "no-octets": (value: Uint8Array) => value.subarray(0, 0),
  "one-octet-less": (value: Uint8Array) => value.subarray(0, -1),
  "one-octet-more": (value: Uint8Array) => Uint8Array.of(...value, 0),
};

const firstBitTurned = (value: Uint8Array) => value.map((octet, i) => (i === 0 ? octet ^ 1 : octet));

for (const [what, spoil] of Object.entries({
  ...WRONG_LENGTHS,
  "a-larger-set": () => new Uint8Array(15_632),
})) {
  /** The FrodoKEM-640-AES key in the tester's IKE_INTERMEDIATE is one of ${what}. No KE payload comes back; a right one serves the peer. */
  test(`refuses-a-key-of-${what}`, {
    requirements: ["FRODO-05"],
    peer: "responder",
    config: INTERMEDIATE.config(KEYWORD),
    lies: ["takes-any-encapsulation-key"],
  }, async (s) => {
    await expectKeyRefused(s, "responder", INTERMEDIATE, KEYWORD, spoil);
  });
}

for (const [what, spoil] of Object.entries({
  ...WRONG_LENGTHS,
  "no-salt": (value: Uint8Array) => value.subarray(0, -32),
})) {
  /**
   * The peer initiates, and the ciphertext of FrodoKEM-640-AES in the tester's IKE_INTERMEDIATE response is one of ${what}. IKE_AUTH
   * does not follow; the peer's next attempt, with a right one, succeeds.
   */
  test(
    `goes-no-further-after-a-ciphertext-of-${what}`,
    {
      requirements: ["FRODO-06"],
      peer: "initiator",
      config: INTERMEDIATE.config(KEYWORD),
      lies: ["takes-any-ciphertext"],
    },
    (s) => expectNoFurther(s, INTERMEDIATE, KEYWORD, spoil),
  );
}

/** The ciphertext has its right length, and one bit is turned: the peer goes on with IKE_AUTH, under keys that nobody else can know. */
test(
  "goes-on-unaware-after-an-altered-ciphertext",
  {
    requirements: ["FRODO-08"],
    peer: "initiator",
    config: INTERMEDIATE.config(KEYWORD),
    lies: ["reports-altered-ciphertexts"],
  },
  (s) => expectUnseenMismatch(s, INTERMEDIATE, KEYWORD, firstBitTurned),
);

for (const peer of ROLES) {
  /** The tester asks for a Child SA with a FrodoKEM-640-AES key that has one octet less: the peer refuses. */
  test(`refuses-a-short-key-for-a-child-sa-as-${peer}`, {
    requirements: ["FRODO-05"],
    peer,
    config: CHILD.config(KEYWORD),
    lies: ["takes-any-encapsulation-key"],
  }, async (s) => {
    await expectKeyRefused(s, peer, CHILD, KEYWORD, WRONG_LENGTHS["one-octet-less"]);
  });

  /** The peer rekeys its Child SA, and gets a ciphertext without salt: it deletes the new Child SA, or the IKE SA. */
  test(
    `gives-up-a-child-sa-after-a-ciphertext-without-salt-as-${peer}`,
    {
      requirements: ["FRODO-06"],
      peer,
      config: CHILD.config(KEYWORD),
      lies: ["takes-any-ciphertext"],
    },
    async (s) => expectNotTaken(await s.establish(peer), CHILD, KEYWORD, (value) => value.subarray(0, -32)),
  );

  /** The peer rekeys its Child SA, and a bit of the ciphertext is turned: it takes the new one, under keys that are not the tester's. */
  test(
    `rekeys-unaware-with-an-altered-ciphertext-as-${peer}`,
    {
      requirements: ["FRODO-08"],
      peer,
      config: CHILD.config(KEYWORD),
      lies: ["reports-altered-ciphertexts"],
    },
    async (s) => expectUnseenMismatchInChild(await s.establish(peer), KEYWORD, firstBitTurned),
  );

  /** The tester rekeys the Child SA twice, with the same key of FrodoKEM-640-AES: the ciphertexts differ, salt and all. */
  test(`has-a-ciphertext-of-its-own-for-each-child-sa-as-${peer}`, {
    requirements: ["FRODO-14"],
    peer,
    config: CHILD.config(KEYWORD),
    lies: ["repeats-encapsulation-randomness"],
  }, async (s) => {
    reuseKey(s, KEYWORD);
    const session = await s.establish(peer);
    await session.rekeyChild({}, await session.rekeyChild());
    expectDistinct(kemValues(s, "us", KEYWORD).ciphertexts, "ciphertexts");
  });
}

/** The same octets, which have the right length, as a KE payload of FrodoKEM-640-SHAKE. */
const asShake =
  (s: Script) =>
  (data: Uint8Array, ke: KePayload): Uint8Array => {
    ke.group = methodNumber(s, "frodos1");
    return data;
  };

/** The peer initiates with FrodoKEM-640-AES, and the KE payload of the answer is one of FrodoKEM-640-SHAKE: IKE_AUTH does not follow. */
test(
  "goes-no-further-after-shake-for-aes",
  {
    requirements: ["FRODO-15"],
    peer: "initiator",
    config: INTERMEDIATE.config(KEYWORD),
    lies: ["takes-the-kem-value-of-another-method"],
  },
  (s) => expectNoFurther(s, INTERMEDIATE, KEYWORD, asShake(s)),
);

for (const peer of ROLES) {
  /** The peer rekeys its Child SA, and gets the same in IKE_FOLLOWUP_KE: it deletes the new Child SA, or the IKE SA. */
  test(
    `gives-up-a-child-sa-after-shake-for-aes-as-${peer}`,
    {
      requirements: ["FRODO-15"],
      peer,
      config: FOLLOWUP.config(KEYWORD),
      lies: ["takes-the-kem-value-of-another-method"],
    },
    async (s) => expectNotTaken(await s.establish(peer), FOLLOWUP, KEYWORD, asShake(s)),
  );
}
