import {
  AUTH_METHOD,
  EAP_CODE,
  EAP_TYPE,
  type EapMethodName,
  type EapPayload,
  EXCHANGE,
  type Exchange,
  expect,
  expectPayload,
  expectRefusedByInitiator,
  expectRefusedByResponder,
  flipAuth,
  hasNotify,
  isAfterEap,
  listPayloads,
  NOTIFY,
  PAYLOAD,
  payload,
  require,
  type Script,
  type SeenMessage,
  type Spoil,
  test,
  WrongReason,
} from "../../harness/script/index.ts";

const METHODS = ["md5", "gtc", "mschapv2", "tls"] as const;
const MAKES_KEY: EapMethodName[] = ["mschapv2", "tls"];
const TYPES = {
  md5: EAP_TYPE.MD5_CHALLENGE,
  gtc: EAP_TYPE.GTC,
  mschapv2: EAP_TYPE.MSCHAPV2,
  tls: EAP_TYPE.TLS,
};
const CERTIFICATE = { method: "signature", key: "rsa2048" } as const;

/** The peer is the EAP server and proves itself by its certificate. */
const serves = (type: EapMethodName) => ({ auth: CERTIFICATE, testerAuth: { method: "eap", type } as const });
/** The peer is the EAP client, and we prove ourselves by our certificate. */
const logsIn = (type: EapMethodName) => ({ auth: { method: "eap", type } as const, testerAuth: CERTIFICATE });

const rounds = (s: Script, by: Exchange["by"]): Exchange[] => s.trace.exchangesOf(EXCHANGE.IKE_AUTH, by);
const eapOf = (message: SeenMessage | undefined): EapPayload | undefined =>
  payload(message?.payloads ?? [], "EAP");
/** EAP packets of the peer, in order. */
const peersEap = (s: Script, by: Exchange["by"]): EapPayload[] =>
  rounds(s, by).flatMap(({ request, response }) => eapOf(by === "us" ? response : request) ?? []);

const spoilAuthAfterEap =
  (which: "request" | "response"): Spoil =>
  (s) =>
    s.change(EXCHANGE.IKE_AUTH, (message) => void (isAfterEap(message) && flipAuth(message)), which);

/** Fails unless the peer, as responder, ends with EAP Failure and no notify, and serves the right credentials. */
async function expectEapRefused(s: Script, undo: () => void): Promise<void> {
  const { failure } = await s.tryDial();
  require(failure !== undefined, "EAP Failure", "an established IKE SA");
  const last = rounds(s, "us").at(-1)?.response;
  const told = hasNotify(last?.payloads ?? [], NOTIFY.AUTHENTICATION_FAILED);
  const ended = eapOf(last)?.code === EAP_CODE.FAILURE;
  if (told && !ended) throw new WrongReason("EAP Failure", listPayloads(last));
  require(ended, "EAP Failure", listPayloads(last));
  require(!told, "EAP Failure without N(AUTHENTICATION_FAILED)", listPayloads(last));
  undo();
  await s.dial();
}

