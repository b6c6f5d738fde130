import {
  dialBriefly,
  EARLY_PPK,
  EARLY_PPK_ALWAYS,
  EXCHANGE,
  earlySeed,
  expectChosen,
  expectEarlyPpk,
  expectEarlyRefused,
  expectNoEarlyPpk,
  expectPpkNotify,
  expectPpkUsed,
  expectRounds,
  flipped,
  fromHex,
  hasNotify,
  hex,
  intermediates,
  listPayloads,
  NOTIFY,
  notifies,
  notify,
  type OutgoingMessage,
  offerOf,
  PPK_ID,
  peersInits,
  ppkOf,
  proveEarlyPpk,
  require,
  SHARED,
  SHARED_PPK,
  type Spoil,
  test,
  tryDialBriefly,
  UNKNOWN_PPK,
  withNotifies,
  withOffers,
  withPolicy,
} from "../../harness/script/index.ts";

const NOTHING = new Uint8Array();
const CONFIGS = { optional: EARLY_PPK, mandatory: EARLY_PPK_ALWAYS };
/** What is wrong with the keys of a peer that says that it uses the PPK. */
const WRONG_KEYS = [
  "mixes-no-ppk-into-early-keys",
  "mixes-the-ppk-into-three-keys",
  "protects-the-choice-with-new-keys",
  "mixes-the-ppk-in-again",
];

/** The tester says USE_PPK_INT and INTERMEDIATE_EXCHANGE_SUPPORTED. The peer has a PPK, and returns both: Protocol ID 0, no SPI, no data. */
test("returns-use-ppk-int-and-intermediate-exchange-supported", {
  requirements: ["PPKINT-02", "PPKINT-04"],
  peer: "responder",
  lies: ["returns-use-ppk-int-alone", "puts-data-into-use-ppk-int"],
  config: EARLY_PPK,
}, async (s) => {
  await proveEarlyPpk(s);
  const response = peersInits(s, "responder").at(-1) ?? [];
  expectPpkNotify(response, s.codePoint("USE_PPK_INT"), NOTHING);
  expectPpkNotify(response, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED, NOTHING);
});

for (const [manner, config] of Object.entries(CONFIGS)) {
  /**
   * Both ends have the PPK; the peer's is ${manner}. The peer confirms it in an IKE_INTERMEDIATE exchange under the keys before it,
   * which AUTH covers, and from IKE_AUTH on both have keys with it. IKE_AUTH itself says nothing of PPKs. ESP proves the keys.
   */
  test(`uses-its-${manner}-ppk`, {
    requirements: ["PPKINT-14", "PPKINT-23", "PPKINT-24", "PPKINT-25"],
    peer: "responder",
    lies: [
      ...WRONG_KEYS,
      ...["returns-an-empty-ppk-identity", "returns-a-ppk-identity-without-its-type", "names-the-ppk-again"],
      "drops-ppks-without-a-key-exchange",
    ],
    config,
  }, async (s) => {
    await expectEarlyPpk(s, "responder");
  });
}

/** Additional key exchanges beside a PPK. */
const ROUNDS = { "one-more-key-exchange": "ke1_ecp256", "two-more-key-exchanges": "ke1_ecp256-ke2_ecp384" };
const METHODS = [19, 20];

for (const [name, spec] of Object.entries(ROUNDS))
  for (const where of ["beside", "after"] as const) {
    /**
     * The same with ${name} in IKE_INTERMEDIATE, and the PPK ${where} the last of them. Where both share an exchange, the keys of
     * the key exchange come first and those with the PPK last.
     */
    test(`with-${name}-uses-a-ppk-${where}-it`, {
      requirements: ["PPKINT-14", "PPKINT-22", "PPKINT-23", "PPKINT-24"],
      peer: "responder",
      lies: [
        ...["mixes-no-ppk-into-early-keys", "mixes-the-ppk-in-again"],
        where === "beside" ? "mixes-the-ppk-in-before-the-key-exchange" : "drops-ppks-without-a-key-exchange",
      ],
      config: { ...EARLY_PPK_ALWAYS, ikeProposals: [`aes256-sha256-x25519-${spec}`] },
    }, async (s) => {
      if (where === "after") s.decide("exchange of PPK_IDENTITY_KEY", "one of its own");
      await expectEarlyPpk(s, "responder");
      expectRounds(s, "us", METHODS.slice(0, spec.split("-").length));
    });
  }

