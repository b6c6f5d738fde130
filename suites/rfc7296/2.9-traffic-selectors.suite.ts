import {
  EXCHANGE,
  expectKept,
  expectNoError,
  expectNotify,
  expectWithin,
  Failure,
  listPayloads,
  NOTIFY,
  type OutgoingMessage,
  PAYLOAD,
  payload,
  require,
  type SeenMessage,
  Session,
  selector,
  type TrafficSelector,
  test,
} from "../../harness/script/index.ts";

/** The selectors of a message for the traffic of its initiator and of its responder. */
const selectorsOf = (message: SeenMessage | undefined) => ({
  tsi: payload(message?.payloads ?? [], "TS", PAYLOAD.TSi)?.selectors ?? [],
  tsr: payload(message?.payloads ?? [], "TS", PAYLOAD.TSr)?.selectors ?? [],
});

/** Fails unless the response holds selectors, all of them within the offer. */
function expectSubset(request: SeenMessage, response: SeenMessage | undefined): void {
  const [offer, answer] = [selectorsOf(request), selectorsOf(response)];
  if (!response || answer.tsi.length === 0) throw new Failure("TSi and TSr", listPayloads(response));
  expectWithin(answer.tsi, offer.tsi, "TSi");
  expectWithin(answer.tsr, offer.tsr, "TSr");
}

const OFFERS = {
  everything: { tsi: ["0.0.0.0/0"], tsr: ["0.0.0.0/0"] },
  "less-than-it-allows": { tsi: ["203.0.113.0/30"], tsr: ["203.0.113.16/30"] },
  "much-of-which-it-allows-a-part": { tsi: ["203.0.113.0/28", "198.51.100.0/24"], tsr: ["203.0.113.0/27"] },
};

