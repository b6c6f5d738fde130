import {
  EXCHANGE,
  expectAlive,
  expectChoice,
  expectNotify,
  expectTraffic,
  expectUnused,
  type IncomingMessage,
  NOTIFY,
  numbersIn,
  payload,
  require,
  type Script,
  Session,
  TRANSFORM,
  type Transform,
  test,
  withNumbers,
} from "../../harness/script/index.ts";

const wordsFor = (offer: readonly number[]) => (offer.includes(1) ? "noesn-esn" : "noesn");
/** AES-GCM, and AES-CBC for a peer without it. Extended numbers are named only where the test needs them. */
const told = (offer: readonly number[]) => ({
  espProposals: [`aes256gcm16-${wordsFor(offer)}`, `aes128-sha512-${wordsFor(offer)}`],
});

/** Offers these for the first Child SA; fails unless one of them that is `usable` is chosen, and carries traffic. */
async function expectOneOf(
  s: Script,
  usable: readonly number[],
  ...offer: (number | Transform)[]
): Promise<void> {
  s.policy.esp = withNumbers(s, ...offer);
  const { sa, failure, childFailure } = await s.tryDial();
  const { request, response } = s.exchange(EXCHANGE.IKE_AUTH);
  const chosen = expectChoice(response, request);
  const numbers = numbersIn(chosen);
  const right = numbers.length === 1 && usable.includes(numbers[0] ?? -1);
  require(right, `one of the Sequence Numbers ${usable.join(" and ")}`, numbers.join(" and ") || "none");
  require(!failure && !childFailure, "a Child SA", failure ?? childFailure ?? "");
  await new Session(s, sa).proveTraffic();
}

for (const offer of [[0], [1], [0, 1], [1, 0], [0, 0]]) {
  /**
   * The tester offers these Sequence Numbers transforms for the first Child SA, each with every cipher that the peer
   * knows. The peer's choice has exactly one of them, and traffic flows with what it means. A responder that prefers the
   * one still takes the other where that is all there is.
   */
  test(
    `chooses-one-out-of-${offer.join("-and-")}`,
    {
      requirements: ["SN-02", "SN-03", "SN-07"],
      peer: "responder",
      lies: ["picks-two-sequence-numbers", "picks-sequence-numbers-nobody-offered"],
      config: told(offer),
    },
    (s) => expectOneOf(s, offer, ...offer),
  );
}

const MIXED: readonly [offer: number[], usable: number][] = [
  [[7, 0], 0],
  [[2, 0], 0],
  [[1024, 0], 0],
  [[0, 1025], 0],
  [[7, 1], 1],
  [[1024, 1], 1],
];

for (const [offer, usable] of MIXED) {
  /**
   * One of the ids is no Sequence Numbers transform of a unicast ESP SA: 7 is not assigned, 2 is for groups, 1024 and
   * 1025 are for EESP or of private use. The peer passes over that transform and takes the other one of the same
   * proposal.
   */
  test(
    `passes-over-the-unusable-one-of-${offer.join("-and-")}`,
    {
      requirements: offer.some((id) => id >= 1024) ? ["SN-04", "SN-11"] : ["SN-04"],
      peer: "responder",
      lies: ["stumbles-over-unknown-sequence-numbers"],
      config: told(offer),
    },
    (s) => expectOneOf(s, [usable], ...offer),
  );
}

/** Not assigned; 15 to 17 are reserved, as IKEv1 used them. */
const UNKNOWN_ATTRIBUTE = 100;

for (const [form, value] of [
  ["short", 1],
  ["long", new Uint8Array([1, 2, 3, 4, 5])],
] as const) {
  /**
   * The first Sequence Numbers transform of the offer has an attribute that nobody knows, of the short form or of the
   * long one, and behind it comes the same one without. The attribute makes its transform unacceptable, not the
   * proposal.
   */
  test(`passes-over-sequence-numbers-with-an-unknown-attribute-of-the-${form}-form`, {
    requirements: ["SN-04"],
    peer: "responder",
    lies: ["stumbles-over-attributes-of-sequence-numbers"],
    config: told([0]),
  }, (s) => {
    const attributes = [{ type: UNKNOWN_ATTRIBUTE, value }];
    return expectOneOf(s, [0], { type: TRANSFORM.SN, id: 0, attributes }, 0);
  });
}

