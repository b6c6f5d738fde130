import {
  type DeletePayload,
  EXCHANGE,
  expect,
  expectDead,
  expectNoError,
  hex,
  isProtected,
  isResponse,
  listPayloads,
  lose,
  messagesReceived,
  PAYLOAD,
  type Payload,
  type Pipe,
  PROTOCOL,
  peerDeletedIke,
  require,
  type Script,
  type SeenMessage,
  type Session,
  sealed,
  sendUnder,
  test,
} from "../../harness/script/index.ts";

const deleteEsp = (...spis: Uint8Array[]): DeletePayload => ({
  ...{ kind: "Delete", type: PAYLOAD.DELETE, protocolId: PROTOCOL.ESP, spiSize: 4, spis },
});

const deleteIke: DeletePayload = {
  ...{ kind: "Delete", type: PAYLOAD.DELETE, protocolId: PROTOCOL.IKE, spiSize: 0, spis: [] },
};

const deletesIn = (payloads: Payload[]): DeletePayload[] =>
  payloads.filter((p): p is DeletePayload => p.kind === "Delete");

const espSpisIn = (payloads: Payload[]): string[] =>
  deletesIn(payloads)
    .filter((d) => d.protocolId === PROTOCOL.ESP)
    .flatMap((d) => d.spis.map(hex));

/** The peer's request that holds a Delete of this protocol, once it came. */
const peerDelete = (s: Script, protocolId: number): SeenMessage | undefined =>
  s.trace
    .exchangesOf(EXCHANGE.INFORMATIONAL, "peer")
    .map((e) => e.request)
    .find((m) => deletesIn(m.payloads).some((d) => d.protocolId === protocolId));

/** Fails if ESP that we send into a deleted SA comes back as a reply. A kernel is told a moment after the response. */
async function expectEspDead(s: Script, pipe: Pipe): Promise<void> {
  const { tester, peer } = s.arena.inner;
  await s.wait();
  const since = s.mark();
  s.host.sendEcho(pipe, {
    from: tester,
    to: peer,
    identifier: 0x4141,
    sequence: 1,
    data: new Uint8Array(32),
  });
  await s.wait();
  const answered = s.trace.entries.slice(since).some(({ event }) => {
    if (event.type !== "esp-received") return false;
    return !event.result.ok || event.inner?.echo?.identifier === 0x4141;
  });
  require(!answered, "no ESP through a deleted SA", "an answer inside of ESP");
}

/** The IKE SA must not have gone with its Child SA; a peer that needs it no more may delete it in order. */
async function expectIkeStays(session: Session): Promise<void> {
  const kept = (await session.alive()) || peerDeletedIke(session.script);
  require(kept, "the IKE SA alive, or its Delete", "silence");
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * We delete the Child SA by the SPI on which we receive. The peer must close both SAs of the pair: its response
   * names the SPI on which it receives, and only that one; ESP sent to it afterwards is dropped. The IKE SA stays.
   */
  test(`as-${peer}-closes-both-sas-of-a-pair`, {
    requirements: ["IKEV2-038", "IKEV2-039", "IKEV2-040", "IKEV2-041"],
    peer,
    lies: ["answers-delete-with-both-spis", "answers-delete-without-its-spi", "keeps-a-deleted-child-sa"],
  }, async (s) => {
    const session = await s.establish(peer);
    await session.proveTraffic();
    const { child } = session;
    const response = await session.informational(deleteEsp(child.spiIn));
    expect(espSpisIn(response.payloads), "SPIs in the answer to a Delete").to.deep.equal([hex(child.spiOut)]);
    await expectEspDead(s, session.pipe(child));
    await expectIkeStays(session);
  });

  /**
   * The peer is told to delete its Child SA. It must announce that with a Delete that names the SPI on which it
   * receives, not both of the pair; once we have answered, ESP sent to it is dropped. The IKE SA stays.
   */
  test(`as-${peer}-announces-the-end-of-a-child-sa`, {
    requirements: ["IKEV2-038", "IKEV2-040", "IKEV2-087"],
    peer,
    lies: ["deletes-in-silence", "names-both-spis-of-a-pair"],
  }, async (s) => {
    const session = await s.establish(peer);
    await session.proveTraffic();
    const { child } = session;
    const pipe = session.pipe(child);
    const request = await session.provoke(
      () => s.arena.driver.delete("child"),
      () => peerDelete(s, PROTOCOL.ESP),
      "a Delete of the Child SA",
    );
    expect(espSpisIn(request.payloads), "SPIs in the Delete").to.deep.equal([hex(child.spiOut)]);
    await expectEspDead(s, pipe);
    await expectIkeStays(session);
  });

  /**
   * We delete the IKE SA. The response is an empty INFORMATIONAL, without a Delete of its own; afterwards the peer answers nothing under
   * this SA any more, and ESP of its Child SA is dropped as well.
   */
  test(`as-${peer}-closes-the-ike-sa-with-its-children`, {
    requirements: ["IKEV2-039", "IKEV2-044", "IKEV2-046"],
    peer,
    lies: ["keeps-a-deleted-ike-sa", "answers-ike-delete-with-delete"],
  }, async (s) => {
    const session = await s.establish(peer);
    await session.proveTraffic();
    const pipe = session.pipe();
    const response = await session.informational(deleteIke);
    expectNoError(response);
    require(deletesIn(response.payloads).length === 0, "no Delete in the response", listPayloads(response));
    if (response.payloads.length > 0) s.tolerate("the response to the Delete is not empty");
    await expectEspDead(s, pipe);
    await expectDead(session);
  });

  /**
   * The peer is told to end the IKE SA. It announces that with a Delete without SPI; once we have answered, it
   * processes nothing under this SA any more, but is still there for others.
   */
  test(`as-${peer}-announces-the-end-of-the-ike-sa`, {
    requirements: ["IKEV2-088", "IKEV2-274"],
    peer,
    lies: ["deletes-in-silence", "names-the-spi-of-the-ike-sa"],
  }, async (s) => {
    const session = await s.establish(peer);
    const request = await session.provoke(
      () => s.arena.driver.delete("ike"),
      () => peerDelete(s, PROTOCOL.IKE),
      "a Delete of the IKE SA",
    );
    const found = deletesIn(request.payloads).find((d) => d.protocolId === PROTOCOL.IKE);
    expect([found?.spiSize, found?.spis.length], "SPI Size and number of SPIs").to.deep.equal([0, 0]);
    await s.wait();
    const since = s.mark();
    sendUnder(session, sealed(session, { exchangeType: EXCHANGE.INFORMATIONAL, payloads: [] }));
    await s.wait();
    const answers = messagesReceived(s, since).filter((m) => isResponse(m) && isProtected(m));
    require(answers.length === 0, "no answer under a deleted IKE SA", "a protected response");
    require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
  });
}

