import {
  authPayloads,
  authWithoutPpk,
  EXCHANGE,
  expectNoPpkAuth,
  expectNoPpkUsed,
  expectPpkNotify,
  expectPpkUsed,
  expectRefusedByInitiator,
  expectResponderRefused,
  hasNotify,
  heard,
  listPayloads,
  NOTIFY,
  needPpk,
  notifies,
  type PeerConfig,
  peersInits,
  ppkId,
  require,
  type Script,
  Session,
  SHARED_PPK,
  test,
  together,
  UNKNOWN_PPK,
  WrongReason,
  withNotifies,
  withoutNotifies,
} from "../../harness/script/index.ts";

const OPTIONAL: Partial<PeerConfig> = { ppks: [SHARED_PPK] };
const MANDATORY: Partial<PeerConfig> = { ...OPTIONAL, ppkRequired: true };
const CONFIGS = { optional: OPTIONAL, mandatory: MANDATORY };
const NOTHING = new Uint8Array();

for (const [kind, config] of Object.entries(CONFIGS)) {
  /** The peer has a PPK for the tester. It says USE_PPK: Protocol ID 0, no SPI, no data. */
  test(`says-use-ppk-where-its-ppk-is-${kind}`, {
    requirements: ["PPK-01", "PPK-03"],
    peer: "initiator",
    lies: ["announces-no-ppks", "puts-data-into-use-ppk"],
    config,
  }, async (s) => {
    await s.provoke(() => peersInits(s, "initiator").length > 0);
    expectPpkNotify(peersInits(s, "initiator")[0] ?? [], NOTIFY.USE_PPK, NOTHING);
  });
}

/** The tester demands a cookie. The request that brings it says USE_PPK, too. */
test("says-use-ppk-again-with-a-cookie", {
  requirements: ["PPK-02"],
  peer: "initiator",
  lies: ["forgets-ppks-after-a-cookie"],
  config: OPTIONAL,
}, async (s) => {
  s.policy.cookies = "always";
  const repeated = () => peersInits(s, "initiator").find((payloads) => hasNotify(payloads, NOTIFY.COOKIE));
  await s.provoke(() => repeated() !== undefined);
  needPpk(s, "initiator");
  const found = repeated();
  require(found !== undefined, "a request with the cookie", "none");
  expectPpkNotify(found, NOTIFY.USE_PPK, NOTHING);
});

/**
 * The tester's IKE_SA_INIT response says nothing of PPKs, and the peer's is mandatory: no IKE_AUTH comes, though the peer
 * lives. Note: it is not asked to begin anew, for section 6 recommends that it lets some minutes pass.
 */
test("goes-no-further-with-who-says-nothing-of-its-mandatory-ppk", {
  requirements: ["PPK-06"],
  peer: "initiator",
  lies: ["insists-on-no-ppk"],
  config: MANDATORY,
}, async (s) => {
  withoutNotifies(EXCHANGE.IKE_SA_INIT, "response", NOTIFY.USE_PPK)(s);
  await s.provoke(() => s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, "peer").some((e) => e.response));
  needPpk(s, "initiator");
  await s.wait();
  require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
  require(heard(s, EXCHANGE.IKE_AUTH) === 0, "no IKE_AUTH after a response without USE_PPK", "one");
});

/**
 * The tester has no PPKs, and the peer's is optional. IKE_AUTH comes without PPK_IDENTITY and NO_PPK_AUTH, and traffic
 * passes under the ordinary keys.
 */
test("does-without-its-optional-ppk-with-who-says-nothing-of-ppks", {
  requirements: ["PPK-07"],
  peer: "initiator",
  lies: ["insists-on-ppks", "sends-ppk-identity-uninvited"],
  config: OPTIONAL,
}, async (s) => {
  s.policy.ppks = [];
  await expectNoPpkUsed(s, "initiator");
  const { request } = authPayloads(s, "initiator");
  const said = [NOTIFY.PPK_IDENTITY, NOTIFY.NO_PPK_AUTH].some((type) => hasNotify(request, type));
  require(!said, "neither PPK_IDENTITY nor NO_PPK_AUTH", listPayloads({ payloads: request }));
});

for (const [kind, config] of Object.entries(CONFIGS)) {
  /**
   * Both ends have the PPK. The request names it: PPK_IDENTITY with the type octet and the text. The tester answers
   * with PPK_IDENTITY; AUTH and ESP can be read with the keys that the PPK is mixed into.
   */
  test(`uses-its-${kind}-ppk`, {
    requirements: ["PPK-08", "PPK-10", "PPK-23"],
    peer: "initiator",
    lies: ["mixes-no-ppk-into-sk-d", "mixes-in-no-ppk", "writes-ppk-ids-without-a-type", "cuts-ppk-ids"],
    config,
  }, async (s) => {
    await expectPpkUsed(s, "initiator");
    expectPpkNotify(authPayloads(s, "initiator").request, NOTIFY.PPK_IDENTITY, ppkId(SHARED_PPK.id));
  });
}

