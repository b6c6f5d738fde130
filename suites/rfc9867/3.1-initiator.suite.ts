import {
  allowOnlyAnotherGroup,
  concat,
  EARLY_PPK,
  EARLY_PPK_ALWAYS,
  EXCHANGE,
  earlySeed,
  expectEarlyAbort,
  expectEarlyPpk,
  expectNoEarlyPpk,
  expectPpkNotify,
  expectRightOffers,
  expectRounds,
  expectServed,
  Failure,
  flipped,
  fromHex,
  hasNotify,
  intermediates,
  listPayloads,
  NOTIFY,
  needEarlyPpk,
  notify,
  type OutgoingMessage,
  offersOf,
  payload,
  peersInits,
  ppkOf,
  require,
  type Script,
  SHARED,
  SHARED_PPK,
  type Spoil,
  test,
  UNKNOWN_PPK,
  withNotifies,
  withPolicy,
} from "../../harness/script/index.ts";

const NOTHING = new Uint8Array();
const CONFIGS = { optional: EARLY_PPK, mandatory: EARLY_PPK_ALWAYS };
const WRONG_KEYS = [
  "mixes-no-ppk-into-early-keys",
  "mixes-the-ppk-into-three-keys",
  "mixes-the-ppk-in-again",
];

/** Both ends, and the offers of the peer are what they should be: the right confirmations, in the last exchange. */
async function expectOffered(s: Script): Promise<void> {
  try {
    await expectEarlyPpk(s, "initiator");
  } finally {
    // What is wrong with the offers is a better reason than what comes of it.
    const last = intermediates(s, "initiator").at(-1);
    const { sa } = last?.request ?? {};
    if (last && sa) expectRightOffers(offersOf(s, last), sa, earlySeed(sa), [SHARED]);
  }
}

/** The peer has a PPK. Its request has USE_PPK_INT and INTERMEDIATE_EXCHANGE_SUPPORTED: Protocol ID 0, no SPI, no data. */
test("offers-use-ppk-int-and-intermediate-exchange-supported", {
  requirements: ["PPKINT-01", "PPKINT-02"],
  peer: "initiator",
  lies: ["offers-use-ppk-int-alone", "puts-data-into-use-ppk-int"],
  config: EARLY_PPK,
}, async (s) => {
  await s.provoke(() => s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, "peer").some((e) => e.response));
  needEarlyPpk(s, "initiator");
  const request = peersInits(s, "initiator").at(-1) ?? [];
  expectPpkNotify(request, s.codePoint("USE_PPK_INT"), NOTHING);
  expectPpkNotify(request, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED, NOTHING);
});

for (const [manner, config] of Object.entries(CONFIGS)) {
  /**
   * Both ends have the PPK; the peer's is ${manner}. The peer offers it in IKE_INTERMEDIATE with prf(PPK, Ni | Nr | SPIi | SPIr), and from
   * IKE_AUTH on, which covers that exchange, both have keys with it. IKE_AUTH itself says nothing of PPKs. ESP proves the keys.
   */
  test(
    `offers-and-uses-its-${manner}-ppk`,
    {
      requirements: ["PPKINT-09", "PPKINT-12", "PPKINT-23", "PPKINT-24", "PPKINT-25"],
      peer: "initiator",
      lies: [
        ...WRONG_KEYS,
        ...[
          "offers-no-early-ppks",
          "confirms-with-swapped-nonces",
          "confirms-without-spis",
          "names-the-ppk-again",
        ],
      ],
      config,
    },
    expectOffered,
  );
}

const ROUNDS = { "one-more-key-exchange": "ke1_ecp256", "two-more-key-exchanges": "ke1_ecp256-ke2_ecp384" };

