import {
  authOnce,
  EXCHANGE,
  equal,
  errorNotify,
  expectHybrid,
  expectSilence,
  forget,
  heard,
  hex,
  hybrid,
  ikeReceived,
  keOfMethod,
  listPayloads,
  lose,
  payload,
  require,
  sealed,
  sendUnder,
  TRANSFORM,
  test,
  transformsOf,
  withTransforms,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const { ADDKE1, ADDKE3 } = TRANSFORM;
const [ECP384, ECP521] = [20, 21];
const TWO_ROUNDS = { ikeProposals: [hybrid("ke1_ecp256-ke2_ecp384")] };

/**
 * The tester begins with the second of two rounds, under the second Message ID. The peer waits for the first: it does not
 * answer. Then both rounds take place in their order.
 */
test("answers-no-round-before-its-turn", {
  requirements: ["MKE-03", "MKE-04"],
  peer: "responder",
  lies: ["answers-above-its-window"],
  config: TWO_ROUNDS,
}, async (s) => {
  const session = await s.init();
  const payloads = [keOfMethod(s, ECP384)];
  const early = sealed(session, { exchangeType: EXCHANGE.IKE_INTERMEDIATE, messageId: 2, payloads });
  await expectSilence(
    s,
    () => sendUnder(session, early),
    async () => {
      const { failure } = await s.tryAuth(session.sa);
      require(!failure, "both rounds and IKE_AUTH", failure ?? "");
    },
  );
  await session.proveTraffic();
});

/**
 * The tester loses the peer's first IKE_INTERMEDIATE request until it comes again. The peer begins no other round meanwhile, and
 * repeats the request octet by octet as it was; then both rounds take place.
 */
test("repeats-a-round-as-it-was-before-it-begins-the-next", {
  requirements: ["MKE-04", "MKE-22"],
  peer: "initiator",
  lies: ["begins-a-round-before-the-last-is-over", "seals-its-repeats-anew"],
  config: TWO_ROUNDS,
}, async (s) => {
  const found = lose(s, ({ header }) => header.exchangeType === EXCHANGE.IKE_INTERMEDIATE);
  await s.provoke(() => heard(s, EXCHANGE.IKE_INTERMEDIATE) > 0);
  require(await s.untilRepeated(() => heard(s, EXCHANGE.IKE_INTERMEDIATE) > 1), "a repeat", "none");
  const copies = ikeReceived(s)
    .filter((octets) => octets[18] === EXCHANGE.IKE_INTERMEDIATE)
    .map(hex);
  const distinct = new Set(copies).size;
  require(2 * distinct <= copies.length, "the same octets again, and none but them", `${distinct} messages`);
  found();
  require(await s.untilRepeated(() => s.trace.childSas().length > 0), "both SAs", s.lastReason());
});

for (const rounds of [0, 1]) {
  /**
   * Two additional key exchanges are agreed on. The tester does ${rounds} of them and sends IKE_AUTH, in which all is right but for
   * that. The peer must not take it; a whole set of rounds serves it.
   */
  test(`refuses-ike-auth-after-${rounds}-of-two-rounds`, {
    requirements: ["MKE-03", "MKE-23"],
    peer: "responder",
    lies: ["authenticates-before-the-last-round"],
    config: TWO_ROUNDS,
  }, async (s) => {
    const { sa } = await s.init();
    const { proposal } = sa;
    require(proposal !== undefined, "a chosen proposal", "none");
    const methods = proposal.transforms.filter(({ type }) => type >= ADDKE1).sort((a, b) => a.type - b.type);
    const kept = proposal.transforms.filter((t) => !methods.slice(rounds).includes(t));
    sa.proposal = { ...proposal, transforms: kept };
    await authOnce(s, sa);
    const { response } = s.exchange(EXCHANGE.IKE_AUTH);
    const refused = !response || errorNotify(response.payloads) !== undefined;
    require(refused, "an error, or silence", listPayloads(response));
    forget(s, sa);
    await s.dial();
  });
}

/**
 * After the last round, and before IKE_AUTH, the tester sends one more KE payload, of a method that nobody agreed on. The peer
 * does no key exchange: it answers with an error or not at all. Note: an answer without KE payload is tolerated, as
 * IKE_INTERMEDIATE can be for other things.
 */
test("does-no-round-beyond-the-last", {
  requirements: ["MKE-19", "MKE-20"],
  peer: "responder",
  lies: ["does-rounds-that-nobody-agreed-on"],
  config: TWO_ROUNDS,
}, async (s) => {
  const { sa } = await s.init();
  const agreed = sa.proposal;
  require(agreed !== undefined, "a chosen proposal", "none");
  sa.proposal = withTransforms(agreed, ...transformsOf(ADDKE3, ECP521));
  await authOnce(s, sa);
  const third = s.exchange(EXCHANGE.IKE_INTERMEDIATE);
  require(third.messageId === 3, "two rounds", s.lastReason());
  const { payloads } = third.response ?? { payloads: [] };
  require(!payload(payloads, "KE"), "no KE payload", listPayloads(third.response));
  if (third.response && !errorNotify(payloads)) s.tolerate("answers IKE_INTERMEDIATE that nobody needs");
  forget(s, sa);
  await s.dial();
});

for (const number of [1, 2]) {
  /**
   * The tester repeats its request of round ${number} right before its next one: the keys have changed, the request is as it was. The
   * peer answers with the octets of its response, and goes on.
   */
  test(`answers-a-repeat-of-round-${number}-after-its-keys-have-changed`, {
    requirements: ["MKE-22"],
    peer: "responder",
    lies: ["ignores-repeats", "changes-keys-before-its-answer"],
    config: TWO_ROUNDS,
  }, async (s) => {
    const rounds = () => s.trace.exchangesOf(EXCHANGE.IKE_INTERMEDIATE, "us");
    s.extensions.push({
      name: "repeat",
      outgoing: (message) => {
        if (message.isResponse || message.header.messageId !== number + 1) return;
        const before = rounds()[number - 1]?.request.datagrams ?? [];
        let repeats = before;
        message.octets = (datagram) => {
          const all = [...repeats, datagram];
          repeats = [];
          return all;
        };
      },
    });
    await (await s.dial()).proveTraffic();
    const [first = new Uint8Array()] = rounds()[number - 1]?.response?.datagrams ?? [];
    const copies = ikeReceived(s).filter((octets) => equal(octets, first)).length;
    require(copies > 1, "the response a second time", `${copies} copies`);
  });
}

for (const peer of ROLES) {
  /**
   * Rounds whose KE payloads fill several fragments, from either side; the tester's are of 200 octets. New keys open what comes
   * after them, whole or not.
   */
  test(`does-fragmented-rounds-as-${peer}`, {
    requirements: ["MKE-19", "MKE-21", "MKE-22"],
    peer,
    lies: ["joins-fragments-in-reverse", "keeps-its-keys-after-a-round"],
    config: { ikeProposals: [hybrid("ke1_modp3072-ke2_modp4096-ke3_ecp256")], fragmentation: true },
  }, async (s) => {
    s.fragmentation({ chunk: 200 });
    await expectHybrid(s, peer, [15, 16, 19]);
  });
}
