import {
  concat,
  cross,
  EXCHANGE,
  expectAlive,
  expectNamed,
  expectNotify,
  expectRounds,
  flipped,
  hasNotify,
  LATE_PPK,
  LATE_PPK_ALWAYS,
  lastCreation,
  lateSeed,
  listPayloads,
  NOTIFY,
  needLateOffers,
  needLatePpk,
  offerOf,
  type PeerConfig,
  type PeerRole,
  ppkOf,
  require,
  type Script,
  type Session,
  SHARED,
  SHARED_PPK,
  test,
  UNKNOWN_PPK,
  withLateOffers,
} from "../../harness/script/index.ts";

const IKE = "a-rekeyed-ike-sa";

/** Makes an SA by CREATE_CHILD_SA; what it gives is the session that goes on. */
const KINDS: Record<string, (session: Session) => Promise<Session>> = {
  "a-new-child-sa": async (session) => {
    await session.createChild();
    return session;
  },
  "a-rekeyed-child-sa": async (session) => {
    await session.rekeyChild();
    return session;
  },
  [IKE]: (session) => session.rekeyIke(),
};

/** The new SA works: traffic if it is a Child SA, else a request, and a Child SA made under it. */
async function proveNew(session: Session, kind: string): Promise<void> {
  if (kind !== IKE) return session.proveTraffic();
  await expectAlive(session);
}

/** The peer has chosen the PPK in the last exchange, and the SA works. */
async function expectLate(s: Script, session: Session, kind: string, ppk = SHARED): Promise<void> {
  const exchange = lastCreation(s, "us");
  needLatePpk(exchange);
  expectNamed(exchange.response, ppk);
  await proveNew(session, kind);
}

/** An IKE SA with a Child SA that the peer has taken a PPK for. */
async function proveLatePpk(s: Script, peer: PeerRole = "responder"): Promise<Session> {
  const session = await s.establish(peer);
  await session.rekeyChild();
  needLatePpk(lastCreation(s, "us"));
  return session;
}

/** The peer has chosen none, and the SA works with plain keys. */
async function expectPlain(s: Script, session: Session, kind: string): Promise<void> {
  const { response } = lastCreation(s, "us");
  require(!hasNotify(response?.payloads ?? [], NOTIFY.PPK_IDENTITY), "no PPK_IDENTITY", listPayloads(
    response,
  ));
  await proveNew(session, kind);
}

/** How the IKE SA came about; none of it matters. */
const ORIGINS: Record<string, PeerConfig["ppkIn"] & {}> = {
  "an-ike-sa-without-ppk": ["CREATE_CHILD_SA"],
  "an-ike-sa-with-a-ppk-in-ike-auth": ["IKE_AUTH", "CREATE_CHILD_SA"],
  "an-ike-sa-with-a-ppk-in-ike-intermediate": ["IKE_INTERMEDIATE", "CREATE_CHILD_SA"],
};

for (const peer of ["responder", "initiator"] as const)
  for (const [origin, ppkIn] of Object.entries(ORIGINS))
    for (const [kind, make] of Object.entries(KINDS)) {
      // SK_d, which the origin has made, goes into new IKE SAs and Child SAs alike.
      if (origin !== "an-ike-sa-without-ppk" && kind === "a-new-child-sa") continue;
      /**
       * On ${origin}, whose ${peer} is the peer, the tester asks for ${kind} with a PPK that both have. The response names it, and the new SA
       * has keys out of prf+(PPK, SK_d), which its use proves.
       */
      test(`as-${peer}-mixes-a-ppk-into-${kind}-of-${origin}`, {
        requirements: ["PPKINT-28", "PPKINT-32"],
        peer,
        lies: ["names-its-late-ppk-without-its-type", "mixes-no-ppk-into-new-sas"],
        config: { ...LATE_PPK, ppkIn },
      }, async (s) => {
        const session = await make(await s.establish(peer));
        await expectLate(s, session, kind);
      });
    }

/** Additional key exchanges behind CREATE_CHILD_SA. */
const MORE: Partial<PeerConfig> = {
  ikeProposals: ["aes256-sha256-x25519-ke1_ecp256-ke2_ecp384"],
  espProposals: ["aes256gcm16-x25519-ke1_ecp256-ke2_ecp384"],
};

for (const [kind, make] of Object.entries(KINDS)) {
  /** The same with two additional key exchanges in IKE_FOLLOWUP_KE: CREATE_CHILD_SA has offer and choice, and the PPK goes into the keys at the end. */
  test(`mixes-a-ppk-into-${kind}-with-additional-key-exchanges`, {
    requirements: ["PPKINT-28", "PPKINT-33"],
    peer: "responder",
    lies: ["mixes-no-ppk-into-new-sas"],
    config: { ...LATE_PPK, ...MORE },
  }, async (s) => {
    const session = await make(await s.dial());
    await expectLate(s, session, kind);
    expectRounds(s, "us", [19, 20], EXCHANGE.IKE_FOLLOWUP_KE);
  });
}

