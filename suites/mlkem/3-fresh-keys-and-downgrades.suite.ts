import {
  expect,
  expectDistinct,
  expectInitRefused,
  expectKeysOfItsOwn,
  expectNoIkeSa,
  ikeProposals,
  KEM_PLACES,
  kemValues,
  payload,
  require,
  reuseKey,
  type Script,
  TRANSFORM,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const HYBRID = KEM_PLACES["ike-intermediate"].config("mlkem768");
const ALONE = KEM_PLACES["create-child-sa"].config("mlkem768");

/** The peer initiates two IKE SAs with ML-KEM-768 in IKE_INTERMEDIATE: its keys differ. */
test("has-a-key-of-its-own-for-each-ike-sa", {
  requirements: ["MLKEM-16"],
  peer: "initiator",
  config: HYBRID,
  lies: ["keeps-its-kem-key"],
}, async (s) => {
  const keys = () => kemValues(s, "peer", "mlkem768").keys;
  await (await s.accept()).deleteIke();
  require(await s.provoke(() => keys().length > 1), "a second IKE SA with ML-KEM", s.lastReason());
  expectDistinct(keys(), "encapsulation keys");
});

/** Two IKE SAs with the same key of the tester, which no peer can know for the same: the ciphertexts differ. */
test("has-a-ciphertext-of-its-own-for-each-ike-sa", {
  requirements: ["MLKEM-16a", "MLKEM-17"],
  peer: "responder",
  config: HYBRID,
  lies: ["repeats-encapsulation-randomness"],
}, async (s) => {
  reuseKey(s, "mlkem768");
  await s.dial();
  await s.dial();
  expectDistinct(kemValues(s, "us", "mlkem768").ciphertexts, "ciphertexts");
});

for (const peer of ROLES) {
  /** The peer rekeys its Child SA twice with ML-KEM-768 alone: its keys differ. */
  test(
    `has-a-key-of-its-own-for-each-child-sa-as-${peer}`,
    {
      requirements: ["MLKEM-16"],
      peer,
      config: ALONE,
      lies: ["keeps-its-kem-key"],
    },
    (s) => expectKeysOfItsOwn(s, peer, "mlkem768", "encapsulation keys"),
  );

  /** The tester rekeys the Child SA twice, with the same key of ML-KEM-768: the ciphertexts differ. */
  test(`has-a-ciphertext-of-its-own-for-each-child-sa-as-${peer}`, {
    requirements: ["MLKEM-16a", "MLKEM-17"],
    peer,
    config: ALONE,
    lies: ["repeats-encapsulation-randomness"],
  }, async (s) => {
    reuseKey(s, "mlkem768");
    const session = await s.establish(peer);
    const child = await session.rekeyChild({}, await session.rekeyChild());
    expectDistinct(kemValues(s, "us", "mlkem768").ciphertexts, "ciphertexts");
    await session.proveTraffic(child);
  });
}

/**
 * The peer is told X25519 with ML-KEM-768 and nothing else, and the tester offers X25519 alone: NO_PROPOSAL_CHOSEN. With both
 * it is served.
 */
test(
  "refuses-proposals-without-ml-kem",
  {
    requirements: ["MLKEM-19"],
    peer: "responder",
    config: HYBRID,
    lies: ["settles-for-less-than-ml-kem"],
  },
  (s) => expectNoIkeSa(s, ikeProposals("aes256-sha256-x25519")),
);

/** The peer is told X25519 with ML-KEM-768 and nothing else: each of its proposals has it, and none has an alternative to it. */
test("offers-nothing-without-ml-kem", {
  requirements: ["MLKEM-20", "MLKEM-04"],
  peer: "initiator",
  config: HYBRID,
  lies: ["settles-for-less-than-ml-kem", "numbers-ml-kem-as-once"],
}, async (s) => {
  const session = await s.accept();
  const additional = offers(s).map((p) =>
    p.transforms.flatMap((t) => (t.type === TRANSFORM.ADDKE1 ? [t.id] : [])),
  );
  for (const ids of additional) expect(ids, "methods of ADDKE1 in each proposal").to.deep.equal([36]);
  await session.proveTraffic();
});

const offers = (s: Script) =>
  s.trace.exchanges
    .filter(({ by }) => by === "peer")
    .slice(0, 1)
    .flatMap(({ request }) => payload(request.payloads, "SA")?.proposals ?? []);

/**
 * The peer is told the same, and the tester chooses its proposal without ML-KEM. The peer must not go on to IKE_AUTH with
 * X25519 alone; the right choice is taken.
 */
test(
  "gives-up-where-ml-kem-is-left-out-of-the-choice",
  {
    requirements: ["MLKEM-20"],
    peer: "initiator",
    config: HYBRID,
    lies: ["takes-a-choice-without-ml-kem"],
  },
  (s) =>
    expectInitRefused(s, ({ payloads }) => {
      const sa = payload(payloads, "SA");
      if (sa)
        sa.proposals = sa.proposals.map((p) => ({
          ...p,
          transforms: p.transforms.filter(({ type }) => type !== TRANSFORM.ADDKE1),
        }));
    }),
);