/** The Sequence Numbers stand in front of the cipher in each proposal. The order of the types has no meaning. */
test("finds-sequence-numbers-in-front-of-the-cipher", {
  requirements: ["SN-03"],
  peer: "responder",
  lies: ["stumbles-over-sequence-numbers-in-front"],
  config: told([0]),
}, (s) => {
  s.change(EXCHANGE.IKE_AUTH, ({ payloads }) => {
    for (const p of payload(payloads, "SA")?.proposals ?? []) p.transforms.reverse();
  });
  return expectOneOf(s, [0], 0);
});

/** The offer has the same Sequence Numbers transform 60 times. The peer's choice has it once. */
test(
  "chooses-one-out-of-sixty-equal-ones",
  {
    requirements: ["SN-03"],
    peer: "responder",
    lies: ["stumbles-over-many-sequence-numbers", "picks-two-sequence-numbers"],
    config: told([0]),
  },
  (s) => expectOneOf(s, [0], ...new Array<number>(60).fill(0)),
);

for (const offer of [[2], [7], [1024], [1025], [1024, 1025]]) {
  /**
   * No transform of type 5 in this offer for a new Child SA can be used by unicast ESP. There is nothing to choose:
   * NO_PROPOSAL_CHOSEN, and the SAs that stand go on.
   */
  test(`refuses-an-offer-of-${offer.join("-and-")}-alone`, {
    requirements: offer.some((id) => id >= 1024) ? ["SN-03", "SN-11"] : ["SN-03"],
    peer: "responder",
    lies: ["takes-the-first-proposal"],
    config: told([0]),
  }, async (s) => {
    const session = await s.dial();
    await session.tryCreateChild({ proposals: withNumbers(s, ...offer) });
    expectNotify(s.exchange(EXCHANGE.CREATE_CHILD_SA).response, NOTIFY.NO_PROPOSAL_CHOSEN);
    await expectAlive(session);
    await expectTraffic(session, "the refused offer");
  });
}

/** Has requests for a Child SA offer this id, whatever the peer wrote, so that our end chooses it. */
const offering =
  (id: number) =>
  ({ header, isResponse, payloads }: IncomingMessage): undefined => {
    const sa = payload(payloads, "SA");
    if (header.exchangeType !== EXCHANGE.CREATE_CHILD_SA || isResponse || !sa) return;
    for (const p of sa.proposals) for (const t of p.transforms) if (t.type === TRANSFORM.SN) t.id = id;
  };

for (const peer of ["responder", "initiator"] as const) {
  for (const id of [1, 2, 7, 1024]) {
    /**
     * The peer, told of 32-bit numbers alone, rekeys its Child SA on command. The tester's response chooses another
     * Sequence Numbers id, and the tester goes on with that. The peer must not: it makes no Child SA of it, or deletes
     * it.
     * Note: the peer may delete the IKE SA to clean up (RFC 7296 section 2.21), but it must say so.
     */
    test(`as-${peer}-refuses-a-choice-of-${id}-that-it-did-not-offer`, {
      requirements: ["SN-06"],
      peer,
      lies: ["accepts-any-choice"],
      config: told([0]),
    }, async (s) => {
      const session = await s.establish(peer);
      s.policy.rekeyEsp = withNumbers(s, id);
      s.extensions.push({ name: "another offer", incoming: offering(id) });
      await expectUnused(session, await session.peerRekeysChild());
    });
  }

  /**
   * As before, but the tester's response has 64-bit numbers beside the 32-bit ones of the offer. One of the two was
   * never offered, and two are no choice; a peer that goes on with the one that it knows did not check it.
   */
  test(`as-${peer}-refuses-a-choice-of-two-sequence-numbers`, {
    requirements: ["SN-06"],
    peer,
    lies: ["accepts-any-choice"],
    config: told([0]),
  }, async (s) => {
    const session = await s.establish(peer);
    s.change(
      EXCHANGE.CREATE_CHILD_SA,
      ({ payloads }) => {
        for (const p of payload(payloads, "SA")?.proposals ?? [])
          p.transforms.push({ type: TRANSFORM.SN, id: 1, attributes: [] });
      },
      "response",
    );
    await expectUnused(session, await session.peerRekeysChild());
  });
}