const PPKS = [
  SHARED_PPK,
  ...[2, 3].map((n) => ({ id: `bakeoff/ppk+${n}`, secret: `${n}zTC4oB3mJc0p6N2yYt8kq5Zs7V` })),
];

for (const [kind, make] of Object.entries(KINDS)) {
  /** The tester asks for ${kind} again and again, each time with another PPK, and then with none. Each has its own PPK in its keys, and no other. */
  test(`changes-the-ppk-from-${kind}-to-the-next`, {
    requirements: ["PPKINT-28", "PPKINT-32"],
    peer: "responder",
    lies: [
      "mixes-its-first-ppk-into-new-sas",
      ...(kind === IKE ? [] : ["mixes-ppks-into-sk-d-of-the-ike-sa"]),
    ],
    config: { ...LATE_PPK, ppks: PPKS },
  }, async (s) => {
    let session = await s.dial();
    for (const ppk of PPKS.map((spec) => ppkOf(spec)).reverse()) {
      s.policy.ppks = [ppk];
      session = await make(session);
      await expectLate(s, session, kind, ppk);
    }
    s.policy.ppks = [];
    session = await make(session);
    await expectPlain(s, session, kind);
    await session.rekeyChild();
    await session.proveTraffic();
  });
}

/** One Child SA with a PPK, then one without: the second has its keys out of SK_d as that was. */
test("keeps-sk-d-for-the-next-child-sa", {
  requirements: ["PPKINT-32"],
  peer: "responder",
  lies: ["mixes-ppks-into-sk-d-of-the-ike-sa"],
  config: LATE_PPK,
}, async (s) => {
  const session = await s.dial();
  await session.rekeyChild();
  await expectLate(s, session, "a-rekeyed-child-sa");
  s.policy.ppks = [];
  await session.rekeyChild();
  await expectPlain(s, session, "a-rekeyed-child-sa");
});

/** Offers in front of the right one. */
const BEFORE: Record<string, Parameters<typeof withLateOffers>[0]> = {
  "an-unknown-one": (sa, Ni) => [offerOf(sa, UNKNOWN_PPK, lateSeed(sa, Ni))],
  "itself-with-a-wrong-confirmation": (sa, Ni) => [flipped(offerOf(sa, SHARED, lateSeed(sa, Ni)))],
};

for (const [what, before] of Object.entries(BEFORE)) {
  /** The peer takes its PPK where that is alone. Of two on offer it has the second, after ${what}, and takes that one as well. */
  test(`finds-its-ppk-in-create-child-sa-after-${what}`, {
    requirements: ["PPKINT-28"],
    peer: "responder",
    lies: ["looks-at-the-first-offer-only", "mixes-no-ppk-into-new-sas"],
    config: LATE_PPK,
  }, async (s) => {
    const session = await proveLatePpk(s);
    withLateOffers((sa, Ni) => [...before(sa, Ni), offerOf(sa, SHARED, lateSeed(sa, Ni))])(s);
    await session.rekeyChild();
    expectNamed(lastCreation(s, "us").response, SHARED);
    await session.proveTraffic();
  });
}

/** Offers that are not those of the peer's PPK. */
const WRONG: Record<string, Parameters<typeof withLateOffers>[0]> = {
  "no-ppk": () => [],
  "an-unknown-ppk": (sa, Ni) => [offerOf(sa, UNKNOWN_PPK, lateSeed(sa, Ni))],
  "a-ppk-whose-secret-is-another": (sa, Ni) => [
    offerOf(sa, { ...SHARED, secret: UNKNOWN_PPK.secret }, lateSeed(sa, Ni)),
  ],
  "a-confirmation-off-by-a-bit": (sa, Ni) => [flipped(offerOf(sa, SHARED, lateSeed(sa, Ni)))],
  "a-confirmation-over-swapped-spis": (sa, Ni) => [offerOf(sa, SHARED, concat(Ni, sa.spiR, sa.spiI))],
  "a-confirmation-over-nonces-of-ike-sa-init": (sa) => [
    offerOf(sa, SHARED, concat(sa.Ni, sa.Nr, sa.spiI, sa.spiR)),
  ],
  "a-ppk-of-type-1": (sa, Ni) => [offerOf(sa, ppkOf(SHARED_PPK, 1), lateSeed(sa, Ni))],
};
const CONFIRMED_WRONGLY = /confirmation|secret/;