for (const type of METHODS) {
  const secret = MAKES_KEY.includes(type) ? "IKEV2-167" : "IKEV2-169";

  /**
   * The tester leaves AUTH out, which asks for EAP. The peer proves itself by a signature in its first response, which
   * has no SA and TS yet; EAP ends with Success; then both send an AUTH that the MSK makes, or SK_pi and SK_pr where the
   * method makes no key; SA and TS come with the last response, and traffic passes both ways.
   */
  test(`serves-an-initiator-that-logs-in-by-eap-${type}`, {
    requirements: ["IKEV2-164", "IKEV2-166", "IKEV2-171", "IKEV2-172", secret],
    peer: "responder",
    lies: [
      "uses-another-key-after-eap",
      "omits-auth-after-eap",
      "omits-auth-before-eap",
      "grants-a-child-sa-before-eap",
    ],
    config: serves(type),
  }, async (s) => {
    const session = await s.dial();
    const [first, last] = [rounds(s, "us")[0]?.response, rounds(s, "us").at(-1)?.response];
    expect(payload(first?.payloads ?? [], "AUTH")?.method, "AUTH method before EAP").not.to.equal(
      AUTH_METHOD.SHARED_KEY_MIC,
    );
    expectPayload(first, PAYLOAD.AUTH);
    require(!payload(first?.payloads ?? [], "SA"), "no SA before EAP is over", listPayloads(first));
    expect(peersEap(s, "us").at(-1)?.code, "code of the last EAP packet").to.equal(EAP_CODE.SUCCESS);
    expectPayload(last, PAYLOAD.AUTH);
    await session.proveTraffic();
  });

  /**
   * The peer logs in by EAP: its first request has no AUTH, its EAP responses repeat the identifiers of the requests
   * and have the type asked for, its last request has the AUTH that the MSK makes, or SK_pi; traffic passes both ways.
   */
  test(`logs-in-by-eap-${type}`, {
    requirements: ["IKEV2-165", "IKEV2-172", "IKEV2-292", secret],
    peer: "initiator",
    lies: [
      "uses-another-key-after-eap",
      "omits-auth-after-eap",
      "sends-auth-beside-eap",
      "counts-eap-identifiers-on",
    ],
    config: logsIn(type),
  }, async (s) => {
    const session = await s.accept();
    const [first] = rounds(s, "peer");
    require(!payload(first?.request.payloads ?? [], "AUTH"), "no AUTH before EAP", listPayloads(
      first?.request,
    ));
    const types = peersEap(s, "peer").map(({ data }) => data[0]);
    expect(
      types.every((t) => t === TYPES[type] || t === EAP_TYPE.IDENTITY),
      "EAP types as asked for",
    ).to.equal(true);
    await session.proveTraffic();
  });

  /** After EAP Success one bit of our AUTH is wrong. The peer must not keep the IKE SA. */
  test(`refuses-a-wrong-auth-of-the-responder-after-eap-${type}`, {
    requirements: [secret],
    peer: "initiator",
    lies: ["accepts-wrong-auth"],
    config: logsIn(type),
  }, async (s) => {
    await expectRefusedByInitiator(s, spoilAuthAfterEap("response"), isAfterEap);
  });

  /** After EAP Success one bit of our AUTH is wrong. The answer is AUTHENTICATION_FAILED, or another refusal. */
  test(`refuses-a-wrong-auth-of-the-initiator-after-eap-${type}`, {
    requirements: [secret, "IKEV2-172"],
    peer: "responder",
    lies: ["accepts-wrong-auth"],
    config: serves(type),
  }, async (s) => {
    await expectRefusedByResponder(s, spoilAuthAfterEap("request"));
  });
}

for (const type of ["md5", "mschapv2"] as const) {
  /** After EAP Success the tester's request is empty: without an AUTH of both ends there is no IKE SA. */
  test(`refuses-a-missing-auth-of-the-initiator-after-eap-${type}`, {
    requirements: ["IKEV2-172"],
    peer: "responder",
    lies: ["does-without-auth-after-eap"],
    config: serves(type),
  }, async (s) => {
    await expectRefusedByResponder(s, () =>
      s.change(EXCHANGE.IKE_AUTH, (message) => {
        if (isAfterEap(message)) message.payloads = [];
      }),
    );
  });
}

for (const type of METHODS.filter((method) => method !== "tls")) {
  /**
   * The tester knows the user, but not the password. EAP ends with Failure, beside which AUTHENTICATION_FAILED is not
   * sent, and there is no IKE SA; the right password makes one.
   */
  test(`refuses-a-wrong-password-by-eap-${type}`, {
    requirements: ["IKEV2-171", "IKEV2-186"],
    peer: "responder",
    lies: ["lets-everybody-in-by-eap", "refuses-passwords-by-a-notify", "adds-a-notify-to-eap-failure"],
    config: serves(type),
  }, async (s) => {
    const own = s.policy.ownAuth;
    if (own.method === "eap")
      s.policy.ownAuth = { ...own, user: { ...own.user, password: "not-the-password" } };
    await expectEapRefused(s, () => {
      s.policy.ownAuth = own;
    });
  });
}

