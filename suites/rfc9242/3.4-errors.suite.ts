import {
  ballast,
  changeOwn,
  EXCHANGE,
  eachCarrier,
  expectNotify,
  expectServed,
  intermediates,
  NOTIFY,
  needIntermediate,
  notify,
  precede,
  proveBehind,
  require,
  type Script,
  test,
  Unsupported,
  unknownPayload,
  withOtherIv,
  withWrongIcv,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

const FORGERIES = { "icv-is-wrong": withWrongIcv, "iv-was-changed": withOtherIv };

for (const [why, forge] of Object.entries(FORGERIES)) {
  for (const [what, config] of eachCarrier) {
    for (const peer of ROLES) {
      /**
       * In front of the tester's IKE_INTERMEDIATE message for ${what} there comes a copy whose ${why}, as somebody
       * without keys can send it. The peer drops it (RFC 7296 section 2.21) and waits for the right one: AUTH covers that,
       * and both SAs come up.
       */
      test(`drops-a-message-for-${what}-whose-${why}-as-${peer}`, {
        requirements: ["INT-28"],
        peer,
        config,
        lies: why === "iv-was-changed" ? ["accepts-any-icv"] : ["gives-up-at-a-wrong-icv"],
      }, async (s) => {
        changeOwn(s, peer, (message) => {
          message.payloads.unshift(ballast(40));
          precede(message, forge);
        });
        await proveBehind(s, peer);
      });
    }
  }
}

for (const [what, config] of eachCarrier) {
  /**
   * In SK of the tester's IKE_INTERMEDIATE request for ${what} is a payload that nobody knows, with the critical bit set.
   * The peer refuses the request with UNSUPPORTED_CRITICAL_PAYLOAD (RFC 7296 section 2.5); a fresh attempt is served.
   */
  test(`refuses-an-unknown-critical-payload-in-${what}`, {
    requirements: ["INT-28"],
    peer: "responder",
    config,
    lies: ["skips-unknown-critical-payloads"],
  }, async (s) => {
    needIntermediate(await s.init());
    const undo = changeOwn(s, "responder", ({ payloads }) => payloads.push(unknownPayload(true)));
    await s.tryDial();
    expectNotify(s.exchange(EXCHANGE.IKE_INTERMEDIATE).response, NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD);
    undo();
    await (await s.dial()).proveTraffic();
  });

  /**
   * In SK of the tester's IKE_INTERMEDIATE response for ${what} is a payload that nobody knows, with the critical bit set. The
   * peer must not take the response: no IKE_AUTH follows on this IKE SA. Its next attempt is served.
   */
  test(`does-not-go-on-after-an-unknown-critical-payload-in-${what}`, {
    requirements: ["INT-28"],
    peer: "initiator",
    config,
    lies: ["skips-unknown-critical-payloads"],
  }, async (s) => {
    const undo = changeOwn(s, "initiator", ({ payloads }) => payloads.push(unknownPayload(true)));
    await expectNoAuth(s, "an unknown critical payload");
    undo();
    await expectServed(s);
  });
}

/**
 * The tester answers the peer's IKE_INTERMEDIATE request with INVALID_SYNTAX in SK. Nobody is authenticated, so the peer
 * may wait for a better answer or give up (RFC 7296 section 2.21.1), but it does not go on with IKE_AUTH. Its next attempt
 * is served.
 */
test("does-not-go-on-after-an-error", {
  requirements: ["INT-28"],
  peer: "initiator",
  config: { intermediate: true },
  lies: ["overlooks-errors-in-intermediate"],
}, async (s) => {
  const undo = changeOwn(s, "initiator", (message) => {
    message.payloads = [notify(NOTIFY.INVALID_SYNTAX)];
  });
  await expectNoAuth(s, "INVALID_SYNTAX");
  undo();
  await expectServed(s);
});

/** Has the peer initiate; fails if it begins IKE_AUTH after our response to its first IKE_INTERMEDIATE request. */
async function expectNoAuth(s: Script, why: string): Promise<void> {
  const answered = () => intermediates(s, "initiator").some((e) => e.response);
  const auth = () => s.trace.exchangesOf(EXCHANGE.IKE_AUTH, "peer").length;
  await s.provoke(() => answered() || auth() > 0);
  if (!answered()) throw new Unsupported("the peer begins no IKE_INTERMEDIATE exchange");
  await s.wait();
  require(auth() === 0, `no IKE_AUTH after ${why}`, "IKE_AUTH");
}
