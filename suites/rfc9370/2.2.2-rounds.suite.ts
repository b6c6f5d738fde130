import {
  expectHybrid,
  expectRoundRefused,
  hybrid,
  inTurn,
  type KePayload,
  keOfMethod,
  orders,
  refusesRound,
  require,
  type Script,
  type SpoilKe,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const [ECP256, ECP384, ECP521] = [19, 20, 21];

for (const [name, added, expected] of [
  ["one-more-key-exchange", "ke1_ecp256", [19]],
  ["three-more-key-exchanges", "ke1_ecp256-ke3_mlkem1024-ke7_ecp384", [19, 37, 20]],
] as const)
  for (const peer of ROLES) {
    /**
     * Both ends do the additional key exchanges one after the other in IKE_INTERMEDIATE, and then have keys that depend
     * on all of them: IKE_AUTH and ESP can be read with ours.
     */
    test(`does-${name}-as-${peer}`, {
      requirements: ["MKE-03", "MKE-19", "MKE-21", "MKE-22"],
      peer,
      lies: ["keeps-its-keys-after-a-round", "swaps-the-nonces-of-later-generations"],
      config: { ikeProposals: [hybrid(added)] },
    }, async (s) => {
      await expectHybrid(s, peer, expected);
    });
  }

/** Seven methods that differ in all respects, and their numbers. */
const SEVEN = [
  ["ecp256", 19],
  ["modp2048", 14],
  ["ecp521", 21],
  ["x448", 32],
  ["ecp384", 20],
  ["modp3072", 15],
  ["modp4096", 16],
] as const;

for (const count of [2, 4, 7])
  for (const peer of ROLES) {
    /** The same with ${count} additional key exchanges, of classical methods. */
    test(`does-${count}-additional-key-exchanges-as-${peer}`, {
      requirements: ["MKE-03", "MKE-04", "MKE-19", "MKE-20", "MKE-21"],
      peer,
      lies: [
        "does-rounds-in-reverse",
        "makes-all-generations-of-the-first",
        "makes-child-sas-of-the-first-keys",
      ],
      config: {
        ikeProposals: [
          hybrid(
            SEVEN.slice(0, count)
              .map(([method], i) => `ke${i + 1}_${method}`)
              .join("-"),
          ),
        ],
      },
    }, async (s) => {
      await expectHybrid(
        s,
        peer,
        SEVEN.slice(0, count).map(([, id]) => id),
      );
    });
  }

const MIXED = { ecp256: 19, mlkem512: 35, mlkem768: 36 } as const;
type Mixed = keyof typeof MIXED;

for (const [index, methods] of orders<Mixed>(["ecp256", "mlkem512", "mlkem768"]).entries()) {
  const peer = inTurn(index);
  /** A classical method and two of ML-KEM, in the order ${methods.join("-")}. */
  test(`does-${methods.join("-")}-as-${peer}`, {
    requirements: ["MKE-03", "MKE-19", "MKE-20", "MKE-21"],
    peer,
    lies: ["does-rounds-in-reverse"],
    config: { ikeProposals: [hybrid(methods.map((method, i) => `ke${2 * i + 1}_${method}`).join("-"))] },
  }, async (s) => {
    await expectHybrid(
      s,
      peer,
      methods.map((method) => MIXED[method]),
    );
  });
}

const SUITES = ["aes256-sha512", "aes256-sha384", "aes128gcm16-prfsha384", "aes128-aesxcbc", "aes128-sha1"];

for (const [index, suite] of SUITES.entries()) {
  const peer = inTurn(index);
  /** Three generations of keys by ${suite}: each is made by its PRF, of the one before. */
  test(`makes-keys-of-three-rounds-by-${suite}-as-${peer}`, {
    requirements: ["MKE-21", "MKE-22"],
    peer,
    lies: ["makes-all-generations-of-the-first", "swaps-the-nonces-of-later-generations"],
    config: { ikeProposals: [`${suite}-ecp256-ke1_x25519-ke2_ecp384-ke3_ecp521`] },
  }, async (s) => {
    await expectHybrid(s, peer, [31, ECP384, ECP521]);
  });
}

const TWO_ROUNDS = hybrid("ke1_ecp256-ke2_ecp384");

const withData = (ke: KePayload, data: Uint8Array): KePayload[] => [{ ...ke, data }];
const otherOf = ({ group }: KePayload): number => (group === ECP256 ? ECP384 : ECP256);

const SPOILT: Record<string, SpoilKe> = {
  "without-ke": () => [],
  "with-ke-of-a-method-that-was-not-negotiated": (_ke, s) => [keOfMethod(s, ECP521)],
  "with-ke-of-the-other-round": (ke, s) => [keOfMethod(s, otherOf(ke))],
  "with-a-value-of-another-method": (ke, s) => withData(ke, keOfMethod(s, otherOf(ke)).data),
  "with-an-octet-too-few": (ke) => withData(ke, ke.data.slice(1)),
  "with-an-octet-too-many": (ke) => withData(ke, Uint8Array.of(...ke.data, 0)),
  "with-an-empty-value": (ke) => withData(ke, new Uint8Array()),
  "with-a-point-off-the-curve": (ke) =>
    withData(
      ke,
      ke.data.map((octet, i) => (i === 40 ? octet ^ 1 : octet)),
    ),
};

for (const [first, peer] of ROLES.entries()) {
  for (const [index, [what, spoil]] of Object.entries(SPOILT).entries()) {
    const number = 1 + ((first + index) % 2);
    /**
     * Two additional key exchanges. The tester's message of round ${number} is one ${what}. The peer refuses it: as responder by an
     * error or silence, as initiator by going on with neither the next round nor IKE_AUTH. Right messages serve it then.
     */
    test(`refuses-round-${number}-${what}-as-${peer}`, {
      requirements: ["MKE-20", "MKE-19"],
      peer,
      lies: ["overlooks-bad-ke-in-rounds"],
      config: { ikeProposals: [TWO_ROUNDS] },
    }, async (s) => {
      await expectRoundRefused(s, peer, number, spoil);
    });
  }

  /**
   * The tester's message of one of two rounds has its KE payload twice. The peer refuses it, or, which no text forbids, takes the
   * first and goes on: then both SAs come up.
   */
  test(`refuses-round-${first + 1}-with-two-ke-payloads-or-takes-the-first-as-${peer}`, {
    requirements: ["MKE-19"],
    peer,
    lies: ["overlooks-bad-ke-in-rounds"],
    config: { ikeProposals: [TWO_ROUNDS] },
  }, async (s) => {
    if (await refusesRound(s, peer, first + 1, twice)) return;
    const came = await s.until(() => s.trace.childSas().length > 0);
    require(came, "a refusal, or both SAs", s.lastReason());
    s.tolerate("overlooks a second KE payload");
  });
}

const twice = (ke: KePayload, s: Script): KePayload[] => [ke, keOfMethod(s, ke.group)];