for (const [name, spec] of Object.entries(ROUNDS)) {
  /**
   * The same with ${name}. The peer offers the PPK in the last IKE_INTERMEDIATE exchange alone, beside a KE payload or not; the keys of a
   * key exchange in it come first, those with the PPK last.
   */
  test(`offers-a-ppk-last-with-${name}`, {
    requirements: ["PPKINT-10", "PPKINT-12", "PPKINT-22", "PPKINT-23"],
    peer: "initiator",
    lies: [
      ...["mixes-the-ppk-in-before-the-key-exchange", "mixes-no-ppk-into-early-keys"],
      ...(name === "two-more-key-exchanges" ? ["offers-ppks-in-the-first-exchange"] : []),
    ],
    config: { ...EARLY_PPK_ALWAYS, ikeProposals: [`aes256-sha256-x25519-${spec}`] },
  }, async (s) => {
    await expectOffered(s);
    expectRounds(s, "peer", [19, 20].slice(0, spec.split("-").length));
  });
}

const SECOND_PPK = { id: "bakeoff/ppk+2", secret: "xTzC4oB3mJc0p6N2yYt8kq5Zs7Vw1xUeRfDgHiLaQn8=" };

/** The peer has two PPKs, of which the tester has the second. If the peer offers both, the second is used; it may offer one only. */
test("uses-the-ppk-that-is-chosen-out-of-several", {
  requirements: ["PPKINT-09", "PPKINT-12", "PPKINT-23"],
  peer: "initiator",
  lies: ["mixes-its-first-ppk-in", "confirms-with-swapped-nonces", "offers-no-early-ppks"],
  config: { ...EARLY_PPK, ppks: [SHARED_PPK, SECOND_PPK] },
}, async (s) => {
  const both = [ppkOf(SHARED_PPK), ppkOf(SECOND_PPK)];
  s.policy.ppks = both.slice(1);
  const session = await s.accept();
  needEarlyPpk(s, "initiator");
  const [exchange] = intermediates(s, "initiator").slice(-1);
  const offers = exchange ? offersOf(s, exchange) : [];
  expectRightOffers(offers, session.sa, earlySeed(session.sa), both);
  require(offers.length > 0, "PPK_IDENTITY_KEY", listPayloads(exchange?.request));
  const named = hasNotify(exchange?.response?.payloads ?? [], NOTIFY.PPK_IDENTITY);
  if (offers.length < 2) s.tolerate("offers one of its PPKs only");
  else require(named, "offers with right confirmations", "none of the second PPK");
  await session.proveTraffic();
});

for (const [manner, config] of Object.entries(CONFIGS)) {
  /** USE_PPK_INT of the tester's response has data, which mean nothing. The peer ignores them, and its ${manner} PPK is used. */
  test(`ignores-data-of-a-returned-use-ppk-int-where-its-ppk-is-${manner}`, {
    requirements: ["PPKINT-03"],
    peer: "initiator",
    lies: ["minds-data-in-use-ppk-int"],
    config,
  }, async (s) => {
    const type = s.codePoint("USE_PPK_INT");
    withNotifies(EXCHANGE.IKE_SA_INIT, "response", type, () => fromHex("0102030405"))(s);
    await expectEarlyPpk(s, "initiator");
  });
}

/** Says nothing of PPKs in the response, and of these notifies one or none. */
const saysOnly =
  (what: "USE_PPK_INT" | "INTERMEDIATE_EXCHANGE_SUPPORTED" | "nothing"): Spoil =>
  (s) => {
    const restore = withPolicy({ ppks: [], intermediate: what === "INTERMEDIATE_EXCHANGE_SUPPORTED" })(s);
    const add = ({ payloads }: OutgoingMessage) => {
      if (what === "USE_PPK_INT") payloads.push(notify(s.codePoint(what)));
    };
    const end = s.change(EXCHANGE.IKE_SA_INIT, add, "response");
    return () => {
      restore();
      end();
    };
  };

const SAYS: Record<string, Spoil> = {
  nothing: saysOnly("nothing"),
  "use-ppk-int-alone": saysOnly("USE_PPK_INT"),
  "intermediate-exchange-supported-alone": saysOnly("INTERMEDIATE_EXCHANGE_SUPPORTED"),
};

