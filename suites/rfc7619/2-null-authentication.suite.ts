import {
  AUTH_METHOD,
  EXCHANGE,
  errorNotify,
  espFromPeer,
  expect,
  expectAlive,
  expectEcho,
  expectRefusedByInitiator,
  expectRefusedByResponder,
  expectTraffic,
  flipAuth,
  ID_TYPE,
  listPayloads,
  mindNoAdditionalSas,
  NOTIFY,
  notify,
  PAYLOAD,
  type PeerConfig,
  payload,
  require,
  type Script,
  type Spoil,
  selector,
  test,
} from "../../harness/script/index.ts";

const NULL = { method: "null" } as const;
const ANONYMOUS: Partial<PeerConfig> = { auth: NULL, testerAuth: NULL, localId: "null:", remoteId: "null:" };

type Role = "responder" | "initiator";
const ROLES: Role[] = ["responder", "initiator"];

/** The peer's own IKE_AUTH message that has its AUTH. */
function fromPeer(s: Script, peer: Role) {
  const exchange = s.exchange(EXCHANGE.IKE_AUTH, peer === "responder" ? "us" : "peer");
  const message = peer === "responder" ? exchange.response : exchange.request;
  const id = payload(message?.payloads ?? [], "ID", peer === "responder" ? PAYLOAD.IDr : PAYLOAD.IDi);
  return { id, auth: payload(message?.payloads ?? [], "AUTH") };
}

for (const peer of ROLES) {
  /**
   * Neither end is authenticated. The peer's AUTH has method 13 and is what SK_pi or SK_pr makes it, which the tester
   * computes again; traffic passes both ways.
   */
  test(`as-${peer}-proves-nothing-but-the-exchange`, {
    requirements: ["NULLAUTH-04"],
    peer,
    lies: ["uses-the-shared-secret-for-null", "writes-method-2-for-null"],
    config: ANONYMOUS,
  }, async (s) => {
    const session = await s.establish(peer);
    expect(fromPeer(s, peer).auth?.method, "AUTH method").to.equal(AUTH_METHOD.NULL);
    await session.proveTraffic();
  });

  /** The peer has no name to give: its ID payload is of type ID_NULL and empty. */
  test(`as-${peer}-sends-an-empty-id-null`, {
    requirements: ["NULLAUTH-06", "NULLAUTH-07"],
    peer,
    lies: ["puts-a-name-into-id-null"],
    config: ANONYMOUS,
  }, async (s) => {
    s.decide("wrong identity", "accept");
    await s.establish(peer);
    const { id } = fromPeer(s, peer);
    expect(id?.idType, "ID type").to.equal(ID_TYPE.ID_NULL);
    require(id?.data.length === 0, "no data in ID_NULL", `${id?.data.length} octets`);
  });

  for (const auth of [{ method: "psk" }, { method: "signature", key: "rsa2048" }] as const) {
    /** Each end chooses on its own: the tester stays anonymous while the peer proves itself by what it was told. */
    test(`as-${peer}-proves-itself-by-${auth.method}-to-an-anonymous-tester`, {
      requirements: ["NULLAUTH-03"],
      peer,
      lies: ["answers-null-with-null"],
      config: { auth, testerAuth: NULL, remoteId: "null:" },
    }, async (s) => {
      const session = await s.establish(peer);
      expect(fromPeer(s, peer).auth?.method, "AUTH method").not.to.equal(AUTH_METHOD.NULL);
      await session.proveTraffic();
    });
  }
}

/** The value of a NULL AUTH covers the exchange: with one bit flipped it must be refused. */
const spoilAuth =
  (which: "request" | "response"): Spoil =>
  (s) =>
    s.change(EXCHANGE.IKE_AUTH, flipAuth, which);

/** A policy of ours that proves nothing although the peer wants the shared secret. */
const proveNothing: Spoil = ({ policy }) => {
  policy.ownAuth = NULL;
  return () => {
    policy.ownAuth = { method: "psk" };
  };
};

/** The tester's anonymous IKE_AUTH request has a wrong AUTH value. It must be refused. */
test("refuses-a-wrong-null-auth-of-the-initiator", {
  requirements: ["NULLAUTH-05"],
  peer: "responder",
  lies: ["accepts-wrong-auth"],
  config: ANONYMOUS,
}, async (s) => {
  await expectRefusedByResponder(s, spoilAuth("request"));
});

/** The tester's anonymous IKE_AUTH response has a wrong AUTH value. The peer must not keep the IKE SA. */
test("refuses-a-wrong-null-auth-of-the-responder", {
  requirements: ["NULLAUTH-05"],
  peer: "initiator",
  lies: ["accepts-wrong-auth"],
  config: ANONYMOUS,
}, async (s) => {
  await expectRefusedByInitiator(s, spoilAuth("response"));
});

