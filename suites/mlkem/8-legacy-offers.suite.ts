import {
  childOffers,
  EXCHANGE,
  expect,
  expectInitRefused,
  expectNoChildSa,
  expectNoIkeRekey,
  expectNoIkeSa,
  expectNoSwitch,
  expectNotify,
  initExchange,
  NOTIFY,
  notifies,
  type OutgoingMessage,
  type Proposal,
  payload,
  require,
  type Script,
  Session,
  TRANSFORM,
  test,
  transformsOf,
  withMethods,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const X25519 = 31;
const MLKEM = { "ml-kem-512": [35], "ml-kem-768": [36], "ml-kem-1024": [37], "any-ml-kem": [36, 37, 35] };
const [MLKEM768] = MLKEM["ml-kem-768"];
const withPfs = { espProposals: ["aes256gcm16-x25519", "aes128-sha512-x25519"] };

/** In front of the methods of each proposal in our requests, with a KE payload as it was. */
function offerFirst(s: Script, exchangeType: number, ids: number[]): void {
  s.change(exchangeType, ({ payloads }) => {
    const sa = payload(payloads, "SA");
    if (sa) sa.proposals = sa.proposals.map((p) => inFront(p, ids));
  });
}

const inFront = (proposal: Proposal, ids: number[]): Proposal => ({
  ...proposal,
  transforms: [...transformsOf(TRANSFORM.KE, ...ids), ...proposal.transforms],
});

const chosenMethod = (s: Script, exchangeType: number): number | undefined =>
  payload(s.exchange(exchangeType).response?.payloads ?? [], "SA")?.proposals[0]?.transforms.find(
    ({ type }) => type === TRANSFORM.KE,
  )?.id;

for (const [what, ids] of Object.entries(MLKEM)) {
  /**
   * Each proposal of the tester's IKE_SA_INIT request has ${what} in front of the groups that the peer is told; the KE payload is
   * of X25519. A transform id that is not known, or not wanted, is passed over (RFC 7296 section 3.3.6): the peer chooses X25519,
   * and both SAs come up.
   */
  test(`chooses-a-group-beside-${what}`, {
    requirements: ["MLKEM-L1"],
    peer: "responder",
    lies: ["refuses-proposals-with-ml-kem", "drops-offers-with-ml-kem"],
  }, async (s) => {
    offerFirst(s, EXCHANGE.IKE_SA_INIT, ids);
    const session = await s.dial();
    expect(chosenMethod(s, EXCHANGE.IKE_SA_INIT), "method chosen").to.equal(X25519);
    await session.proveTraffic();
  });

  /** The proposals have ${what} alone: NO_PROPOSAL_CHOSEN. An ordinary offer serves the peer. */
  test(`refuses-an-ike-sa-of-nothing-but-${what}`, {
    requirements: ["MLKEM-L3"],
    peer: "responder",
    lies: ["reads-ml-kem-as-x25519"],
  }, async (s) => {
    await expectNoIkeSa(
      s,
      s.policy.ike.map((p) => withMethods(p, ...ids)),
    );
  });
}

/**
 * The tester offers ML-KEM-768 and X25519, and its KE payload is of ML-KEM-768. The peer is told X25519 alone: it answers
 * INVALID_KE_PAYLOAD and names X25519 in two octets (RFC 7296 sections 1.2 and 3.4). With a KE payload of that, both SAs come up.
 */
test("asks-for-its-group-in-place-of-ml-kem", {
  requirements: ["MLKEM-L2"],
  peer: "responder",
  config: { ikeProposals: ["aes256-sha256-x25519"] },
  lies: ["refuses-another-group-at-once", "names-group-in-four-octets"],
}, async (s) => {
  s.policy.ike = s.policy.ike.map((p) => withMethods(p, MLKEM768 ?? 0, X25519));
  s.decide("unprotected error notify", "give up");
  const { sa, failure } = await s.tryDial();
  const { response } = initExchange(s);
  expectNotify(response, NOTIFY.INVALID_KE_PAYLOAD);
  const [named] = notifies(response?.payloads ?? [], NOTIFY.INVALID_KE_PAYLOAD);
  expect([...(named?.data ?? [])], "octets of INVALID_KE_PAYLOAD").to.deep.equal([0, X25519]);
  require(failure === undefined, "both SAs with the named group", failure ?? "");
  await new Session(s, sa).proveTraffic();
});

for (const peer of ROLES) {
  /** The tester asks for a Child SA with ML-KEM in front of X25519: the peer chooses X25519, and traffic passes. */
  test(`as-${peer}-chooses-a-group-for-a-child-sa-beside-ml-kem`, {
    requirements: ["MLKEM-L1"],
    peer,
    config: withPfs,
    lies: ["refuses-proposals-with-ml-kem", "drops-offers-with-ml-kem"],
  }, async (s) => {
    const session = await s.establish(peer);
    offerFirst(s, EXCHANGE.CREATE_CHILD_SA, MLKEM["any-ml-kem"]);
    const child = await session.createChild({ proposals: childOffers(s) });
    expect(chosenMethod(s, EXCHANGE.CREATE_CHILD_SA), "method chosen").to.equal(X25519);
    await session.proveTraffic(child);
  });

  /** A Child SA of ML-KEM alone: NO_PROPOSAL_CHOSEN, and the IKE SA goes on. */
  test(`as-${peer}-refuses-a-child-sa-of-nothing-but-ml-kem`, {
    requirements: ["MLKEM-L3"],
    peer,
    config: withPfs,
    lies: ["reads-ml-kem-as-x25519"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectNoChildSa(
      session,
      childOffers(s).map((p) => withMethods(p, MLKEM768 ?? 0)),
    );
  });

  /** The tester rekeys the IKE SA with ML-KEM in front of X25519: the peer chooses X25519, and the new IKE SA answers. */
  test(`as-${peer}-chooses-a-group-for-a-rekeyed-ike-sa-beside-ml-kem`, {
    requirements: ["MLKEM-L1"],
    peer,
    lies: ["refuses-proposals-with-ml-kem", "drops-offers-with-ml-kem"],
  }, async (s) => {
    const session = await s.establish(peer);
    offerFirst(s, EXCHANGE.CREATE_CHILD_SA, MLKEM["any-ml-kem"]);
    const fresh = await session.rekeyIke();
    expect(fresh.sa.suite?.group, "method chosen").to.equal(X25519);
    require(await fresh.alive(), "the new IKE SA alive", "silence");
  });

  /** An IKE SA rekeyed with ML-KEM alone: NO_PROPOSAL_CHOSEN, and the old one goes on. */
  test(`as-${peer}-refuses-a-rekeyed-ike-sa-of-nothing-but-ml-kem`, {
    requirements: ["MLKEM-L3"],
    peer,
    lies: ["reads-ml-kem-as-x25519"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectNoIkeRekey(
      session,
      s.policy.ike.map((p) => withMethods(p, MLKEM768 ?? 0)),
    );
  });
}

/**
 * The peer initiates, and the tester chooses ML-KEM-768, which was not offered. The peer must not take it (RFC 7296 section
 * 3.3.6): no IKE_AUTH follows. An ordinary response serves it.
 */
test("takes-no-choice-of-ml-kem-that-it-did-not-offer", {
  requirements: ["MLKEM-L4"],
  peer: "initiator",
  lies: ["takes-a-choice-of-ml-kem-for-x25519"],
}, async (s) => {
  await expectInitRefused(s, ({ payloads }: OutgoingMessage) => {
    const sa = payload(payloads, "SA");
    if (sa) sa.proposals = sa.proposals.map((p) => withMethods(p, MLKEM768 ?? 0));
  });
});

/**
 * The peer initiates, and INVALID_KE_PAYLOAD asks for ML-KEM-768, which it did not offer. No KE payload of it may follow,
 * for none may be of a method that the SA payload does not name (RFC 7296 section 3.4).
 */
test(
  "sends-no-ml-kem-that-it-did-not-offer",
  {
    requirements: ["MLKEM-L4"],
    peer: "initiator",
    lies: ["switches-to-any-group"],
  },
  (s) => expectNoSwitch(s, MLKEM768 ?? 0),
);