for (const [manner, config] of Object.entries(CONFIGS)) {
  /** USE_PPK_INT of the tester has data, which mean nothing. The peer ignores them, and its ${manner} PPK is used. */
  test(`ignores-data-of-use-ppk-int-where-its-ppk-is-${manner}`, {
    requirements: ["PPKINT-03"],
    peer: "responder",
    lies: ["minds-data-in-use-ppk-int"],
    config,
  }, async (s) => {
    await proveEarlyPpk(s);
    withNotifies(EXCHANGE.IKE_SA_INIT, "request", s.codePoint("USE_PPK_INT"), () => fromHex("0102030405"))(s);
    await expectEarlyPpk(s, "responder");
  });
}

/** What a request lacks that cannot lead to a PPK in IKE_INTERMEDIATE. */
const HALF = "intermediate-exchange-supported";
const LACKS: Record<string, Spoil> = {
  "use-ppk-int": withPolicy({ ppks: [], intermediate: true }),
  both: withPolicy({ ppks: [] }),
  [HALF]: (s) => {
    const restore = withPolicy({ ppks: [] })(s);
    const add = ({ payloads }: OutgoingMessage) => payloads.push(notify(s.codePoint("USE_PPK_INT")));
    const end = s.change(EXCHANGE.IKE_SA_INIT, add);
    return () => {
      restore();
      end();
    };
  },
};

for (const [what, lacking] of Object.entries(LACKS)) {
  if (what !== HALF)
    /**
     * The tester's IKE_SA_INIT request lacks ${what}, and the peer's PPK is mandatory. The peer answers with NO_PROPOSAL_CHOSEN. To an
     * ordinary request it answers as ever.
     */
    test(
      `refuses-a-request-without-${what}-where-its-ppk-is-mandatory`,
      {
        requirements: ["PPKINT-08"],
        peer: "responder",
        lies: ["forgets-that-ppks-are-mandatory", "refuses-ike-sa-init-for-another-reason"],
        config: EARLY_PPK_ALWAYS,
      },
      (s) => expectEarlyRefused(s, lacking, EXCHANGE.IKE_SA_INIT, NOTIFY.NO_PROPOSAL_CHOSEN),
    );

  /** The same where the peer's PPK is optional: both SAs come up without a PPK, and USE_PPK_INT is not returned to who did not send it. */
  test(`does-without-an-optional-ppk-for-a-request-without-${what}`, {
    requirements: ["PPKINT-04"],
    peer: "responder",
    lies: ["insists-on-optional-ppks"],
    config: EARLY_PPK,
  }, async (s) => {
    await proveEarlyPpk(s);
    lacking(s);
    await expectNoEarlyPpk(s, "responder");
    const response = peersInits(s, "responder").at(-1) ?? [];
    const said = hasNotify(response, s.codePoint("USE_PPK_INT"));
    if (said && what === HALF)
      s.tolerate("returns USE_PPK_INT to a request that cannot lead to IKE_INTERMEDIATE");
    else require(!said, "no USE_PPK_INT", listPayloads({ payloads: response }));
  });
}

/**
 * The tester's IKE_SA_INIT request has USE_PPK_INT without INTERMEDIATE_EXCHANGE_SUPPORTED, which is half an offer; the peer's PPK is
 * mandatory. No IKE SA comes of it. Best is NO_PROPOSAL_CHOSEN at once.
 */
test("makes-no-ike-sa-of-half-an-offer-where-its-ppk-is-mandatory", {
  requirements: ["PPKINT-08"],
  peer: "responder",
  lies: ["forgets-that-ppks-are-mandatory"],
  config: EARLY_PPK_ALWAYS,
}, async (s) => {
  s.decide("unprotected error notify", "give up");
  await proveEarlyPpk(s);
  const undo = LACKS[HALF]?.(s);
  const { failure } = await tryDialBriefly(s);
  require(failure !== undefined, "no IKE SA", "one");
  const refused = hasNotify(peersInits(s, "responder").at(-1) ?? [], NOTIFY.NO_PROPOSAL_CHOSEN);
  if (!refused) s.tolerate(`refuses later: ${failure}`);
  undo();
  await expectEarlyPpk(s, "responder");
});

