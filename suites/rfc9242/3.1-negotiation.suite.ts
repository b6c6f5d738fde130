import {
  announceIntermediate,
  beginner,
  EXCHANGE,
  eachCarrier,
  establishBehind,
  fromHex,
  hasNotify,
  intermediates,
  listPayloads,
  NOTIFY,
  needIntermediate,
  notifies,
  type PeerRole,
  proveBehind,
  require,
  type Script,
  type SeenMessage,
  Session,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

/** The peer's own IKE_SA_INIT message. */
function initOf(s: Script, peer: PeerRole): SeenMessage | undefined {
  const { request, response } = s.exchange(EXCHANGE.IKE_SA_INIT, beginner(peer));
  return peer === "responder" ? response : request;
}

for (const [what, config] of eachCarrier) {
  for (const peer of ROLES) {
    /**
     * The peer is told to use IKE_INTERMEDIATE, for ${what}, and so is the tester. The peer's IKE_SA_INIT message has
     * INTERMEDIATE_EXCHANGE_SUPPORTED once, with Protocol ID 0, without SPI and without data.
     */
    test(`announces-${what}-as-${peer}`, {
      requirements: [peer === "responder" ? "INT-02" : "INT-01", "INT-03"],
      peer,
      config,
      lies: ["announces-intermediate-with-data", "announces-intermediate-for-a-protocol"],
    }, async (s) => {
      needIntermediate(await s.establish(peer));
      const message = initOf(s, peer);
      const found = notifies(message?.payloads ?? [], NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED);
      const [first] = found;
      require(first !== undefined && found.length === 1, "one notify", listPayloads(message));
      const { protocolId, spi, data } = first;
      const actual = `Protocol ID ${protocolId}, ${spi.length} octets of SPI, ${data.length} of data`;
      require(protocolId === 0 && spi.length + data.length === 0, "Protocol ID 0, no SPI, no data", actual);
    });
  }
}

for (const [what, config] of eachCarrier) {
  for (const peer of ROLES) {
    /**
     * The tester's notify has 8 octets of data, which mean nothing. The peer ignores them: IKE_INTERMEDIATE is
     * negotiated and used for ${what}, as it is without data.
     */
    test(`ignores-data-in-the-announcement-of-${what}-as-${peer}`, {
      requirements: ["INT-04"],
      peer,
      config,
      lies: ["overlooks-announcements-with-data"],
    }, async (s) => {
      await establishBehind(s, peer);
      const before = intermediates(s, peer).length;
      await s.arena.driver.reset();
      announceIntermediate(s, () => fromHex("0102030405060708"));
      if (peer === "responder") await expectAnnounced(s);
      else await s.provoke(() => s.trace.childSas().length > 1);
      if (peer === "responder") await (await s.dial()).proveTraffic();
      const again = intermediates(s, peer).length - before;
      require(again === before, `${before} IKE_INTERMEDIATE exchanges as before`, String(again));
      require(s.trace.childSas().length > 1, "both SAs", s.lastReason());
    });
  }
}

/** Fails unless the peer announces the exchange in its response. */
async function expectAnnounced(s: Script): Promise<void> {
  const { sa } = await s.tryInit();
  const announced = sa.announced.has(NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED);
  require(announced, "the notify in the response", listPayloads(initOf(s, "responder")));
}

/**
 * The peer could do IKE_INTERMEDIATE, but the tester's IKE_SA_INIT request does not have the notify. Only who was told returns
 * it: the response has none, and IKE_AUTH follows at once.
 */
test("does-not-announce-intermediate-unasked", {
  requirements: ["INT-02"],
  peer: "responder",
  config: { intermediate: true },
  lies: ["announces-intermediate-unasked"],
}, async (s) => {
  announceIntermediate(s, () => undefined);
  s.policy.intermediate = false;
  const { sa } = await s.init();
  const response = initOf(s, "responder");
  const announced = hasNotify(response?.payloads ?? [], NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED);
  require(!announced, "no notify that was not asked for", listPayloads(response));
  const { failure } = await s.tryAuth(sa);
  require(!failure, "an IKE SA", failure ?? "");
});

for (const [what, config] of eachCarrier) {
  /**
   * The tester answers the first IKE_SA_INIT request with COOKIE alone. The request that returns it is for the same
   * attempt, and announces IKE_INTERMEDIATE, for ${what}, as the first one did.
   */
  test(`announces-${what}-again-beside-a-cookie`, {
    requirements: ["INT-01"],
    peer: "initiator",
    config,
    lies: ["announces-intermediate-once"],
  }, async (s) => {
    s.policy.cookies = "always";
    const both = () => s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, "peer").map(({ request }) => request);
    const came = await s.provoke(() => both().length > 1);
    require(came, "an IKE_SA_INIT request with the cookie", `${both().length} requests`);
    const [first, second] = both().map(({ payloads }) =>
      hasNotify(payloads, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED),
    );
    if (!first) throw new Unsupported("the peer did not announce INTERMEDIATE_EXCHANGE_SUPPORTED");
    require(second === true, "the notify in the second request", listPayloads(both()[1]));
    await s.until(() => s.trace.childSas().length > 0);
    require(s.trace.childSas().length > 0, "both SAs", s.lastReason());
  });
}

