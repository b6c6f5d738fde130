import {
  Ambiguous,
  announceIntermediate,
  dialWith,
  EXCHANGE,
  expectAgreed,
  expectInitRefused,
  expectNotify,
  forget,
  fromHex,
  hybrid,
  ikeProposals,
  inChoice,
  NOTIFY,
  type Proposal,
  payload,
  refusesInit,
  require,
  type Script,
  type Session,
  TRANSFORM,
  type Transform,
  test,
  transformsOf,
  withTransforms,
} from "../../harness/script/index.ts";

const { ADDKE1, ADDKE2, ADDKE3, ADDKE7 } = TRANSFORM;
const [NONE, MODP2048, ECP256, ECP384, ECP521] = [0, 14, 19, 20, 21];
const CLASSICAL = "aes256-sha384-x25519";

const WRONG_CHOICES: Record<string, (transforms: Transform[]) => Transform[]> = {
  "without-an-additional-type": (all) => all.filter(({ type }) => type !== ADDKE2),
  "with-a-method-that-was-not-offered": (all) =>
    all.map((t) => (t.type === ADDKE2 ? { ...t, id: MODP2048 } : t)),
  "with-a-type-that-was-not-offered": (all) => [...all, ...transformsOf(ADDKE3, MODP2048)],
  "with-none-that-was-not-offered": (all) => all.map((t) => (t.type === ADDKE2 ? { ...t, id: NONE } : t)),
};

for (const [what, change] of Object.entries(WRONG_CHOICES)) {
  /**
   * The tester's choice is one ${what}. The peer must not take it (RFC 7296 section 3.3.6): neither IKE_INTERMEDIATE nor
   * IKE_AUTH follows. An ordinary choice serves it.
   */
  test(`takes-no-choice-${what}`, {
    requirements: ["MKE-L3"],
    peer: "initiator",
    lies: ["accepts-any-choice"],
    config: { ikeProposals: [hybrid("ke1_ecp256-ke1_ecp521-ke2_ecp384")] },
  }, async (s) => {
    s.policy.ike = ikeProposals(hybrid("ke1_ecp256-ke2_ecp384"));
    await expectInitRefused(s, inChoice(change));
  });
}

/**
 * The tester's choice has two of the methods that the peer offered for type 6. The peer ends the exchange, or goes on with the
 * first of them. Note: the choice must be consistent with an offer (RFC 7296 section 3.3.6), which may be read so that all of
 * it was offered; a peer that goes on is on that reading.
 */
test("takes-no-choice-with-two-methods-of-a-type", {
  requirements: ["MKE-L3"],
  peer: "initiator",
  lies: ["accepts-any-choice"],
  config: { ikeProposals: [hybrid("ke1_ecp256-ke1_ecp521-ke2_ecp384")] },
}, async (s) => {
  s.policy.ike = ikeProposals(hybrid("ke1_ecp256-ke2_ecp384"));
  if (
    await refusesInit(
      s,
      inChoice((all) => [...all, ...transformsOf(ADDKE1, ECP521)]),
    )
  )
    return;
  const came = await s.until(() => s.trace.childSas().length > 0);
  require(came, "no exchange after this choice, or the rounds of its first methods", s.lastReason());
  throw new Ambiguous("goes on with the first of two methods of a type");
});

/**
 * The tester offers a proposal with an additional key exchange and one without, and leaves INTERMEDIATE_EXCHANGE_SUPPORTED
 * out. The peer, told to do both, must treat type 6 as unknown: it chooses the second.
 */
test("passes-over-additional-key-exchanges-that-are-not-announced", {
  requirements: ["MKE-17"],
  peer: "responder",
  lies: ["takes-rounds-without-announcement"],
  config: { ikeProposals: [hybrid("ke1_ecp256"), CLASSICAL] },
}, async (s) => {
  announceIntermediate(s, () => undefined);
  const session = await dialWith(s, ikeProposals(hybrid("ke1_ecp256"), CLASSICAL));
  const { number } = expectAgreed(s, "responder");
  require(number === 2, "proposal 2", `proposal ${number}`);
  await session.proveTraffic();
});

/** The same without a second proposal: NO_PROPOSAL_CHOSEN. With the notify it is served. */
test("refuses-nothing-but-additional-key-exchanges-that-are-not-announced", {
  requirements: ["MKE-17", "MKE-18"],
  peer: "responder",
  lies: ["takes-rounds-without-announcement"],
  config: { ikeProposals: [hybrid("ke1_ecp256")] },
}, async (s) => {
  let announces = false;
  announceIntermediate(s, () => (announces ? fromHex("") : undefined));
  s.decide("unprotected error notify", "give up");
  await s.tryInit();
  expectNotify(s.exchange(EXCHANGE.IKE_SA_INIT).response, NOTIFY.NO_PROPOSAL_CHOSEN);
  announces = true;
  await s.dial();
});

/**
 * The tester's choice has the peer's additional key exchange, but INTERMEDIATE_EXCHANGE_SUPPORTED does not come back. The peer
 * must treat type 6 as unknown, and the choice as wrong: neither IKE_INTERMEDIATE nor IKE_AUTH follows.
 */
test("takes-no-additional-key-exchanges-that-are-not-announced", {
  requirements: ["MKE-17"],
  peer: "initiator",
  lies: ["takes-rounds-without-announcement"],
  config: { ikeProposals: [hybrid("ke1_ecp256")] },
}, async (s) => {
  await expectInitRefused(s, (message) => {
    message.payloads = message.payloads.filter(
      (p) => p.kind !== "Notify" || p.notifyType !== NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED,
    );
  });
});