/** The tester offers both ways to use PPKs, and the peer is told of both. It returns exactly one of USE_PPK and USE_PPK_INT, and that way is gone. */
test("takes-one-of-both-ways", {
  requirements: ["PPKINT-07", "PPKINT-25"],
  peer: "responder",
  lies: ["returns-both-ways-of-ppks", "names-the-ppk-again"],
  config: { ...EARLY_PPK, ppkIn: ["IKE_AUTH", "IKE_INTERMEDIATE"] },
}, async (s) => {
  s.policy.ppkIn = ["IKE_INTERMEDIATE"];
  await proveEarlyPpk(s);
  s.policy.ppkIn = ["IKE_AUTH", "IKE_INTERMEDIATE"];
  await s.tryInit();
  const response = peersInits(s, "responder").at(-1) ?? [];
  const ways = [NOTIFY.USE_PPK, s.codePoint("USE_PPK_INT")].filter((type) => hasNotify(response, type));
  require(ways.length === 1, "one of USE_PPK and USE_PPK_INT", listPayloads({ payloads: response }));
  await (ways[0] === NOTIFY.USE_PPK ? expectPpkUsed : expectEarlyPpk)(s, "responder");
});

/** The tester offers both ways, and the peer is told of PPKs in IKE_AUTH alone. It does not return USE_PPK_INT; traffic proves the keys. */
test("returns-no-use-ppk-int-where-it-has-ppks-in-ike-auth-alone", {
  requirements: ["PPKINT-05", "PPKINT-07"],
  peer: "responder",
  lies: ["announces-early-ppks-that-it-does-not-have"],
  config: { ...EARLY_PPK, ppkIn: ["IKE_AUTH"] },
}, async (s) => {
  s.policy.ppkIn = ["IKE_AUTH", "IKE_INTERMEDIATE"];
  await (await s.dial()).proveTraffic();
  const response = peersInits(s, "responder").at(-1) ?? [];
  const said = hasNotify(response, s.codePoint("USE_PPK_INT"));
  require(!said, "no USE_PPK_INT", listPayloads({ payloads: response }));
});

/** Offers in front of the right one, none of which the peer can take. */
const BEFORE: Record<string, Parameters<typeof withOffers>[0]> = {
  "an-unknown-one": (sa) => [offerOf(sa, UNKNOWN_PPK, earlySeed(sa))],
  "itself-with-a-wrong-confirmation": (sa) => [flipped(offerOf(sa, SHARED, earlySeed(sa)))],
  "itself-as-another-type": (sa) => [offerOf(sa, ppkOf(SHARED_PPK, PPK_ID.OPAQUE), earlySeed(sa))],
  "seven-others": (sa) =>
    Array.from({ length: 7 }, (_, i) =>
      offerOf(sa, ppkOf({ id: `nobody/${i}`, secret: `${i}` }), earlySeed(sa)),
    ),
};

for (const [what, before] of Object.entries(BEFORE))
  for (const place of what === "an-unknown-one" ? (["after", "before"] as const) : (["after"] as const)) {
    /** Of several PPKs on offer the peer has one, ${place} ${what}. It takes that one, whatever the others are. */
    test(`with-${what}-on-offer-finds-its-ppk-${place}-it`, {
      requirements: ["PPKINT-13", "PPKINT-15"],
      peer: "responder",
      lies: [place === "after" ? "looks-at-the-first-offer-only" : "returns-an-empty-ppk-identity"],
      config: EARLY_PPK,
    }, async (s) => {
      await proveEarlyPpk(s);
      withOffers((sa) => {
        const right = [offerOf(sa, SHARED, earlySeed(sa))];
        return place === "after" ? [...before(sa), ...right] : [...right, ...before(sa)];
      })(s);
      await expectEarlyPpk(s, "responder", SHARED, dialBriefly(s));
    });
  }

const SECOND_PPK = { id: "bakeoff/ppk+2", secret: "xTzC4oB3mJc0p6N2yYt8kq5Zs7Vw1xUeRfDgHiLaQn8=" };
const TWO = [SHARED_PPK, SECOND_PPK];

for (const [order, ppks] of Object.entries({ "first-one": TWO, "second-one": [...TWO].reverse() })) {
  /** Both ends have two PPKs, and the tester offers them, the peer's ${order} first. Whichever the peer names is in the keys. */
  test(`uses-the-ppk-that-it-names-with-its-${order}-in-front`, {
    requirements: ["PPKINT-14", "PPKINT-23"],
    peer: "responder",
    lies: ["names-another-ppk-than-it-uses", "mixes-no-ppk-into-early-keys"],
    config: { ...EARLY_PPK, ppks: TWO },
  }, async (s) => {
    s.policy.ppks = ppks.map((spec) => ppkOf(spec));
    await proveEarlyPpk(s);
    const session = await s.dial();
    const [identity] = notifies(
      intermediates(s, "responder").at(-1)?.response?.payloads ?? [],
      NOTIFY.PPK_IDENTITY,
    );
    const used = s.policy.ppks.find(({ id }) => identity && hex(id) === hex(identity.data));
    expectChosen(s, "responder", used ?? SHARED);
    await session.proveTraffic();
  });
}

