import {
  dialWith,
  EXCHANGE,
  expectAgreed,
  expectHybrid,
  expectInitRefused,
  expectNoIkeSa,
  expectNotify,
  expectPerformed,
  expectServed,
  firstSession,
  hasNotify,
  heard,
  hybrid,
  ikeProposals,
  NOTIFY,
  payload,
  reencoded,
  repeated,
  require,
  type Script,
  Session,
  TRANSFORM,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const { ADDKE1, ADDKE2, ADDKE5 } = TRANSFORM;
const [ECP256, ECP384, ECP521, X25519] = [19, 20, 21, 31];
/** Two methods for each of two additional types. */
const TWO_OF_TWO = hybrid("ke1_ecp256-ke1_ecp384-ke2_ecp256-ke2_ecp384");
/** Three methods for each of three additional types, none of which it must have. */
const THREE_OF_THREE = hybrid(
  [1, 2, 3].flatMap((n) => ["ecp256", "ecp384", "ecp521", "none"].map((m) => `ke${n}_${m}`)).join("-"),
);

for (const peer of ROLES) {
  /**
   * Two additional key exchanges. The request has INTERMEDIATE_EXCHANGE_SUPPORTED beside transforms of the types 6 and 7, the
   * response returns it beside one of each, and KE in IKE_SA_INIT is of the method of type 4. Then both take place.
   */
  test(`announces-its-additional-key-exchanges-as-${peer}`, {
    requirements: ["MKE-01", "MKE-02", peer === "responder" ? "MKE-16" : "MKE-15"],
    peer,
    lies: [
      peer === "responder" ? "agrees-to-rounds-without-announcement" : "offers-rounds-without-announcement",
    ],
    config: { ikeProposals: [hybrid("ke1_ecp256-ke2_ecp384")] },
  }, async (s) => {
    const requests = () => s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, "peer").map(({ request }) => request);
    if (peer === "responder") return void (await expectHybrid(s, peer, [ECP256, ECP384]));
    await s.provoke(() => requests().length > 0);
    for (const { payloads } of requests()) {
      const announced = hasNotify(payloads, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED);
      require(announced, "INTERMEDIATE_EXCHANGE_SUPPORTED in the request", "none");
      require(payload(payloads, "KE")?.group === X25519, "KE of type 4", `${payload(payloads, "KE")?.group}`);
    }
    require(await s.until(() => s.trace.childSas().length > 0), "both SAs", s.lastReason());
    expectPerformed(s, peer, [ECP256, ECP384]);
  });

  /** The types 7 and 10 alone are offered. There are these two rounds, in this order, and no others. */
  test(`does-additional-key-exchanges-with-gaps-as-${peer}`, {
    requirements: peer === "responder" ? ["MKE-03", "MKE-14"] : ["MKE-03"],
    peer,
    lies: peer === "responder" ? ["renumbers-additional-types"] : ["does-rounds-in-reverse"],
    config: { ikeProposals: [hybrid("ke2_ecp384-ke5_ecp256")] },
  }, async (s) => {
    await expectHybrid(s, peer, [ECP384, ECP256]);
    const types = expectAgreed(s, peer).transforms.map(({ type }) => type);
    const additional = types.filter((type) => type >= ADDKE1).sort((a, b) => a - b);
    require(additional.join() === `${ADDKE2},${ADDKE5}`, "types 7 and 10", additional.join());
  });

  /** NONE is chosen for each of two additional types, which is no repetition. There is no round at all. */
  test(`does-no-additional-key-exchange-where-none-is-chosen-for-all-as-${peer}`, {
    requirements: peer === "responder" ? ["MKE-07", "MKE-12"] : ["MKE-12"],
    peer,
    lies: ["does-a-round-for-none"],
    config: { ikeProposals: [hybrid("ke1_ecp256-ke1_none-ke2_ecp256-ke2_none")] },
  }, async (s) => {
    s.policy.ike = ikeProposals(hybrid("ke1_none-ke2_none"));
    await expectHybrid(s, peer, []);
  });

  /** Of three additional types the middle one is NONE by choice: there are the rounds of the two others. */
  test(`leaves-the-round-out-for-which-none-was-chosen-as-${peer}`, {
    requirements: ["MKE-03", "MKE-12"],
    peer,
    lies: ["does-a-round-for-none"],
    config: { ikeProposals: [hybrid("ke1_ecp256-ke2_ecp384-ke2_none-ke3_ecp521")] },
  }, async (s) => {
    s.policy.ike = ikeProposals(hybrid("ke1_ecp256-ke2_none-ke3_ecp521"));
    await expectHybrid(s, peer, [ECP256, ECP521]);
  });

  /**
   * The same method for type 4 and for type 6. The text forbids repetitions among the additional types; whether type 4 counts
   * it does not say. So both are right: to refuse with NO_PROPOSAL_CHOSEN, or to do the method twice.
   */
  test(`does-the-method-of-type-4-again-or-refuses-as-${peer}`, {
    requirements: peer === "responder" ? ["MKE-07", "MKE-19"] : ["MKE-19"],
    peer,
    lies: ["keeps-its-keys-after-a-round"],
    config: { ikeProposals: [hybrid("ke1_x25519-ke1_ecp256")] },
  }, async (s) => {
    await (peer === "responder" ? repeatedAsked(s) : repeatedAnswered(s));
  });
}

