import {
  answersSince,
  BALLAST,
  type Cutter,
  childRequest,
  cutRequest,
  EXCHANGE,
  expectAlive,
  expectNoAnswer,
  expectTraffic,
  fragmentNext,
  needFragmentation,
  type PeerRole,
  requestAs,
  require,
  type Script,
  Session,
  sendUnder,
  test,
  withWrongIcv,
} from "../../harness/script/index.ts";

type Arrange = (cut: Cutter) => Uint8Array[];

const at = (set: Uint8Array[], ...numbers: number[]) =>
  numbers.flatMap((number) => {
    const fragment = set[number - 1];
    return fragment ? [fragment] : [];
  });

const ORDERS: { name: string; arrange: Arrange; lies: string[] }[] = [
  { name: "in-order", arrange: (cut) => cut.set(3), lies: ["drops-fragments"] },
  { name: "in-order-3-1-2", arrange: (cut) => at(cut.set(3), 3, 1, 2), lies: ["joins-fragments-in-reverse"] },
  {
    name: "with-duplicates",
    arrange: (cut) => at(cut.set(3), 1, 1, 2, 1, 2, 3, 3),
    lies: ["fails-at-duplicate-fragments"],
  },
  {
    name: "with-a-forged-one-among-them",
    arrange: (cut) => {
      const set = cut.set(3);
      const forged = set.map(withWrongIcv);
      return [...at(set, 1), ...at(forged, 2), ...at(set, 2), ...at(forged, 3), ...at(set, 3)];
    },
    lies: ["fails-at-wrong-fragment-icv"],
  },
];

/** An established IKE SA with a peer that announced fragmentation. */
const establish = async (s: Script, peer: PeerRole): Promise<Session> =>
  needFragmentation(await s.establish(peer));

/** Fails if these datagrams get an answer; traffic shows that the peer had the chance. */
async function expectUnanswered(session: Session, what: string, datagrams: Uint8Array[]): Promise<void> {
  const { script } = session;
  const since = script.mark();
  sendUnder(session, ...datagrams);
  await script.wait();
  expectNoAnswer(script, since, `${what}: silence`);
  await expectTraffic(session, what);
}

for (const { name, arrange, lies } of ORDERS) {
  /**
   * The tester's IKE_AUTH request comes in three fragments, in this order. The peer puts them together and processes
   * the message as if it had come whole: both SAs come up, and traffic passes.
   */
  test(`responder-joins-fragments-${name}`, {
    requirements: ["IKEFRAG-32", "IKEFRAG-33", "IKEFRAG-35", "IKEFRAG-36"],
    peer: "responder",
    lies,
  }, async (s) => {
    const session = needFragmentation(await s.init());
    fragmentNext(s, EXCHANGE.IKE_AUTH, arrange);
    const { failure, childFailure } = await s.tryAuth(session.sa);
    require(!failure && !childFailure, "an IKE SA and a Child SA", failure ?? childFailure ?? "");
    await session.proveTraffic();
  });

  /** The same for a response: the tester's IKE_AUTH response comes in three fragments, in this order. */
  test(`initiator-joins-fragments-${name}`, {
    requirements: ["IKEFRAG-32", "IKEFRAG-33", "IKEFRAG-35", "IKEFRAG-36"],
    peer: "initiator",
    lies,
    config: { fragmentation: true },
  }, async (s) => {
    fragmentNext(s, EXCHANGE.IKE_AUTH, arrange, "response");
    const session = needFragmentation(await s.accept());
    await session.proveTraffic();
  });
}

for (const spec of [
  "aes256-sha256-x25519",
  "aes256gcm16-prfsha256-x25519",
  "chacha20poly1305-prfsha256-x25519",
]) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * CREATE_CHILD_SA requests under this protection, which are refused, cut behind 1, 15, 16 and 17 octets: behind the
     * first one, and around the border of a cipher block. With a combined-mode cipher the additional data run to Total
     * Fragments.
     */
    test(`as-${peer}-joins-fragments-cut-anywhere-under-${spec}`, {
      requirements: ["IKEFRAG-13", "IKEFRAG-14", "IKEFRAG-36", "IKEFRAG-51"],
      peer,
      lies: ["drops-fragments"],
      config: { ikeProposals: [spec] },
    }, async (s) => {
      const session = await establish(s, peer);
      for (const octets of [1, 15, 16, 17])
        await requestAs(session, childRequest(session), (cut) => cut.behind(octets));
      await expectAlive(session);
    });
  }
}

