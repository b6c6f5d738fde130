import {
  EXCHANGE,
  errorNotify,
  expectAlive,
  expectKept,
  expectNoNotify,
  expectNotify,
  expectPayload,
  listPayloads,
  NOTIFY,
  notifies,
  PAYLOAD,
  payload,
  peerDeletedIke,
  require,
  type Script,
  Session,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

/** Of a Child SA: what a childless message has none of. */
const CHILD_PAYLOADS: readonly number[] = [PAYLOAD.SA, PAYLOAD.TSi, PAYLOAD.TSr];

/** The peer's IKE_SA_INIT response, which announces childless initiation or ends the test. */
async function announced(s: Script) {
  const session = await s.init();
  const response = s.exchange(EXCHANGE.IKE_SA_INIT).response;
  if (notifies(response?.payloads ?? [], NOTIFY.CHILDLESS_IKEV2_SUPPORTED).length === 0)
    throw new Unsupported("the peer does not announce CHILDLESS_IKEV2_SUPPORTED");
  return { session, response };
}

/** The peer's childless IKE_AUTH request, once it began; ends the test if its driver cannot make it begin so. */
async function childlessRequest(s: Script) {
  const session = await s.accept();
  const { request } = s.exchange(EXCHANGE.IKE_AUTH, "peer");
  const left = request.payloads.filter(({ type }) => CHILD_PAYLOADS.includes(type));
  require(left.length === 0, "IKE_AUTH without SA, TSi and TSr", listPayloads(request));
  return { session, request };
}

/**
 * The tester begins two IKE SAs. A peer that allows childless initiation says so in every IKE_SA_INIT response, not
 * only in the first.
 */
test("announces-childless-initiation-in-every-response", {
  requirements: ["CHILDLESS-01"],
  peer: "responder",
  lies: ["announces-childless-initiation-once"],
}, async (s) => {
  await announced(s);
  await s.init();
  expectNotify(s.exchange(EXCHANGE.IKE_SA_INIT).response, NOTIFY.CHILDLESS_IKEV2_SUPPORTED);
});

/** The peer's configuration forbids childless initiation: its IKE_SA_INIT response does not announce it. */
test("does-not-announce-what-its-configuration-forbids", {
  requirements: ["CHILDLESS-02"],
  peer: "responder",
  lies: ["announces-childless-initiation-always"],
  config: { childless: "never" },
}, async (s) => {
  await s.init();
  expectNoNotify(s.exchange(EXCHANGE.IKE_SA_INIT).response, NOTIFY.CHILDLESS_IKEV2_SUPPORTED);
});

/**
 * The tester sends IKE_AUTH without SA, TSi and TSr. The response authenticates the peer and has none of them either;
 * the IKE SA lives, and the first Child SA comes from CREATE_CHILD_SA with nonces of its own: traffic passes both ways.
 */
test("answers-a-childless-request-in-kind", {
  requirements: ["CHILDLESS-05", "CHILDLESS-13"],
  peer: "responder",
  lies: ["refuses-childless-requests", "answers-childless-with-sa", "derives-first-child-from-ike-nonces"],
}, async (s) => {
  await announced(s);
  const session = await s.dial({ childless: true });
  const { response } = s.exchange(EXCHANGE.IKE_AUTH);
  expectPayload(response, PAYLOAD.AUTH);
  const left = response?.payloads.filter(({ type }) => CHILD_PAYLOADS.includes(type)) ?? [];
  require(left.length === 0, "a response without SA, TSi and TSr", listPayloads(response));
  await expectAlive(session);
  await session.proveTraffic(await session.createChild());
});

/** Without a Child SA the IKE SA can do all that needs none: it is rekeyed, answers under its new keys, and goes. */
test("rekeys-and-deletes-a-childless-ike-sa", {
  requirements: ["CHILDLESS-05"],
  peer: "responder",
  lies: ["refuses-childless-requests"],
}, async (s) => {
  await announced(s);
  const session = await s.dial({ childless: true });
  const next = await session.rekeyIke();
  await expectAlive(next);
  await next.deleteIke();
  const { response } = s.exchange(EXCHANGE.INFORMATIONAL);
  require(response !== undefined, "an answer to Delete", "silence");
});

/**
 * After the only Child SA is deleted the IKE SA stays, and makes another one. Note: a peer may end the IKE SA by a
 * Delete of its own.
 */
test("keeps-the-ike-sa-whose-last-child-sa-goes", {
  requirements: ["CHILDLESS-05"],
  peer: "responder",
  lies: ["drops-childless-ike-sas"],
}, async (s) => {
  await announced(s);
  const session = await s.dial({ childless: true });
  await session.deleteChild(await session.createChild());
  await expectKept(session, "deletes the IKE SA with its last Child SA");
  if (peerDeletedIke(s)) return;
  await session.proveTraffic(await session.createChild());
});

/** To an ordinary request, with SA, TSi and TSr, the peer must not give a childless answer. */
test("gives-no-childless-response-to-an-ordinary-request", {
  requirements: ["CHILDLESS-06"],
  peer: "responder",
  lies: ["answers-every-request-childless"],
}, async (s) => {
  await announced(s);
  const session = await s.dial();
  await session.proveTraffic();
});

/**
 * The peer's configuration forbids childless initiation, and the tester sends such a request all the same.
 * INVALID_SYNTAX is the answer the text recommends; any other refusal is tolerated, a childless SA is none.
 */
test("refuses-a-childless-request-it-did-not-invite", {
  requirements: ["CHILDLESS-07"],
  peer: "responder",
  lies: ["accepts-childless-requests-uninvited"],
  config: { childless: "never" },
}, async (s) => {
  const { sa } = await s.init();
  sa.announced.add(NOTIFY.CHILDLESS_IKEV2_SUPPORTED);
  const { failure, childFailure } = await s.tryAuth(sa, { childless: true });
  require((failure ?? childFailure) !== undefined, "a refusal", "a childless IKE SA");
  const { response } = s.exchange(EXCHANGE.IKE_AUTH);
  require(response !== undefined || (await s.peerAnswers()), "a refusal", "silence from now on");
  if (notifies(response?.payloads ?? [], NOTIFY.INVALID_SYNTAX).length === 0)
    s.tolerate(`refused by ${listPayloads(response)} instead of INVALID_SYNTAX`);
});

/**
 * CHILDLESS_IKEV2_SUPPORTED has type 16418, no SPI and no data. RFC 6023 section 4 wants Protocol ID 1, RFC 7296
 * section 3.10 zero where there is no SPI: both pass, anything else does not.
 */
test("writes-the-notify-as-the-text-says", {
  requirements: ["CHILDLESS-08"],
  peer: "responder",
  lies: ["gives-the-childless-notify-an-spi"],
}, async (s) => {
  const { response } = await announced(s);
  const [notify] = notifies(response?.payloads ?? [], NOTIFY.CHILDLESS_IKEV2_SUPPORTED);
  require(notify?.spi.length === 0, "SPI size 0", `${notify?.spi.length}`);
  require((notify?.protocolId ?? 9) <= 1, "Protocol ID 1 or 0", `${notify?.protocolId}`);
});

/**
 * The peer is told to begin without a Child SA, towards a tester that did not announce that it can: no childless
 * IKE_AUTH may come. The peer begins with a Child SA, or gives up.
 */
test("does-not-begin-childless-uninvited", {
  requirements: ["CHILDLESS-04"],
  peer: "initiator",
  lies: ["begins-childless-uninvited"],
  config: { childless: "force" },
}, async (s) => {
  s.policy.childless = "never";
  const asked = () => s.trace.exchangesOf(EXCHANGE.IKE_AUTH, "peer").at(-1);
  await s.provoke(() => asked() !== undefined);
  require(s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, "peer").length > 0, "IKE_SA_INIT", "silence");
  const request = asked()?.request;
  if (request) for (const type of CHILD_PAYLOADS) expectPayload(request, type);
});