/** The tester knows of the two PPKs of the peer only the second one. The peer, which would prefer the first, uses that. */
test("uses-its-second-ppk-where-the-first-is-not-on-offer", {
  requirements: ["PPKINT-14", "PPKINT-15"],
  peer: "responder",
  lies: ["names-another-ppk-than-it-uses", "mixes-no-ppk-into-early-keys"],
  config: { ...EARLY_PPK_ALWAYS, ppks: TWO },
}, async (s) => {
  s.policy.ppks = [ppkOf(SECOND_PPK)];
  await expectEarlyPpk(s, "responder", ppkOf(SECOND_PPK));
});

/** PPK_IDs as short and as long as everybody must take them: RFC 8784 section 5.1 speaks of 64 octets. */
for (const length of [1, 64]) {
  const ppk = { id: "abcdefgh".repeat(8).slice(0, length), secret: "a secret of another PPK, long enough" };
  /** A PPK_ID of ${length} octets is offered and returned whole. */
  test(`uses-a-ppk-whose-id-has-${length}-octets`, {
    requirements: ["PPKINT-14"],
    peer: "responder",
    lies: ["returns-a-ppk-identity-without-its-type"],
    config: { ...EARLY_PPK_ALWAYS, ppks: [ppk] },
  }, async (s) => {
    await expectEarlyPpk(s, "responder", ppkOf(ppk));
  });
}

/** The peer has the initiator ask again, and then has the PPK confirmed over the nonces and SPIs of the IKE SA that comes of it. */
test("uses-a-ppk-after-a-cookie", {
  requirements: ["PPKINT-13", "PPKINT-23"],
  peer: "responder",
  lies: ["mixes-no-ppk-into-early-keys"],
  config: { ...EARLY_PPK_ALWAYS, cookies: "always" },
}, async (s) => {
  await expectEarlyPpk(s, "responder");
});

/** The same after a KE payload of a group that the peer does not take. */
test("uses-a-ppk-after-a-refused-group", {
  requirements: ["PPKINT-13", "PPKINT-23"],
  peer: "responder",
  lies: ["mixes-no-ppk-into-early-keys"],
  config: { ...EARLY_PPK_ALWAYS, ikeProposals: ["aes256-sha256-x25519"] },
}, async (s) => {
  const [own] = s.policy.ike;
  const [ke] = own?.transforms.filter(({ type }) => type === 4) ?? [];
  if (own && ke) own.transforms = [...own.transforms.filter((t) => t !== ke), { ...ke, id: 19 }, ke];
  await expectEarlyPpk(s, "responder");
});

const SOMEBODY = "somebody.example";
const THEIRS = {
  id: "bakeoff/theirs",
  secret: "zzzz3mJc0p6N2yYt8kq5Zs7Vw1xUeRfDgHiLaQnTzXvC4=",
  for: SOMEBODY,
};

/**
 * The tester knows a PPK that the peer shares with somebody else, and offers it. The peer, which cannot know better yet, takes it or
 * not. Once it knows from IKE_AUTH whom it is talking to, it should refuse with AUTHENTICATION_FAILED; to go on is allowed.
 */
test("minds-whose-ppk-it-is", {
  requirements: ["PPKINT-21"],
  peer: "responder",
  lies: ["hides-that-it-refuses"],
  config: { ...EARLY_PPK, ppks: [SHARED_PPK, THEIRS], furtherRemoteIds: [SOMEBODY] },
}, async (s) => {
  await proveEarlyPpk(s);
  s.policy.ppks = [ppkOf(THEIRS)];
  const { failure } = await s.tryDial();
  const { response } = s.exchange(EXCHANGE.IKE_AUTH);
  require(response !== undefined, "an answer to IKE_AUTH", "silence");
  const taken = intermediates(s, "responder").some(({ response: r }) =>
    hasNotify(r?.payloads ?? [], NOTIFY.PPK_IDENTITY),
  );
  if (!failure && taken) s.tolerate("goes on with the PPK of another peer, which is allowed");
  if (failure && !hasNotify(response.payloads, NOTIFY.AUTHENTICATION_FAILED))
    s.tolerate(`refuses with ${listPayloads(response)}; section 3.1 recommends AUTHENTICATION_FAILED`);
  s.policy.ppks = [SHARED];
  await expectEarlyPpk(s, "responder");
});
