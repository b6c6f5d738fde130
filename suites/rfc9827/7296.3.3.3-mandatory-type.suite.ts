import {
  Ambiguous,
  EXCHANGE,
  errorNotify,
  espProposalsOfPeer,
  expectAlive,
  expectChoice,
  expectNotify,
  formatProposal,
  NOTIFY,
  numbersIn,
  payload,
  provokeOffer,
  require,
  test,
  withNumbers,
} from "../../harness/script/index.ts";

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Every ESP proposal of the peer has a transform of type 5, as it is one of the mandatory types of ESP: in its offers
   * for the first Child SA, where it makes them, and for the rekeying of it on command, and in its choices.
   */
  test(`as-${peer}-has-sequence-numbers-in-every-esp-proposal`, {
    requirements: ["SN-02"],
    peer,
    lies: ["leaves-out-sequence-numbers"],
  }, async (s) => {
    if (peer === "responder") await s.tryDial();
    else await s.provoke(() => espProposalsOfPeer(s, "offers").length > 0);
    await s.wait();
    const proposals = [...espProposalsOfPeer(s, "offers"), ...espProposalsOfPeer(s, "choices")];
    require(proposals.length > 0, "ESP proposals of the peer", s.lastReason());
    const odd = proposals.find((p) => numbersIn(p).length === 0);
    require(!odd, "a transform of type 5 in each", odd ? formatProposal(odd) : "");
  });

  /** The same of what the peer proposes on its own to rekey a Child SA. */
  test(`as-${peer}-has-sequence-numbers-in-its-offer-to-rekey`, {
    requirements: ["SN-02"],
    peer,
    lies: ["leaves-out-sequence-numbers-when-rekeying"],
  }, async (s) => {
    const session = await s.establish(peer);
    await provokeOffer(session);
    const last = s.exchange(EXCHANGE.CREATE_CHILD_SA, "peer").request;
    const proposals = payload(last.payloads, "SA")?.proposals ?? [];
    require(proposals.length > 0, "an offer of the peer", "none");
    const odd = proposals.find((p) => numbersIn(p).length === 0);
    require(!odd, "a transform of type 5 in each", odd ? formatProposal(odd) : "");
  });
}

/**
 * The tester's offer for a new Child SA lacks type 5. A proposal that lacks a mandatory type is unacceptable (RFC 7296
 * section 3.3.6): NO_PROPOSAL_CHOSEN. What the peer must not do is to answer with a transform that nobody offered.
 * Note: RFC 4303 calls ESN the default, and some stacks take the one or the other for meant. A choice without type 5 is
 * ambiguous.
 */
test("supplies-no-sequence-numbers-that-were-not-offered", {
  requirements: ["SN-02", "SN-03"],
  peer: "responder",
  lies: ["supplies-missing-transforms"],
}, async (s) => {
  const session = await s.dial();
  await session.tryCreateChild({ proposals: withNumbers(s) });
  const { request, response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
  if (response && !errorNotify(response.payloads)) {
    expectChoice(response, request);
    throw new Ambiguous("takes an ESP proposal without type 5");
  }
  expectNotify(response, NOTIFY.NO_PROPOSAL_CHOSEN);
  await expectAlive(session);
});
