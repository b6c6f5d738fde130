import {
  type AuthSpec,
  authPayloads,
  authWithoutPpk,
  EXCHANGE,
  expectNoPpkAuth,
  expectNoPpkOrRefusal,
  expectPpkNotify,
  expectPpkRefused,
  expectPpkUsed,
  hasNotify,
  listPayloads,
  NOTIFY,
  type PeerConfig,
  type PeerRole,
  payload,
  require,
  type Script,
  SHARED_PPK,
  test,
  together,
  UNKNOWN_PPK,
  withoutNotifies,
  withPolicy,
} from "../../harness/script/index.ts";

const CERTIFICATE: AuthSpec = { method: "signature", key: "rsa2048" };
const EAP_ONLY: AuthSpec = { method: "eap-only" };
const login = (type: "mschapv2" | "md5" | "tls"): AuthSpec => ({ method: "eap", type });
const PPKS: Partial<PeerConfig> = { ppks: [SHARED_PPK] };

/** How the server proves itself, and how the client logs in. */
const WAYS = [
  ["mschapv2", CERTIFICATE, login("mschapv2")],
  ["md5-which-makes-no-key", CERTIFICATE, login("md5")],
  ["tls-alone", EAP_ONLY, login("tls")],
] as const;

const configOf = (peer: PeerRole, server: AuthSpec, client: AuthSpec): Partial<PeerConfig> =>
  peer === "responder"
    ? { ...PPKS, auth: server, testerAuth: client }
    : { ...PPKS, auth: client, testerAuth: server };

/** Fails unless PPK_IDENTITY is in the last messages of IKE_AUTH alone, those with AUTH after EAP. */
function expectOnlyBesideLastAuth(s: Script, peer: PeerRole): void {
  const exchanges = s.trace.exchangesOf(EXCHANGE.IKE_AUTH, peer === "responder" ? "us" : "peer");
  const last = authPayloads(s, peer);
  require(!payload(last.request, "ID"), "AUTH after EAP", listPayloads({ payloads: last.request }));
  expectPpkNotify(last.request, NOTIFY.PPK_IDENTITY);
  for (const { request, response } of exchanges)
    for (const message of [request, response])
      if (message && message.payloads !== last.request && message.payloads !== last.response)
        require(!hasNotify(
          message.payloads,
          NOTIFY.PPK_IDENTITY,
        ), "PPK_IDENTITY beside the last AUTH alone", listPayloads(message));
}

const SERVES = configOf("responder", CERTIFICATE, login("mschapv2"));

/** The tester logs in by EAP, and its AUTH after that names a PPK that the peer does not have: AUTHENTICATION_FAILED. */
test("refuses-an-unknown-ppk-after-eap", {
  requirements: ["PPK-22", "PPK-15"],
  peer: "responder",
  lies: ["believes-whoever-names-a-ppk"],
  config: SERVES,
}, async (s) => {
  await expectPpkRefused(s, withPolicy({ ppks: [UNKNOWN_PPK], ppkRequired: true }));
});

/** The same with NO_PPK_AUTH beside it: the peer goes on without a PPK. Note: AUTHENTICATION_FAILED is tolerated. */
test(
  "verifies-no-ppk-auth-after-eap",
  {
    requirements: ["PPK-22", "PPK-16"],
    peer: "responder",
    lies: ["claims-ppks-that-it-lacks"],
    config: SERVES,
  },
  expectNoPpkOrRefusal,
);

/** The tester's AUTH after EAP is as without a PPK, and no PPK_IDENTITY is beside it: AUTHENTICATION_FAILED. */
test("refuses-a-request-without-ppk-identity-after-eap", {
  requirements: ["PPK-22", "PPK-14"],
  peer: "responder",
  lies: ["overlooks-a-missing-ppk-identity"],
  config: SERVES,
}, async (s) => {
  const { PPK_IDENTITY, NO_PPK_AUTH } = NOTIFY;
  const unnamed = withoutNotifies(EXCHANGE.IKE_AUTH, "request", PPK_IDENTITY, NO_PPK_AUTH);
  await expectPpkRefused(s, together(authWithoutPpk, unnamed));
});

for (const [name, server, client] of WAYS) {
  /**
   * The tester logs in by EAP. The peer's first AUTH, where there is one, is made without the PPK, for nobody has named
   * it yet; PPK_IDENTITY comes with the tester's AUTH after EAP, and the peer's last AUTH and ESP need the PPK.
   */
  test(`serves-by-eap-${name}-and-uses-the-ppk`, {
    requirements: ["PPK-22", "PPK-08", "PPK-18"],
    peer: "responder",
    lies: [
      ...(server === EAP_ONLY ? [] : ["proves-itself-with-the-ppk-before-eap"]),
      ...["mixes-no-ppk-into-sk-d", "mixes-in-no-ppk", "uses-ppks-in-silence"],
    ],
    config: configOf("responder", server, client),
  }, async (s) => {
    await expectPpkUsed(s, "responder");
    expectOnlyBesideLastAuth(s, "responder");
  });

  /** The peer logs in by EAP, and names its PPK beside the AUTH after it, not before. Both ends use the PPK. */
  test(`logs-in-by-eap-${name}-and-uses-its-ppk`, {
    requirements: ["PPK-22", "PPK-08", "PPK-10"],
    peer: "initiator",
    lies: ["names-its-ppk-before-eap", "mixes-no-ppk-into-sk-d", "mixes-in-no-ppk"],
    config: configOf("initiator", server, client),
  }, async (s) => {
    await expectPpkUsed(s, "initiator");
    expectOnlyBesideLastAuth(s, "initiator");
  });

  /** The tester has another PPK, and takes NO_PPK_AUTH of the peer after EAP. Both ends do without a PPK. */
  test(
    `logs-in-by-eap-${name}-and-says-no-ppk-auth`,
    {
      requirements: ["PPK-22", "PPK-11", "PPK-12", "PPK-13", "PPK-21"],
      peer: "initiator",
      lies: ["omits-no-ppk-auth", "makes-no-ppk-auth-with-the-ppk"],
      config: configOf("initiator", server, client),
    },
    expectNoPpkAuth,
  );
}