/**
 * A Delete names an SPI that no SA has. The peer must answer it all the same, with nothing deleted: no Delete in
 * the response, and traffic goes on.
 */
test("answers-the-delete-of-an-unknown-child-sa", {
  requirements: ["IKEV2-036"],
  peer: "responder",
  lies: ["ignores-deletes-of-unknown-sas"],
}, async (s) => {
  const session = await s.dial();
  const response = await session.informational(deleteEsp(s.arena.random(4)));
  expect(espSpisIn(response.payloads), "SPIs in the answer to the Delete of nothing").to.deep.equal([]);
  await session.proveTraffic();
});

/** Sends our Delete of the Child SA while the peer's own Delete of it is unanswered; gives the response. */
async function crossDeletes(session: Session): Promise<Payload[]> {
  const { script: s, child } = session;
  const answer = lose(s, (message) => !message.isResponse);
  await s.arena.driver.delete("child");
  const came = () =>
    messagesReceived(s).some((m) => !isResponse(m) && m.header.exchangeType === EXCHANGE.INFORMATIONAL);
  require(await s.until(came), "a Delete of the peer", s.lastReason());
  const response = await session.informational(deleteEsp(child.spiIn));
  child.state = "deleting";
  answer();
  await s.until(() => peerDelete(s, PROTOCOL.ESP) !== undefined);
  return response.payloads;
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Both ends delete the same Child SA at once: our Delete arrives while the peer's own is unanswered. Its response
   * must not hold a Delete then, for the pair is already named in its request. The IKE SA stays.
   */
  test(`as-${peer}-answers-a-crossing-delete-without-delete`, {
    requirements: ["IKEV2-042", "IKEV2-043"],
    peer,
    lies: ["answers-a-crossing-delete-with-delete"],
  }, async (s) => {
    const session = await s.establish(peer);
    expect(espSpisIn(await crossDeletes(session)), "SPIs in the answer to a crossing Delete").to.deep.equal(
      [],
    );
    await expectIkeStays(session);
  });

  /**
   * The peer deletes its Child SA, and our response leaves out the other SPI of the pair: the pair is half closed. The
   * SPI on which the peer received must not be used again: the Child SAs of another IKE SA have others. Note: the peer
   * may close the IKE SA of such a pair.
   */
  test(`as-${peer}-does-not-reuse-the-spi-of-a-half-closed-child-sa`, {
    requirements: ["IKEV2-045"],
    peer,
    lies: ["reuses-the-spi-of-a-deleted-child-sa"],
  }, async (s) => {
    s.decide("Delete of a Child SA", "answer without Delete");
    const session = await s.establish(peer);
    const old = hex(session.child.spiOut);
    const deleted = () => peerDelete(s, PROTOCOL.ESP);
    await session.provoke(() => s.arena.driver.delete("child"), deleted, "a Delete of the Child SA");
    const later = await s.dial();
    await later.tryCreateChild();
    const [, ...children] = s.trace.childSas();
    const spis = children.map((child) => hex(child.spiOut));
    require(!spis.includes(old), `no Child SA with SPI ${old}`, spis.join(", "));
  });
}
