import {
  answersSince,
  EXCHANGE,
  expect,
  expectAlive,
  expectNotify,
  FLAG,
  type IncomingMessage,
  isProtected,
  listPayloads,
  messagesReceived,
  NOTIFY,
  type OutgoingMessage,
  PAYLOAD,
  PROTOCOL,
  payload,
  require,
  type Script,
  sealed,
  sendUnder,
  setReserved,
  test,
} from "../../harness/script/index.ts";

const everyMessage = (s: Script, change: (message: OutgoingMessage) => void): void => {
  s.extensions.push({ name: "every message", outgoing: change });
};

/** An exchange of each kind, those that the peer begins included. */
async function exchangeAll(s: Script, peer: "initiator" | "responder"): Promise<IncomingMessage[]> {
  const session = await s.establish(peer);
  await session.tryCreateChild();
  await session.informational();
  const seen = () => s.trace.exchangesOf(EXCHANGE.INFORMATIONAL, "peer").at(-1);
  await session.provoke(() => s.arena.driver.delete("child"), seen, "a Delete of the peer");
  return s.trace.entries.flatMap(({ event }) => (event.type === "received" ? [event.message] : []));
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Exchanges of all kinds take place. In every message of the peer the version is 2.0, and the bits of the flags
   * octet that have no meaning, the V flag among them, are zero.
   */
  test(`as-${peer}-sends-version-two-and-clean-flags`, {
    requirements: ["IKEV2-226", "IKEV2-227", "IKEV2-229", "IKEV2-092"],
    peer,
    lies: ["sends-a-minor-version", "sets-the-version-flag", "sets-an-unknown-flag"],
  }, async (s) => {
    for (const { header } of await exchangeAll(s, peer)) {
      expect(header.version.toString(16), "version").to.equal("20");
      expect(header.flags & ~(FLAG.initiator | FLAG.response), "flags without meaning").to.equal(0);
    }
  });

  /** Exchanges of all kinds take place. In every message of the peer all reserved fields are zero. */
  test(`as-${peer}-sends-reserved-fields-as-zero`, {
    requirements: ["IKEV2-093", "IKEV2-235"],
    peer,
    lies: ["sets-reserved-bits-of-payloads", "sets-reserved-octets-of-transforms"],
  }, async (s) => {
    for (const { findings } of await exchangeAll(s, peer)) {
      const reserved = findings.filter((f) => f.reason.startsWith("reserved"));
      require(reserved.length === 0, "reserved fields of zero", JSON.stringify(reserved));
    }
  });

  /**
   * Exchanges of all kinds take place. The critical bit is never set in a response, nor on a payload of RFC 7296 in
   * a request.
   */
  test(`as-${peer}-never-sets-the-critical-bit`, {
    requirements: ["IKEV2-097", "IKEV2-233"],
    peer,
    lies: ["sets-the-critical-bit"],
  }, async (s) => {
    for (const message of await exchangeAll(s, peer)) {
      const payloads = [...message.clear, ...message.payloads];
      const critical = payloads.filter((p) => p.critical && (message.isResponse || p.kind !== "raw"));
      require(critical.length === 0, "no critical bit", listPayloads({ payloads: critical }));
    }
  });

  /**
   * All our messages say version 2.15. A larger minor version must be ignored: both SAs come up, traffic passes, and
   * the peer speaks version 2.0 itself.
   */
  test(`as-${peer}-accepts-a-larger-minor-version`, {
    requirements: ["IKEV2-089", "IKEV2-226"],
    peer,
    lies: ["refuses-larger-minor-versions"],
  }, async (s) => {
    everyMessage(s, ({ header }) => {
      header.version = 0x2f;
    });
    const session = await s.establish(peer);
    await session.proveTraffic();
  });

  /**
   * In all our messages every reserved bit and field is set: in the flags octet together with the V flag, in payload
   * headers, proposals, transforms, KE, ID, AUTH and TS. They must be ignored, except that AUTH covers the identity
   * payload as it was sent. Both SAs come up, and traffic passes.
   */
  test(`as-${peer}-ignores-reserved-bits`, {
    requirements: ["IKEV2-094", "IKEV2-228", "IKEV2-235"],
    peer,
    lies: ["refuses-unknown-flags", "refuses-reserved-bits-of-payloads"],
  }, async (s) => {
    everyMessage(s, (message) => setReserved(message, s.policy.psk));
    const session = await s.establish(peer);
    await session.proveTraffic();
    await expectAlive(session);
  });

  /**
   * The payloads of all our messages stand in reverse order. That is not the documented one, but no reason to refuse
   * them: both SAs come up, and traffic passes.
   */
  test(`as-${peer}-accepts-payloads-in-any-order`, {
    requirements: ["IKEV2-100"],
    peer,
    lies: ["insists-on-the-order-of-payloads"],
  }, async (s) => {
    everyMessage(s, (message) => void message.payloads.reverse());
    const session = await s.establish(peer);
    await session.proveTraffic();
  });
}

/**
 * Our IKE_SA_INIT request says version 3.0. The peer must drop it; it should answer in clear with
 * INVALID_MAJOR_VERSION in a message of version 2.0, with our Message ID and SPI. Note: silence is tolerated.
 */
test("refuses-a-higher-major-version", {
  requirements: ["IKEV2-090", "IKEV2-091", "IKEV2-049"],
  peer: "responder",
  lies: ["processes-higher-major-versions", "echoes-the-higher-major-version"],
}, async (s) => {
  s.change(EXCHANGE.IKE_SA_INIT, ({ header }) => {
    header.version = 0x30;
  });
  const { sa } = await s.tryInit();
  const [answer] = messagesReceived(s);
  require(await s.peerAnswers(), "an answer to an IKE_SA_INIT of version 2.0", "silence");
  if (!answer) return s.tolerate("drops it in silence; section 2.5 recommends INVALID_MAJOR_VERSION");
  expectNotify(answer, NOTIFY.INVALID_MAJOR_VERSION);
  expect(payload(answer.payloads, "SA"), "SA payload in the refusal").to.equal(undefined);
  expect(
    [answer.header.version.toString(16), answer.header.messageId],
    "version and Message ID of the refusal",
  ).to.deep.equal(["20", 0]);
  expect(answer.header.spiI, "SPIi of the refusal").to.deep.equal(sa.spiI);
});

for (const peer of ["responder", "initiator"] as const) {
  /**
   * A Delete of the IKE SA comes under its keys, in a message of version 3.0. It must be dropped, whether or not the
   * peer answers in clear: the SA lives on.
   */
  test(`as-${peer}-drops-a-protected-message-of-a-higher-major-version`, {
    requirements: ["IKEV2-090"],
    peer,
    lies: ["processes-higher-major-versions"],
  }, async (s) => {
    const session = await s.establish(peer);
    const payloads = [
      {
        ...({ kind: "Delete", type: PAYLOAD.DELETE } as const),
        protocolId: PROTOCOL.IKE,
        spiSize: 0,
        spis: [],
      },
    ];
    const since = s.mark();
    sendUnder(session, sealed(session, { exchangeType: EXCHANGE.INFORMATIONAL, version: 0x30, payloads }));
    await s.wait();
    const answers = answersSince(s, since).filter(({ message }) => !message || isProtected(message));
    require(answers.length === 0, "no protected answer", `${answers.length} of them`);
    await expectAlive(session);
    await session.proveTraffic();
  });
}