for (const [what, spoil] of Object.entries(SAYS)) {
  // An initiator may give up after a response that is wrong.
  if (what !== "use-ppk-int-alone")
    /** The tester's IKE_SA_INIT response says ${what} of what a PPK needs. The peer's PPK is optional, and both SAs come up without. */
    test(`does-without-an-optional-ppk-after-a-response-with-${what}`, {
      requirements: ["PPKINT-01", "PPKINT-20"],
      peer: "initiator",
      lies: ["insists-on-optional-ppks"],
      config: EARLY_PPK,
    }, async (s) => {
      spoil(s);
      await expectNoEarlyPpk(s, "initiator");
      needEarlyPpk(s, "initiator");
    });

  /** The same where the peer's PPK is mandatory: no IKE_AUTH comes. An ordinary response serves it. */
  test(
    `gives-up-after-a-response-with-${what}-where-its-ppk-is-mandatory`,
    {
      requirements: ["PPKINT-19"],
      peer: "initiator",
      lies: ["forgets-that-ppks-are-mandatory"],
      config: EARLY_PPK_ALWAYS,
    },
    (s) => expectEarlyAbort(s, spoil, EXCHANGE.IKE_SA_INIT),
  );
}

const unknown = withPolicy({ ppks: [UNKNOWN_PPK] });

/** The tester has another PPK, and its response names none. The peer's is optional, and both SAs come up without. */
test("does-without-an-optional-ppk-that-is-not-chosen", {
  requirements: ["PPKINT-20"],
  peer: "initiator",
  lies: ["insists-on-optional-ppks"],
  config: EARLY_PPK,
}, async (s) => {
  unknown(s);
  await expectNoEarlyPpk(s, "initiator");
  needEarlyPpk(s, "initiator");
});

/** The same where the peer's PPK is mandatory: it gives up, and no IKE_AUTH comes. With the PPK chosen it is served. */
test(
  "gives-up-where-its-mandatory-ppk-is-not-chosen",
  {
    requirements: ["PPKINT-19"],
    peer: "initiator",
    lies: ["forgets-that-ppks-are-mandatory"],
    config: EARLY_PPK_ALWAYS,
  },
  (s) => expectEarlyAbort(s, unknown, EXCHANGE.IKE_INTERMEDIATE),
);

/** PPK_IDENTITY as no responder sends it that was asked for one PPK. */
const STRANGE: Record<string, (id: Uint8Array) => Uint8Array> = {
  "another-id": () => UNKNOWN_PPK.id,
  "no-octets": () => NOTHING,
  "a-type-alone": (id) => id.subarray(0, 1),
  "the-id-without-its-type": (id) => id.subarray(1),
  "the-id-as-another-type": (id) => concat(Uint8Array.of(1), id.subarray(1)),
  "an-id-off-by-a-bit": flipped,
  "a-longer-id": (id) => concat(id, Uint8Array.of(0)),
};

for (const [what, change] of Object.entries(STRANGE))
  for (const [manner, config] of Object.entries(what === "another-id" ? CONFIGS : { optional: EARLY_PPK })) {
    const spoil = withNotifies(EXCHANGE.IKE_INTERMEDIATE, "response", NOTIFY.PPK_IDENTITY, change);
    /**
     * The tester's PPK_IDENTITY has ${what}, which the peer, whose PPK is ${manner}, did not offer. That is fatal: the peer gives up,
     * and no IKE_AUTH comes. With the right one it is served.
     */
    test(
      `gives-up-after-ppk-identity-with-${what}-where-its-ppk-is-${manner}`,
      {
        requirements: ["PPKINT-16"],
        peer: "initiator",
        lies: [
          "takes-a-ppk-that-it-did-not-offer",
          ...(manner === "optional" ? ["overlooks-a-ppk-that-it-did-not-offer"] : []),
        ],
        config,
      },
      (s) => expectEarlyAbort(s, spoil, EXCHANGE.IKE_INTERMEDIATE),
    );
  }

