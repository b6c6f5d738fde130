import {
  announceIntermediate,
  childOffers,
  EXCHANGE,
  expectInitRefused,
  expectNoChildSa,
  expectNoIkeRekey,
  expectNoIkeSa,
  expectOrdinaryChildSa,
  expectOrdinaryIkeRekey,
  expectOrdinaryIkeSa,
  expectTraffic,
  expectUnused,
  fromHex,
  hasNotify,
  heard,
  inChoice,
  NOTIFY,
  notify,
  type OutgoingMessage,
  type Proposal,
  payload,
  require,
  Session,
  TRANSFORM,
  type Transform,
  test,
  transformsOf,
  withTransforms,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const { ADDKE1, ADDKE7 } = TRANSFORM;
const TYPES = Array.from({ length: ADDKE7 - ADDKE1 + 1 }, (_, i) => ADDKE1 + i);
const [NONE, ECP256, X25519, MLKEM768] = [0, 19, 31, 36];
/** A Child SA has a key exchange of its own where it can have additional ones. */
const withPfs = { espProposals: ["aes256gcm16-x25519", "aes128-sha512-x25519"] };

/** Additional key exchanges that nobody told the peer to do. */
const OFFERS: Record<string, Transform[]> = {
  ...Object.fromEntries(TYPES.map((type) => [`type-${type}`, transformsOf(type, ECP256)])),
  "all-types": TYPES.flatMap((type) => transformsOf(type, ECP256, X25519, MLKEM768)),
  "a-way-out": transformsOf(ADDKE1, MLKEM768, NONE),
};

const adding =
  (transforms: Transform[]) =>
  (proposal: Proposal): Proposal =>
    withTransforms(proposal, ...transforms);

for (const [what, transforms] of Object.entries(OFFERS)) {
  /**
   * The first proposals of the tester's IKE_SA_INIT request have additional key exchanges (${what}), those behind them do
   * not, and INTERMEDIATE_EXCHANGE_SUPPORTED is missing. Who knows the transform types must treat them as unknown, and so
   * does who does not (RFC 7296 section 3.3.6): it chooses one of the others, both SAs come up, and traffic passes. Note:
   * strongSwan 6 takes a proposal that allows NONE (a way out), though the text has it skipped.
   */
  test(`chooses-an-ike-sa-behind-unannounced-additional-key-exchanges-of-${what}`, {
    requirements: ["MKE-17", "MKE-L1"],
    peer: "responder",
    lies: ["overlooks-additional-key-exchanges", "drops-offers-with-additional-key-exchanges"],
  }, async (s) => {
    announceIntermediate(s, () => undefined);
    await expectOrdinaryIkeSa(s, s.policy.ike.map(adding(transforms)));
  });
}

/**
 * The same with INTERMEDIATE_EXCHANGE_SUPPORTED. A peer that is not told to do additional key exchanges takes a proposal
 * without them; one that agrees to them must return the notify.
 */
test("chooses-an-ike-sa-behind-announced-additional-key-exchanges", {
  requirements: ["MKE-16", "MKE-L1"],
  peer: "responder",
  lies: ["overlooks-additional-key-exchanges", "agrees-to-additional-key-exchanges-in-silence"],
}, async (s) => {
  announceIntermediate(s, () => fromHex(""));
  await expectOrdinaryIkeSa(s, s.policy.ike.map(adding(transformsOf(ADDKE1, ECP256))));
});

/**
 * The peer, told to do an additional key exchange and to do without as well, initiates. The tester is a legacy responder: it
 * chooses the proposal without, and does not return the notify. IKE_AUTH is next, with Message ID 1, and both SAs come up.
 */
test("does-without-additional-key-exchanges-towards-a-legacy-responder", {
  requirements: ["MKE-12"],
  peer: "initiator",
  config: { ikeProposals: ["aes256-sha256-x25519-ke1_ecp256", "aes256-sha256-x25519"] },
  lies: ["begins-intermediate-unasked"],
}, async (s) => {
  announceIntermediate(s, () => undefined);
  s.policy.ike = s.policy.ike.slice(1);
  const began = () => heard(s, EXCHANGE.IKE_INTERMEDIATE);
  await s.provoke(() => s.trace.childSas().length > 0 || began() > 0);
  require(began() === 0, "no IKE_INTERMEDIATE", `${began()} requests`);
  const sa = s.trace.childSas()[0]?.ike;
  require(sa !== undefined, "the peer to set up both SAs", s.lastReason());
  await expectTraffic(new Session(s, sa), "the Child SA came up");
});

for (const what of ["unannounced", "announced"]) {
  /**
   * All proposals of the tester's IKE_SA_INIT request have additional key exchanges, ${what}. The peer is told to do none: it
   * answers NO_PROPOSAL_CHOSEN. An ordinary offer serves it.
   */
  test(`refuses-an-ike-sa-of-nothing-but-${what}-additional-key-exchanges`, {
    requirements: what === "announced" ? ["MKE-L2"] : ["MKE-18", "MKE-L2"],
    peer: "responder",
    lies: ["overlooks-additional-key-exchanges"],
  }, async (s) => {
    announceIntermediate(s, () => (what === "announced" ? fromHex("") : undefined));
    await expectNoIkeSa(s, s.policy.ike.map(adding(transformsOf(ADDKE1, ECP256))));
  });
}

for (const peer of ROLES) {
  /**
   * The tester asks for a Child SA. Its first proposals have additional key exchanges, those behind them do not. The peer is
   * told to do none: it chooses one of the others, and traffic passes.
   */
  test(`as-${peer}-chooses-a-child-sa-behind-additional-key-exchanges`, {
    requirements: ["MKE-L1"],
    peer,
    config: withPfs,
    lies: ["overlooks-additional-key-exchanges", "drops-offers-with-additional-key-exchanges"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectOrdinaryChildSa(session, childOffers(s).map(adding(transformsOf(ADDKE1, ECP256))));
  });

  /** A Child SA of nothing but proposals with additional key exchanges: NO_PROPOSAL_CHOSEN, and the IKE SA goes on. */
  test(`as-${peer}-refuses-a-child-sa-of-nothing-but-additional-key-exchanges`, {
    requirements: ["MKE-L2"],
    peer,
    config: withPfs,
    lies: ["overlooks-additional-key-exchanges"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectNoChildSa(session, childOffers(s).map(adding(transformsOf(ADDKE1, ECP256))));
  });

  /**
   * The tester rekeys the IKE SA. Its first proposals have additional key exchanges, those behind them do not. The peer
   * chooses one of the others, and the new IKE SA answers.
   */
  test(`as-${peer}-chooses-a-rekeyed-ike-sa-behind-additional-key-exchanges`, {
    requirements: ["MKE-L1"],
    peer,
    lies: ["overlooks-additional-key-exchanges", "drops-offers-with-additional-key-exchanges"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectOrdinaryIkeRekey(session, s.policy.ike.map(adding(transformsOf(ADDKE1, ECP256))));
  });

  /** An IKE SA rekeyed with nothing but such proposals: NO_PROPOSAL_CHOSEN, and the old one goes on. */
  test(`as-${peer}-refuses-a-rekeyed-ike-sa-of-nothing-but-additional-key-exchanges`, {
    requirements: ["MKE-L2"],
    peer,
    lies: ["overlooks-additional-key-exchanges"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectNoIkeRekey(session, s.policy.ike.map(adding(transformsOf(ADDKE1, ECP256))));
  });

  /**
   * The peer rekeys its Child SA on command. The tester's choice has an additional key exchange that was not offered, and
   * ADDITIONAL_KEY_EXCHANGE says that it follows. The peer must not take it (RFC 7296 section 3.3.6): no IKE_FOLLOWUP_KE
   * comes, and the new Child SA is not used.
   */
  test(`as-${peer}-takes-no-additional-key-exchange-for-a-child-sa-that-it-did-not-offer`, {
    requirements: ["MKE-L3"],
    peer,
    config: withPfs,
    lies: ["takes-any-additional-key-exchange"],
  }, async (s) => {
    const session = await s.establish(peer);
    await session.proveTraffic();
    s.change(EXCHANGE.CREATE_CHILD_SA, choosesAnother, "response");
    await expectUnused(session, await session.peerRekeysChild());
    const followed = heard(s, EXCHANGE.IKE_FOLLOWUP_KE);
    require(followed === 0, "no IKE_FOLLOWUP_KE", `${followed} requests`);
  });
}

/** Chooses, beside all else, an additional key exchange. */
const addsToChoice = inChoice((all) => [...all, ...transformsOf(ADDKE1, MLKEM768)]);

/** Chooses, beside all else, an additional key exchange, and says that it follows. */
function choosesAnother(message: OutgoingMessage): void {
  addsToChoice(message);
  message.payloads.push(notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, fromHex("0102030405060708")));
}

/**
 * The peer initiates. The tester's choice has an additional key exchange that was not offered, and the announcement of
 * IKE_INTERMEDIATE. The peer must not take it (RFC 7296 section 3.3.6): it goes on with neither IKE_INTERMEDIATE nor IKE_AUTH. An
 * ordinary response serves it.
 */
test("takes-no-additional-key-exchange-for-an-ike-sa-that-it-did-not-offer", {
  requirements: ["MKE-L3"],
  peer: "initiator",
  lies: ["takes-any-additional-key-exchange"],
}, async (s) => {
  announceIntermediate(s, () => fromHex(""));
  await expectInitRefused(s, addsToChoice);
});

/**
 * The peer initiates. If its proposals have additional key exchanges, which nobody told it to offer, the same message has
 * INTERMEDIATE_EXCHANGE_SUPPORTED, and its KE payload is of the method of transform type 4.
 */
test("offers-additional-key-exchanges-only-with-the-announcement", {
  requirements: ["MKE-15", "MKE-02"],
  peer: "initiator",
  lies: ["offers-additional-key-exchanges-unannounced"],
}, async (s) => {
  announceIntermediate(s, () => undefined);
  const init = () => s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, "peer")[0];
  require(await s.provoke(() => init() !== undefined), "an IKE_SA_INIT request", s.lastReason());
  const { payloads } = init()?.request ?? { payloads: [] };
  const transforms = payload(payloads, "SA")?.proposals.flatMap((p) => p.transforms) ?? [];
  const offers = transforms.some(({ type }) => TYPES.includes(type));
  const announces = hasNotify(payloads, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED);
  require(announces || !offers, "the announcement beside additional key exchanges", "none");
  const group = payload(payloads, "KE")?.group;
  const methods = transforms.filter(({ type }) => type === TRANSFORM.KE).map(({ id }) => id);
  require(group !== undefined && methods.includes(group), "a KE payload of transform type 4", `${group}`);
});
