import {
  concat,
  dialBriefly,
  EARLY_PPK,
  EARLY_PPK_ALWAYS,
  EXCHANGE,
  earlySeed,
  errorNotify,
  expectChosen,
  expectEarlyPpk,
  expectEarlyRefused,
  expectNoEarlyPpk,
  flipped,
  intermediates,
  listPayloads,
  NOTIFY,
  needEarlyPpk,
  notifies,
  offerOf,
  PPK_ID,
  ppkOf,
  proveEarlyPpk,
  require,
  type Script,
  Session,
  SHARED,
  SHARED_PPK,
  type Spoil,
  test,
  tryDialBriefly,
  UNKNOWN_PPK,
  withOffers,
  withoutNotifies,
} from "../../harness/script/index.ts";

const NOTHING = new Uint8Array();

/** Offers that are not those of the peer's PPK, though near. */
const WRONG: Record<string, Parameters<typeof withOffers>[0]> = {
  "of-an-unknown-id": (sa) => [offerOf(sa, UNKNOWN_PPK, earlySeed(sa))],
  "of-another-secret": (sa) => [offerOf(sa, { ...SHARED, secret: UNKNOWN_PPK.secret }, earlySeed(sa))],
  "whose-confirmation-is-off-by-a-bit": (sa) => [flipped(offerOf(sa, SHARED, earlySeed(sa)))],
  "confirmed-over-swapped-nonces": (sa) => [offerOf(sa, SHARED, concat(sa.Nr, sa.Ni, sa.spiI, sa.spiR))],
  "confirmed-over-swapped-spis": (sa) => [offerOf(sa, SHARED, concat(sa.Ni, sa.Nr, sa.spiR, sa.spiI))],
  "confirmed-over-no-spi-of-the-responder": (sa) => [
    offerOf(sa, SHARED, concat(sa.Ni, sa.Nr, sa.spiI, new Uint8Array(8))),
  ],
  "confirmed-over-ni-alone": (sa) => [offerOf(sa, SHARED, concat(sa.Ni, sa.spiI, sa.spiR))],
  "whose-identifier-is-cut-short": (sa) => [
    offerOf(sa, { ...SHARED, id: SHARED.id.subarray(0, -1) }, earlySeed(sa)),
  ],
  "whose-identifier-is-longer": (sa) => [
    offerOf(sa, { ...SHARED, id: concat(SHARED.id, Uint8Array.of(0)) }, earlySeed(sa)),
  ],
  "of-type-1": (sa) => [offerOf(sa, ppkOf(SHARED_PPK, PPK_ID.OPAQUE), earlySeed(sa))],
  "of-type-128": (sa) => [offerOf(sa, ppkOf(SHARED_PPK, 128), earlySeed(sa))],
};
/** Those of them that say how a peer comes to its answer; what the others are makes no difference to that. */
const KINDS_OF_WRONG = [
  "of-an-unknown-id",
  "of-another-secret",
  "whose-confirmation-is-off-by-a-bit",
  "of-type-1",
];

/** The lie that takes such an offer. */
const taker = (what: string): string =>
  what.startsWith("of-type")
    ? "overlooks-the-type-of-offered-ppk-ids"
    : what.startsWith("whose-conf") || what.startsWith("confirmed") || what === "of-another-secret"
      ? "overlooks-ppk-confirmations"
      : "claims-early-ppks-that-it-lacks";

for (const [what, make] of Object.entries(WRONG)) {
  /** The only PPK on offer is one ${what}, and the peer's is mandatory. It refuses the exchange with AUTHENTICATION_FAILED; the right offer is taken. */
  test(
    `refuses-a-ppk-${what}-where-its-own-is-mandatory`,
    {
      requirements: ["PPKINT-13", "PPKINT-17"],
      peer: "responder",
      lies: [
        ...["forgets-that-ppks-are-mandatory", "refuses-ppks-for-another-reason"],
        ...(taker(what) === "claims-early-ppks-that-it-lacks" ? [] : [taker(what)]),
      ],
      config: EARLY_PPK_ALWAYS,
    },
    (s) => expectEarlyRefused(s, withOffers(make), EXCHANGE.IKE_INTERMEDIATE, NOTIFY.AUTHENTICATION_FAILED),
  );

  if (KINDS_OF_WRONG.includes(what))
    /** The same where the peer's PPK is optional: its response names none, and both SAs come up without a PPK. */
    test(`does-without-a-ppk-${what}`, {
      requirements: ["PPKINT-13", "PPKINT-18"],
      peer: "responder",
      lies: [taker(what), "insists-on-optional-ppks"],
      config: EARLY_PPK,
    }, async (s) => {
      await proveEarlyPpk(s);
      withOffers(make)(s);
      await expectNoEarlyPpk(s, "responder", dialBriefly(s));
    });
}

const offersNone: Spoil = (s) =>
  withoutNotifies(EXCHANGE.IKE_INTERMEDIATE, "request", s.codePoint("PPK_IDENTITY_KEY"))(s);

/** Both ends agreed on PPKs; the IKE_INTERMEDIATE exchange has none, and IKE_AUTH follows. The peer's PPK is optional, so it goes on without. */
test("does-without-a-ppk-where-none-is-on-offer", {
  requirements: ["PPKINT-18"],
  peer: "responder",
  lies: ["insists-on-optional-ppks"],
  config: EARLY_PPK,
}, async (s) => {
  await proveEarlyPpk(s);
  offersNone(s);
  await expectNoEarlyPpk(s, "responder");
});

