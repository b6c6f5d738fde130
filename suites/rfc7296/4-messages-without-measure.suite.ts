import {
  certificateBombs,
  EXCHANGE,
  emptyPayloads,
  encodeMessage,
  expectServed,
  hugeEap,
  manyAttributes,
  manyConfigAttributes,
  manyProposals,
  manySpis,
  manyTransforms,
  type OutgoingMessage,
  type Payload,
  payload,
  type Script,
  Session,
  sealed,
  sendUnder,
  test,
  thousandsOfSelectors,
} from "../../harness/script/index.ts";

type Bomb = (message?: OutgoingMessage) => Payload[];

const ownSpi = (message?: OutgoingMessage): Uint8Array =>
  payload(message?.payloads ?? [], "SA")?.proposals[0]?.spi ?? new Uint8Array();

/**
 * About 62,000 octets each, but for one of 16,000 and for the empty payloads: a daemon may write a line of log for each,
 * and be busy with 10,000 for longer than anybody waits.
 */
const KINDS: Record<string, Bomb[]> = {
  proposals: [manyProposals, manyTransforms, manyAttributes].map((make) => (m) => [make(ownSpi(m))]),
  payloads: [
    () => emptyPayloads().slice(0, 2_000),
    () => [manyConfigAttributes()],
    () => [manySpis()],
    () => [thousandsOfSelectors()],
    () => [hugeEap()],
  ],
  certificates: Object.values(certificateBombs),
};

/**
 * Puts the bomb into our messages, in the place of payloads of its kind; the returned function ends that. Only the
 * octets change: the trace has the message that is meant, not thousands of parts.
 */
function plant(s: Script, exchangeType: number, bomb: Bomb, which: "request" | "response"): () => void {
  const change = (message: OutgoingMessage) => {
    const more = bomb(message);
    const kinds = new Set(more.map(({ kind }) => kind));
    const payloads = [...message.payloads.filter(({ kind }) => !kinds.has(kind)), ...more];
    const { header, sa } = message;
    const { messageId } = header;
    const wanted = { exchangeType, payloads, messageId, response: which === "response" };
    message.octets = () =>
      message.protected && sa ? [sealed(new Session(s, sa), wanted)] : [encodeMessage({ header, payloads })];
  };
  return s.change(exchangeType, change, which);
}

for (const [kind, bombs] of Object.entries(KINDS)) {
  /**
   * The peer gets messages as long as a datagram can be, filled with parts of one kind, well-formed or not: as
   * IKE_SA_INIT requests, as IKE_AUTH requests of SAs that are not authenticated, and as INFORMATIONAL requests of one
   * that is. What it makes of them is its own affair: it may drop them, refuse them and end their SA. It must go on:
   * a new IKE SA comes up, and traffic passes.
   */
  test(`responder-survives-messages-full-of-${kind}`, {
    requirements: ["IKEV2-294"],
    peer: "responder",
    lies: ["dies-of-long-messages"],
  }, async (s) => {
    const { endpoint } = s.host;
    const session = await s.dial();
    for (const bomb of bombs) {
      const endInit = plant(s, EXCHANGE.IKE_SA_INIT, bomb, "request");
      const unborn = endpoint.init(s.arena.local, s.arena.remote);
      s.host.settle();
      await s.wait();
      endInit();
      endpoint.core.closeIke(unborn, "never meant");
      const { sa } = await s.init();
      const endAuth = plant(s, EXCHANGE.IKE_AUTH, bomb, "request");
      endpoint.auth(sa);
      await s.wait();
      endAuth();
      endpoint.core.closeIke(sa, "never meant");
      sendUnder(session, sealed(session, { exchangeType: EXCHANGE.INFORMATIONAL, payloads: bomb() }));
    }
    await s.wait();
    await (await s.dial()).proveTraffic();
  });

  /** The same for our responses, in IKE_SA_INIT and in IKE_AUTH: the next attempt of the peer brings up both SAs. */
  test(`initiator-survives-messages-full-of-${kind}`, {
    requirements: ["IKEV2-294"],
    peer: "initiator",
    lies: ["dies-of-long-messages"],
  }, async (s) => {
    for (const exchange of [EXCHANGE.IKE_SA_INIT, EXCHANGE.IKE_AUTH]) {
      for (const bomb of bombs) {
        const end = plant(s, exchange, bomb, "response");
        const before = s.trace.exchangesOf(exchange, "peer").length;
        await s.arena.driver.reset();
        await s.provoke(() => s.trace.exchangesOf(exchange, "peer").length > before);
        await s.wait();
        end();
      }
    }
    await expectServed(s);
  });
}
