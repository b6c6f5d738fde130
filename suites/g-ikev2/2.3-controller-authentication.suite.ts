import {
  type AuthSpec,
  EXCHANGE,
  expectNoFindings,
  expectNotify,
  group,
  joined,
  memberOf,
  NOTIFY,
  type PeerConfig,
  payload,
  require,
  test,
} from "../../harness/script/index.ts";

const SIGNATURE: AuthSpec = { method: "signature", key: "ecdsa256" };

const WAYS: Record<string, Partial<PeerConfig>> = {
  "a-shared-secret": {},
  "a-shared-secret-over-tcp": { transport: "tcp" },
  signatures: { auth: SIGNATURE, testerAuth: SIGNATURE },
  eap: { auth: SIGNATURE, testerAuth: { method: "eap", type: "mschapv2" } },
};

for (const [way, config] of Object.entries(WAYS)) {
  /**
   * The tester proves itself by ${way} in GSA_AUTH, as it would in IKE_AUTH, and becomes a member. Another time its AUTH
   * is wrong: the controller refuses it with AUTHENTICATION_FAILED, or INVALID_SYNTAX, and gives it no keys.
   */
  test(`proves-members-by-${way}`, {
    requirements: ["G-IKEV2-E3"],
    peer: "responder",
    config: { ...group(), ...config },
    lies: ["accepts-wrong-auth"],
  }, async (s) => {
    const { member } = await joined(s);
    expectNoFindings(member);
    s.change(EXCHANGE.GSA_AUTH, ({ payloads }) => {
      const auth = payload(payloads, "AUTH");
      if (auth) auth.data = auth.data.map((octet, at) => (at === auth.data.length - 1 ? octet ^ 1 : octet));
    });
    const { response } = await memberOf(s).tryRegister();
    require(payload(response, "KD") === undefined, "no keys", "keys");
    const types = [NOTIFY.AUTHENTICATION_FAILED, NOTIFY.INVALID_SYNTAX];
    expectNotify({ payloads: response }, ...types);
  });
}
