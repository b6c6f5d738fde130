import {
  type AuthSpec,
  EAP_TYPE,
  EXCHANGE,
  expectNotify,
  expectPayload,
  expectRefusedByInitiator,
  expectRefusedByResponder,
  isAfterEap,
  listPayloads,
  NOTIFY,
  notifies,
  notify,
  PAYLOAD,
  type Payload,
  payload,
  require,
  type Script,
  Session,
  type Spoil,
  skAuthAfterEap,
  test,
} from "../../harness/script/index.ts";

const LOGIN = { method: "eap", type: "tls" } as const satisfies AuthSpec;
const EAP_ONLY = { method: "eap-only" } as const satisfies AuthSpec;
/** The peer is the EAP server, and nothing but EAP proves it; or the EAP client of such a server. */
const SERVES = { auth: EAP_ONLY, testerAuth: LOGIN };
const LOGS_IN = { auth: LOGIN, testerAuth: EAP_ONLY };

const firstOf = (s: Script, by: "us" | "peer") => {
  const [first] = s.trace.exchangesOf(EXCHANGE.IKE_AUTH, by);
  return { request: first?.request, response: first?.response };
};

/** Our AUTH after EAP is what SK_pi or SK_pr makes it, as if the method had made no key. */
const useSk =
  (which: "request" | "response"): Spoil =>
  (s) =>
    s.change(EXCHANGE.IKE_AUTH, (message) => void (isAfterEap(message) && skAuthAfterEap(s, message)), which);

/**
 * The tester asks for EAP and says EAP_ONLY_AUTHENTICATION. The peer's first response has neither AUTH nor CERT: EAP-TLS
 * proves it, and the AUTH payloads after it are made with the MSK. Traffic passes both ways.
 */
test("lets-eap-alone-prove-both-ends", {
  requirements: ["EAPONLY-03", "EAPONLY-08"],
  peer: "responder",
  lies: ["sends-auth-beside-eap-only", "uses-another-key-after-eap"],
  config: SERVES,
}, async (s) => {
  const session = await s.dial();
  const { response } = firstOf(s, "us");
  expectPayload(response, PAYLOAD.EAP);
  const proof = response?.payloads.filter(({ kind }) => kind === "AUTH" || kind === "CERT") ?? [];
  require(proof.length === 0, "neither AUTH nor CERT", listPayloads(response));
  await session.proveTraffic();
});

/**
 * The peer is configured for a certificate of its own and EAP-TLS. The tester's EAP_ONLY_AUTHENTICATION must not hinder
 * it: its first response has an AUTH that verifies. Note: section 3 lets it leave AUTH out, for EAP-TLS is safe alone.
 */
test("proves-itself-first-where-eap-only-is-not-configured", {
  requirements: ["EAPONLY-04"],
  peer: "responder",
  lies: ["drops-requests-with-eap-only"],
  config: { auth: { method: "signature", key: "rsa2048" }, testerAuth: LOGIN },
}, async (s) => {
  s.change(EXCHANGE.IKE_AUTH, ({ payloads }) => {
    if (payload(payloads, "ID")) payloads.push(notify(NOTIFY.EAP_ONLY_AUTHENTICATION));
  });
  const { sa, failure } = await s.tryDial();
  const { response } = firstOf(s, "us");
  const has = (kind: Payload["kind"]) => response?.payloads.some((p) => p.kind === kind) === true;
  if (has("EAP") && !has("AUTH") && !has("CERT"))
    return s.tolerate("has EAP alone prove it, although it has a certificate");
  expectPayload(response, PAYLOAD.AUTH);
  require(failure === undefined, "an IKE SA", failure ?? "");
  await new Session(s, sa).proveTraffic();
});

for (const type of ["md5", "gtc"] as const) {
  /**
   * This method proves the initiator only, and makes no key. A peer that has no other must not take it for the whole
   * authentication: its AUTH comes before EAP, or the exchange fails.
   */
  test(`does-not-use-eap-${type}-alone`, {
    requirements: ["EAPONLY-11", "EAPONLY-12"],
    peer: "responder",
    lies: ["uses-any-method-eap-only"],
    config: { auth: { method: "signature", key: "rsa2048" }, testerAuth: { method: "eap", type } },
  }, async (s) => {
    s.change(EXCHANGE.IKE_AUTH, ({ payloads }) => {
      if (payload(payloads, "ID")) payloads.push(notify(NOTIFY.EAP_ONLY_AUTHENTICATION));
    });
    await s.tryDial();
    const { response } = firstOf(s, "us");
    require(response !== undefined, "a response to IKE_AUTH", s.lastReason());
    const alone = payload(response.payloads, "EAP") && !payload(response.payloads, "AUTH");
    require(!alone, "AUTH before EAP, or no EAP", listPayloads(response));
  });
}

/** Has the peer begin, and waits for what it makes of our first response, which has an EAP request or Success. */
async function askedByEap(s: Script): Promise<void> {
  const first = () => firstOf(s, "peer").response;
  await s.provoke(() => first() !== undefined);
  require(payload(first()?.payloads ?? [], "EAP") !==
    undefined, "an IKE_AUTH request for EAP", s.lastReason());
  await s.wait();
}

/** After EAP the tester's AUTH is made with SK_pi, not with the MSK. It must be refused. */
test("refuses-auth-of-the-initiator-by-sk-pi", {
  requirements: ["EAPONLY-08", "EAPONLY-09"],
  peer: "responder",
  lies: ["accepts-wrong-auth"],
  config: SERVES,
}, async (s) => {
  await expectRefusedByResponder(s, useSk("request"));
});

