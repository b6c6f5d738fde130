import {
  announceIntermediate,
  bigKe,
  EXCHANGE,
  expectExchangeRefused,
  expectIgnored,
  expectNoIkeSaBy,
  expectRefusedByInitiator,
  expectUnused,
  fromHex,
  NOTIFY,
  notify,
  type OutgoingMessage,
  type Payload,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const link = (): Payload => notify(NOTIFY.ADDITIONAL_KEY_EXCHANGE, fromHex("0102030405060708"));

for (const peer of ROLES) {
  /**
   * The tester's half of IKE_AUTH and of CREATE_CHILD_SA has ADDITIONAL_KEY_EXCHANGE, though no additional key exchange was
   * agreed on. Who does not know the notify ignores it (RFC 7296 section 3.10.1): the Child SAs come up and carry traffic.
   */
  test(`as-${peer}-ignores-additional-key-exchange`, {
    requirements: ["MKE-L4"],
    peer,
    lies: ["drops-messages-with-notifies-of-key-exchanges"],
  }, async (s) => {
    await expectIgnored(s, peer, link());
  });

  /**
   * Requests with ADDITIONAL_KEY_EXCHANGE, and with the error STATE_NOT_FOUND, under an established IKE SA. Both are ignored
   * in a request, known or not (RFC 7296 section 3.10.1).
   */
  test(`as-${peer}-ignores-notifies-of-key-exchanges-in-requests`, {
    requirements: ["MKE-L4"],
    peer,
    lies: ["drops-messages-with-notifies-of-key-exchanges"],
  }, async (s) => {
    const session = await s.establish(peer);
    await session.informational(link());
    await session.informational(notify(NOTIFY.STATE_NOT_FOUND));
    await session.proveTraffic();
  });

  /**
   * The peer rekeys its Child SA on command. The tester's response, complete otherwise, has the error STATE_NOT_FOUND. Who
   * knows it and who does not take it for a failure (RFC 7296 section 3.10.1): the new Child SA is not used. Note: the peer
   * may delete the IKE SA to clean up (section 2.21), but it must say so.
   */
  test(`as-${peer}-takes-state-not-found-for-a-failed-rekeying`, {
    requirements: ["MKE-L5"],
    peer,
    lies: ["overlooks-state-not-found"],
  }, async (s) => {
    const session = await s.establish(peer);
    await session.proveTraffic();
    const spoil = ({ payloads }: OutgoingMessage) => void payloads.push(notify(NOTIFY.STATE_NOT_FOUND));
    s.change(EXCHANGE.CREATE_CHILD_SA, spoil, "response");
    await expectUnused(session, await session.peerRekeysChild());
  });

  /**
   * On an established IKE SA the tester sends IKE_FOLLOWUP_KE, though no CREATE_CHILD_SA came before it. Who knows the exchange
   * says STATE_NOT_FOUND; who does not may be silent, answer with another error, or say INVALID_SYNTAX, which ends the IKE SA
   * (RFC 7296 section 2.21.3). Unless it ended, IKE and ESP go on.
   */
  test(`as-${peer}-does-nothing-for-followup-ke`, {
    requirements: ["MKE-L6"],
    peer,
    lies: ["answers-exchanges-of-key-exchanges", "closes-at-exchanges-of-key-exchanges"],
  }, async (s) => {
    await expectExchangeRefused(await s.establish(peer), EXCHANGE.IKE_FOLLOWUP_KE, [bigKe(), link()]);
  });
}

/**
 * The peer initiates; our IKE_AUTH response has nothing but STATE_NOT_FOUND. An error that is not known means that the
 * request has failed (RFC 7296 section 3.10.1), and one that is known does here as well: the peer must have no IKE SA. Its next
 * attempt succeeds.
 */
test("takes-state-not-found-for-the-end-of-ike-auth", {
  requirements: ["MKE-L5"],
  peer: "initiator",
  lies: ["overlooks-state-not-found"],
}, async (s) => {
  const spoil = (message: OutgoingMessage) => {
    message.payloads = [notify(NOTIFY.STATE_NOT_FOUND)];
  };
  await expectRefusedByInitiator(s, () => s.change(EXCHANGE.IKE_AUTH, spoil, "response"));
});

/**
 * After IKE_SA_INIT the tester sends IKE_FOLLOWUP_KE with a KE payload. There is nothing to follow: the peer is silent or
 * refuses. Then IKE_AUTH serves it, on this or on a fresh IKE SA.
 */
test("refuses-followup-ke-before-ike-auth", {
  requirements: ["MKE-L6"],
  peer: "responder",
  lies: ["answers-intermediate-unasked"],
}, async (s) => {
  announceIntermediate(s, () => undefined);
  await expectNoIkeSaBy(s, EXCHANGE.IKE_FOLLOWUP_KE, [bigKe(), link()]);
});

/** The tester proves itself as in IKE_AUTH, but in an exchange of type 44: no IKE SA comes of it. */
test("makes-no-ike-sa-by-followup-ke", {
  requirements: ["MKE-L6"],
  peer: "responder",
  lies: ["authenticates-by-exchanges-of-key-exchanges"],
}, async (s) => {
  await expectNoIkeSaBy(s, EXCHANGE.IKE_FOLLOWUP_KE);
});
