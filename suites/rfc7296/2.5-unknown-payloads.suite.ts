import {
  type DeletePayload,
  EXCHANGE,
  expect,
  expectNoError,
  expectNotify,
  expectRefusedByInitiator,
  listPayloads,
  NOTIFY,
  notifies,
  type OutgoingMessage,
  PAYLOAD,
  PROTOCOL,
  require,
  type Script,
  type Session,
  test,
  UNKNOWN_PAYLOAD,
  unknownPayload,
} from "../../harness/script/index.ts";

/** Ways to have a request of each exchange sent, whatever comes of it. */
const EXCHANGES: [name: string, type: number, reach: (s: Script) => Promise<unknown>][] = [
  ["ike-sa-init", EXCHANGE.IKE_SA_INIT, (s) => s.tryInit()],
  ["ike-auth", EXCHANGE.IKE_AUTH, (s) => s.tryDial()],
  ["create-child-sa", EXCHANGE.CREATE_CHILD_SA, async (s) => (await s.dial()).tryCreateChild()],
  ["informational", EXCHANGE.INFORMATIONAL, async (s) => deleteChild(await s.dial())],
];

const deleteChild = (session: Session): Promise<unknown> => {
  const named: DeletePayload = {
    ...{ kind: "Delete", type: PAYLOAD.DELETE, protocolId: PROTOCOL.ESP, spiSize: 4 },
    spis: [session.child.spiIn],
  };
  return session.tryRequest(EXCHANGE.INFORMATIONAL, [named]);
};

for (const [name, type, reach] of EXCHANGES) {
  /**
   * The request begins with a payload of type 200 that nobody knows, without the critical bit. The peer must skip it
   * and process the rest: the response bears no error.
   */
  test(`skips-an-unknown-payload-in-${name}`, {
    requirements: ["IKEV2-095"],
    peer: "responder",
    lies: ["drops-messages-with-unknown-payloads"],
  }, async (s) => {
    s.change(type, ({ payloads }) => void payloads.unshift(unknownPayload()));
    await reach(s);
    expectNoError(s.exchange(type).response);
  });

  /**
   * The request ends with a payload of type 200 that nobody knows, with the critical bit. The peer must reject the
   * whole message: its response says UNSUPPORTED_CRITICAL_PAYLOAD with the type in one octet, and nothing else in
   * the request has an effect.
   */
  test(`refuses-an-unknown-critical-payload-in-${name}`, {
    requirements: ["IKEV2-096", ...(name === "ike-auth" ? ["IKEV2-190"] : [])],
    peer: "responder",
    lies: ["skips-unknown-critical-payloads", "names-no-type-of-a-critical-payload"],
  }, async (s) => {
    s.decide("unprotected error notify", "give up");
    s.change(type, ({ payloads }) => void payloads.push(unknownPayload(true)));
    await reach(s);
    const { response } = s.exchange(type);
    expectNotify(response, NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD);
    const [error] = notifies(response?.payloads ?? [], NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD);
    expect([...(error?.data ?? [])], "octets of UNSUPPORTED_CRITICAL_PAYLOAD").to.deep.equal([
      UNKNOWN_PAYLOAD,
    ]);
    const acted = response?.payloads.some((p) => p.kind === "SA" || p.kind === "AUTH" || p.kind === "Delete");
    require(!acted, "nothing else in effect", listPayloads(response));
  });
}

/**
 * The peer initiates; every response of ours begins with a payload of type 200 that nobody knows, without the
 * critical bit. The peer must skip it: both SAs come up, and traffic passes.
 */
test("skips-an-unknown-payload-in-responses", {
  requirements: ["IKEV2-095"],
  peer: "initiator",
  lies: ["drops-messages-with-unknown-payloads"],
}, async (s) => {
  for (const type of [EXCHANGE.IKE_SA_INIT, EXCHANGE.IKE_AUTH]) {
    s.change(type, ({ payloads }) => void payloads.unshift(unknownPayload()), "response");
  }
  const session = await s.accept();
  await session.proveTraffic();
});

/**
 * The peer initiates; our IKE_AUTH response ends with an unknown payload that is critical. The message must be
 * rejected, so that the peer has no IKE SA: it says so, or does not answer under it. Its next attempt succeeds.
 */
test("rejects-a-response-with-an-unknown-critical-payload", {
  requirements: ["IKEV2-096"],
  peer: "initiator",
  lies: ["skips-unknown-critical-payloads"],
}, async (s) => {
  const spoil = ({ payloads }: OutgoingMessage) => void payloads.push(unknownPayload(true));
  await expectRefusedByInitiator(s, () => s.change(EXCHANGE.IKE_AUTH, spoil, "response"));
});