const OPTIONAL = { ikeProposals: ["aes256-sha256-x25519-ke1_ecp256-ke1_none"] };

/** What leaves us without use for the exchange as initiator, though we announce it. */
const SKIPPED = {
  "that-was-skipped": { config: { intermediate: true } as const, prepare: () => {} },
  "where-no-additional-key-exchange-was-offered": { config: OPTIONAL, prepare: allowNone },
};

for (const [where, { config, prepare }] of Object.entries(SKIPPED)) {
  /**
   * The peer announced IKE_INTERMEDIATE, and so did the tester, which has no use for it, ${where}: IKE_AUTH comes next with
   * Message ID 1. The peer takes it, and both AUTH payloads cover what RFC 7296 says and nothing of an exchange that never was.
   * Note: a daemon whose AUTH covered it all the same could talk to itself alone.
   */
  test(`covers-nothing-of-intermediate-${where}-as-responder`, {
    requirements: ["INT-06", "INT-18"],
    peer: "responder",
    config,
    lies: ["covers-intermediate-that-never-was"],
  }, async (s) => {
    prepare(s);
    const { sa } = needIntermediate(await s.init());
    s.policy.intermediate = false;
    const { failure, childFailure } = await s.tryAuth(sa);
    const reason = failure ?? childFailure;
    require(!reason, "both SAs without an IKE_INTERMEDIATE exchange", reason ?? "");
    require(s.exchange(EXCHANGE.IKE_AUTH).messageId === 1, "IKE_AUTH with Message ID 1", "another");
    await expectPlain(s, "responder");
  });
}

/** What leaves an initiator without use for the exchange, though it announced it. */
const NO_USE = {
  "where-the-responder-did-not-announce-it": {
    config: { intermediate: true } as const,
    prepare: (s: Script) => announceIntermediate(s, () => undefined),
  },
  "where-no-additional-key-exchange-was-chosen": {
    config: OPTIONAL,
    prepare: allowNone,
  },
};

for (const [where, { config, prepare }] of Object.entries(NO_USE)) {
  /**
   * The peer announces IKE_INTERMEDIATE, but skips it ${where}. Its AUTH covers what RFC 7296 says and nothing of an
   * exchange that never was, and the tester's AUTH, which is like that, is taken.
   * Note: a peer may insist on the exchange, and give up; then there is nothing to see.
   */
  test(`covers-nothing-of-intermediate-${where}-as-initiator`, {
    requirements: ["INT-18"],
    peer: "initiator",
    config,
    lies: ["covers-intermediate-that-never-was"],
  }, async (s) => {
    prepare(s);
    const auth = () => s.trace.exchangesOf(EXCHANGE.IKE_AUTH, "peer").length;
    const over = () => auth() + intermediates(s, "initiator").length > 0;
    await s.provoke(() => over() && (s.trace.childSas().length > 0 || !auth()));
    const announced = notifies(
      initOf(s, "initiator")?.payloads ?? [],
      NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED,
    );
    if (announced.length === 0 || !auth())
      throw new Unsupported("the peer announces IKE_INTERMEDIATE not at all, or insists on it");
    require(s.trace.childSas().length > 0, "both SAs without an IKE_INTERMEDIATE exchange", s.lastReason());
    await expectPlain(s, "initiator");
  });
}

/** Leaves nothing but NONE of the additional key exchange, and announces IKE_INTERMEDIATE all the same. */
function allowNone(s: Script): void {
  s.policy.ike = s.policy.ike.map((proposal) => ({
    ...proposal,
    transforms: proposal.transforms.filter(({ type, id }) => type < 6 || id === 0),
  }));
  s.policy.intermediate = true;
}

/** Fails if an exchange took place, or the SAs carry nothing. */
async function expectPlain(s: Script, peer: PeerRole): Promise<void> {
  const count = intermediates(s, peer).length;
  require(count === 0, "no IKE_INTERMEDIATE exchange", String(count));
  await s.until(() => s.trace.childSas().length > 0, s.arena.quiet);
  const sa = s.trace.childSas()[0]?.ike;
  require(sa !== undefined, "both SAs", s.lastReason());
  await new Session(s, sa).proveTraffic();
}

for (const [what, config] of eachCarrier) {
  for (const peer of ROLES) {
    /** IKE_INTERMEDIATE for ${what} is agreed on and takes place: AUTH covers it, both SAs come up, and traffic passes. */
    test(`proves-itself-behind-${what}-as-${peer}`, {
      requirements: ["INT-18", "INT-19", "INT-21", "INT-22", "INT-23"],
      peer,
      config,
      lies: ["leaves-intermediate-out-of-auth", "covers-requests-alone"],
    }, async (s) => {
      await proveBehind(s, peer);
    });
  }
}