/** After EAP the tester's AUTH is made with SK_pr, not with the MSK. The peer must not keep the IKE SA. */
test("refuses-auth-of-the-responder-by-sk-pr", {
  requirements: ["EAPONLY-08", "EAPONLY-09"],
  peer: "initiator",
  lies: ["accepts-wrong-auth"],
  config: LOGS_IN,
}, async (s) => {
  await expectRefusedByInitiator(s, useSk("response"), isAfterEap);
});

/**
 * The peer is told to have EAP alone prove both ends. Its first request has EAP_ONLY_AUTHENTICATION, without SPI and
 * data, and no AUTH. After EAP-TLS its AUTH is made with the MSK, and traffic passes both ways.
 */
test("asks-for-eap-alone", {
  requirements: ["EAPONLY-01", "EAPONLY-02", "EAPONLY-08"],
  peer: "initiator",
  lies: ["omits-the-eap-only-notify", "puts-data-into-the-eap-only-notify", "uses-another-key-after-eap"],
  config: LOGS_IN,
}, async (s) => {
  const session = await s.accept();
  const { request } = firstOf(s, "peer");
  expectNotify(request, NOTIFY.EAP_ONLY_AUTHENTICATION);
  require(!payload(request?.payloads ?? [], "AUTH"), "no AUTH", listPayloads(request));
  const [said] = notifies(request?.payloads ?? [], NOTIFY.EAP_ONLY_AUTHENTICATION);
  const octets = `${said?.spi.length} octets of SPI and ${said?.data.length} of data`;
  require(said?.spi.length === 0 && said.data.length === 0, "no SPI and no data", octets);
  await session.proveTraffic();
});

/**
 * The peer asks for EAP alone, and the tester proves itself by a certificate all the same: the last bit of the signature
 * in its first response is turned. All that follows is right, but that AUTH must be verified, so no IKE SA comes of it.
 */
test("takes-an-auth-that-comes-all-the-same-for-what-it-is", {
  requirements: ["EAPONLY-05"],
  peer: "initiator",
  lies: ["accepts-wrong-auth", "overlooks-auth-before-eap"],
  config: LOGS_IN,
}, async (s) => {
  const { peerAuth } = s.policy;
  const credential = peerAuth.method === "eap" ? peerAuth.tls?.credential : undefined;
  if (credential) s.policy.ownAuth = { method: "signature", credential };
  s.change(
    EXCHANGE.IKE_AUTH,
    ({ payloads }) => {
      const auth = payload(payloads, "ID") && payload(payloads, "AUTH");
      if (auth) auth.data = auth.data.map((octet, i) => (i === auth.data.length - 1 ? octet ^ 1 : octet));
    },
    "response",
  );
  await askedByEap(s);
  require(s.trace.childSas().length === 0, "no IKE SA", "an established one");
  require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
});

/**
 * The tester, without AUTH of its own, asks for EAP-MD5, which proves nothing of the server and makes no key. The peer
 * must not answer it by that method, and no IKE SA may come of it.
 */
test("refuses-an-eap-method-that-is-not-safe-alone", {
  requirements: ["EAPONLY-06", "EAPONLY-07", "EAPONLY-12"],
  peer: "initiator",
  lies: ["takes-any-method-eap-only"],
  config: LOGS_IN,
}, async (s) => {
  const { peerAuth } = s.policy;
  if (peerAuth.method === "eap") s.policy.peerAuth = { ...peerAuth, user: { ...peerAuth.user, type: "md5" } };
  s.decide("EAP-only without MSK", "accept");
  const said = () => s.trace.exchangesOf(EXCHANGE.IKE_AUTH, "peer");
  await askedByEap(s);
  const types = said().flatMap(({ request }) => payload(request.payloads, "EAP")?.data[0] ?? []);
  require(!types.includes(EAP_TYPE.MD5_CHALLENGE), "no response by MD5", types.join(", "));
  require(s.trace.childSas().length === 0, "no IKE SA", "an established one");
});

/**
 * EAP alone is to prove both ends, and the tester answers EAP-TLS with a Nak that wants MD5. The peer must not ask for
 * MD5, which proves nothing of it: the exchange fails.
 */
test("does-not-follow-a-nak-to-a-method-that-is-not-safe-alone", {
  requirements: ["EAPONLY-07", "EAPONLY-11"],
  peer: "responder",
  lies: ["follows-a-nak-to-any-method"],
  config: SERVES,
}, async (s) => {
  s.policy.eapManners = { refusesOwnType: [EAP_TYPE.MD5_CHALLENGE] };
  const { failure } = await s.tryDial();
  const answers = s.trace.exchangesOf(EXCHANGE.IKE_AUTH, "us").map(({ response }) => response);
  const asked = answers.flatMap((m) => payload(m?.payloads ?? [], "EAP")?.data[0] ?? []);
  require(asked.includes(EAP_TYPE.TLS), "EAP-TLS to be asked for", asked.join(", "));
  require(!asked.includes(EAP_TYPE.MD5_CHALLENGE), "no request by MD5", asked.join(", "));
  require(failure !== undefined, "no IKE SA", "an established one");
});

/** The tester says EAP Success at once, without any method. The peer must not believe it. */
test("does-not-believe-success-without-a-method", {
  requirements: ["EAPONLY-07"],
  peer: "initiator",
  lies: ["believes-success-without-a-method"],
  config: LOGS_IN,
}, async (s) => {
  s.policy.eapManners = { succeedsEarly: "at once" };
  await askedByEap(s);
  require(s.trace.childSas().length === 0, "no IKE SA", "an established one");
  require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
});