/** The peer has two PPKs for the tester, and prefers the first. It names that one. */
test("names-the-first-of-its-ppks", {
  requirements: ["PPK-10"],
  peer: "initiator",
  lies: ["names-its-last-ppk"],
  config: { ppks: [SHARED_PPK, { id: "the/second", secret: "c2Vjb25kIG9mIHR3bw==" }] },
}, async (s) => {
  await expectPpkUsed(s, "initiator");
  expectPpkNotify(authPayloads(s, "initiator").request, NOTIFY.PPK_IDENTITY, ppkId(SHARED_PPK.id));
});

/**
 * The tester has another PPK, and believes NO_PPK_AUTH, which the peer must send since its PPK is optional. Its data
 * are those that AUTH would have had without a PPK. No PPK_IDENTITY comes back, and the peer goes on without, too.
 */
test(
  "proves-itself-by-no-ppk-auth-where-its-ppk-is-unknown",
  {
    requirements: ["PPK-11", "PPK-12", "PPK-13", "PPK-21"],
    peer: "initiator",
    lies: ["omits-no-ppk-auth", "makes-no-ppk-auth-with-the-ppk", "insists-on-ppks"],
    config: OPTIONAL,
  },
  expectNoPpkAuth,
);

for (const [name, data] of [
  ["its-own-ppk-id", ppkId(SHARED_PPK.id)],
  ["an-unknown-ppk-id", UNKNOWN_PPK.id],
  ["one-octet", Uint8Array.of(0)],
] as const) {
  /** The tester uses the PPK, but its PPK_IDENTITY is not empty. The peer ignores what is in it. */
  test(`ignores-${name}-in-the-response`, {
    requirements: ["PPK-19"],
    peer: "initiator",
    lies: ["reads-data-in-ppk-identity"],
    config: OPTIONAL,
  }, async (s) => {
    withNotifies(EXCHANGE.IKE_AUTH, "response", NOTIFY.PPK_IDENTITY, () => data)(s);
    await expectPpkUsed(s, "initiator");
  });
}

/** We answer with AUTH as without a PPK, and say nothing of one, whatever the peer named. */
const doWithoutPpk = together(
  authWithoutPpk,
  withoutNotifies(EXCHANGE.IKE_AUTH, "response", NOTIFY.PPK_IDENTITY),
);

/** True once the peer has said in an INFORMATIONAL exchange that it does not believe us. */
const toldFailure = (s: Script): boolean =>
  s.trace
    .exchangesOf(EXCHANGE.INFORMATIONAL, "peer")
    .some(({ request }) => notifies(request.payloads, NOTIFY.AUTHENTICATION_FAILED).length > 0);

/**
 * The tester says USE_PPK, but then answers without PPK_IDENTITY, and with an AUTH as without a PPK. The peer's PPK is
 * mandatory: it must say AUTHENTICATION_FAILED in an INFORMATIONAL exchange, and have no IKE SA. Else whoever breaks
 * the key exchange and the authentication of today could do without the PPK that is to protect from that.
 */
test("gives-up-a-responder-that-does-without-its-mandatory-ppk", {
  requirements: ["PPK-20"],
  peer: "initiator",
  lies: ["goes-on-without-its-mandatory-ppk", "gives-up-in-silence-without-its-ppk"],
  config: MANDATORY,
}, async (s) => {
  await expectResponderRefused(s, async () => {
    const undo = doWithoutPpk(s);
    await s.provoke(() => s.trace.childSas().length > 0);
    const [child] = s.trace.childSas();
    require(child !== undefined, "an IKE_AUTH request that names the PPK", s.lastReason());
    const told = () => toldFailure(s);
    const goesOn = !(await s.until(told, 2 * s.arena.quiet)) && (await new Session(s, child.ike).alive());
    require(!goesOn, "no IKE SA without the mandatory PPK", "one that answers");
    // A slow peer says so while it is asked whether it lives.
    if (!told())
      throw new WrongReason("N(AUTHENTICATION_FAILED) in an INFORMATIONAL exchange", s.lastReason());
    undo();
  });
});

for (const [kind, config] of Object.entries(CONFIGS)) {
  /** The tester says PPK_IDENTITY, but makes its AUTH without the PPK. The peer does not believe it, and the PPK serves. */
  test(`refuses-an-auth-of-the-responder-without-the-${kind}-ppk`, {
    requirements: ["PPK-08"],
    peer: "initiator",
    lies: ["mixes-in-no-ppk", "believes-whoever-names-a-ppk"],
    config,
  }, async (s) => {
    await expectResponderRefused(s, () => expectRefusedByInitiator(s, authWithoutPpk));
  });
}
