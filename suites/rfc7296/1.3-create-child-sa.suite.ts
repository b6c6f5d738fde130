import {
  EXCHANGE,
  errorNotify,
  espProposals,
  expect,
  expectAlive,
  expectChoice,
  expectNotify,
  expectWithin,
  listPayloads,
  NOTIFY,
  notifies,
  PAYLOAD,
  payload,
  require,
  selector,
  TRANSFORM,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

const MODP2048 = 14;

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Whoever began the IKE SA: we ask for a second Child SA, without a key exchange. It comes up beside the first one,
   * with keys from the nonces of this exchange, and both carry traffic.
   */
  test(`as-${peer}-makes-another-child-sa`, {
    requirements: ["IKEV2-013"],
    peer,
    lies: ["keys-new-child-sas-with-the-first-nonces", "refuses-more-child-sas-in-silence"],
  }, async (s) => {
    const session = await s.establish(peer);
    const first = session.child;
    const second = await session.createChild();
    require(await session.ping({ child: second }), "traffic through the second Child SA", "none");
    // The first one may have been ended in order, if the peer sees no use in two alike.
    const kept = first.state === "closed" || (await session.ping({ child: first }));
    require(kept, "traffic through the first Child SA still, or its Delete", "neither");
  });
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * We ask for a second Child SA that differs from the first: between two hosts only, and with one cipher only. What
   * the peer answers is that, not the one there is: a choice out of the offer, selectors within it. Traffic passes.
   * Note: a peer may refuse it, as OpenIKED does with NO_PROPOSAL_CHOSEN.
   */
  test(`as-${peer}-makes-the-child-sa-that-was-asked-for`, {
    requirements: ["IKEV2-013", "IKEV2-140"],
    peer,
    lies: ["answers-with-another-child-sa"],
  }, async (s) => {
    const session = await s.establish(peer);
    const { inner } = s.arena;
    const localTs = [selector(`${inner.tester}/32`)];
    const remoteTs = [selector(`${inner.peer}/32`)];
    const child = await session.tryCreateChild({
      proposals: espProposals("aes128-sha256"),
      localTs,
      remoteTs,
    });
    const { request, response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    const refused = errorNotify(response?.payloads ?? []);
    if (refused) throw new Unsupported(`the peer makes no such Child SA: ${listPayloads(response)}`);
    expectChoice(response, request);
    const answered = (type: number) => payload(response?.payloads ?? [], "TS", type)?.selectors ?? [];
    expectWithin(answered(PAYLOAD.TSi), localTs, "TSi of the Child SA that was asked for");
    expectWithin(answered(PAYLOAD.TSr), remoteTs, "TSr of the Child SA that was asked for");
    if (typeof child === "string") return require(false, "the second Child SA", child);
    require(await session.ping({ child }), "traffic through the second Child SA", "none");
  });
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * For a new Child SA we offer two groups and send a KE payload of the one that the peer does not allow. It must
   * answer with INVALID_KE_PAYLOAD and, in two octets, the group it wants; the IKE SA stays, and with that group the
   * Child SA comes up and carries traffic.
   */
  test(`as-${peer}-names-the-group-it-wants-for-a-child-sa`, {
    requirements: ["IKEV2-015", "IKEV2-016"],
    peer,
    lies: ["refuses-another-group-of-a-child-sa", "names-group-in-four-octets"],
    config: { espProposals: ["aes256gcm16-modp2048"] },
  }, async (s) => {
    const session = await s.establish(peer);
    const child = await session.tryCreateChild({ proposals: espProposals("aes256gcm16-x25519-modp2048") });
    const [first] = s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA);
    expectNotify(first?.response, NOTIFY.INVALID_KE_PAYLOAD);
    const [wanted] = notifies(first?.response?.payloads ?? [], NOTIFY.INVALID_KE_PAYLOAD);
    expect([...(wanted?.data ?? [])], "octets of INVALID_KE_PAYLOAD").to.deep.equal([0, MODP2048]);
    await expectAlive(session);
    if (typeof child === "string") return require(false, "a Child SA with the named group", child);
    require(await session.ping({ child }), "traffic through the new Child SA", "none");
  });

  /**
   * The peer is set to a key exchange for Child SAs and rekeys its Child SA on command: the group of its KE payload
   * must occur in a proposal of its SA payload.
   */
  test(`as-${peer}-sends-a-key-exchange-that-it-offers`, {
    requirements: ["IKEV2-014", "IKEV2-254"],
    peer,
    lies: ["sends-a-key-exchange-of-another-group"],
    config: { espProposals: ["aes256gcm16-modp2048"] },
  }, async (s) => {
    const session = await s.establish(peer);
    const seen = () => s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer")[0]?.request;
    const request = await session.provoke(() => s.arena.driver.rekeyChild(), seen, "a rekey of the Child SA");
    const proposals = payload(request.payloads, "SA")?.proposals ?? [];
    const groups = proposals.flatMap((p) =>
      p.transforms.filter((t) => t.type === TRANSFORM.KE).map((t) => t.id),
    );
    expect(groups, "groups of the SA payload, and the one of KE").to.include(
      payload(request.payloads, "KE")?.group,
    );
  });
}