for (const [what, make] of Object.entries(WRONG))
  for (const [kind, begin] of Object.entries(KINDS)) {
    // What is wrong with an offer has nothing to do with what is asked for.
    if (kind !== "a-rekeyed-child-sa" && !["no-ppk", "an-unknown-ppk"].includes(what)) continue;
    /** The tester asks for ${kind} with ${what}. The peer, which can do without, makes it as ever and names no PPK; plain keys work. */
    test(`makes-${kind}-as-ever-with-${what}`, {
      requirements: ["PPKINT-29"],
      peer: "responder",
      lies: [
        "insists-on-optional-ppks",
        ...(CONFIRMED_WRONGLY.test(what) ? ["overlooks-ppk-confirmations"] : []),
      ],
      config: LATE_PPK,
    }, async (s) => {
      const session = await s.dial();
      withLateOffers(make)(s);
      await expectPlain(s, await begin(session), kind);
    });

    for (const peer of what === "no-ppk" ? (["responder", "initiator"] as const) : (["responder"] as const)) {
      /**
       * The same where the peer, ${peer} of the IKE SA, insists on a PPK, and has taken the right one: the answer is NO_PROPOSAL_CHOSEN,
       * and both SAs stay.
       */
      test(`as-${peer}-refuses-${kind}-with-${what}-where-its-ppk-is-mandatory`, {
        requirements: ["PPKINT-31"],
        peer,
        lies: ["forgets-that-ppks-are-mandatory", "refuses-new-sas-for-another-reason"],
        config: LATE_PPK_ALWAYS,
      }, async (s) => {
        const session = await proveLatePpk(s, peer);
        withLateOffers(make)(s);
        await (kind === IKE ? session.tryRekeyIke() : session.tryCreateChild());
        expectNotify(lastCreation(s, "us").response, NOTIFY.NO_PROPOSAL_CHOSEN);
        await session.proveTraffic();
      });
    }
  }

/** Offers that no initiator makes. */
const ODD: Record<string, Parameters<typeof withLateOffers>[0]> = {
  "no-octets": () => [new Uint8Array()],
  "seven-octets": (sa, Ni) => [offerOf(sa, SHARED, lateSeed(sa, Ni)).subarray(-7)],
  "eight-octets": (sa, Ni) => [offerOf(sa, SHARED, lateSeed(sa, Ni)).subarray(-8)],
  "two-hundred-wrong-confirmations": () =>
    Array.from({ length: 200 }, (_, i) => concat(SHARED.id, new Uint8Array(8).fill(i))),
};

for (const [what, make] of Object.entries(ODD)) {
  /**
   * The tester rekeys the Child SA with PPK_IDENTITY_KEY of ${what}. The peer may make the new SA without a PPK, refuse it, or give the IKE
   * SA up for a malformed message. It serves the next initiator.
   */
  test(`outlives-late-offers-with-${what}`, {
    requirements: ["PPKINT-29"],
    peer: "responder",
    lies: ["hangs-of-odd-ppks"],
    config: LATE_PPK,
  }, async (s) => {
    const session = await s.dial();
    const undo = withLateOffers(make)(s);
    const child = await session.tryCreateChild({ replaces: session.child });
    const { response } = lastCreation(s, "us");
    const named = hasNotify(response?.payloads ?? [], NOTIFY.PPK_IDENTITY);
    require(!named, "no PPK_IDENTITY", listPayloads(response));
    if (typeof child !== "string") await session.proveTraffic(child);
    undo();
    await (await s.dial()).proveTraffic();
  });
}

/** Whose requests have an offer when both ends rekey at once. */
const SIDES = { "one-side": () => [], "both-sides": undefined };

for (const [side, offers] of Object.entries(SIDES))
  for (const redundant of ["ours", "theirs"] as const) {
    /**
     * Both ends rekey the Child SA at once, with a PPK on offer on ${side}: by the peer, or by the tester as well. By the nonces, ${redundant}
     * is redundant. What stays carries traffic: each exchange has its own keys, with the PPK or without.
     */
    test(`rekeys-at-once-with-a-ppk-on-${side}-where-${redundant}-is-redundant`, {
      requirements: ["PPKINT-32"],
      peer: "responder",
      lies: [
        offers && redundant === "theirs" ? "mixes-its-first-ppk-into-new-sas" : "mixes-no-ppk-into-new-sas",
      ],
      config: LATE_PPK,
    }, async (s) => {
      const session = await s.dial();
      if (offers) withLateOffers(offers)(s);
      const { child } = session;
      await cross(session, {
        exchangeType: EXCHANGE.CREATE_CHILD_SA,
        ours: (done) => s.host.endpoint.createChild(session.sa, { replaces: child }, done),
        theirs: () => s.arena.driver.rekeyChild(),
        redundant,
      });
      needLateOffers(s);
      await s.until(() => session.sa.children.filter((c) => c.state !== "closed").length === 1);
      await session.proveTraffic();
    });
  }
