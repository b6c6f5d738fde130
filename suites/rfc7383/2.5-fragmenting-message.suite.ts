import {
  EXCHANGE,
  expectTraffic,
  Failure,
  fragmentOf,
  fragmentsAmong,
  type IncomingMessage,
  ikeReceived,
  isResponse,
  longAuth,
  lose,
  manySelectors,
  messagesReceived,
  needFragmentation,
  PAYLOAD,
  type ReceivedFragment,
  require,
  type Script,
  Session,
  test,
  Unsupported,
} from "../../harness/script/index.ts";
import type { PeerRole } from "../../peers/contract.ts";

/** How many unfragmented requests of a peer get lost, which may make it think of fragments. */
const LOSSES = 1;

/**
 * Runs IKE_AUTH with a peer that has much to say, and gives the fragments of its message. A responder gets a
 * fragmented request; an initiator may send whole messages at first, which get lost.
 */
async function fragmentsOfAuth(s: Script, peer: PeerRole): Promise<ReceivedFragment[]> {
  let lost = 0;
  if (peer === "responder") {
    s.fragmentation({ chunk: 200 });
    const { sa, failure } = await s.tryInit();
    if (failure) throw new Failure("an IKE_SA_INIT response with keys", failure);
    needFragmentation(new Session(s, sa));
    await s.tryAuth(sa);
  } else {
    const whole = (first: number | undefined) => first === PAYLOAD.SK && lost++ < LOSSES;
    const auth = EXCHANGE.IKE_AUTH;
    lose(s, ({ header, octets }) => header.exchangeType === auth && whole(octets[16]));
    await s.provoke(() => s.trace.childSas().length > 0);
  }
  return fragmentsAmong(messagesReceived(s).filter((m) => m.header.exchangeType === EXCHANGE.IKE_AUTH));
}

/** IKE header and SKF header of every fragment, as section 2.5 wants them. */
function expectWellFormed({ message, payload }: ReceivedFragment, first: ReceivedFragment): void {
  const { fragmentNumber: number, totalFragments: total, innerType } = payload;
  const { header } = message;
  require(number >= 1 && number <= total, "a Fragment Number from 1 to the total", `${number} of ${total}`);
  const behind = message.trailing?.length ?? 0;
  require(message.payloads.length === 1, "SKF alone", `${message.payloads.length} payloads`);
  require(behind === 0, "SKF as the last payload", `${behind} octets behind it`);
  require((number === 1) === innerType > 0, "Next Payload in fragment 1 alone", `${innerType} in ${number}`);
  const same = (h: typeof header) =>
    [
      Buffer.from(h.spiI).toString("hex"),
      Buffer.from(h.spiR).toString("hex"),
      h.version,
      h.flags,
      h.messageId,
    ].join();
  require(same(header) === same(first.message.header), same(first.message.header), same(header));
}

/** The Child SA of that IKE_AUTH; a peer may have its limits in the number of selectors. */
async function sessionOf(s: Script, selectors: number): Promise<Session> {
  await s.wait();
  const child = s.trace.childSas().find(({ state }) => state === "installed");
  if (!child && selectors > 15 && (await s.peerAnswers()))
    throw new Unsupported(`the peer makes no Child SA with ${selectors} selectors`);
  require(child !== undefined, "an IKE SA and a Child SA", s.lastReason());
  return new Session(s, child.ike);
}

/** Without fragments: recommended to be otherwise if IP had to fragment, else there was no need. */
function judgeWhole(s: Script): void {
  const longest = Math.max(0, ...ikeReceived(s).map((octets) => octets.length));
  if (longest <= 1280) throw new Unsupported(`the peer sends ${longest} octets whole, which fit a packet`);
  s.tolerate(`a message of ${longest} octets came whole, which IP may have to fragment`);
}