for (const protocolId of [0, 1]) {
  /**
   * The tester announces childless initiation with this Protocol ID; RFC 6023 writes 1, RFC 7296 zero. The peer
   * begins childless, its request has nothing of a Child SA, and CREATE_CHILD_SA makes the first one.
   */
  test(`begins-childless-when-invited-with-protocol-id-${protocolId}`, {
    requirements: ["CHILDLESS-09", "CHILDLESS-10", "CHILDLESS-13"],
    peer: "initiator",
    lies: [
      "begins-childless-with-a-child-notify",
      "derives-first-child-from-ike-nonces",
      ...(protocolId === 1 ? ["knows-the-childless-notify-with-protocol-id-0-only"] : []),
    ],
    config: { childless: "force" },
  }, async (s) => {
    s.change(
      EXCHANGE.IKE_SA_INIT,
      ({ payloads }) => {
        for (const n of notifies(payloads, NOTIFY.CHILDLESS_IKEV2_SUPPORTED)) n.protocolId = protocolId;
      },
      "response",
    );
    const { session, request } = await childlessRequest(s);
    expectNoNotify(request, NOTIFY.IPCOMP_SUPPORTED);
    expectNoNotify(request, NOTIFY.USE_TRANSPORT_MODE);
    expectNoNotify(request, NOTIFY.ESP_TFC_PADDING_NOT_SUPPORTED);
    expectNoNotify(request, NOTIFY.NON_FIRST_FRAGMENTS_ALSO);
    await session.proveTraffic();
  });
}

