import {
  answersSince,
  decodeMessage,
  EXCHANGE,
  type Exchange,
  encodeMessage,
  expect,
  expectAlive,
  expectNoAnswer,
  expectSilence,
  fragmentOf,
  hex,
  ikeReceived,
  isFrameError,
  isResponse,
  lose,
  type Message,
  payload,
  require,
  type Script,
  type Session,
  sendUnder,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

type PeerRole = "responder" | "initiator";
const PEERS: PeerRole[] = ["responder", "initiator"];

/** The different octets in hex that answered a request, in an order of their own. */
function answersTo(s: Script, { request }: Exchange, since = 0): string[] {
  const answers = ikeReceived(s, since).filter((octets) => {
    const message = decodeMessage(octets);
    if (isFrameError(message) || !isResponse(message)) return false;
    const { exchangeType, messageId } = message.header;
    // Demands for a cookie or another group have the Message ID of the response that comes in the end.
    if (exchangeType === EXCHANGE.IKE_SA_INIT && !payload(message.payloads, "SA")) return false;
    return exchangeType === request.header.exchangeType && messageId === request.header.messageId;
  });
  return [...new Set(answers.map(hex))].sort();
}

/** Sends a request once more; IKE_SA_INIT always goes between the first ports. */
function repeat(s: Script, session: Session, { exchangeType, request }: Exchange): void {
  if (exchangeType !== EXCHANGE.IKE_SA_INIT) return sendUnder(session, ...request.datagrams);
  for (const octets of request.datagrams) s.sendOctets(octets);
}

/** Brings an exchange of its kind about, which then is our last one. */
type Reach = (s: Script, peer: PeerRole) => Promise<Session>;

const EXCHANGES: [name: string, type: number, peers: PeerRole[], reach: Reach][] = [
  ["ike-sa-init", EXCHANGE.IKE_SA_INIT, ["responder"], (s) => s.init()],
  ["ike-auth", EXCHANGE.IKE_AUTH, ["responder"], (s) => s.dial()],
  [
    "create-child-sa",
    EXCHANGE.CREATE_CHILD_SA,
    PEERS,
    async (s, peer) => {
      const session = await s.establish(peer);
      await session.createChild();
      return session;
    },
  ],
  [
    "informational",
    EXCHANGE.INFORMATIONAL,
    PEERS,
    async (s, peer) => {
      const session = await s.establish(peer);
      await session.informational();
      return session;
    },
  ],
];

const CASES = EXCHANGES.flatMap(([name, type, peers, reach]) =>
  peers.map((peer) => ({ name, type, peer, reach })),
);

for (const { name, type, peer, reach } of CASES) {
  /**
   * A request that was answered comes again, octet by octet, as if the response had been lost. The peer must send
   * its stored response, the same octets, and do nothing else: a second SA or a response made anew would differ.
   * Note: a peer may still be busy with the request when its response is on the way already, and drop the repeat; an
   * initiator would repeat it again, and so do we.
   */
  test(`as-${peer}-answers-a-repeated-${name}-request-with-the-same-octets`, {
    requirements: ["IKEV2-055", "IKEV2-056", "IKEV2-072", ...(name === "ike-sa-init" ? ["IKEV2-060"] : [])],
    peer,
    lies: ["answers-repeats-anew", "ignores-repeats"],
  }, async (s) => {
    const session = await reach(s, peer);
    const exchange = s.exchange(type);
    const first = answersTo(s, exchange);
    const since = s.mark();
    const answered = () => answersTo(s, exchange, since).length > 0;
    for (let tries = 0; tries < 3 && !answered(); tries++) {
      repeat(s, session, exchange);
      await s.until(answered, s.arena.patience / 3);
    }
    require(answered(), "the response once more", "silence");
    await s.wait();
    const again = answersTo(s, exchange, since);
    const same = JSON.stringify(again) === JSON.stringify(first);
    require(same, "the same octets for a repeated request", "another response: it was treated as a new one");
  });
}

for (const peer of PEERS) {
  /**
   * A request comes again after the peer has answered a later one: with its window of one it may forget that response,
   * and must ignore the repeat if it has. Afterwards it still answers.
   * Note: nobody has to forget: the same octets once more are tolerated, a response made anew is not.
   */
  test(`as-${peer}-ignores-the-repeat-of-a-forgotten-request`, {
    requirements: ["IKEV2-057"],
    peer,
    lies: ["answers-forgotten-requests"],
  }, async (s) => {
    const session = await s.establish(peer);
    await session.informational();
    const old = s.exchange(EXCHANGE.INFORMATIONAL);
    const first = answersTo(s, old);
    await session.informational();
    const since = s.mark();
    repeat(s, session, old);
    await s.wait();
    const anew = answersTo(s, old, since).filter((octets) => !first.includes(octets));
    require(anew.length === 0, "silence to a forgotten request", "a response made anew");
    if (answersTo(s, old, since).length > 0) s.tolerate("remembers more responses than its window asks for");
    await expectAlive(session);
  });

  /**
   * The peer answers a request of ours, and we send nothing for a while. A response is repeated only when its request
   * is: no further one comes.
   */
  test(`as-${peer}-repeats-no-response-unasked`, {
    requirements: ["IKEV2-054"],
    peer,
    lies: ["sends-its-responses-twice"],
  }, async (s) => {
    const session = await s.establish(peer);
    const since = s.mark();
    await session.informational();
    await s.wait(s.arena.patience / 2);
    expectNoAnswer(s, since, "one response to each request");
  });
}

/**
 * The IKE_SA_INIT request of an established IKE SA comes again. The peer must take it neither for a new one nor
 * answer it; the SA goes on.
 */
test("ignores-a-repeated-ike-sa-init-after-ike-auth", {
  requirements: ["IKEV2-060"],
  peer: "responder",
  lies: ["answers-forgotten-requests"],
}, async (s) => {
  const session = await s.dial();
  await expectSilence(
    s,
    () => repeat(s, session, s.exchange(EXCHANGE.IKE_SA_INIT)),
    () => expectAlive(session),
  );
});

/**
 * Two initiators behind one NAT drew the same SPI: a second IKE_SA_INIT request comes with the SPI, address and
 * port of a half-open one, but with another nonce. It must get a response of its own, with its own SPI and nonce.
 * Note: the text says what a robust responder does, so silence is tolerated; the first response again is not.
 */
test("tells-initiators-with-the-same-spi-apart", {
  requirements: ["IKEV2-060", "IKEV2-061"],
  peer: "responder",
  lies: ["finds-half-open-sas-by-spi-and-address"],
}, async (s) => {
  await s.init();
  const { request, response } = s.exchange(EXCHANGE.IKE_SA_INIT);
  const since = s.mark();
  const payloads = request.payloads.map((p) => (p.kind === "Nonce" ? { ...p, data: s.arena.random(32) } : p));
  s.sendOctets(encodeMessage({ header: request.header, payloads }));
  const answer = () => answersSince(s, since)[0]?.message;
  await s.until(() => answer() !== undefined);
  const second = answer();
  if (second) {
    expect(hex(second.header.spiR), "SPIr for the second initiator").not.to.equal(
      hex(response?.header.spiR ?? new Uint8Array()),
    );
    expect(nonceOf(second), "nonce for the second initiator").not.to.equal(nonceOf(response));
    return;
  }
  require(await s.peerAnswers(), "a response to the second initiator", "silence to everything");
  s.tolerate("ignores the second initiator instead of answering him");
});

const nonceOf = (message: Pick<Message, "payloads"> | undefined): string =>
  hex(payload(message?.payloads ?? [], "Nonce")?.data ?? new Uint8Array());

interface Copy {
  at: number;
  octets: string;
  fragment: number;
}

/** The requests of this type that came, with their times. */
const copiesOf = (s: Script, exchangeType: number): Copy[] =>
  s.trace.entries.flatMap(({ at, event }) => {
    if (event.type !== "datagram-received") return [];
    const { destination, data } = event.datagram;
    const octets = destination.port === s.arena.natPort ? data.subarray(4) : data;
    const message = decodeMessage(octets);
    if (isFrameError(message) || isResponse(message)) return [];
    if (message.header.exchangeType !== exchangeType) return [];
    return [{ at, octets: hex(octets), fragment: fragmentOf(message) }];
  });

/** Times between the copies, in ms. */
const waitsOf = (copies: Copy[]): number[] =>
  copies.slice(1).map(({ at }, i) => Math.round(at - (copies[i]?.at ?? 0)));

/** Has the peer begin and lets no request of this type reach us, until its waits are enough; fails if it sends one copy only. */
async function watchRetransmissions(
  s: Script,
  exchangeType: number,
  begin: () => Promise<void>,
  enough: (waits: number[]) => boolean,
): Promise<number[]> {
  lose(s, (message) => !message.isResponse && message.header.exchangeType === exchangeType);
  await begin();
  const waits = () => {
    const copies = copiesOf(s, exchangeType);
    return waitsOf(copies.filter((c) => c.fragment === copies[0]?.fragment));
  };
  await s.untilRepeated(() => enough(waits()));
  require(waits().length > 0, "a request that is sent again", `${copiesOf(s, exchangeType).length} copies`);
  return waits();
}

for (const [name, type, peer] of [
  ["ike-sa-init", EXCHANGE.IKE_SA_INIT, "initiator"],
  ["ike-auth", EXCHANGE.IKE_AUTH, "initiator"],
  ["create-child-sa", EXCHANGE.CREATE_CHILD_SA, "responder"],
] as const) {
  /**
   * The peer begins an exchange, and its request stays unanswered: as initiator one of those that make the IKE SA, as
   * responder the rekeying of its Child SA. It must send it again, bit by bit the same from the IKE header
   * on, Message ID, IV and ICV included.
   */
  test(`as-${peer}-repeats-its-unanswered-${name}-request-octet-by-octet`, {
    requirements: ["IKEV2-058", "IKEV2-059", "IKEV2-062", "IKEV2-072"],
    peer,
    lies: ["never-retransmits", "counts-retransmissions"],
  }, async (s) => {
    const { driver } = s.arena;
    if (peer === "responder") await s.dial();
    const begin = () => (peer === "responder" ? driver.rekeyChild() : driver.initiate());
    await watchRetransmissions(s, type, begin, (waits) => waits.length > 0);
    await s.wait();
    const copies = copiesOf(s, type);
    const fragments = new Set(copies.map((c) => c.fragment));
    const distinct = new Set(copies.map((c) => c.octets));
    require(distinct.size === fragments.size, "the same octets each time", `${distinct.size} different ones`);
  });
}

for (const peer of PEERS) {
  /**
   * A request of the peer stays unanswered: as initiator its IKE_SA_INIT, as responder the Delete of its Child SA. The
   * time between its repeats must grow exponentially. Note: the text names no base and no beginning, so only one of the
   * later waits must be longer than the first, by a factor of 1.2. Unsupported where fewer than three waits are over
   * when the test has no more time.
   */
  test(`as-${peer}-waits-longer-before-each-retransmission`, {
    requirements: ["IKEV2-083"],
    peer,
    lies: ["retransmits-at-a-constant-pace"],
  }, async (s) => {
    const { driver } = s.arena;
    if (peer === "responder") await s.dial();
    const begin = () => (peer === "responder" ? driver.delete("child") : driver.initiate());
    const type = peer === "responder" ? EXCHANGE.INFORMATIONAL : EXCHANGE.IKE_SA_INIT;
    const grow = ([first = 0, ...later]: number[]) => later.some((wait) => wait > 1.2 * first);
    const waits = await watchRetransmissions(s, type, begin, grow);
    if (grow(waits)) return;
    const seen = `waits of ${waits.join(", ")} ms`;
    if (waits.length < 3) throw new Unsupported(`the peer takes its time, and this test has none: ${seen}`);
    require(false, "growing waits", seen);
  });
}