for (const [what, { tsi, tsr }] of Object.entries(OFFERS)) {
  /**
   * The tester offers selectors other than the peer's own. The answer is what both allow: a subset of the offer,
   * not empty, and within what the peer is configured for. Traffic of it passes both ways.
   */
  test(`narrows-an-offer-of-${what}`, {
    requirements: ["IKEV2-140", "IKEV2-143"],
    peer: "responder",
    lies: ["answers-with-wider-selectors", "answers-with-empty-selectors"],
  }, async (s) => {
    s.policy.localTs = tsi.map(selector);
    s.policy.remoteTs = tsr.map(selector);
    const { sa } = await s.tryDial();
    const { request, response } = s.exchange(EXCHANGE.IKE_AUTH);
    expectSubset(request, response);
    const answer = selectorsOf(response);
    expectWithin(answer.tsi, s.arena.config.remoteTs.map(selector), "TSi");
    expectWithin(answer.tsr, s.arena.config.localTs.map(selector), "TSr");
    await new Session(s, sa).proveTraffic();
  });
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * For a new Child SA the first selectors are for two hosts, as of a packet that asked for the SA; then come wide
   * ones. The answer must include the first pair.
   */
  test(`includes-the-first-selectors-as-${peer}`, {
    requirements: ["IKEV2-139"],
    peer,
    lies: ["leaves-the-first-selectors-out"],
  }, async (s) => {
    const session = await s.establish(peer);
    const hosts = [s.arena.inner.tester, s.arena.inner.peer].map((host) => selector(`${host}/32`));
    const [localTs, remoteTs] = hosts.map((first) => [first, selector("0.0.0.0/0")]);
    await session.tryCreateChild({ localTs, remoteTs });
    const { request, response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    expectNoError(response);
    expectSubset(request, response);
    const { tsi, tsr } = selectorsOf(response);
    expectWithin(hosts.slice(0, 1), tsi, "the first TSi");
    expectWithin(hosts.slice(1), tsr, "the first TSr");
  });
}

/**
 * The tester offers selectors of which the peer allows nothing: TS_UNACCEPTABLE, and the IKE SA lives on.
 * Note: NO_PROPOSAL_CHOSEN may stand for any reason why there is no Child SA (section 3.10.1).
 */
test("refuses-foreign-selectors", {
  requirements: ["IKEV2-138", "IKEV2-023"],
  peer: "responder",
  lies: ["answers-foreign-selectors-with-its-own", "takes-all-selectors"],
}, async (s) => {
  const session = await s.dial();
  await session.tryCreateChild({
    localTs: [selector("198.51.100.0/25")],
    remoteTs: [selector("198.51.100.128/25")],
  });
  const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
  expectNotify(response, NOTIFY.TS_UNACCEPTABLE, NOTIFY.NO_PROPOSAL_CHOSEN);
  await expectKept(
    session,
    "deletes the IKE SA after a failed Child SA, which it should not (section 1.3.1)",
  );
});

/** A selector of a type nobody has assigned. */
const UNKNOWN_SELECTOR: TrafficSelector = {
  ...{ tsType: 200, ipProtocol: 0, startPort: 0, endPort: 0 },
  ...{ startAddress: new Uint8Array(), endAddress: new Uint8Array() },
  body: Uint8Array.of(1, 2, 3, 4),
};

/** Behind its ordinary selectors the tester offers one of an unknown type. The answer has the others only. */
test("ignores-selectors-of-unknown-type", {
  requirements: ["IKEV2-136"],
  peer: "responder",
  lies: ["echoes-unknown-selectors", "refuses-unknown-selectors"],
}, async (s) => {
  s.policy.localTs = [...s.policy.localTs, UNKNOWN_SELECTOR];
  s.policy.remoteTs = [...s.policy.remoteTs, UNKNOWN_SELECTOR];
  const { sa } = await s.tryDial();
  const { response } = s.exchange(EXCHANGE.IKE_AUTH);
  const { tsi, tsr } = selectorsOf(response);
  require(tsi.length > 0 && tsr.length > 0, "TSi and TSr", listPayloads(response));
  const unknown = [...tsi, ...tsr].find((ts) => ts.tsType === UNKNOWN_SELECTOR.tsType);
  require(unknown === undefined, "no selector of type 200", "one");
  require(sa.children.length === 1, "a Child SA", s.lastReason());
});

const range = (start: number, end: number): TrafficSelector => ({
  ...selector("203.0.113.0/28"),
  ...{ startAddress: Uint8Array.of(203, 0, 113, start), endAddress: Uint8Array.of(203, 0, 113, end) },
});

const MALFORMED: Record<string, { selectors: TrafficSelector[]; count?: number }> = {
  "that-end-before-they-begin": { selectors: [range(15, 0)] },
  "whose-ports-end-before-they-begin": {
    selectors: [{ ...range(0, 15), ipProtocol: 17, startPort: 900, endPort: 800 }],
  },
  "of-count-zero": { selectors: [] },
  "of-a-greater-count": { selectors: [range(0, 15)], count: 3 },
};

for (const [what, malformed] of Object.entries(MALFORMED)) {
  /**
   * TSi in the request for a new Child SA is malformed. It is refused with INVALID_SYNTAX or TS_UNACCEPTABLE, or with
   * NO_PROPOSAL_CHOSEN, which may stand for any reason (section 3.10.1); a Child SA must never come of it.
   */
  test(`refuses-selectors-${what}`, {
    requirements: ["IKEV2-193", "IKEV2-140"],
    peer: "responder",
    lies: ["accepts-malformed-messages"],
  }, async (s) => {
    const session = await s.dial();
    s.change(EXCHANGE.CREATE_CHILD_SA, ({ payloads }) => {
      Object.assign(payload(payloads, "TS", PAYLOAD.TSi) ?? {}, malformed);
    });
    await session.tryCreateChild();
    const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    expectNotify(response, NOTIFY.INVALID_SYNTAX, NOTIFY.TS_UNACCEPTABLE, NOTIFY.NO_PROPOSAL_CHOSEN);
  });
}

/**
 * The peer initiates, and the tester answers with selectors far wider than those of the offer. Whatever the peer
 * makes of it, it must not carry traffic that it did not offer: a packet from outside of the offer is not answered.
 * An ordinary answer to its next attempt gives both SAs and traffic.
 */
test("never-carries-more-than-it-offered", {
  requirements: ["IKEV2-141"],
  peer: "initiator",
  lies: ["takes-wider-selectors-in-an-answer"],
}, async (s) => {
  const widen = ({ payloads }: OutgoingMessage) => {
    for (const p of payloads) if (p.kind === "TS") p.selectors = [selector("0.0.0.0/0")];
  };
  const undo = s.change(EXCHANGE.IKE_AUTH, widen, "response");
  const child = () => s.trace.childSas()[0];
  require(await s.provoke(() => child() !== undefined), "the peer to initiate", s.lastReason());
  await s.wait();
  const since = s.mark();
  const pipe = s.host.pipes[0];
  const echo = { from: "203.0.113.100", to: s.arena.inner.peer, identifier: 0x4141, sequence: 1 };
  if (pipe) s.host.sendEcho(pipe, { ...echo, data: new Uint8Array(56) });
  await s.wait();
  const replies = s.trace.entries
    .slice(since)
    .filter(({ event }) => event.type === "esp-received" && event.inner?.echo?.reply);
  require(replies.length === 0, "silence to a packet from outside of the offer", `${replies.length} replies`);
  undo();
  await s.arena.driver.reset();
  await s.provoke(() => s.trace.childSas().length > 1);
  const second = s.trace.childSas()[1];
  if (!second) throw new Failure("a Child SA with an ordinary answer", s.lastReason());
  await s.wait();
  require(await new Session(s, second.ike).ping({ child: second }), "traffic through it", "none");
});

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The tester rekeys the Child SA with the selectors that it has, and then with wider ones. The new SA must not be
   * narrower than the one it replaces.
   */
  test(`does-not-narrow-a-child-sa-by-rekeying-as-${peer}`, {
    requirements: ["IKEV2-144", "IKEV2-146"],
    peer,
    lies: ["narrows-a-child-sa-by-rekeying"],
  }, async (s) => {
    const session = await s.establish(peer);
    for (const wishes of [{}, { localTs: [selector("0.0.0.0/0")], remoteTs: [selector("0.0.0.0/0")] }]) {
      const old = session.child;
      const fresh = await session.rekeyChild(wishes);
      expectWithin(old.localTs, fresh.localTs, "the tester's side");
      expectWithin(old.remoteTs, fresh.remoteTs, "the peer's side");
    }
    await session.proveTraffic();
  });
}
