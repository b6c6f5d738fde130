import {
  EXCHANGE,
  expect,
  expectAlive,
  expectInitRefused,
  expectNotify,
  Failure,
  hex,
  initExchange,
  NOTIFY,
  type OutgoingMessage,
  payload,
  require,
  Session,
  test,
} from "../../harness/script/index.ts";

for (const octets of [16, 33, 256]) {
  /** The tester's nonces have this length, which lies within 16 to 256 octets, in IKE_SA_INIT and CREATE_CHILD_SA. */
  test(`takes-nonces-of-${octets}-octets`, {
    requirements: ["IKEV2-266", "IKEV2-148"],
    peer: "responder",
    lies: ["insists-on-nonces-of-32-octets"],
  }, async (s) => {
    s.policy.nonceLength = octets;
    const session = await s.dial();
    const child = await session.rekeyChild();
    await session.proveTraffic(child);
  });
}

const resize =
  (octets: number) =>
  ({ payloads }: OutgoingMessage): void => {
    const nonce = payload(payloads, "Nonce");
    if (nonce) nonce.data = new Uint8Array(octets).fill(0x4e);
  };

for (const octets of [0, 15, 257]) {
  /**
   * The nonce in the tester's IKE_SA_INIT is too short or too long. The peer drops the message or refuses it; it
   * never answers with a proposal. A fresh attempt with a good nonce succeeds.
   */
  test(`refuses-a-nonce-of-${octets}-octets-in-ike-sa-init`, {
    requirements: ["IKEV2-266"],
    peer: "responder",
    lies: ["accepts-malformed-messages"],
  }, async (s) => {
    const undo = s.change(EXCHANGE.IKE_SA_INIT, resize(octets));
    s.decide("unprotected error notify", "give up");
    const { sa } = await s.tryInit();
    const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
    require(!payload(response?.payloads ?? [], "SA"), "no SA payload in the answer", "one");
    s.host.endpoint.core.closeIke(sa, "the test is done with it");
    undo();
    await s.dial();
  });

  /**
   * The same in CREATE_CHILD_SA, where the answer is INVALID_SYNTAX.
   * Note: NO_PROPOSAL_CHOSEN may stand for any reason why there is no Child SA (section 3.10.1).
   */
  test(`refuses-a-nonce-of-${octets}-octets-in-create-child-sa`, {
    requirements: ["IKEV2-266", "IKEV2-193", "IKEV2-272"],
    peer: "responder",
    lies: ["accepts-malformed-messages"],
  }, async (s) => {
    const session = await s.dial();
    s.change(EXCHANGE.CREATE_CHILD_SA, resize(octets));
    await session.tryCreateChild();
    const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    expectNotify(response, NOTIFY.INVALID_SYNTAX, NOTIFY.NO_PROPOSAL_CHOSEN);
  });
}

/** The peer initiates, and the nonce of the answer has 15 octets. It must not go on with IKE_AUTH. */
test("refuses-a-short-nonce-in-an-answer", {
  requirements: ["IKEV2-266"],
  peer: "initiator",
  lies: ["accepts-malformed-messages"],
}, async (s) => {
  await expectInitRefused(s, resize(15));
});

/** Three IKE_SA_INIT exchanges and a rekey: every nonce of the peer is new and has at least 16 octets. */
test("sends-fresh-nonces", {
  requirements: ["IKEV2-148", "IKEV2-266", "IKEV2-267"],
  peer: "responder",
  lies: ["repeats-its-nonce"],
}, async (s) => {
  const attempts = [await s.tryInit(), await s.tryInit(), await s.tryDial()];
  const { sa } = attempts[2] ?? {};
  if (sa?.established) await new Session(s, sa).tryCreateChild();
  const nonces = s.trace.exchanges.flatMap((e) => payload(e.response?.payloads ?? [], "Nonce")?.data ?? []);
  require(nonces.length >= 3, "three nonces", `${nonces.length}`);
  require(new Set(nonces.map(hex)).size === nonces.length, "no nonce twice", nonces.map(hex).join(" "));
  for (const nonce of nonces) expect(nonce.length).to.be.within(16, 256);
});

for (const peer of ["responder", "initiator"] as const) {
  /** With HMAC-SHA2-512 as the PRF, half of whose key is 32 octets, the peer's nonce must be as long. */
  test(`sends-a-nonce-of-half-the-prf-key-as-${peer}`, {
    requirements: ["IKEV2-148"],
    peer,
    lies: ["sends-nonces-of-16-octets"],
    config: { ikeProposals: ["aes256-sha512-x25519"] },
  }, async (s) => {
    const session = await s.establish(peer);
    const exchange = initExchange(s, peer === "initiator" ? "peer" : "us");
    const message = peer === "initiator" ? exchange.request : exchange.response;
    const nonce = payload(message?.payloads ?? [], "Nonce");
    if (!nonce) throw new Failure("a nonce", "none");
    require(nonce.data.length >= 32, "a nonce of 32 octets or more", `${nonce.data.length} octets`);
    await expectAlive(session);
  });
}
