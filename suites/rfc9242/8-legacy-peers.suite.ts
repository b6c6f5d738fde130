import {
  announceIntermediate,
  bigKe,
  EXCHANGE,
  expectExchangeRefused,
  expectNoIkeSaBy,
  expectTraffic,
  fromHex,
  hasNotify,
  heard,
  NOTIFY,
  require,
  type Script,
  Session,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const DATA = { "without-data": fromHex(""), "with-data": fromHex("0102030405060708") };

for (const [what, data] of Object.entries(DATA)) {
  /**
   * The tester's IKE_SA_INIT request has INTERMEDIATE_EXCHANGE_SUPPORTED, ${what}. Who does not know it ignores it (RFC 7296
   * section 3.10.1). Whether the peer returns it or not, IKE_AUTH comes next with Message ID 1: both SAs come up, and
   * traffic passes.
   */
  test(`as-responder-takes-the-announcement-${what}`, {
    requirements: ["INT-L1", "INT-06"],
    peer: "responder",
    lies: ["drops-messages-with-the-announcement-of-intermediate"],
  }, async (s) => {
    announceIntermediate(s, () => data);
    await (await s.dial()).proveTraffic();
  });

  /**
   * The peer initiates. The tester's IKE_SA_INIT response has the notify, ${what}, just where the request has none, so that
   * nothing is negotiated. The peer ignores it, or misses it: IKE_AUTH is next, and no exchange of type 43 comes.
   */
  test(`as-initiator-begins-no-intermediate-on-an-announcement-${what}`, {
    requirements: ["INT-L1", "INT-05"],
    peer: "initiator",
    lies: ["drops-messages-with-the-announcement-of-intermediate", "begins-intermediate-unasked"],
  }, async (s) => {
    announceIntermediate(s, (request) =>
      hasNotify(request, NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED) ? undefined : data,
    );
    await expectNoIntermediate(s);
    const sa = s.trace.childSas()[0]?.ike;
    require(sa !== undefined, "the peer to set up both SAs", s.lastReason());
    await expectTraffic(new Session(s, sa), "the Child SA came up");
  });
}

/** What an exchange between IKE_SA_INIT and IKE_AUTH can carry. */
const CONTENTS = { nothing: [], "a-ke-payload": [bigKe()] };

for (const [what, payloads] of Object.entries(CONTENTS)) {
  /**
   * After IKE_SA_INIT the tester sends IKE_INTERMEDIATE with ${what}, though it did not announce it. The peer is silent or
   * refuses: an answer without an error would say that it acted, on what no AUTH covers then. Then IKE_AUTH serves it, on this or on a fresh IKE SA.
   */
  test(`refuses-an-intermediate-exchange-with-${what}-that-nobody-negotiated`, {
    requirements: ["INT-L2"],
    peer: "responder",
    lies: ["answers-intermediate-unasked"],
  }, async (s) => {
    announceIntermediate(s, () => undefined);
    await expectNoIkeSaBy(s, EXCHANGE.IKE_INTERMEDIATE, payloads);
  });
}

/** The tester proves itself as in IKE_AUTH, but in an exchange of type 43: no IKE SA comes of it. */
test("makes-no-ike-sa-by-intermediate", {
  requirements: ["INT-L2"],
  peer: "responder",
  lies: ["authenticates-by-exchanges-of-key-exchanges"],
}, async (s) => {
  announceIntermediate(s, () => undefined);
  await expectNoIkeSaBy(s, EXCHANGE.IKE_INTERMEDIATE);
});

for (const peer of ROLES) {
  /**
   * On an established IKE SA the tester sends IKE_INTERMEDIATE, which belongs in front of IKE_AUTH. RFC 7296 has no rule for
   * exchange types that are not known: the peer may be silent, answer with an error, or say INVALID_SYNTAX, which ends the
   * IKE SA (section 2.21.3). Unless it ended, IKE and ESP go on.
   */
  test(`as-${peer}-does-nothing-for-intermediate-on-an-established-ike-sa`, {
    requirements: ["INT-L2"],
    peer,
    lies: ["answers-exchanges-of-key-exchanges", "closes-at-exchanges-of-key-exchanges"],
  }, async (s) => {
    await expectExchangeRefused(await s.establish(peer), EXCHANGE.IKE_INTERMEDIATE, [bigKe()]);
  });
}

/**
 * The peer is told to announce the exchange, and to begin one. The tester's response does not return the notify: the
 * peer goes on with IKE_AUTH and its Message ID 1, or gives up, but sends nothing of type 43.
 */
test("begins-no-intermediate-towards-a-legacy-responder", {
  requirements: ["INT-05"],
  peer: "initiator",
  config: { intermediate: true },
  lies: ["begins-intermediate-unasked"],
}, async (s) => {
  announceIntermediate(s, () => undefined);
  await expectNoIntermediate(s);
  const [first] = s.trace.exchangesOf(EXCHANGE.IKE_AUTH, "peer");
  const id = first?.request.header.messageId ?? 1;
  require(id === 1, "IKE_AUTH with Message ID 1", `Message ID ${id}`);
  require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
});

/** Has the peer initiate; fails if something of type 43 comes after IKE_SA_INIT. */
async function expectNoIntermediate(s: Script): Promise<void> {
  const begun = () => heard(s, EXCHANGE.IKE_INTERMEDIATE);
  const came = await s.provoke(() => s.trace.exchangesOf(EXCHANGE.IKE_SA_INIT, "peer").length > 0);
  require(came, "an IKE_SA_INIT request", s.lastReason());
  await s.until(() => s.trace.childSas().length > 0 || begun() > 0, 5 * s.arena.quiet);
  require(begun() === 0, "no exchange that was not negotiated", `${begun()} requests`);
}
