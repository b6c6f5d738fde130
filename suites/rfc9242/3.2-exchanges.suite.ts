import {
  askOnce,
  beforeIkeAuth,
  beginner,
  bigKe,
  changeOwn,
  EXCHANGE,
  eachCarrier,
  errorNotify,
  establishBehind,
  exchangeOrder,
  expectAuth,
  expectEncrypted,
  expectExchangeRefused,
  expectNotServed,
  expectTraffic,
  feignNat,
  firstOffer,
  firstSession,
  forged,
  intermediates,
  isResponse,
  lose,
  messagesReceived,
  NOTIFY,
  needIntermediate,
  ownIn,
  type PeerRole,
  precede,
  proveBehind,
  proveDespite,
  require,
  responsesOf,
  type Script,
  Session,
  sealed,
  sendUnder,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const { IKE_INTERMEDIATE, IKE_AUTH } = EXCHANGE;
const TWO_KEY_EXCHANGES = { ikeProposals: ["aes256-sha256-x25519-ke1_ecp256-ke2_ecp384"] };

for (const [what, config] of [...eachCarrier, ["two-key-exchanges", TWO_KEY_EXCHANGES] as const]) {
  /**
   * The peer begins IKE_INTERMEDIATE for ${what}. Its requests after IKE_SA_INIT have Message IDs 1, 2 and so on without a
   * gap: first those of IKE_INTERMEDIATE, one after the other, then IKE_AUTH.
   */
  test(`counts-message-ids-through-${what}`, {
    requirements: ["INT-07", "INT-08", "INT-10", "INT-10a"],
    peer: "initiator",
    config,
    lies: [
      "begins-intermediate-with-message-id-2",
      "gives-ike-auth-the-last-message-id",
      "begins-ike-auth-beside-intermediate",
    ],
  }, async (s) => {
    await proveBehind(s, "initiator").finally(() => {
      const seen = exchangeOrder(s);
      const expected = seen.map((request, i) => `${request.split(" ")[0]} ${i + 1}`);
      require(seen.join() === expected.join(), expected.join(", "), seen.join(", "));
    });
  });
}

for (const [what, config] of [...eachCarrier, ["two-key-exchanges", TWO_KEY_EXCHANGES] as const]) {
  /**
   * The first copy of each IKE_INTERMEDIATE request, for ${what}, gets lost on its way to the tester. The peer waits for
   * the response, and begins neither another exchange nor IKE_AUTH; its repeat is served, and both SAs come up.
   */
  test(`waits-for-the-response-of-${what}`, {
    requirements: ["INT-07", "INT-08"],
    peer: "initiator",
    config,
    lies: ["begins-ike-auth-beside-intermediate"],
  }, async (s) => {
    const lost = new Set<number>();
    lose(s, ({ header: { exchangeType, messageId }, isResponse }) => {
      const first = exchangeType === IKE_INTERMEDIATE && !isResponse && !lost.has(messageId);
      if (first) lost.add(messageId);
      return first;
    });
    await s.arena.driver.initiate();
    const ahead = () => runsAhead(s);
    await s.untilRepeated(() => s.trace.childSas().length > 0 || ahead());
    require(!ahead(), "one request after the other", "a request before the response to the last one");
    if (lost.size === 0) throw new Unsupported("the peer begins no IKE_INTERMEDIATE exchange");
    await firstSession(s).proveTraffic();
  });
}

/** True if the peer has sent a request although we have not answered all of those before. */
function runsAhead(s: Script): boolean {
  const answered = s.trace.exchanges.filter(({ by, response }) => by === "peer" && response).length;
  const requests = messagesReceived(s).filter((message) => !isResponse(message));
  return requests.some(({ header }) => header.messageId > answered);
}

for (const [what, config] of eachCarrier) {
  for (const peer of ROLES) {
    /**
     * Every message of the peer in IKE_INTERMEDIATE, for ${what}, ends with an Encrypted payload, and nothing like KE is in
     * clear in front of it.
     */
    test(`encrypts-${what}-as-${peer}`, {
      requirements: ["INT-13", "INT-14"],
      peer,
      config,
      lies: [
        "sends-intermediate-in-clear",
        ...(what === "a-key-exchange" ? ["puts-key-exchanges-in-front-of-sk"] : []),
      ],
    }, async (s) => {
      await proveBehind(s, peer).finally(() => expectEncrypted(s));
    });
  }
}

for (const [what, config] of eachCarrier) {
  /**
   * After IKE_INTERMEDIATE for ${what} the tester asks for a Child SA in CREATE_CHILD_SA. Nobody is authenticated, so the
   * peer is silent or refuses: no Child SA is made. IKE_AUTH serves the tester, on this or on a fresh IKE SA.
   */
  test(`makes-no-child-sa-behind-${what}-before-ike-auth-as-responder`, {
    requirements: ["INT-09"],
    peer: "responder",
    config,
    lies: ["serves-child-sas-before-ike-auth"],
  }, async (s) => {
    const session = await beforeIkeAuth(s);
    const { sa } = session;
    const made = await askOnce<unknown>(session, (done) => s.host.endpoint.createChild(sa, {}, done));
    const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    const refused = !response || errorNotify(response.payloads) !== undefined;
    require(refused && s.trace.childSas().length === 0, "silence or an error", "a Child SA");
    if (made === undefined && sa.state !== "closed" && !(await s.tryAuth(sa)).failure)
      return expectTraffic(session, "CREATE_CHILD_SA before IKE_AUTH");
    await expectTraffic(await s.dial(), "a fresh IKE SA");
  });
}

for (const [what, config] of eachCarrier) {
  /**
   * In front of its response to IKE_INTERMEDIATE, for ${what}, the tester asks for a Child SA in CREATE_CHILD_SA. The peer, which
   * began the IKE SA, does not serve it, as nobody is authenticated; its own IKE_AUTH sets up both SAs.
   */
  test(`makes-no-child-sa-behind-${what}-before-ike-auth-as-initiator`, {
    requirements: ["INT-09"],
    peer: "initiator",
    config,
    lies: ["serves-child-sas-before-ike-auth"],
  }, async (s) => {
    await expectUnserved(s, EXCHANGE.CREATE_CHILD_SA);
  });
}

for (const [what, config] of eachCarrier) {
  /**
   * Only the initiator begins IKE_INTERMEDIATE exchanges. In front of its response in one, for ${what}, the tester, which
   * is the responder, sends a request of its own. The peer does not serve it, and sets up both SAs.
   */
  test(`does-not-let-the-responder-begin-intermediate-beside-${what}`, {
    requirements: ["INT-28", "INT-L2"],
    peer: "initiator",
    config,
    lies: ["answers-intermediate-as-initiator"],
  }, async (s) => {
    await expectUnserved(s, IKE_INTERMEDIATE);
  });
}

/** Sends a request of ours in front of our response to IKE_INTERMEDIATE: no answer, or an error; both SAs come up. */
async function expectUnserved(s: Script, exchangeType: number): Promise<void> {
  const undo = changeOwn(s, "initiator", (message) => {
    const session = message.sa && new Session(s, message.sa);
    if (!session) return;
    const payloads = exchangeType === EXCHANGE.CREATE_CHILD_SA ? firstOffer(session) : [];
    precede(message, () => sealed(session, { exchangeType, payloads, messageId: 0 }));
  });
  const check = () => {
    const sa = intermediates(s, "initiator")[0]?.request.sa;
    if (sa) expectNotServed(new Session(s, sa), exchangeType, 0);
  };
  await proveDespite(s, "initiator", { check, undo });
}

for (const [what, config] of eachCarrier) {
  for (const peer of ROLES) {
    /**
     * IKE_INTERMEDIATE, for ${what}, was negotiated and took place. On the established IKE SA the tester begins another such
     * exchange, which belongs before IKE_AUTH. The peer is silent or refuses; unless it says INVALID_SYNTAX, both SAs go on.
     */
    test(`has-no-intermediate-after-ike-auth-behind-${what}-as-${peer}`, {
      requirements: ["INT-28", "INT-L2"],
      peer,
      config,
      lies: ["answers-exchanges-of-key-exchanges", "closes-at-exchanges-of-key-exchanges"],
    }, async (s) => {
      await expectExchangeRefused(await establishBehind(s, peer), IKE_INTERMEDIATE, []);
    });
  }
}

for (const [what, config] of eachCarrier) {
  /**
   * Beside IKE_INTERMEDIATE for ${what} the tester sends a request of the same Message ID whose payloads are in clear. The
   * peer does not process it: without an Encrypted payload it is no message of this exchange. Both SAs come up.
   */
  test(`does-not-take-${what}-in-clear`, {
    requirements: ["INT-13", "INT-28"],
    peer: "responder",
    config,
    lies: ["obeys-messages-in-clear"],
  }, async (s) => {
    const session = needIntermediate(await s.init());
    const since = s.mark();
    sendUnder(session, forged(session, { exchangeType: IKE_INTERMEDIATE, payloads: [bigKe()] }));
    await s.wait();
    const answers = responsesOf(s, IKE_INTERMEDIATE, since).map((octets) => octets.length / 2);
    require(answers.length === 0, "no response", `a response of ${answers[0]} octets`);
    await expectAuth(session);
  });
}

const CERTIFICATE = { method: "signature", key: "rsa2048" } as const;
const LOGIN = { method: "eap", type: "mschapv2" } as const;

for (const [what, config] of eachCarrier) {
  /**
   * The tester logs in by EAP behind IKE_INTERMEDIATE for ${what}. In front of its second IKE_AUTH request it sends another
   * IKE_INTERMEDIATE request with the same Message ID. All of these are over before IKE_AUTH begins: the peer does not serve it.
   * IKE_AUTH goes on, or, where the peer gives up for it, a fresh attempt is served.
   */
  test(`has-no-intermediate-between-rounds-of-eap-behind-${what}`, {
    requirements: ["INT-28", "INT-L2"],
    peer: "responder",
    config: { ...config, auth: CERTIFICATE, testerAuth: LOGIN },
    lies: ["answers-intermediate-between-eap-rounds"],
  }, async (s) => {
    let done = false;
    let first = 0;
    s.change(IKE_AUTH, (message) => {
      const { sa, header } = message;
      first ||= header.messageId;
      if (done || !sa || header.messageId === first) return;
      done = true;
      const session = new Session(s, sa);
      const { messageId } = header;
      precede(message, () => sealed(session, { exchangeType: IKE_INTERMEDIATE, payloads: [], messageId }));
    });
    const session = needIntermediate(await s.init());
    const check = () => expectNotServed(session, IKE_INTERMEDIATE, first + 1);
    await proveDespite(s, "responder", { begun: session, check });
  });
}

for (const [what, config] of eachCarrier) {
  /**
   * The tester goes on with one empty IKE_INTERMEDIATE exchange after the other, behind what is due for ${what}. A peer that
   * answers 100 of them leaves their number to whoever comes; a good one stops to answer, or refuses. It still
   * answers others.
   * Note: the text has this as a duty of documents that use the exchange, which a peer can only do its part for.
   */
  test(`ends-a-series-of-exchanges-behind-${what}`, {
    requirements: ["INT-32"],
    peer: "responder",
    config,
    lies: ["answers-any-number-of-intermediate-exchanges"],
  }, async (s) => {
    const session = await beforeIkeAuth(s);
    const { sa } = session;
    let answered = 0;
    while (answered < 100 && sa.state !== "closed") {
      const response = await askOnce<{ payloads: Parameters<typeof errorNotify>[0] } | undefined>(
        session,
        (done) => s.host.endpoint.request(sa, IKE_INTERMEDIATE, [], done),
      );
      if (!response || errorNotify(response.payloads)) break;
      answered++;
    }
    require(answered < 100, "an end of the exchanges", `${answered} answers`);
    require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
  });
}

for (const [what, config] of eachCarrier) {
  for (const peer of ROLES) {
    /**
     * The tester's NAT detection notifies say that it is behind a NAT. IKE_INTERMEDIATE, for ${what}, is the first exchange on port
     * 4500, with the non-ESP marker in front; AUTH does not cover that, and both SAs come up.
     */
    test(`moves-to-port-4500-with-${what}-as-${peer}`, {
      requirements: ["INT-12", "INT-21"],
      peer,
      config,
      lies: [...(peer === "initiator" ? ["stays-on-port-500"] : []), "covers-the-non-esp-marker"],
    }, async (s) => {
      feignNat(s, ownIn(peer));
      await proveBehind(s, peer);
      expectNatPort(s, peer);
    });
  }
}

/** Fails if a message of the peer in these exchanges went through other ports than those behind a NAT. */
function expectNatPort(s: Script, peer: PeerRole): void {
  const { sa } = s.exchange(EXCHANGE.IKE_SA_INIT, beginner(peer)).request;
  if (!sa?.announced.has(NOTIFY.NAT_DETECTION_SOURCE_IP))
    throw new Unsupported("the peer does without NAT traversal");
  for (const { event } of s.trace.entries) {
    if (event.type !== "received" || event.message.header.exchangeType !== IKE_INTERMEDIATE) continue;
    const { source, destination } = event.message.datagram;
    const ports = `from port ${source.port} to ${destination.port}`;
    require(destination.port === s.arena.natPort, "IKE_INTERMEDIATE on port 4500", ports);
  }
}