/** Offers X25519 for both types. */
async function repeatedAsked(s: Script): Promise<void> {
  await s.dial();
  s.policy.ike = ikeProposals(hybrid("ke1_x25519"));
  s.decide("unprotected error notify", "give up");
  if (!(await s.tryInit()).failure) return (await s.dial()).proveTraffic();
  const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
  expectNotify(response, NOTIFY.NO_PROPOSAL_CHOSEN);
}

/** Chooses X25519 for both types. */
async function repeatedAnswered(s: Script): Promise<void> {
  s.policy.ike = ikeProposals(hybrid("ke1_x25519"));
  if (await bothSas(s)) return firstSession(s).proveTraffic();
  expectChoiceLeft(s);
  s.policy.ike = ikeProposals(hybrid("ke1_ecp256"));
  await expectServed(s);
}

/** True if both SAs come up by our answer to the peer; false once it has had its time. */
async function bothSas(s: Script): Promise<boolean> {
  const answered = () => s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, "peer").some((e) => e.response);
  require(await s.provoke(answered), "an IKE_SA_INIT request", s.lastReason());
  return s.untilAnswered(() => s.trace.childSas().length > 0, s.arena.quiet);
}

/** Fails if the peer went on after our choice. */
function expectChoiceLeft(s: Script): void {
  const begun = heard(s, EXCHANGE.IKE_INTERMEDIATE) + heard(s, EXCHANGE.IKE_AUTH);
  require(begun === 0, "both SAs, or nothing after our choice", s.lastReason());
}

/**
 * The tester offers several methods of each of three additional types. The choice has exactly one of each type, and the
 * rounds are those of the choice.
 */
test("chooses-one-method-of-each-additional-type", {
  requirements: ["MKE-01", "MKE-05", "MKE-07"],
  peer: "responder",
  lies: ["picks-every-method-of-a-type", "leaves-a-type-out-of-its-choice"],
  config: {
    ikeProposals: [
      hybrid("ke1_ecp384-ke1_ecp256-ke2_ecp521-ke2_modp2048-ke3_modp3072-ke3_x448"),
      hybrid("ke1_ecp256-ke2_ecp521-ke3_modp3072"),
    ],
  },
}, async (s) => {
  await expectHybrid(s, "responder");
});

/**
 * The peer can do without type 6. The tester offers type 7 with type 6, and then without it: that counts as if it were there
 * with NONE. The peer chooses type 7 alone.
 */
test("takes-an-additional-type-left-out-for-none", {
  requirements: ["MKE-14"],
  peer: "responder",
  lies: ["demands-each-additional-type"],
  config: { ikeProposals: [hybrid("ke1_ecp256-ke1_none-ke2_ecp384")] },
}, async (s) => {
  await s.dial();
  await (await dialWith(s, ikeProposals(hybrid("ke2_ecp384")))).proveTraffic();
  const additional = expectAgreed(s, "responder").transforms.filter(({ type }) => type >= ADDKE1);
  require(additional.length === 1, "one additional key exchange", `${additional.length}`);
});

/** Types 6, 7 and 8 with these methods; an empty list leaves the type out. */
const ofTypes = (...methods: string[][]): string =>
  hybrid(methods.flatMap((all, i) => all.map((method) => `ke${i + 1}_${method}`)).join("-"));

const AVOIDABLE = {
  "the-same-two-methods-for-two-types": ofTypes(["ecp256", "ecp384"], ["ecp256", "ecp384"]),
  "one-method-for-the-first-of-two-types": ofTypes(["ecp256"], ["ecp256", "ecp384"]),
  "one-method-for-the-second-of-two-types": ofTypes(["ecp256", "ecp384"], ["ecp256"]),
  "one-way-out-of-three-types": ofTypes(["ecp256", "ecp384", "ecp521"], ["ecp256", "ecp384"], ["ecp256"]),
  "none-beside-the-same-method": ofTypes(["ecp256"], ["ecp256", "none"]),
};