for (const [number, total] of [
  [0, 3],
  [4, 3],
  [1, 0],
  [0, 0],
] as const) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * A fragment with number 0, with a number above its total, or with total 0 is dropped silently, well sealed as it
     * is; the good set of the same request, which comes in around it, is answered.
     */
    test(`as-${peer}-drops-fragment-${number}-of-${total}`, {
      requirements: ["IKEFRAG-30"],
      peer,
      lies: ["takes-any-fragment-number"],
    }, async (s) => {
      const session = await establish(s, peer);
      const request = childRequest(session);
      const wrong = cutRequest(session, request).stray(number, total);
      await expectUnanswered(session, `fragment ${number} of ${total}`, [wrong]);
      await requestAs(session, request, ({ set, stray }) => {
        const fragments = set(3);
        return [...at(fragments, 1, 2), stray(number, total), ...at(fragments, 3)];
      });
      await expectAlive(session);
    });
  }
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Somebody without keys sends fragments with numbers 0 of 3, 4 of 3 and 1 of 0 under the SPIs of the IKE SA. They
   * are dropped silently, and the IKE SA stays: otherwise whoever sees its SPIs could end it.
   * Note: nothing in these fragments is authentic, so nothing may come of them.
   */
  test(`as-${peer}-survives-forged-fragments-with-wrong-numbers`, {
    requirements: ["IKEFRAG-30", "IKEFRAG-33"],
    peer,
    lies: ["closes-at-a-wrong-fragment-number"],
  }, async (s) => {
    const session = await establish(s, peer);
    const { stray } = cutRequest(session, childRequest(session));
    const forged = [stray(0, 3), stray(4, 3), stray(1, 0)].map(withWrongIcv);
    await expectUnanswered(session, "forged fragments with wrong numbers", forged);
    await expectAlive(session);
  });

  /**
   * The tester sends 1 of 2, then all of 1 to 3 of the same request, as one does that learns of a smaller path MTU. A
   * larger total than the stored one makes the peer throw away what it has and begin again: it answers.
   * Note: libreswan compares totals for equality and ignores the larger one.
   */
  test(`as-${peer}-begins-again-at-a-larger-total`, {
    requirements: ["IKEFRAG-34"],
    peer,
    lies: ["keeps-the-smaller-total"],
  }, async (s) => {
    const session = await establish(s, peer);
    await requestAs(session, childRequest(session), (cut) => [...at(cut.set(2), 1), ...cut.set(3)]);
    await expectAlive(session);
  });

  /**
   * With 1 of 3 stored, a whole set of two fragments of the same request is dropped silently, as it is older than what
   * is stored. The rest of the three then completes the message.
   * Note: strongSwan up to 6.0.5 joins 1 of 3 with 2 of 2, and destroys the IKE SA.
   */
  test(`as-${peer}-drops-a-smaller-total`, {
    requirements: ["IKEFRAG-31"],
    peer,
    lies: ["restarts-at-a-smaller-total"],
  }, async (s) => {
    const session = await establish(s, peer);
    const request = childRequest(session);
    const cut = cutRequest(session, request);
    // One after the other: a peer with several threads may take what comes at once in any order.
    await expectUnanswered(session, "the first of three fragments", at(cut.set(3), 1));
    await expectUnanswered(session, "a smaller total", cut.set(2));
    await requestAs(session, request, ({ set }) => set(3));
    await expectAlive(session);
  });

  /**
   * Fragment 1 of 2 holds every payload a CREATE_CHILD_SA request needs, fragment 2 some ballast. Nothing may be done
   * before the set is complete: there is no answer until fragment 2 comes.
   */
  test(`as-${peer}-waits-for-the-whole-set-before-it-acts`, {
    requirements: ["IKEFRAG-49", "IKEFRAG-46"],
    peer,
    lies: ["acts-on-the-first-fragment"],
  }, async (s) => {
    const session = await establish(s, peer);
    const request = childRequest(session);
    const set = cutRequest(session, request).behind(-BALLAST);
    await expectUnanswered(session, "the first of two fragments", at(set, 1));
    await requestAs(session, request, (cut) => cut.behind(-BALLAST));
    await expectAlive(session);
  });

  /**
   * A request in three fragments was answered. Its fragments 2 and 3 come once more: silence. Then fragment 1 comes:
   * only that one brings the response again.
   */
  test(`as-${peer}-answers-again-only-to-fragment-1`, {
    requirements: ["IKEFRAG-42", "IKEFRAG-41"],
    peer,
    lies: ["answers-every-repeated-fragment"],
  }, async (s) => {
    const session = await establish(s, peer);
    await requestAs(session, childRequest(session), (cut) => cut.set(3));
    const { request } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    await expectUnanswered(session, "repeated fragments 2 and 3", at(request.datagrams, 2, 3));
    const since = s.mark();
    sendUnder(session, ...at(request.datagrams, 1));
    const answered = await s.until(() => answersSince(s, since).length > 0);
    require(answered, "the response again for fragment 1", "silence");
    await expectAlive(session);
  });
}

/**
 * Of the tester's IKE_AUTH response in three fragments the second gets lost. The peer must send its request again, as
 * a response that is not complete is none, and take the missing fragment when it comes.
 */
test("initiator-repeats-its-request-while-the-response-is-incomplete", {
  requirements: ["IKEFRAG-40"],
  peer: "initiator",
  lies: ["never-retransmits"],
  config: { fragmentation: true },
}, async (s) => {
  let missing: Uint8Array[] = [];
  const withoutSecond: Arrange = (cut) => {
    const set = cut.set(3);
    missing = at(set, 2);
    return at(set, 1, 3);
  };
  fragmentNext(s, EXCHANGE.IKE_AUTH, withoutSecond, "response");
  const repeated = () =>
    s.trace.entries.some(
      ({ event }) =>
        event.type === "received" &&
        event.repeated &&
        event.message.header.exchangeType === EXCHANGE.IKE_AUTH,
    );
  await s.arena.driver.initiate();
  require(await s.untilRepeated(repeated), "the request again", "silence");
  const [child] = s.trace.childSas();
  require(child !== undefined, "a Child SA", s.lastReason());
  const session = needFragmentation(new Session(s, child.ike));
  sendUnder(session, ...missing);
  await session.proveTraffic();
});
