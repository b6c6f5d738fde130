import {
  type AuthInputs,
  expectRefusedByInitiator,
  expectRefusedByResponder,
  type Spoil,
  test,
} from "../../harness/script/index.ts";

/** Bends what our own AUTH is computed over; the peer's stays as it must be. */
const over =
  (change: (inputs: AuthInputs) => void): Spoil =>
  (s) => {
    let active = true;
    const authOctets = (inputs: AuthInputs) => {
      if (active && inputs.of === inputs.sa.role) change(inputs);
    };
    s.extensions.push({ name: "wrong octets", authOctets });
    return () => {
      active = false;
    };
  };

interface Wrong {
  spoil: Spoil;
  requirements: string[];
}

/** What is signed instead of the own IKE_SA_INIT message, the other's nonce and prf(SK_p, RestOfIDPayload). */
const WRONG: Record<string, Wrong> = {
  "without-the-nonce": {
    requirements: ["IKEV2-001"],
    spoil: over((inputs) => {
      inputs.nonce = new Uint8Array();
    }),
  },
  "with-the-own-nonce": {
    requirements: ["IKEV2-001"],
    spoil: over((inputs) => {
      inputs.nonce = inputs.of === "initiator" ? inputs.sa.Ni : inputs.sa.Nr;
    }),
  },
  "of-the-other-message": {
    requirements: ["IKEV2-001"],
    spoil: over((inputs) => {
      inputs.message = inputs.of === "initiator" ? inputs.sa.initResponse : inputs.sa.initRequest;
    }),
  },
  "with-the-non-esp-marker": {
    requirements: ["IKEV2-001", "IKEV2-158"],
    spoil: over((inputs) => {
      inputs.message = Uint8Array.of(0, 0, 0, 0, ...inputs.message);
    }),
  },
  "without-the-type-of-the-identity": {
    requirements: ["IKEV2-001", "IKEV2-161"],
    spoil: over((inputs) => {
      inputs.idBody = inputs.idBody.subarray(4);
    }),
  },
};

for (const [how, { spoil, requirements }] of Object.entries(WRONG)) {
  const what = `an AUTH over the wrong octets (${how.replaceAll("-", " ")})`;
  const lies = how === "without-the-nonce" ? ["verifies-auth-without-the-nonce"] : ["accepts-wrong-auth"];

  /**
   * Our AUTH, made with the right secret, covers other octets than section 2.15 says. The peer must refuse it, best
   * with AUTHENTICATION_FAILED.
   */
  test(`responder-refuses-an-auth-${how}`, { requirements, peer: "responder", lies }, async (s) => {
    await expectRefusedByResponder(s, spoil, what);
  });

  /** The same in our response: the peer keeps no IKE SA for it, and serves us once AUTH is right. */
  test(`initiator-refuses-an-auth-${how}`, { requirements, peer: "initiator", lies }, async (s) => {
    await expectRefusedByInitiator(s, spoil);
  });
}