/**
 * The tester's childless request asks for an inner address, which does not need a Child SA. The peer, which has a pool,
 * answers with an address, or says that it gives none; the IKE SA comes up either way.
 */
test("takes-a-configuration-payload-without-a-child-sa", {
  requirements: ["CHILDLESS-11"],
  peer: "responder",
  lies: ["refuses-childless-requests-with-cp"],
  config: { addressPools: ["203.0.113.0/28"] },
}, async (s) => {
  await announced(s);
  const { sa, failure } = await s.tryDial({ childless: true });
  require(failure === undefined, "an IKE SA", failure ?? "");
  const { request, response } = s.exchange(EXCHANGE.IKE_AUTH);
  expectPayload(request, PAYLOAD.CP);
  const answered = payload(response?.payloads ?? [], "CP") ?? errorNotify(response?.payloads ?? []);
  if (!answered) s.tolerate("passes over the configuration payload");
  await expectAlive(new Session(s, sa));
});

const LOGIN = { method: "eap", type: "mschapv2" } as const;
const CERTIFICATE = { method: "signature", key: "rsa2048" } as const;

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The initiator logs in by EAP, and wants no Child SA. None of the peer's messages in IKE_AUTH has SA, TSi or TSr,
   * neither the first nor the last. The first Child SA comes from CREATE_CHILD_SA.
   */
  test(`as-${peer}-does-without-child-sa-in-all-rounds-of-eap`, {
    requirements: ["CHILDLESS-12"],
    peer,
    lies: [peer === "responder" ? "answers-childless-with-sa" : "begins-childless-with-sa"],
    config:
      peer === "responder"
        ? { auth: CERTIFICATE, testerAuth: LOGIN }
        : { auth: LOGIN, testerAuth: CERTIFICATE, childless: "force" },
  }, async (s) => {
    const responder = peer === "responder";
    if (responder) await announced(s).then(() => s.tryDial({ childless: true }));
    else await s.provoke(() => s.trace.childSas().length > 0);
    const rounds = s.trace.exchangesOf(EXCHANGE.IKE_AUTH, responder ? "us" : "peer");
    const own = rounds.flatMap((e) => (responder ? (e.response ?? []) : e.request));
    const odd = own.find(({ payloads }) => payloads.some(({ type }) => CHILD_PAYLOADS.includes(type)));
    require(!odd, "no SA, TSi and TSr in any round", listPayloads(odd));
    const sa = own.at(-1)?.sa;
    require(sa?.established === true && own.length > 1, "an IKE SA by EAP", s.lastReason());
    const session = new Session(s, sa);
    await session.proveTraffic(responder ? await session.createChild() : session.child);
  });
}