const KEY_LENGTH = 14;
const UNKNOWN_ATTRIBUTE = 99;
const TYPE_13 = 13;

/** Proposals that nobody can take, as they need more than what is known. */
const UNKNOWN: Record<string, { change: (p: Proposal) => Proposal; lie: string }> = {
  "a-key-length-of-a-method": {
    change: (p) => withAttribute(p, { type: KEY_LENGTH, value: 256 }),
    lie: "overlooks-attributes-of-methods",
  },
  "an-unknown-attribute-of-a-method": {
    change: (p) => withAttribute(p, { type: UNKNOWN_ATTRIBUTE, value: fromHex("0102030405") }),
    lie: "overlooks-attributes-of-methods",
  },
  "an-unknown-type-behind-the-additional-ones": {
    change: (p) => withTransforms(p, ...transformsOf(TYPE_13, ECP256)),
    lie: "overlooks-unknown-transform-types",
  },
};

const withAttribute = (p: Proposal, attribute: Transform["attributes"][number]): Proposal => ({
  ...p,
  transforms: p.transforms.map((t) => (t.type === ADDKE1 ? { ...t, attributes: [attribute] } : t)),
});

for (const [what, { change, lie }] of Object.entries(UNKNOWN)) {
  /**
   * The tester offers ${what}, and behind it the same proposal without that. Nobody knows what it stands for, so the first
   * cannot be chosen (RFC 7296 section 3.3.6): the peer chooses the second.
   */
  test(`passes-over-${what}`, {
    requirements: ["MKE-05", "MKE-L1"],
    peer: "responder",
    lies: [lie],
    config: { ikeProposals: [hybrid("ke1_ecp256")] },
  }, async (s) => {
    await s.dial();
    const [plain] = ikeProposals(hybrid("ke1_ecp256"));
    require(plain !== undefined, "a proposal", "none");
    const session = await dialWith(s, [change(plain), plain]);
    const { number } = expectAgreed(s, "responder");
    require(number === 2, "proposal 2", `proposal ${number}`);
    await session.proveTraffic();
  });
}

/** Sizes of an additional transform that have no sense: it is 8 octets, and what follows must be whole attributes. */
const ODD_SIZES: Record<string, Partial<Transform>> = {
  "two-octets-behind-a-method": { trailing: fromHex("0102") },
  "a-method-that-is-too-short": { length: 7 },
  "a-method-that-reaches-past-its-proposal": { length: 4000 },
};

for (const [what, size] of Object.entries(ODD_SIZES)) {
  /**
   * The tester offers ${what}, and behind it a proposal in order. The peer may refuse or drop the whole message, or choose the second
   * proposal, but not the first. What is in order throughout it serves.
   */
  test(`does-not-take-${what}`, {
    requirements: ["MKE-01", "MKE-05"],
    peer: "responder",
    lies: ["dies-of-methods-of-odd-size", ...("trailing" in size ? ["reads-methods-of-any-size"] : [])],
    config: { ikeProposals: [hybrid("ke1_ecp256")] },
  }, async (s) => {
    await s.dial();
    const plain = s.policy.ike[0];
    require(plain !== undefined, "a proposal", "none");
    const odd = plain.transforms.map((t) => (t.type === ADDKE1 ? { ...t, ...size } : t));
    s.policy.ike = [
      { ...plain, transforms: odd },
      { ...plain, number: 2 },
    ];
    s.decide("unprotected error notify", "give up");
    const sa = await initOnce(s);
    const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
    const number = payload(response?.payloads ?? [], "SA")?.proposals[0]?.number;
    require(number !== 1, "an error, silence, or proposal 2", "proposal 1");
    forget(s, sa);
    s.policy.ike = [plain];
    await s.dial();
  });
}

/** IKE_SA_INIT, whatever comes of it; over once the peer, silent here, has answered a stranger. */
async function initOnce(s: Script): Promise<Session["sa"]> {
  let ended = false;
  const sa = s.host.endpoint.init(s.arena.local, s.arena.remote, () => {
    ended = true;
  });
  s.host.settle();
  await s.untilAnswered(() => ended, s.arena.quiet);
  return sa;
}

const PRIVATE_USE = 2000;

/**
 * Each of the seven additional types has thirty-five methods, all that a proposal has room for: one that the peer is told, or NONE,
 * behind those that nobody knows. The peer finds it: two rounds take place.
 */
test("finds-its-methods-among-thirty-five-for-each-of-seven-types", {
  requirements: ["MKE-05", "MKE-14"],
  peer: "responder",
  lies: ["drops-long-offers"],
  config: { ikeProposals: [hybrid("ke1_ecp256-ke4_ecp384")] },
}, async (s) => {
  await s.dial();
  const known = new Map([
    [ADDKE1, ECP256],
    [ADDKE1 + 3, ECP384],
  ]);
  const [ordinary] = ikeProposals("aes256-sha256-x25519");
  require(ordinary !== undefined, "a proposal", "none");
  const strangers = Array.from({ length: 34 }, (_, i) => PRIVATE_USE + i);
  const types = Array.from({ length: ADDKE7 - ADDKE1 + 1 }, (_, i) => ADDKE1 + i);
  const added = types.flatMap((type) => transformsOf(type, ...strangers, known.get(type) ?? NONE));
  const session = await dialWith(s, [withTransforms(ordinary, ...added)]);
  expectAgreed(s, "responder");
  await session.proveTraffic();
});
