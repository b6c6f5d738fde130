import {
  ballast,
  beginner,
  changeOwn,
  cutRequest,
  EXCHANGE,
  eachCarrier,
  fragmentNext,
  intermediates,
  listPayloads,
  needFragmentation,
  needIntermediate,
  notify,
  ownIn,
  type PeerRole,
  require,
  type Script,
  Session,
  sendUnder,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

const { IKE_INTERMEDIATE, IKE_AUTH } = EXCHANGE;

const INITIATORS = 20;
const OCTETS = 30_000;
const FRAGMENTS = 31;

/** An IKE SA of ours with keys, at a peer that could get fragments of IKE_INTERMEDIATE under it. */
const halfOpen = async (s: Script): Promise<Session> => needFragmentation(needIntermediate(await s.init()));

for (const [what, config] of eachCarrier) {
  /**
   * The tester begins 20 IKE SAs one after the other, and under each of them sends all fragments but the last of an
   * IKE_INTERMEDIATE request of 30,000 octets, where ${what} should be. It leaves them so. Nobody has proven anything yet,
   * so what the peer keeps of that must not hinder others (section 6 speaks of the resources that a peer binds so): the next
   * initiator, who does what it should, gets both SAs.
   * Note: a peer may ask for a cookie once some SAs are half open (RFC 7296 section 2.6), which the tester returns.
   */
  test(`serves-an-initiator-beside-twenty-with-unfinished-fragments-of-${what}`, {
    requirements: ["INT-15", "INT-28"],
    peer: "responder",
    config: { ...config, fragmentation: true },
    lies: ["serves-nobody-beside-ten-others", "collects-nothing-beside-ten-others"],
  }, async (s) => {
    for (let i = 0; i < INITIATORS; i++) {
      const session = await halfOpen(s);
      const set = cutRequest(session, [ballast(OCTETS)], IKE_INTERMEDIATE).set(FRAGMENTS);
      sendUnder(session, ...set.slice(0, -1));
    }
    s.fragmentation({ chunk: 200 });
    await (await s.dial()).proveTraffic();
  });

  /**
   * Before IKE_AUTH the peer gets all fragments of an IKE_INTERMEDIATE request of 70,000 octets, where ${what} should be. RFC
   * 7383 section 5 recommends to collect no more than 64 KB and to drop the IKE SA beyond. Whether it does or refuses what it
   * read, it goes on: a fresh attempt is served.
   */
  test(`survives-more-fragments-than-it-should-collect-of-${what}`, {
    requirements: ["INT-15", "INT-28"],
    peer: "responder",
    config: { ...config, fragmentation: true },
    lies: ["dies-of-much-in-fragments"],
  }, async (s) => {
    const session = await halfOpen(s);
    const long = Array.from({ length: 7 }, () => notify(60_000, new Uint8Array(10_000)));
    sendUnder(session, ...cutRequest(session, long, IKE_INTERMEDIATE).set(70));
    await s.wait();
    await (await s.dial()).proveTraffic();
  });

  for (const peer of ["responder", "initiator"] as const) {
    /**
     * The tester's IKE_INTERMEDIATE message for ${what} comes in three fragments, of which the second is missing. The peer cannot
     * know what the message says: it does not answer it, or go on. Then the second fragment comes, after the others: both SAs come
     * up, and traffic passes.
     */
    test(`waits-for-the-missing-fragment-of-${what}-as-${peer}`, {
      requirements: ["INT-15", "INT-25"],
      peer,
      config: { ...config, fragmentation: true },
      lies: ["acts-on-the-first-fragment", "drops-fragments"],
    }, async (s) => {
      let late: Uint8Array | undefined;
      changeOwn(s, peer, ({ payloads }) => payloads.push(ballast(120)));
      fragmentNext(
        s,
        IKE_INTERMEDIATE,
        (cut) => {
          const [first, second, third] = cut.set(3);
          late = second;
          return [first, third].filter((fragment) => fragment !== undefined);
        },
        ownIn(peer),
      );
      const session = await begun(s, peer, () => late !== undefined);
      await s.wait();
      const next = followed(s, peer);
      require(!next, "nothing that follows a message of which a fragment is missing", next ?? "");
      if (late) sendUnder(session, late);
      await s.until(() => s.trace.childSas().length > 0);
      require(s.trace.childSas().length > 0, "both SAs", s.lastReason());
      await session.proveTraffic();
    });
  }
}

/** The IKE SA under which our message has been sent, and not what comes behind it. */
async function begun(s: Script, peer: PeerRole, sent: () => boolean): Promise<Session> {
  if (peer === "responder") {
    const session = await halfOpen(s);
    s.host.endpoint.auth(session.sa);
    s.host.settle();
    await s.until(sent);
    return session;
  }
  await s.provoke(sent);
  const sa = [...s.host.endpoint.core.sas.values()].find(({ state }) => state === "half-open");
  if (!sa || !sent()) throw new Unsupported("the peer begins no IKE_INTERMEDIATE exchange");
  return needFragmentation(new Session(s, sa));
}

/** What the peer made of our message: its answer to our request, or what it began after our response. */
function followed(s: Script, peer: PeerRole): string | undefined {
  const exchanges = intermediates(s, peer);
  const answer = exchanges.find(({ response }) => response)?.response;
  if (peer === "responder") return answer && listPayloads(answer);
  if (exchanges.length > 1) return "another IKE_INTERMEDIATE request";
  return s.trace.exchangesOf(IKE_AUTH, beginner(peer)).length > 0 ? "IKE_AUTH" : undefined;
}
