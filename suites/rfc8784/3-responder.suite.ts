import {
  authPayloads,
  authWithoutPpk,
  EXCHANGE,
  errorNotify,
  expectAlive,
  expectNoPpkOrRefusal,
  expectNoPpkUsed,
  expectNotify,
  expectPpkNotify,
  expectPpkRefused,
  expectPpkUsed,
  expectWrongProofRefused,
  flipNotify,
  hasNotify,
  listPayloads,
  NOTIFY,
  needPpk,
  notify,
  type OutgoingMessage,
  type PeerConfig,
  peersInits,
  ppkId,
  require,
  Session,
  SHARED_PPK,
  type Spoil,
  test,
  together,
  UNKNOWN_PPK,
  withNotifies,
  withoutNotifies,
  withPolicy,
} from "../../harness/script/index.ts";

const OPTIONAL: Partial<PeerConfig> = { ppks: [SHARED_PPK] };
const MANDATORY: Partial<PeerConfig> = { ...OPTIONAL, ppkRequired: true };
const CONFIGS = { optional: OPTIONAL, mandatory: MANDATORY };
const NOTHING = new Uint8Array();

/** We have a PPK, but not that of the peer, and may do without; or must not. */
const UNKNOWN = withPolicy({ ppks: [UNKNOWN_PPK] });
const UNKNOWN_AND_MANDATORY = withPolicy({ ppks: [UNKNOWN_PPK], ppkRequired: true });

/** The tester says USE_PPK. The peer has a PPK, and says it as well: Protocol ID 0, no SPI, no data. */
test("says-use-ppk-to-who-says-it", {
  requirements: ["PPK-03", "PPK-04"],
  peer: "responder",
  lies: ["announces-no-ppks", "puts-data-into-use-ppk"],
  config: OPTIONAL,
}, async (s) => {
  await s.init();
  expectPpkNotify(peersInits(s, "responder").at(-1) ?? [], NOTIFY.USE_PPK, NOTHING);
});

/** The peer has an optional PPK; the tester says nothing of PPKs. The peer neither, and both SAs come up without one. */
test("does-without-its-optional-ppk-for-who-says-nothing-of-ppks", {
  requirements: ["PPK-04"],
  peer: "responder",
  lies: ["announces-ppks-unasked", "insists-on-ppks", "claims-ppks-that-it-lacks"],
  config: OPTIONAL,
}, async (s) => {
  s.policy.ppks = [];
  await expectNoPpkUsed(s, "responder");
  const said = peersInits(s, "responder").some((payloads) => hasNotify(payloads, NOTIFY.USE_PPK));
  require(!said, "no USE_PPK in the response", "USE_PPK");
});

/**
 * The peer has a mandatory PPK; the tester says nothing of PPKs. However the peer says so, there is no IKE SA. With the
 * PPK there is one.
 */
test("refuses-who-says-nothing-of-its-mandatory-ppk", {
  requirements: ["PPK-34"],
  peer: "responder",
  lies: ["insists-on-no-ppk"],
  config: MANDATORY,
}, async (s) => {
  s.decide("unprotected error notify", "give up");
  const undo = withPolicy({ ppks: [] })(s);
  const { failure } = await s.tryDial();
  require(failure !== undefined, "no IKE SA", "one that is established");
  undo();
  await expectPpkUsed(s, "responder");
});

for (const [peers, config] of Object.entries(CONFIGS))
  for (const [ours, ppkRequired] of [
    ["optional", false],
    ["mandatory", true],
  ] as const) {
    /**
     * Both ends have the PPK, and either may do without or not. They use it: PPK_IDENTITY comes back without data, and
     * AUTH and ESP can be read with the keys that it is mixed into.
     */
    test(`uses-its-${peers}-ppk-with-an-initiator-whose-is-${ours}`, {
      requirements: ["PPK-08", "PPK-18"],
      peer: "responder",
      lies: ["mixes-no-ppk-into-sk-d", "mixes-in-no-ppk", "uses-ppks-in-silence", "answers-with-the-ppk-id"],
      config,
    }, async (s) => {
      s.policy.ppkRequired = ppkRequired;
      await expectPpkUsed(s, "responder");
      expectPpkNotify(authPayloads(s, "responder").response, NOTIFY.PPK_IDENTITY, NOTHING);
    });
  }