/** Ways to come to IKE_AUTH without an offer. */
const NO_OFFER: Record<string, Spoil> = {
  "an-empty-exchange": offersNone,
  "no-exchange-at-all": (s) => {
    // Announced, and then forgotten.
    const restore = s.change(EXCHANGE.IKE_SA_INIT, () => {
      s.policy.ppkIn = [];
    });
    return () => {
      restore();
      s.policy.ppkIn = EARLY_PPK.ppkIn ?? [];
    };
  },
};

for (const [what, spoil] of Object.entries(NO_OFFER)) {
  /**
   * Both ends agreed on PPKs, and the peer's is mandatory. With ${what} there is no offer before IKE_AUTH. The peer refuses with
   * AUTHENTICATION_FAILED, in whichever of the exchanges it sees that. An IKE_AUTH that comes too early it may leave unanswered.
   */
  test(`refuses-ike-auth-after-${what}-where-its-ppk-is-mandatory`, {
    requirements: ["PPKINT-17"],
    peer: "responder",
    lies: ["forgets-that-ppks-are-mandatory"],
    config: EARLY_PPK_ALWAYS,
  }, async (s) => {
    await proveEarlyPpk(s);
    const undo = spoil(s);
    const { sa, failure } = await tryDialBriefly(s);
    require(failure !== undefined, "no IKE SA", "one");
    const last = s.trace.exchanges.findLast((e) => e.request.sa === sa)?.response;
    const error = errorNotify(last?.payloads ?? []);
    const early = intermediates(s, "responder").every((e) => e.request.sa !== sa);
    require(error !== undefined || early, "N(AUTHENTICATION_FAILED)", listPayloads(last));
    if (error?.notifyType !== NOTIFY.AUTHENTICATION_FAILED)
      s.tolerate(`refuses with ${listPayloads(last)} where nothing was on offer`);
    undo();
    await expectEarlyPpk(s, "responder");
  });
}

/** Offers that no initiator makes. The peer may refuse the exchange, or leave them out of account. */
const ODD: Record<string, Parameters<typeof withOffers>[0]> = {
  "no-octets": () => [NOTHING],
  "seven-octets": (sa) => [offerOf(sa, SHARED, earlySeed(sa)).subarray(-7)],
  "eight-octets": (sa) => [offerOf(sa, SHARED, earlySeed(sa)).subarray(-8)],
  "an-empty-identifier": (sa) => [offerOf(sa, { ...SHARED, id: Uint8Array.of(PPK_ID.FIXED) }, earlySeed(sa))],
  "two-hundred-unknown-ids": (sa) =>
    Array.from({ length: 200 }, (_, i) =>
      offerOf(sa, ppkOf({ id: `nobody/${i}`, secret: `${i}` }), earlySeed(sa)),
    ),
  "two-hundred-wrong-confirmations": () =>
    Array.from({ length: 200 }, (_, i) => concat(SHARED.id, new Uint8Array(8).fill(i))),
};

for (const [what, make] of Object.entries(ODD)) {
  /**
   * PPK_IDENTITY_KEY with ${what} comes in front of the right one. The peer may choose that, or refuse the exchange; it does not
   * choose another, and serves the next initiator.
   */
  test(`outlives-offers-with-${what}`, {
    requirements: ["PPKINT-13"],
    peer: "responder",
    lies: ["hangs-of-odd-ppks"],
    config: EARLY_PPK,
  }, async (s) => {
    await proveEarlyPpk(s);
    const undo = withOffers((sa) => [...make(sa), offerOf(sa, SHARED, earlySeed(sa))])(s);
    await expectFineOrRefused(s);
    undo();
    await expectEarlyPpk(s, "responder");
  });
}

/** A PPK is agreed on, or the peer refused. */
async function expectFineOrRefused(s: Script): Promise<void> {
  const attempt = await tryDialBriefly(s);
  const { response } = intermediates(s, "responder").at(-1) ?? {};
  if (attempt.failure)
    return void (!errorNotify(response?.payloads ?? []) && s.tolerate("is silent to such offers"));
  const chosen = notifies(response?.payloads ?? [], NOTIFY.PPK_IDENTITY);
  if (chosen.length > 0) expectChosen(s, "responder");
  await new Session(s, attempt.sa).proveTraffic();
}

/**
 * The initiator offers its PPKs in the first of two IKE_INTERMEDIATE exchanges, though they belong into the last. The peer cannot
 * know, and may refuse or go on; it serves the next initiator.
 */
test("outlives-offers-before-the-last-exchange", {
  requirements: ["PPKINT-13"],
  peer: "responder",
  lies: ["hangs-of-odd-ppks"],
  config: { ...EARLY_PPK, ikeProposals: ["aes256-sha256-x25519-ke1_ecp256-ke2_ecp384"] },
}, async (s) => {
  await s.init();
  needEarlyPpk(s, "responder");
  s.decide("exchange of PPK_IDENTITY_KEY", "the first");
  await tryDialBriefly(s);
  s.decide("exchange of PPK_IDENTITY_KEY", "the last");
  await expectEarlyPpk(s, "responder");
});
