import {
  answersSince,
  EXCHANGE,
  encodeMessage,
  expect,
  expectAlive,
  expectSilence,
  FLAG,
  type Header,
  hasNotify,
  hex,
  isProtected,
  listPayloads,
  NOTIFY,
  notify,
  PAYLOAD,
  type Payload,
  require,
  type Script,
  test,
  WrongReason,
} from "../../harness/script/index.ts";

/** A header of an SA that the peer does not have. */
const strayHeader = (s: Script, flags: number): Header => ({
  ...{ spiI: s.arena.random(8), spiR: s.arena.random(8), version: 0x20, messageId: 7, flags },
  exchangeType: EXCHANGE.INFORMATIONAL,
});

const sealedByNobody = (s: Script): Payload => ({
  ...{ kind: "SK", type: PAYLOAD.SK, innerType: 0, data: s.arena.random(64) },
});

for (const peer of ["responder", "initiator"] as const) {
  /**
   * A request comes under SPIs that no IKE SA has. The peer may stay silent or answer; an answer is in clear, copies
   * SPIs, exchange type and Message ID of the request, has the R flag, and says INVALID_IKE_SPI.
   */
  test(`answers-an-unknown-spi-in-clear-or-not-at-all-as-${peer}`, {
    requirements: ["IKEV2-049", "IKEV2-197"],
    peer,
    lies: ["answers-unknown-spis-with-message-id-zero", "answers-unknown-spis-with-invalid-syntax"],
  }, async (s) => {
    const session = await s.establish(peer);
    const header = strayHeader(s, FLAG.initiator);
    const since = s.mark();
    s.sendOctets(encodeMessage({ header, payloads: [sealedByNobody(s)] }));
    await s.wait();
    const answer = answersSince(s, since)[0]?.message;
    await expectAlive(session);
    if (!answer) return;
    const { spiI, spiR, exchangeType, messageId, flags } = answer.header;
    expect([hex(spiI), hex(spiR)], "SPIs of the answer").to.deep.equal([hex(header.spiI), hex(header.spiR)]);
    expect([exchangeType, messageId], "exchange type and Message ID of the answer").to.deep.equal([
      header.exchangeType,
      header.messageId,
    ]);
    expect(flags & FLAG.response, "R flag of the answer").to.equal(FLAG.response);
    require(!isProtected(answer), "an answer in clear", listPayloads(answer));
    if (!hasNotify(answer.payloads, NOTIFY.INVALID_IKE_SPI))
      throw new WrongReason("N(INVALID_IKE_SPI)", listPayloads(answer));
  });

  /** A response comes under SPIs that no IKE SA has. It must never be answered, or two ends could go on for ever. */
  test(`does-not-answer-a-stray-response-as-${peer}`, {
    requirements: ["IKEV2-196", "IKEV2-230"],
    peer,
    lies: ["answers-stray-responses"],
  }, async (s) => {
    const session = await s.establish(peer);
    const header = strayHeader(s, FLAG.response);
    await expectSilence(
      s,
      () => s.sendOctets(encodeMessage({ header, payloads: [notify(NOTIFY.INVALID_IKE_SPI)] })),
      () => expectAlive(session),
    );
  });

  /**
   * We say in clear, outside of any IKE SA, that we got ESP with an SPI that we do not know: an INFORMATIONAL message
   * with INVALID_SPI, no request although it has no R flag. The peer must not respond to it.
   */
  test(`does-not-answer-a-one-way-invalid-spi-as-${peer}`, {
    requirements: ["IKEV2-047"],
    peer,
    lies: ["answers-one-way-invalid-spi"],
  }, async (s) => {
    const session = await s.establish(peer);
    const header = { ...strayHeader(s, FLAG.initiator), messageId: 0 };
    await expectSilence(
      s,
      () =>
        s.sendOctets(encodeMessage({ header, payloads: [notify(NOTIFY.INVALID_SPI, s.arena.random(4))] })),
      () => expectAlive(session),
    );
  });
}