for (const [peers, config] of Object.entries(CONFIGS)) {
  /** The tester has another PPK and cannot do without: there is no NO_PPK_AUTH. The peer says AUTHENTICATION_FAILED. */
  test(`refuses-an-unknown-ppk-without-no-ppk-auth-where-its-own-is-${peers}`, {
    requirements: ["PPK-15"],
    peer: "responder",
    lies: ["believes-whoever-names-a-ppk"],
    config,
  }, async (s) => {
    await expectPpkRefused(s, UNKNOWN_AND_MANDATORY);
  });
}

/** The tester has another PPK and could do without, but the peer cannot: AUTHENTICATION_FAILED. */
test("refuses-an-unknown-ppk-with-no-ppk-auth-where-its-own-is-mandatory", {
  requirements: ["PPK-15"],
  peer: "responder",
  lies: ["insists-on-no-ppk"],
  config: MANDATORY,
}, async (s) => {
  await expectPpkRefused(s, UNKNOWN);
});

/**
 * The tester has another PPK and sends NO_PPK_AUTH; the peer's is optional. It goes on without: no PPK_IDENTITY comes
 * back, and traffic passes under the ordinary keys. Note: AUTHENTICATION_FAILED is tolerated, for going on is a MAY.
 */
test(
  "goes-on-with-no-ppk-auth-where-the-ppk-is-unknown",
  {
    requirements: ["PPK-16"],
    peer: "responder",
    lies: ["claims-ppks-that-it-lacks"],
    config: OPTIONAL,
  },
  expectNoPpkOrRefusal,
);

/** As before, but the data of NO_PPK_AUTH are wrong. Nothing else proves the tester, and the peer refuses it. */
test("refuses-a-wrong-no-ppk-auth", {
  requirements: ["PPK-16"],
  peer: "responder",
  lies: ["believes-whoever-names-a-ppk"],
  config: OPTIONAL,
}, async (s) => {
  await expectWrongProofRefused(s, together(UNKNOWN, flipNotify(NOTIFY.NO_PPK_AUTH)));
});

const inRequest = (...types: number[]): Spoil => withoutNotifies(EXCHANGE.IKE_AUTH, "request", ...types);

for (const [peers, config] of Object.entries(CONFIGS))
  for (const [name, spoil] of [
    ["and-no-ppk-auth", inRequest(NOTIFY.PPK_IDENTITY, NOTIFY.NO_PPK_AUTH)],
    ["but-with-no-ppk-auth", inRequest(NOTIFY.PPK_IDENTITY)],
  ] as const) {
    /**
     * Both ends said USE_PPK, but the request has no PPK_IDENTITY; its AUTH is as without a PPK, and right. The peer
     * must say AUTHENTICATION_FAILED, whether its PPK is mandatory or not.
     */
    test(`refuses-a-request-without-ppk-identity-${name}-where-its-ppk-is-${peers}`, {
      requirements: ["PPK-14"],
      peer: "responder",
      lies: ["overlooks-a-missing-ppk-identity"],
      config,
    }, async (s) => {
      await expectPpkRefused(s, together(authWithoutPpk, spoil));
    });
  }

const addIdentity =
  (id: Uint8Array) =>
  ({ payloads }: OutgoingMessage): void =>
    void payloads.push(notify(NOTIFY.PPK_IDENTITY, id));

/** We have another secret under the PPK_ID of the peer. */
const WRONG_SECRET = { id: ppkId(SHARED_PPK.id), secret: new TextEncoder().encode("another secret") };

for (const ppkRequired of [true, false]) {
  /**
   * The tester has another PPK under the PPK_ID that the peer knows. AUTH does not verify then, and the peer refuses it.
   * That NO_PPK_AUTH would verify changes nothing, for the peer has a PPK of this PPK_ID.
   */
  test(`refuses-a-wrong-ppk-${ppkRequired ? "without" : "with"}-no-ppk-auth`, {
    requirements: ["PPK-08"],
    peer: "responder",
    lies: ["believes-whoever-names-a-ppk"],
    config: OPTIONAL,
  }, async (s) => {
    await expectWrongProofRefused(s, withPolicy({ ppks: [WRONG_SECRET], ppkRequired }));
  });
}

/** The request names the PPK that both ends have, but its AUTH is made without it. The peer refuses it. */
test("refuses-an-auth-that-is-made-without-the-ppk", {
  requirements: ["PPK-08"],
  peer: "responder",
  lies: ["mixes-in-no-ppk", "believes-whoever-names-a-ppk"],
  config: OPTIONAL,
}, async (s) => {
  await expectWrongProofRefused(s, authWithoutPpk);
});