/**
 * The peer is configured for a shared secret. The tester names itself rightly, but proves nothing: method 13 with an
 * AUTH that is right for it. A name gives no rights, and the only policy is none for the unauthenticated: the answer is
 * AUTHENTICATION_FAILED.
 */
test("refuses-an-anonymous-initiator", {
  requirements: ["NULLAUTH-01", "NULLAUTH-08", "NULLAUTH-10"],
  peer: "responder",
  lies: ["accepts-null-for-a-shared-secret"],
}, async (s) => {
  await expectRefusedByResponder(s, proveNothing);
});

/** The peer is configured for a shared secret, and the tester answers with method 13. The peer must not keep the SA. */
test("refuses-an-anonymous-responder", {
  requirements: ["NULLAUTH-01", "NULLAUTH-10"],
  peer: "initiator",
  lies: ["accepts-null-for-a-shared-secret"],
}, async (s) => {
  await expectRefusedByInitiator(s, proveNothing);
});

for (const peer of ROLES) {
  /**
   * Anonymous peers cannot be told apart, so INITIAL_CONTACT of one must not end the IKE SA of another. The tester has
   * one IKE SA, and sets up two more, of which the last says INITIAL_CONTACT. The first still answers. Note: a peer that
   * replaces it without having heard the notify does so for other reasons.
   */
  test(`as-${peer}-keeps-the-sa-of-an-anonymous-end-when-another-says-initial-contact`, {
    requirements: ["NULLAUTH-09"],
    peer,
    lies: ["heeds-initial-contact-of-anonymous-peers"],
    config: { ...ANONYMOUS, unique: "replace" },
  }, async (s) => {
    const first = await s.establish(peer);
    const second = await s.tryDial();
    require(second.failure === undefined, "a second IKE SA", second.failure ?? "");
    if (!(await first.alive()))
      return s.tolerate("replaces the IKE SA of an anonymous end, although nobody says INITIAL_CONTACT");
    s.change(EXCHANGE.IKE_AUTH, ({ payloads }) => void payloads.push(notify(NOTIFY.INITIAL_CONTACT)));
    const third = await s.tryDial();
    require(third.failure === undefined, "a third IKE SA", third.failure ?? "");
    await expectAlive(first);
  });

  /**
   * Neither end is authenticated. The tester asks for a Child SA that would bring it the traffic of a network of third
   * parties, which the peer's policy for the unauthenticated does not name. It is refused, and the first one stays.
   */
  test(`as-${peer}-gives-an-anonymous-end-no-traffic-of-others`, {
    requirements: ["NULLAUTH-10", "NULLAUTH-11"],
    peer,
    lies: ["takes-all-selectors"],
    config: ANONYMOUS,
  }, async (s) => {
    const session = await s.establish(peer);
    await session.tryCreateChild({ localTs: [selector("198.51.100.0/24")] });
    const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    if (response) mindNoAdditionalSas(response);
    require(errorNotify(response?.payloads ?? []) !== undefined, "a refusal", listPayloads(response));
    await expectTraffic(session, "the refusal");
  });

  /**
   * Both ends have proven themselves, and traffic passes. Then somebody who proves nothing asks for an IKE SA, in the
   * tester's name and with the same selectors. Whatever comes of it, the Child SA goes on to carry the traffic.
   */
  test(`as-${peer}-keeps-the-child-sa-of-an-authenticated-end`, {
    requirements: ["NULLAUTH-15"],
    peer,
    lies: ["lets-anonymous-ends-replace-child-sas"],
  }, async (s) => {
    const session = await s.establish(peer);
    const { child } = session;
    await expectEcho(session, "an echo request before", { child });
    proveNothing(s);
    await s.tryDial();
    const before = espFromPeer(session, child).length;
    await expectEcho(session, "an echo request behind the attempt", { child });
    require(espFromPeer(session, child).length > before, "the answer in the same Child SA", "in another one");
  });
}

/**
 * The peer has a certificate, and the tester logs in by EAP. To whom that gives its secret must be known: no AUTH of the
 * peer is of the NULL method.
 */
test("does-not-stay-anonymous-before-eap", {
  requirements: ["NULLAUTH-02"],
  peer: "responder",
  lies: ["stays-anonymous-before-eap"],
  config: {
    auth: { method: "signature", key: "rsa2048" },
    testerAuth: { method: "eap", type: "mschapv2" },
  },
}, async (s) => {
  await s.tryDial();
  const responses = s.trace.exchangesOf(EXCHANGE.IKE_AUTH, "us").map(({ response }) => response);
  const methods = responses.flatMap((m) => payload(m?.payloads ?? [], "AUTH")?.method ?? []);
  require(methods.length > 0, "AUTH of the responder", s.lastReason());
  expect(methods, "AUTH methods of the responder").not.to.include(AUTH_METHOD.NULL);
});