for (const [what, offer] of Object.entries(AVOIDABLE)) {
  /**
   * The tester offers ${what}. A choice without repetition is there, and the rounds are those of it. Note: a peer that
   * looks at one type after the other may not find it; its NO_PROPOSAL_CHOSEN is tolerated, for what it accepts is a
   * matter of its policy.
   */
  test(`chooses-no-method-twice-of-${what}`, {
    requirements: ["MKE-05", "MKE-07"],
    peer: "responder",
    lies: ["chooses-one-method-twice"],
    config: { ikeProposals: [THREE_OF_THREE] },
  }, async (s) => {
    await s.dial();
    s.policy.ike = ikeProposals(offer);
    s.decide("unprotected error notify", "give up");
    const { sa, failure } = await s.tryInit();
    const { payloads = [] } = s.exchange(EXCHANGE.IKE_SA_INIT).response ?? {};
    if (hasNotify(payloads, NOTIFY.NO_PROPOSAL_CHOSEN))
      return s.tolerate("refuses an offer from which a choice without repetition can be made");
    expectAgreed(s, "responder");
    require(!failure, "an IKE_SA_INIT response with keys", failure ?? "");
    const attempt = await s.tryAuth(sa);
    require(!attempt.failure, "an established IKE SA", attempt.failure ?? "");
    await new Session(s, sa).proveTraffic();
  });
}

const UNAVOIDABLE = {
  "one-method-for-two-types": ofTypes(["ecp256"], ["ecp256"]),
  "two-methods-for-three-types": ofTypes(["ecp256", "ecp384"], ["ecp256", "ecp384"], ["ecp256", "ecp384"]),
};

for (const [what, offer] of Object.entries(UNAVOIDABLE)) {
  /** The tester offers ${what} and nothing else: NO_PROPOSAL_CHOSEN. An offer without need for repetition is served. */
  test(`refuses-an-offer-of-${what}`, {
    requirements: ["MKE-07", "MKE-08"],
    peer: "responder",
    lies: ["chooses-one-method-twice"],
    config: { ikeProposals: [THREE_OF_THREE] },
  }, async (s) => {
    await expectNoIkeSa(s, ikeProposals(offer));
  });

  /** The same in front of a proposal that needs no repetition: that one is chosen. */
  test(`passes-over-an-offer-of-${what}`, {
    requirements: ["MKE-07"],
    peer: "responder",
    lies: ["chooses-one-method-twice"],
    config: { ikeProposals: [THREE_OF_THREE] },
  }, async (s) => {
    await s.dial();
    const session = await dialWith(s, ikeProposals(offer, ofTypes(["ecp384"], ["ecp256"])));
    const { number } = expectAgreed(s, "responder");
    require(number === 2, "proposal 2", `proposal ${number}`);
    await session.proveTraffic();
  });
}

/**
 * The peer offers the same two methods for two additional types, and the tester chooses one of them for both. For the peer
 * this has failed: neither IKE_INTERMEDIATE nor IKE_AUTH follows. An ordinary choice serves it.
 */
test("takes-no-choice-with-a-method-twice", {
  requirements: ["MKE-09", "MKE-10"],
  peer: "initiator",
  lies: ["accepts-one-method-twice"],
  config: { ikeProposals: [TWO_OF_TWO] },
}, async (s) => {
  await expectInitRefused(s, repeated);
});

/**
 * In front of the tester's response comes a forged one, with a choice that has one method twice. The peer may wait for others,
 * and then both SAs come up; or it has failed, and begins no IKE_INTERMEDIATE. Its next attempt is served.
 */
test("begins-no-round-by-a-forged-choice-with-a-method-twice", {
  requirements: ["MKE-09", "MKE-10"],
  peer: "initiator",
  lies: ["accepts-one-method-twice"],
  config: { ikeProposals: [TWO_OF_TWO] },
}, async (s) => {
  const undo = s.change(
    EXCHANGE.IKE_SA_INIT,
    (message) => {
      message.octets = (datagram) => [reencoded(datagram, repeated), datagram];
    },
    "response",
  );
  if (await bothSas(s)) return;
  undo();
  expectChoiceLeft(s);
  await expectServed(s);
});
