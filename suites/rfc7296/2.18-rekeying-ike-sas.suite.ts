import {
  EXCHANGE,
  equal,
  expectAlive,
  expectChoice,
  expectNotify,
  Failure,
  FLAG,
  hasNotify,
  hex,
  ikeProposals,
  listPayloads,
  mindNoAdditionalSas,
  NOTIFY,
  PAYLOAD,
  PROTOCOL,
  payload,
  require,
  Session,
  TRANSFORM,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

/** An SPI of an IKE SA in a proposal: 8 octets, not zero, and none of the SA that is replaced. */
function expectNewSpi(spi: Uint8Array | undefined, old: Session): void {
  const { spiI, spiR } = old.sa;
  const fresh = spi?.length === 8 && spi.some((b) => b !== 0) && !equal(spi, spiI) && !equal(spi, spiR);
  require(fresh, "a new SPI of 8 octets in the proposal", spi ? `SPI ${hex(spi)}` : "no proposal");
}

for (const peer of ROLES) {
  /**
   * The tester replaces the IKE SA and deletes the old one. The response has a new SPI of 8 octets, and its choice
   * lies in the offer. The new IKE SA counts its messages from 0 and has the Child SA: traffic goes on, and the
   * Delete of the Child SA on the new IKE SA is answered with the SPI of the other direction.
   */
  test(`accepts-an-ike-rekey-as-${peer}`, {
    requirements: ["IKEV2-025", "IKEV2-027", "IKEV2-120", "IKEV2-155", "IKEV2-176", "IKEV2-242"],
    peer,
    lies: [
      "keys-new-ike-sas-with-the-old-spis",
      "counts-on-in-a-new-ike-sa",
      "drops-child-sas-in-an-ike-rekey",
      "keeps-its-spi-in-an-ike-rekey",
    ],
  }, async (s) => {
    const old = await s.establish(peer);
    await old.tryRekeyIke();
    const { request, response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    expectNewSpi(expectChoice(response, request).spi, old);
    const session = await replaced(old);
    require(session.sa.nextMessageId ===
      0, "Message ID 0 for our next request", `${session.sa.nextMessageId}`);
    await expectAlive(session);
    await session.proveTraffic();
    const { spiOut } = session.child;
    await session.deleteChild();
    const answer = s.exchange(EXCHANGE.INFORMATIONAL).response;
    const named = payload(answer?.payloads ?? [], "Delete")?.spis ?? [];
    require(named.some((spi) => equal(spi, spiOut)), `a Delete of SPI ${hex(spiOut)}`, listPayloads(answer));
  });

  /**
   * The peer replaces the IKE SA on command. Its request goes under the old SPIs and has a new SPI of 8 octets in
   * every proposal, a key exchange, a nonce and no traffic selectors. Its last request on the old SA is the Delete
   * of it. On the new SA, where it is the initiator, it counts from 0; the Child SA lives on.
   */
  test(`rekeys-the-ike-sa-as-${peer}`, {
    requirements: ["IKEV2-024", "IKEV2-025", "IKEV2-027", "IKEV2-030", "IKEV2-120", "IKEV2-121", "IKEV2-177"],
    peer,
    lies: [
      "leaves-ke-out-of-an-ike-rekey",
      "sends-a-short-spi-in-an-ike-rekey",
      "keeps-the-replaced-ike-sa",
      "keys-new-ike-sas-with-the-old-spis",
      "counts-on-in-a-new-ike-sa",
      "drops-child-sas-in-an-ike-rekey",
    ],
  }, async (s) => {
    const old = await s.establish(peer);
    const asked = () => s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer").find((e) => e.response);
    const { request } = await old.provoke(
      () => s.arena.driver.rekeyIke(),
      asked,
      "the peer to rekey the IKE SA",
    );
    for (const p of payload(request.payloads, "SA")?.proposals ?? []) expectNewSpi(p.spi, old);
    require(payload(request.payloads, "KE") !== undefined, "a KE payload", listPayloads(request));
    require(!request.payloads.some((p) => p.kind === "TS"), "no TSi and TSr", listPayloads(request));
    const session = await replaced(old);
    const last = s.trace.exchanges.findLast((e) => e.by === "peer" && e.request.sa === old.sa)?.request;
    const goodbye = payload(last?.payloads ?? [], "Delete")?.protocolId === PROTOCOL.IKE;
    require(goodbye, "a Delete as the last request on the old IKE SA", listPayloads(last));
    await session.proveTraffic();
    await s.arena.driver.delete("child");
    const first = () =>
      s.trace.exchanges.find((e) => e.by === "peer" && e.request.sa === session.sa)?.request;
    await s.until(() => first() !== undefined);
    const header = first()?.header;
    require(header?.messageId === 0, "Message ID 0 for its first request", `${header?.messageId ?? "none"}`);
    require((header.flags & FLAG.initiator) !== 0, "the I flag of the rekey's initiator", `${header.flags}`);
    await expectAlive(session);
  });

  /**
   * The IKE SA is replaced three times, in turn by the tester and by the peer, and then its Child SA once: each
   * SK_d comes from the one before. Traffic passes under the newest keys.
   */
  test(`keeps-three-generations-of-keys-apart-as-${peer}`, {
    requirements: ["IKEV2-120", "IKEV2-176"],
    peer,
    lies: ["keys-new-ike-sas-with-the-old-spis", "keys-child-sas-with-an-old-sk-d"],
  }, async (s) => {
    let session = await s.establish(peer);
    session = await session.rekeyIke();
    session = await session.peerRekeysIke();
    session = await session.rekeyIke();
    await session.rekeyChild();
    await session.proveTraffic();
    await expectAlive(session);
  });
}

for (const peer of ROLES) {
  /**
   * The tester replaces the IKE SA by one with another PRF. SKEYSEED is made with the PRF of the old one, the keys are made
   * out of it with that of the new one: the new IKE SA answers, and a Child SA with keys of its SK_d carries traffic.
   */
  test(`as-${peer}-makes-skeyseed-with-the-old-prf-and-keys-with-the-new-one`, {
    requirements: ["IKEV2-176", "IKEV2-155"],
    peer,
    lies: ["makes-skeyseed-of-a-rekey-with-the-new-prf", "expands-the-keys-of-a-rekey-with-the-old-prf"],
    config: { ikeProposals: ["aes256-sha256-x25519", "aes256-sha384-x25519"] },
  }, async (s) => {
    const old = await s.establish(peer);
    const prf = old.sa.suite?.prf.id;
    const others = ikeProposals(...s.arena.config.ikeProposals).filter(
      ({ transforms }) => !transforms.some(({ type, id }) => type === TRANSFORM.PRF && id === prf),
    );
    const made = await old.tryRekeyIke({ proposals: others.map((p, i) => ({ ...p, number: i + 1 })) });
    const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    if (hasNotify(response?.payloads ?? [], NOTIFY.NO_PROPOSAL_CHOSEN))
      throw new Unsupported("the peer rekeys with the PRF that it has, though it is told two");
    if (response) mindNoAdditionalSas(response);
    if (typeof made === "string") throw new Failure("a new IKE SA", made);
    const session = new Session(s, made);
    await expectAlive(session);
    await session.rekeyChild();
    await session.proveTraffic();
  });
}

/** The IKE SA that replaced this one, once the old one is gone. */
async function replaced(old: Session): Promise<Session> {
  const { script, sa } = old;
  await script.until(() => sa.state === "closed");
  if (!sa.replacedBy) throw new Failure("a new IKE SA", script.lastReason());
  require(sa.state === "closed", "the old IKE SA deleted", "it is still there");
  return new Session(script, sa.replacedBy);
}

for (const peer of ["responder", "initiator"] as const) {
  /** An IKE rekey offers only the group NONE. It is refused: a new IKE SA always takes a key exchange of its own. */
  test(`refuses-an-ike-rekey-with-group-none-as-${peer}`, {
    requirements: ["IKEV2-175"],
    peer,
    lies: ["rekeys-the-ike-sa-without-key-exchange"],
  }, async (s) => {
    const session = await s.establish(peer);
    s.change(EXCHANGE.CREATE_CHILD_SA, (message) => {
      message.payloads = message.payloads.filter((p) => p.kind !== "KE");
      for (const p of payload(message.payloads, "SA")?.proposals ?? []) {
        p.transforms = p.transforms.map((t) => (t.type === TRANSFORM.KE ? { ...t, id: 0 } : t));
      }
    });
    await session.tryRekeyIke({ proposals: ikeProposals("aes256-sha256-x25519") });
    const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    expectNotify(response, NOTIFY.NO_PROPOSAL_CHOSEN, NOTIFY.INVALID_SYNTAX);
  });

  /** An IKE rekey offers a group but lacks the KE payload. It is refused. */
  test(`refuses-an-ike-rekey-without-ke-payload-as-${peer}`, {
    requirements: ["IKEV2-175"],
    peer,
    lies: ["rekeys-the-ike-sa-without-key-exchange"],
  }, async (s) => {
    const session = await s.establish(peer);
    s.change(EXCHANGE.CREATE_CHILD_SA, (message) => {
      message.payloads = message.payloads.filter((p) => p.type !== PAYLOAD.KE);
    });
    await session.tryRekeyIke();
    const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    expectNotify(response, NOTIFY.INVALID_SYNTAX, NOTIFY.INVALID_KE_PAYLOAD, NOTIFY.NO_PROPOSAL_CHOSEN);
  });
}