for (const peer of ["responder", "initiator"] as const) {
  for (const selectors of [15, 60] as const) {
    /**
     * The peer has a long identity and many selectors, so that its IKE_AUTH message has to be cut. The fragments are
     * numbered from 1 to the total, their IKE headers are the same but for the length, SKF is their only payload,
     * and only the first one names the type of the first inner payload. Put together they make the message.
     * Note: libreswan sends a request whole at first and fragments its repeats, and takes 15 selectors at most;
     * strongSwan sends up to 1280 octets whole.
     */
    test(`${peer}-with-${selectors}-selectors-makes-well-formed-fragments`, {
      requirements: [
        "IKEFRAG-13",
        "IKEFRAG-15",
        "IKEFRAG-16",
        "IKEFRAG-17",
        "IKEFRAG-18",
        "IKEFRAG-19",
        "IKEFRAG-08",
      ],
      peer,
      lies: [
        "numbers-fragments-from-zero",
        "names-the-first-payload-in-every-fragment",
        "names-no-first-payload",
        "counts-message-ids-in-fragments",
        "puts-a-payload-behind-skf",
      ],
      config: longAuth(selectors),
    }, async (s) => {
      const fragments = await fragmentsOfAuth(s, peer);
      const [first] = fragments;
      for (const fragment of fragments) if (first) expectWellFormed(fragment, first);
      const session = await sessionOf(s, selectors);
      if (!first) judgeWhole(s);
      await expectTraffic(session, "a long IKE_AUTH message");
    });

    /**
     * The fragments of one message have no IV twice, and none should be longer than a usual packet of 1500 octets with
     * its IP and UDP headers; 576 is recommended where the path is not known, but a known path may take more.
     */
    test(`${peer}-with-${selectors}-selectors-seals-each-fragment-and-keeps-it-short`, {
      requirements: ["IKEFRAG-14", "IKEFRAG-20", "IKEFRAG-21"],
      peer,
      lies: ["seals-all-fragments-with-one-iv"],
      config: longAuth(selectors),
    }, async (s) => {
      const fragments = await fragmentsOfAuth(s, peer);
      await sessionOf(s, selectors);
      if (fragments.length === 0) judgeWhole(s);
      const numbers = new Map(fragments.map((f) => [f.payload.fragmentNumber, f.payload.data]));
      const ivs = [...numbers.values()].map((data) => Buffer.from(data.subarray(0, 8)).toString("hex"));
      require(new Set(ivs).size === ivs.length, "an IV of its own in each fragment", ivs.join(", "));
      const longest = Math.max(0, ...[...numbers.values()].map((data) => data.length + 28 + 8 + 4 + 28));
      if (longest > 1500) s.tolerate(`packets of ${longest} octets, which only a known path may take`);
    });
  }
}

const listOf = (numbers: number[]): string => numbers.join(", ");

/** The peer's requests of this type as it sent them, lost ones too: Message ID and number of datagrams of each. */
function transmissions(s: Script, exchangeType: number): { messageId: number; total: number }[] {
  const requests = messagesReceived(s).filter(
    (m) => m.header.exchangeType === exchangeType && !isResponse(m),
  );
  return requests
    .filter((m) => fragmentOf(m) <= 1)
    .map((m) => ({
      messageId: m.header.messageId,
      total: fragmentsAmong([m])[0]?.payload.totalFragments ?? 1,
    }));
}

for (const [peer, selectors] of [
  ["responder", 100],
  ["initiator", 15],
  ["initiator", 60],
] as const) {
  /**
   * A long request of the peer, IKE_AUTH or one to rekey the Child SA, gets no answer at first. The peer repeats it under
   * the same Message ID until it is answered. It may cut it into smaller pieces, as one that searches for the path's
   * MTU does; then their number grows, for by it the receiver knows a new set.
   */
  test(`${peer}-with-${selectors}-selectors-repeats-a-long-request-in-no-fewer-fragments`, {
    requirements: ["IKEFRAG-24", "IKEFRAG-25", "IKEFRAG-27"],
    peer,
    lies: ["cuts-repeats-into-fewer-fragments", "counts-retransmissions", "never-retransmits"],
    config: peer === "initiator" ? longAuth(selectors) : manySelectors(selectors),
  }, async (s) => {
    const exchangeType = peer === "initiator" ? EXCHANGE.IKE_AUTH : EXCHANGE.CREATE_CHILD_SA;
    if (peer === "responder") await s.tryDial().then(() => sessionOf(s, selectors));
    const sent = () => transmissions(s, exchangeType);
    const isLost = ({ header }: IncomingMessage) => header.exchangeType === exchangeType && sent().length < 2;
    lose(s, isLost);
    await (peer === "initiator" ? s.arena.driver.initiate() : s.arena.driver.rekeyChild());
    const repeated = await s.untilRepeated(() => sent().length >= 2);
    const [first] = sent();
    require(repeated && first !== undefined, "the request again", "silence");
    const same = sent().every(({ messageId }) => messageId === first.messageId);
    require(same, "one Message ID", listOf(sent().map(({ messageId }) => messageId)));
    const totals = sent().map(({ total }) => total);
    const grows = totals.every((total, i) => total >= (totals[i - 1] ?? 0));
    require(grows, "as many fragments as before, or more", listOf(totals));
    if (Math.max(...totals) === 1) judgeWhole(s);
    await expectTraffic(await sessionOf(s, selectors), "a long request");
  });
}