const BOTH_WAYS = { ...EARLY_PPK, ppkIn: ["IKE_AUTH", "IKE_INTERMEDIATE"] } as const;

/** The peer is told of both ways. The tester, which has both, takes PPKs in IKE_INTERMEDIATE: IKE_AUTH has nothing of PPKs then. */
test("uses-a-ppk-in-ike-intermediate-alone-where-it-offered-both-ways", {
  requirements: ["PPKINT-23", "PPKINT-25"],
  peer: "initiator",
  lies: ["names-the-ppk-again", "mixes-the-ppk-in-again"],
  config: BOTH_WAYS,
}, async (s) => {
  await expectEarlyPpk(s, "initiator");
});

/** The peer is told of both ways, and the tester takes PPKs in IKE_AUTH. The peer then offers none in IKE_INTERMEDIATE, and the SAs come up. */
test("offers-no-early-ppk-where-ike-auth-was-taken", {
  requirements: ["PPKINT-09"],
  peer: "initiator",
  lies: ["offers-early-ppks-that-nobody-takes"],
  config: { ...BOTH_WAYS, intermediate: true },
}, async (s) => {
  s.policy.ppkIn = ["IKE_AUTH"];
  const session = await s.accept();
  needEarlyPpk(s, "initiator");
  const offered = intermediates(s, "initiator").some((e) => offersOf(s, e).length > 0);
  require(!offered, "no PPK_IDENTITY_KEY", "one");
  await session.proveTraffic();
});

/** The tester returns both ways, which no responder may. Whatever the peer makes of that, it still answers, and is served when all is in order again. */
test("outlives-a-response-with-both-ways", {
  requirements: ["PPKINT-23"],
  peer: "initiator",
  lies: ["hangs-of-odd-ppks"],
  config: BOTH_WAYS,
}, async (s) => {
  const add = ({ payloads }: OutgoingMessage) => payloads.push(notify(NOTIFY.USE_PPK));
  const undo = s.change(EXCHANGE.IKE_SA_INIT, add, "response");
  await s.provoke(
    () => s.trace.childSas().length > 0 || s.trace.ikeSas().some((sa) => sa.state === "closed"),
  );
  needEarlyPpk(s, "initiator");
  require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
  undo();
  await expectServed(s);
});

/** The peer is asked for a cookie. Its next request has USE_PPK_INT again, and its confirmation is over the nonces and SPIs of the IKE SA. */
test("offers-a-ppk-after-a-cookie", {
  requirements: ["PPKINT-01", "PPKINT-12"],
  peer: "initiator",
  lies: ["forgets-use-ppk-int-when-it-asks-again", "confirms-with-swapped-nonces"],
  config: EARLY_PPK,
}, async (s) => {
  s.policy.cookies = "always";
  await expectOffered(s);
});

/** The same after INVALID_KE_PAYLOAD. */
test("offers-a-ppk-after-a-refused-group", {
  requirements: ["PPKINT-01", "PPKINT-12"],
  peer: "initiator",
  lies: ["forgets-use-ppk-int-when-it-asks-again", "confirms-with-swapped-nonces"],
  config: EARLY_PPK,
}, async (s) => {
  await allowOnlyAnotherGroup(s);
  const begun = () => s.trace.ikeSas().some(({ established }) => established);
  if (!(await s.until(begun, 3 * s.arena.patience))) throw new Failure("an IKE SA", s.lastReason());
  needEarlyPpk(s, "initiator");
  const last = intermediates(s, "initiator").at(-1);
  const { sa } = last?.request ?? {};
  require(last !== undefined && sa !== undefined, "an IKE_INTERMEDIATE exchange", "none");
  require(payload(last.request.payloads, "KE") === undefined, "PPKs alone", "a KE payload");
  expectRightOffers(offersOf(s, last), sa, earlySeed(sa), [SHARED]);
  require(hasNotify(last.response?.payloads ?? [], NOTIFY.PPK_IDENTITY), "an offer of the PPK", "none");
});