/** The peer has two PPKs, and the tester only the second of them. The peer finds it by its PPK_ID. */
test("finds-the-second-of-its-ppks", {
  requirements: ["PPK-18"],
  peer: "responder",
  lies: ["knows-its-first-ppk-only"],
  config: { ppks: [{ id: "the/first", secret: "Zmlyc3Qgb2YgdHdv" }, SHARED_PPK] },
}, async (s) => {
  s.policy.ppks = s.policy.ppks.slice(1);
  await expectPpkUsed(s, "responder");
});

const OF_ANOTHER = { id: "of/another", secret: "c2VjcmV0IG9mIGFub3RoZXI=", for: "another.example" };

/**
 * The peer has two PPKs, one of them for somebody else. The tester, who is not that, uses it: to the peer it is unknown,
 * and without NO_PPK_AUTH it says AUTHENTICATION_FAILED. The tester's own PPK serves.
 */
test("refuses-the-ppk-of-somebody-else", {
  requirements: ["PPK-15", "PPK-17"],
  peer: "responder",
  lies: ["takes-ppks-of-others"],
  config: { ppks: [SHARED_PPK, OF_ANOTHER] },
}, async (s) => {
  await expectPpkRefused(s, withPolicy({ ppks: s.policy.ppks.toReversed(), ppkRequired: true }));
});

/**
 * USE_PPK of the tester has data, though it is to have none. The peer goes on, with PPKs or without. Note: INVALID_SYNTAX
 * is tolerated, for no text says whether the data count.
 */
test("goes-on-after-data-in-use-ppk", {
  requirements: ["PPK-04"],
  peer: "responder",
  lies: ["refuses-data-in-use-ppk"],
  config: OPTIONAL,
}, async (s) => {
  withNotifies(EXCHANGE.IKE_SA_INIT, "request", NOTIFY.USE_PPK, () => Uint8Array.of(1, 2, 3))(s);
  s.decide("unprotected error notify", "give up");
  const { sa, failure } = await s.tryDial();
  if (hasNotify(peersInits(s, "responder").at(-1) ?? [], NOTIFY.INVALID_SYNTAX))
    return s.tolerate("refuses a USE_PPK with data");
  require(failure === undefined, "an established IKE SA", failure ?? "");
  await new Session(s, sa).proveTraffic();
});

/**
 * The request has PPK_IDENTITY twice, the second with a PPK_ID that nobody has. No text foresees that: the peer may use
 * the first, do without a PPK, or refuse with AUTHENTICATION_FAILED or INVALID_SYNTAX and then use the PPK with a request
 * that has it once.
 */
test("answers-a-request-with-two-ppk-identities", {
  requirements: ["PPK-15"],
  peer: "responder",
  lies: ["drops-requests-with-two-ppk-identities"],
  config: OPTIONAL,
}, async (s) => {
  const undo = s.change(EXCHANGE.IKE_AUTH, addIdentity(UNKNOWN_PPK.id));
  const { sa, failure } = await s.tryDial();
  needPpk(s, "responder");
  const { response } = authPayloads(s, "responder");
  if (!errorNotify(response)) {
    require(failure === undefined, "an IKE SA, or an error", failure ?? "");
    return expectAlive(new Session(s, sa));
  }
  expectNotify({ payloads: response }, NOTIFY.AUTHENTICATION_FAILED, NOTIFY.INVALID_SYNTAX);
  undo();
  await expectPpkUsed(s, "responder");
});

/**
 * Nobody said USE_PPK, but the request has PPK_IDENTITY with the peer's own PPK_ID. The peer uses no PPK that it did not
 * announce: it goes on without, or says AUTHENTICATION_FAILED and uses the PPK once that is announced.
 */
test("uses-no-ppk-that-was-not-announced", {
  requirements: ["PPK-04"],
  peer: "responder",
  lies: ["claims-ppks-that-it-lacks"],
  config: OPTIONAL,
}, async (s) => {
  const spoil = together(withPolicy({ ppks: [] }), (script) =>
    script.change(EXCHANGE.IKE_AUTH, addIdentity(ppkId(SHARED_PPK.id))),
  );
  const undo = spoil(s);
  const { failure } = await s.tryDial();
  const { response } = authPayloads(s, "responder");
  require(!hasNotify(response, NOTIFY.PPK_IDENTITY), "no PPK_IDENTITY", listPayloads({
    payloads: response,
  }));
  if (!failure) return;
  expectNotify({ payloads: response }, NOTIFY.AUTHENTICATION_FAILED);
  undo();
  await expectPpkUsed(s, "responder");
});
