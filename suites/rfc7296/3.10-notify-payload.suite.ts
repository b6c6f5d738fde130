import {
  EXCHANGE,
  equal,
  expectAlive,
  expectUnused,
  NOTIFY,
  notify,
  require,
  test,
} from "../../harness/script/index.ts";

const UNKNOWN = { error: 4000, status: 60_000 };

for (const [what, type] of Object.entries(UNKNOWN)) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * Every request of the tester has a notify of an unknown ${what} type, with data. The peer ignores it in
     * IKE_SA_INIT, IKE_AUTH, CREATE_CHILD_SA and INFORMATIONAL.
     */
    test(`ignores-an-unknown-${what}-notify-in-requests-as-${peer}`, {
      requirements: ["IKEV2-271"],
      peer,
      lies: [`drops-requests-with-an-unknown-${what}-notify`],
    }, async (s) => {
      s.extensions.push({
        name: "unknown notify",
        outgoing: ({ isResponse, payloads }) => {
          if (!isResponse) payloads.push(notify(type, Uint8Array.of(1, 2, 3)));
        },
      });
      const session = await s.establish(peer);
      await session.rekeyChild();
      await session.proveTraffic();
      await expectAlive(session);
    });
  }
}

for (const peer of ["responder", "initiator"] as const) {
  /** The tester's responses to a peer that initiates have a notify of an unknown status type. The peer ignores it. */
  test(`ignores-an-unknown-status-notify-in-responses-as-${peer}`, {
    requirements: ["IKEV2-271"],
    peer,
    lies: ["drops-responses-with-an-unknown-status-notify"],
  }, async (s) => {
    s.extensions.push({
      name: "unknown notify",
      outgoing: ({ isResponse, payloads }) => {
        if (isResponse) payloads.push(notify(UNKNOWN.status, Uint8Array.of(1, 2, 3)));
      },
    });
    const session = await s.establish(peer);
    await session.peerRekeysChild();
    await session.proveTraffic();
  });

  /**
   * The peer rekeys its Child SA on command. The tester's response, complete otherwise, has a notify of an unknown
   * error type: the request has failed, and the new Child SA must not be used.
   * Note: the peer may delete the IKE SA to clean up (section 2.21), but it must say so.
   */
  test(`takes-an-unknown-error-notify-in-a-response-for-a-failure-as-${peer}`, {
    requirements: ["IKEV2-270"],
    peer,
    lies: ["overlooks-unknown-errors-in-responses"],
  }, async (s) => {
    const session = await s.establish(peer);
    await session.proveTraffic();
    s.change(
      EXCHANGE.CREATE_CHILD_SA,
      ({ payloads }) => void payloads.push(notify(UNKNOWN.error)),
      "response",
    );
    await expectUnused(session, await session.peerRekeysChild());
  });
}

for (const protocols of [[1, 2, 3], [200]]) {
  for (const peer of ["responder", "initiator"] as const) {
    /** The tester's notifies without an SPI have these Protocol IDs in turn instead of 0. The peer ignores the field. */
    test(`ignores-protocol-id-${protocols.join("-")}-of-notifies-without-spi-as-${peer}`, {
      requirements: ["IKEV2-269"],
      peer,
      lies: ["minds-the-protocol-of-notifies-without-spi"],
    }, async (s) => {
      let count = 0;
      s.extensions.push({
        name: "protocol",
        outgoing: ({ payloads }) => {
          for (const p of payloads)
            if (p.kind === "Notify" && p.spi.length === 0)
              p.protocolId = protocols[count++ % protocols.length] ?? 0;
        },
      });
      const session = await s.establish(peer);
      for (const _ of protocols) await session.informational(notify(UNKNOWN.status));
      await session.proveTraffic();
    });
  }
}

for (const peer of ["responder", "initiator"] as const) {
  /** All notifies of the peer have Protocol ID 0 if they have no SPI; REKEY_SA has 3 and the SPI of the ESP SA. */
  test(`sends-notifies-with-the-right-protocol-as-${peer}`, {
    requirements: ["IKEV2-268"],
    peer,
    lies: ["sends-notifies-of-protocol-ike"],
  }, async (s) => {
    const session = await s.establish(peer);
    const old = session.child;
    await session.peerRekeysChild();
    const notifies = s.trace.exchanges
      .flatMap((e) => (e.by === "peer" ? e.request.payloads : (e.response?.payloads ?? [])))
      .filter((p) => p.kind === "Notify");
    for (const { notifyType, protocolId, spi } of notifies) {
      const text = `protocol ${protocolId}, SPI of ${spi.length} octets in notify ${notifyType}`;
      if (notifyType === NOTIFY.REKEY_SA)
        require(protocolId === 3 && equal(spi, old.spiOut), "ESP and its SPI", text);
      else require(protocolId === 0 || spi.length > 0, "no protocol without an SPI", text);
    }
  });
}
