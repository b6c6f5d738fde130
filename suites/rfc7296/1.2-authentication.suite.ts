import {
  EXCHANGE,
  expectRefusedByInitiator,
  expectRefusedByResponder,
  flipAuth,
  type Spoil,
  test,
} from "../../harness/script/index.ts";

const stranger = { type: 2, data: new TextEncoder().encode("stranger.example") };

const spoilAuth =
  (which: "request" | "response"): Spoil =>
  (s) =>
    s.change(EXCHANGE.IKE_AUTH, flipAuth, which);

const nameAnother: Spoil = ({ policy }) => {
  const { localId } = policy;
  policy.localId = stranger;
  return () => {
    policy.localId = localId;
  };
};

const proveAnother: Spoil = ({ policy }) => {
  const { psk } = policy;
  policy.psk = new TextEncoder().encode("not-the-shared-secret");
  return () => {
    policy.psk = psk;
  };
};

/**
 * One bit of the AUTH value in our IKE_AUTH request is flipped. The peer must verify it and refuse: its protected
 * response holds AUTHENTICATION_FAILED.
 * Note: the notify is a SHOULD of section 2.21.2, so another error and silence are tolerated.
 */
test("refuses-a-wrong-auth-of-the-initiator", {
  requirements: ["IKEV2-001", "IKEV2-188"],
  peer: "responder",
  lies: ["accepts-wrong-auth"],
}, async (s) => {
  await expectRefusedByResponder(s, spoilAuth("request"));
});

/**
 * One bit of the AUTH value in our IKE_AUTH response is flipped. The peer must not keep the IKE SA: it reports
 * AUTHENTICATION_FAILED or a Delete in an INFORMATIONAL, or no longer answers under this SA. Its next attempt, which
 * we answer rightly, succeeds.
 */
test("refuses-a-wrong-auth-of-the-responder", {
  requirements: ["IKEV2-001", "IKEV2-189"],
  peer: "initiator",
  lies: ["accepts-wrong-auth"],
}, async (s) => {
  await expectRefusedByInitiator(s, spoilAuth("response"));
});

/**
 * We know the shared secret, but name ourselves otherwise than the peer has it for; AUTH is right for that name.
 * A key is bound to an identity, so the peer must answer with AUTHENTICATION_FAILED.
 */
test("refuses-an-initiator-with-another-identity", {
  requirements: ["IKEV2-002", "IKEV2-188"],
  peer: "responder",
  lies: ["accepts-any-identity"],
}, async (s) => {
  await expectRefusedByResponder(s, nameAnother);
});

/**
 * The peer initiates, and we answer under another identity than the one it has the shared secret for, with an AUTH
 * that is right for it. The peer must not keep the IKE SA.
 */
test("refuses-a-responder-with-another-identity", {
  requirements: ["IKEV2-002", "IKEV2-189"],
  peer: "initiator",
  lies: ["accepts-any-identity"],
}, async (s) => {
  await expectRefusedByInitiator(s, nameAnother);
});

/** We prove knowledge of another secret than the peer's. It must answer with AUTHENTICATION_FAILED. */
test("refuses-another-shared-secret", {
  requirements: ["IKEV2-001", "IKEV2-188"],
  peer: "responder",
  lies: ["accepts-wrong-auth"],
}, async (s) => {
  await expectRefusedByResponder(s, proveAnother);
});
