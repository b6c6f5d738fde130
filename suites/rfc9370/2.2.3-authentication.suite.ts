import {
  type AuthInputs,
  expectHybrid,
  expectRefusedByInitiator,
  expectRefusedByResponder,
  hybrid,
  type Script,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const TWO_ROUNDS = { ikeProposals: [hybrid("ke1_ecp256-ke2_ecp384")] };

for (const peer of ROLES) {
  /**
   * After two additional key exchanges the peer's AUTH covers both IKE_INTERMEDIATE exchanges (RFC 9242 section 3.3), and it is made
   * with SK_p of the last generation. The tester verifies it; the Child SA carries traffic.
   */
  test(`proves-itself-over-its-rounds-as-${peer}`, {
    requirements: ["MKE-23"],
    peer,
    lies: ["proves-itself-without-the-rounds", "proves-itself-with-its-first-keys"],
    config: TWO_ROUNDS,
  }, async (s) => {
    await expectHybrid(s, peer, [19, 20]);
  });
}

/** Ways in which our AUTH does not cover what RFC 9242 wants it to. */
const SPOILT: Record<string, (inputs: AuthInputs, first: Uint8Array | undefined) => void> = {
  "without-the-rounds": (inputs) => {
    inputs.IntAuth = undefined;
  },
  "with-a-bit-of-the-rounds-turned": (inputs) => {
    inputs.IntAuth = inputs.IntAuth?.map((octet, i) => (i === 0 ? octet ^ 1 : octet));
  },
  "with-the-first-keys": (inputs, first) => {
    inputs.SK_p = first ?? inputs.SK_p;
  },
};

/** Spoils our own AUTH; `first` is SK_p of before the rounds. */
function spoils(s: Script, spoil: (inputs: AuthInputs, first: Uint8Array | undefined) => void): () => void {
  let over = false;
  const first = new WeakMap<AuthInputs["sa"], Uint8Array>();
  s.extensions.push({
    name: "wrong octets",
    afterIkeKeys: (sa, { SK_pi, SK_pr }) => {
      if (!first.has(sa)) first.set(sa, sa.role === "initiator" ? SK_pi : SK_pr);
    },
    authOctets: (inputs) => {
      if (!over && inputs.of === inputs.sa.role) spoil(inputs, first.get(inputs.sa));
    },
  });
  return () => {
    over = true;
  };
}

for (const [what, spoil] of Object.entries(SPOILT)) {
  /**
   * After two rounds the tester's AUTH is one ${what}; everything else is in order. The peer refuses it, best with
   * AUTHENTICATION_FAILED, and the right one serves it.
   */
  test(`refuses-auth-${what}-as-responder`, {
    requirements: ["MKE-23"],
    peer: "responder",
    lies: ["accepts-wrong-auth"],
    config: TWO_ROUNDS,
  }, async (s) => {
    await expectRefusedByResponder(s, () => spoils(s, spoil), `AUTH ${what.replaceAll("-", " ")}`);
  });

  /** The same in the tester's response: the peer keeps no IKE SA, and its next attempt succeeds. */
  test(`refuses-auth-${what}-as-initiator`, {
    requirements: ["MKE-23"],
    peer: "initiator",
    lies: ["accepts-wrong-auth"],
    config: TWO_ROUNDS,
  }, async (s) => {
    await expectRefusedByInitiator(s, () => spoils(s, spoil));
  });
}
