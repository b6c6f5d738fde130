import {
  EXCHANGE,
  expectAgreed,
  expectPerformed,
  hasNotify,
  ikeProposals,
  inTurn,
  NOTIFY,
  orders,
  type PeerRole,
  require,
  type Script,
  Session,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

/** Proposals that differ in every round. Each takes two methods for type 4, of which the second is for a restart. */
const PROPOSALS = {
  classical: "aes256-sha256-{ke}",
  hybrid: "aes256-sha384-{ke}-ke1_x448",
  several: "aes256gcm16-prfsha256-{ke}-ke1_ecp384-ke2_ecp521",
  optional: "aes128-sha256-{ke}-ke1_modp2048-ke1_none",
} as const;
type Kind = keyof typeof PROPOSALS;
const KINDS: readonly Kind[] = ["classical", "hybrid", "several", "optional"];

const BOTH = "x25519-ecp256";
const specOf = (kind: Kind, ke = BOTH): string => PROPOSALS[kind].replace("{ke}", ke);

/** Who answers takes only this; who asks offers them all in this order. */
interface Mixture {
  order: readonly Kind[];
  taken: Kind;
  /** Method for type 4 of who answers. */
  ke?: string;
}

/** What a peer in this role is told. */
const toldTo = (peer: PeerRole, { order, taken, ke }: Mixture): string[] =>
  peer === "responder" ? [specOf(taken, ke)] : order.map((kind) => specOf(kind));

/**
 * Both SAs come up by the one proposal that who answers can take, with its rounds and no others, and traffic passes. Every
 * IKE_SA_INIT request has INTERMEDIATE_EXCHANGE_SUPPORTED.
 */
async function expectTaken(s: Script, peer: PeerRole, { order, taken, ke }: Mixture): Promise<void> {
  const ours = peer === "responder" ? order.map((kind) => specOf(kind)) : [specOf(taken, ke)];
  s.policy.ike = ikeProposals(...ours);
  const attempts = () => s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, peer === "responder" ? "us" : "peer");
  const session = peer === "responder" ? await s.dial() : await called(s);
  for (const { request } of attempts()) {
    const announced = hasNotify(request.payloads, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED);
    require(announced, "INTERMEDIATE_EXCHANGE_SUPPORTED in every request", "one without");
  }
  require(session !== undefined, "both SAs", s.lastReason());
  const { number } = expectAgreed(s, peer);
  const right = peer === "initiator" || order[number - 1] === taken;
  require(right, `proposal ${order.indexOf(taken) + 1}`, `proposal ${number}`);
  expectPerformed(s, peer);
  await session.proveTraffic();
}

/** As `accept`, but leaves it to the test what it makes of a peer whose requests we refuse. */
async function called(s: Script): Promise<Session | undefined> {
  await s.provoke(() => s.trace.childSas().length > 0);
  const [child] = s.trace.childSas();
  return child && new Session(s, child.ike);
}

/** A lie that takes an offer for what was chosen. */
const strayRounds = (taken: Kind): string =>
  taken === "classical" ? "covers-intermediate-that-never-was" : "does-the-rounds-of-its-first-offer";

for (const [index, order] of orders(KINDS).entries()) {
  const peer = inTurn(index);
  const mixture: Mixture = { order, taken: order[3] ?? "classical" };
  /**
   * The initiator offers four proposals, in the order ${order.join("-")}: a classical one, one with an additional key exchange, one
   * with two, and one with NONE as a way out. The responder can take only the last of the four; that is what they do.
   */
  test(`finds-the-last-of-${order.join("-")}-as-${peer}`, {
    requirements: ["MKE-03", "MKE-19", ...(peer === "responder" ? ["MKE-05", "MKE-16"] : ["MKE-15"])],
    peer,
    lies: [peer === "responder" ? "renumbers-its-choice-for-ike" : strayRounds(mixture.taken)],
    config: { ikeProposals: toldTo(peer, mixture) },
  }, async (s) => {
    await expectTaken(s, peer, mixture);
  });
}

/** Each kind once in front. */
const ROTATIONS = KINDS.map((_, i) => [...KINDS.slice(i), ...KINDS.slice(0, i)]);

for (const order of ROTATIONS) {
  /**
   * The peer can take all four proposals, in the order ${order.join("-")}, and so are they offered. It takes any of them; the rounds are
   * those of its choice.
   */
  test(`takes-one-of-${order.join("-")}`, {
    requirements: ["MKE-05", "MKE-19"],
    peer: "responder",
    lies: [order[0] === "classical" ? "changes-the-key-length-for-ike" : "keeps-its-keys-after-a-round"],
    config: { ikeProposals: order.map((kind) => specOf(kind)) },
  }, async (s) => {
    const session = await s.dial();
    expectPerformed(s, "responder");
    await session.proveTraffic();
  });
}

const RESTARTS: Record<string, { taken: Kind; cookies?: boolean; ke?: string }> = {
  cookie: { taken: "hybrid", cookies: true },
  "invalid-ke-payload": { taken: "several", ke: "ecp256" },
  "cookie-and-invalid-ke-payload": { taken: "optional", cookies: true, ke: "ecp256" },
};

for (const [restart, { taken, cookies, ke }] of Object.entries(RESTARTS))
  for (const peer of ROLES) {
    const order = [...KINDS.filter((kind) => kind !== taken), taken];
    const mixture: Mixture = { order, taken, ...(ke && { ke }) };
    /**
     * Four proposals as above, of which the responder can take the one with ${taken} rounds, and ${restart} makes the initiator begin
     * again: with the same offer, and INTERMEDIATE_EXCHANGE_SUPPORTED again beside it.
     */
    test(`finds-${taken}-rounds-after-${restart}-as-${peer}`, {
      requirements: ["MKE-19", peer === "responder" ? "MKE-16" : "MKE-15"],
      peer,
      lies: ["forgets-the-announcement-after-a-restart"],
      config: {
        ikeProposals: toldTo(peer, mixture),
        ...(cookies && peer === "responder" && { cookies: "always" }),
      },
    }, async (s) => {
      if (cookies && peer === "initiator") s.policy.cookies = "always";
      await expectTaken(s, peer, mixture);
    });
  }