/**
 * The tester leaves AUTH out towards a peer that is configured for a shared secret. The peer must not begin EAP for a
 * user it does not have: it refuses, best with AUTHENTICATION_FAILED.
 */
test("refuses-eap-that-is-not-configured", {
  requirements: ["IKEV2-165"],
  peer: "responder",
  lies: ["begins-eap-uninvited"],
}, async (s) => {
  await expectRefusedByResponder(s, ({ policy }) => {
    policy.ownAuth = { method: "eap", user: { type: "md5", identity: "eap-user", password: "eap-password" } };
    return () => {
      policy.ownAuth = { method: "psk" };
    };
  });
});

/**
 * The tester proposes seven methods that nobody has, one a round, before the right one. With the first request and the
 * last, which have no EAP, that makes ten IKE_AUTH exchanges, which a peer must be able to go through.
 */
test("goes-through-ten-rounds-of-eap", {
  requirements: ["IKEV2-170"],
  peer: "initiator",
  lies: ["gives-up-after-seven-rounds-of-eap"],
  config: logsIn("md5"),
}, async (s) => {
  s.policy.eapManners = { proposesFirst: Array.from({ length: 7 }, (_, i) => 200 + i) };
  const session = await s.accept();
  expect(rounds(s, "peer"), "rounds of IKE_AUTH").to.have.length(10);
  await session.proveTraffic();
});

/** The tester asks for a method that the peer does not have first. Its Nak names the one it has, which then succeeds. */
test("answers-an-unknown-eap-method-with-a-nak", {
  requirements: ["IKEV2-292"],
  peer: "initiator",
  lies: ["answers-unknown-eap-methods-in-kind"],
  config: logsIn("mschapv2"),
}, async (s) => {
  s.policy.eapManners = { proposesFirst: [253] };
  await s.accept();
  const nak = peersEap(s, "peer").find(({ data }) => data[0] === EAP_TYPE.NAK);
  require(nak !== undefined, "a Nak", peersEap(s, "peer")
    .map(({ data }) => data[0])
    .join(", "));
  require(nak.data.subarray(1).includes(EAP_TYPE.MSCHAPV2), "a Nak that names MSCHAPV2", nak.data.join(" "));
});

/** The authenticator's proof in MSCHAPv2 has one bit wrong: whoever sent it does not know the password. */
test("refuses-a-wrong-authenticator-response-of-mschapv2", {
  requirements: ["IKEV2-167"],
  peer: "initiator",
  lies: ["believes-any-eap-server"],
  config: logsIn("mschapv2"),
}, async (s) => {
  s.policy.eapManners = { wrongAuthenticatorResponse: true };
  const answered = () => rounds(s, "peer").length > 1;
  require(await s.provoke(answered), "a second round of IKE_AUTH", s.lastReason());
  await s.wait();
  require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
  require(s.trace.childSas().length === 0, "no IKE SA", "an established one");
});

for (const excess of [1, -1]) {
  /**
   * The length inside of an EAP response of ours is one octet off the payload that it is in. The message is malformed:
   * no IKE SA may come of it, and the right one does.
   */
  test(`refuses-an-eap-length-off-by-${excess > 0 ? "one-up" : "one-down"}`, {
    requirements: ["IKEV2-291"],
    peer: "responder",
    lies: ["overlooks-wrong-eap-lengths"],
    config: serves("md5"),
  }, async (s) => {
    const undo = s.change(EXCHANGE.IKE_AUTH, ({ payloads }) => {
      const eap = payload(payloads, "EAP");
      if (eap) eap.eapLength = 4 + eap.data.length + excess;
    });
    const { failure } = await s.tryDial();
    require(failure !== undefined, "a refusal", "an established IKE SA");
    undo();
    await s.arena.driver.reset();
    await s.dial();
  });
}
