import {
  EXCHANGE,
  expectAbandoned,
  expectAlive,
  expectNamed,
  expectRightOffers,
  expectRounds,
  expectUnused,
  Failure,
  flipped,
  LATE_PPK,
  LATE_PPK_ALWAYS,
  lastCreation,
  lateSeed,
  NOTIFY,
  needLateOffers,
  notify,
  type PeerConfig,
  type PeerRole,
  payload,
  ppkOf,
  type Script,
  Session,
  SHARED,
  SHARED_PPK,
  test,
  UNKNOWN_PPK,
  withPolicy,
} from "../../harness/script/index.ts";

/** What the peer does on command, and how the SA it makes proves itself. */
const KINDS: Record<string, (session: Session) => Promise<Session>> = {
  "a-child-sa": async (session) => {
    await session.peerRekeysChild();
    return session;
  },
  "the-ike-sa": (session) => session.peerRekeysIke(),
};

async function proveNew(session: Session, kind: string): Promise<void> {
  if (kind === "a-child-sa") return session.proveTraffic();
  await expectAlive(session);
}

/** Every offer of the peer's last request is right; `sa` is the IKE SA that it came on. */
function expectOffers(s: Script, { sa }: Session, ppks = [SHARED]): void {
  const offers = needLateOffers(s);
  const { request } = lastCreation(s, "peer");
  const Ni = payload(request.payloads, "Nonce")?.data;
  if (!Ni) throw new Failure("a Nonce payload", "none");
  expectRightOffers(offers, sa, lateSeed(sa, Ni), ppks);
}

const ORIGINS: Record<string, PeerConfig["ppkIn"] & {}> = {
  "an-ike-sa-without-ppk": ["CREATE_CHILD_SA"],
  "an-ike-sa-with-a-ppk-in-ike-auth": ["IKE_AUTH", "CREATE_CHILD_SA"],
  "an-ike-sa-with-a-ppk-in-ike-intermediate": ["IKE_INTERMEDIATE", "CREATE_CHILD_SA"],
};

for (const peer of ["initiator", "responder"] as const)
  for (const [origin, ppkIn] of Object.entries(ORIGINS))
    for (const [kind, make] of Object.entries(KINDS)) {
      // SK_d, which the origin has made, goes into new IKE SAs and Child SAs alike.
      if (origin !== "an-ike-sa-without-ppk" && kind === "a-child-sa") continue;
      /**
       * The peer, ${peer} of ${origin}, rekeys ${kind} and offers its PPK with prf(PPK, Ni | SPIi | SPIr). The tester takes it, and both have keys
       * out of prf+(PPK, SK_d), which the use of the new SA proves.
       */
      test(`as-${peer}-offers-its-ppk-when-it-rekeys-${kind}-of-${origin}`, {
        requirements: ["PPKINT-27", "PPKINT-32"],
        peer,
        lies: ["confirms-late-ppks-with-swapped-spis", "mixes-no-ppk-into-new-sas"],
        config: { ...LATE_PPK, ppkIn },
      }, async (s) => {
        const session = await s.establish(peer);
        const next = await make(session);
        expectOffers(s, session);
        expectNamed(lastCreation(s, "peer").response, SHARED);
        await proveNew(next, kind);
      });
    }

/** Additional key exchanges behind CREATE_CHILD_SA. */
const MORE: Partial<PeerConfig> = {
  ikeProposals: ["aes256-sha256-x25519-ke1_ecp256-ke2_ecp384"],
  espProposals: ["aes256gcm16-x25519-ke1_ecp256-ke2_ecp384"],
};

for (const [kind, make] of Object.entries(KINDS)) {
  /** The same with two additional key exchanges in IKE_FOLLOWUP_KE: the PPK goes into the keys at the end. */
  test(`offers-its-ppk-when-it-rekeys-${kind}-with-additional-key-exchanges`, {
    requirements: ["PPKINT-27", "PPKINT-33"],
    peer: "initiator",
    lies: ["mixes-no-ppk-into-new-sas"],
    config: { ...LATE_PPK, ...MORE },
  }, async (s) => {
    const session = await s.accept();
    const next = await make(session);
    expectOffers(s, session);
    expectNamed(lastCreation(s, "peer").response, SHARED);
    expectRounds(s, "peer", [19, 20], EXCHANGE.IKE_FOLLOWUP_KE);
    await proveNew(next, kind);
  });
}

/** The peer rekeys the Child SA three times. The tester takes a PPK, then none, then one again. Each Child SA has its own keys. */
test("keeps-sk-d-for-the-child-sa-that-it-makes-next", {
  requirements: ["PPKINT-32"],
  peer: "initiator",
  lies: ["mixes-ppks-into-sk-d-of-the-ike-sa"],
  config: LATE_PPK,
}, async (s) => {
  const session = await s.accept();
  for (const ppks of [[SHARED], [], [SHARED]]) {
    s.policy.ppks = ppks;
    await session.peerRekeysChild();
    expectOffers(s, session);
    await session.proveTraffic();
  }
});

const SECOND_PPK = { id: "bakeoff/ppk+2", secret: "xTzC4oB3mJc0p6N2yYt8kq5Zs7Vw1xUeRfDgHiLaQn8=" };

