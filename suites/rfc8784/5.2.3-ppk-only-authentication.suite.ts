import {
  authPayloads,
  authWithoutPpk,
  EXCHANGE,
  expectNoNotify,
  expectPpkRefused,
  expectPpkUsed,
  expectRefusedByInitiator,
  expectResponderRefused,
  NOTIFY,
  type PeerConfig,
  SHARED_PPK,
  test,
  together,
  UNKNOWN_PPK,
  withoutNotifies,
  withPolicy,
} from "../../harness/script/index.ts";

const NULL = { method: "null" } as const;
/** Nothing but a PPK, which is not said to be mandatory, proves the two ends. */
const PPK_ONLY: Partial<PeerConfig> = { ppks: [SHARED_PPK], auth: NULL, testerAuth: NULL };

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Both ends have names, NULL authentication and a PPK. AUTH of method 13 is made with SK_pi and SK_pr, which have the
   * PPK in them, and so proves both ends; traffic passes.
   */
  test(`as-${peer}-proves-itself-by-a-ppk-alone`, {
    requirements: ["PPK-08"],
    peer,
    lies: ["mixes-no-ppk-into-sk-d", "mixes-in-no-ppk"],
    config: { ...PPK_ONLY, ppkRequired: true },
  }, async (s) => {
    await expectPpkUsed(s, peer);
  });
}

/**
 * The tester has another PPK, and sends NO_PPK_AUTH. Anybody can make that with NULL authentication, so the peer, which
 * announced PPKs, must not believe it: AUTHENTICATION_FAILED, though its configuration does not say that it insists.
 */
test("takes-no-no-ppk-auth-of-an-anonymous-initiator", {
  requirements: ["PPK-27", "PPK-15"],
  peer: "responder",
  lies: ["does-without-ppks-beside-null"],
  config: PPK_ONLY,
}, async (s) => {
  s.decide("PPK beside NULL authentication", "as configured");
  await expectPpkRefused(s, withPolicy({ ppks: [UNKNOWN_PPK] }));
});

/**
 * The peer, an initiator that announced PPKs and has no other proof, names its PPK without NO_PPK_AUTH, which would
 * make the PPK optional.
 */
test("sends-no-no-ppk-auth-beside-null-authentication", {
  requirements: ["PPK-27"],
  peer: "initiator",
  lies: ["does-without-ppks-beside-null"],
  config: PPK_ONLY,
}, async (s) => {
  await expectPpkUsed(s, "initiator");
  expectNoNotify({ payloads: authPayloads(s, "initiator").request }, NOTIFY.NO_PPK_AUTH);
});

/**
 * The tester says USE_PPK, and then proves itself by NULL authentication without a PPK, which anybody could. The peer,
 * an initiator, must have no IKE SA with it.
 */
test("believes-no-anonymous-responder-without-the-ppk", {
  requirements: ["PPK-27", "PPK-20"],
  peer: "initiator",
  lies: ["does-without-ppks-beside-null", "goes-on-without-its-mandatory-ppk"],
  config: PPK_ONLY,
}, async (s) => {
  const spoil = together(authWithoutPpk, withoutNotifies(EXCHANGE.IKE_AUTH, "response", NOTIFY.PPK_IDENTITY));
  await expectResponderRefused(s, () => expectRefusedByInitiator(s, spoil));
});