/** The peer has two PPKs, of which the tester has the second. If the peer offers both, the second is used. */
test("uses-the-ppk-that-is-chosen-out-of-several-in-create-child-sa", {
  requirements: ["PPKINT-27", "PPKINT-32"],
  peer: "initiator",
  lies: ["confirms-late-ppks-with-swapped-spis", "mixes-its-first-ppk-into-new-sas"],
  config: { ...LATE_PPK, ppks: [SHARED_PPK, SECOND_PPK] },
}, async (s) => {
  const both = [ppkOf(SHARED_PPK), ppkOf(SECOND_PPK)];
  s.policy.ppks = both.slice(1);
  const session = await s.accept();
  await session.peerRekeysChild();
  expectOffers(s, session, both);
  if (needLateOffers(s).length < 2) s.tolerate("offers one of its PPKs only");
  else expectNamed(lastCreation(s, "peer").response, ppkOf(SECOND_PPK));
  await session.proveTraffic();
});

const unknown = withPolicy({ ppks: [UNKNOWN_PPK] });

for (const [kind, make] of Object.entries(KINDS)) {
  /** The peer rekeys ${kind} with a PPK on offer that the tester does not have. It can do without, and plain keys work. */
  test(`rekeys-${kind}-without-its-optional-ppk`, {
    requirements: ["PPKINT-29", "PPKINT-32"],
    peer: "initiator",
    lies: ["mixes-its-first-ppk-into-new-sas"],
    config: LATE_PPK,
  }, async (s) => {
    const session = await s.accept();
    unknown(s);
    const next = await make(session);
    expectOffers(s, session);
    await proveNew(next, kind);
  });
}

/** Has the peer rekey the Child SA, while we answer in a way that it must not take. The new SA is not used, or deleted at once. */
async function expectChildUnused(s: Script, peer: PeerRole): Promise<void> {
  const session = await s.establish(peer);
  const before = s.trace.childSas().length;
  await s.arena.driver.rekeyChild();
  await s.until(() => s.trace.childSas().length > before);
  needLateOffers(s);
  const made = s.trace.childSas()[before];
  if (!made) throw new Failure("the peer to rekey the Child SA", s.lastReason());
  await expectUnused(session, made);
}

/** Has the peer rekey the IKE SA in the same way. The new one is not used, or deleted at once. */
async function expectIkeUnused(s: Script, peer: PeerRole): Promise<void> {
  const session = await s.establish(peer);
  await s.arena.driver.rekeyIke();
  await s.until(() => session.sa.replacedBy !== undefined);
  needLateOffers(s);
  const made = session.sa.replacedBy;
  if (!made) throw new Failure("the peer to rekey the IKE SA", s.lastReason());
  await expectAbandoned(new Session(s, made));
}

const UNUSED = { "a-child-sa": expectChildUnused, "the-ike-sa": expectIkeUnused };

const ROLES = ["initiator", "responder"] as const;

for (const peer of ROLES)
  for (const [kind, expectNone] of Object.entries(UNUSED)) {
    /**
     * The peer, ${peer} of the IKE SA, insists on PPKs, and rekeys ${kind}. The tester's response names none. The peer deletes the new SA, or
     * does not use it.
     */
    test(`as-${peer}-gives-${kind}-up-that-it-made-without-its-mandatory-ppk`, {
      requirements: ["PPKINT-30"],
      peer,
      lies: ["forgets-that-ppks-are-mandatory"],
      config: LATE_PPK_ALWAYS,
    }, async (s) => {
      unknown(s);
      await expectNone(s, peer);
    });
  }

/** PPK_IDs that were not on offer. */
const STRANGE: Record<string, (id: Uint8Array) => Uint8Array> = {
  "another-id": () => UNKNOWN_PPK.id,
  "no-octets": () => new Uint8Array(),
  "an-id-off-by-a-bit": flipped,
};

for (const [kind, expectNone] of Object.entries(UNUSED))
  for (const [what, change] of Object.entries(STRANGE))
    for (const peer of what === "another-id" ? ROLES : ROLES.slice(0, 1)) {
      /**
       * The peer, ${peer} of the IKE SA, rekeys ${kind} with a PPK on offer. The tester's response has PPK_IDENTITY with ${what}, and its own
       * SA has the PPK of the offer in its keys. The peer does not take that PPK for the one that was named: the new SA is not used, or deleted
       * at once. Note: section 3.2 does not say whether a peer may go on without a PPK; nobody sees that here.
       */
      test(`as-${peer}-does-not-use-its-ppk-for-${kind}-after-ppk-identity-with-${what}`, {
        requirements: ["PPKINT-34"],
        peer,
        lies: ["takes-a-ppk-that-it-did-not-offer"],
        config: LATE_PPK,
      }, async (s) => {
        const strange = notify(NOTIFY.PPK_IDENTITY, change(SHARED.id));
        s.change(
          EXCHANGE.CREATE_CHILD_SA,
          (message) => {
            const others = message.payloads.filter(
              (p) => p.kind !== "Notify" || p.notifyType !== strange.notifyType,
            );
            message.payloads = [...others, strange];
          },
          "response",
        );
        await expectNone(s, peer);
      });
    }

/**
 * The peer has no PPK. It rekeys the Child SA of an IKE SA that the tester began. The tester's response has PPK_IDENTITY all the same, which
 * the peer ignores: both ends make the new SA without a PPK, and it carries traffic.
 */
test("ignores-a-ppk-identity-that-it-did-not-ask-for", {
  requirements: ["PPKINT-L2"],
  peer: "responder",
  lies: ["mixes-in-a-ppk-that-it-did-not-offer"],
}, async (s) => {
  const session = await s.dial();
  const strange = notify(NOTIFY.PPK_IDENTITY, SHARED.id);
  s.change(EXCHANGE.CREATE_CHILD_SA, ({ payloads }) => payloads.push(strange), "response");
  await session.peerRekeysChild();
  await session.proveTraffic();
});
