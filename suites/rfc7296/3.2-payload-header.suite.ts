import {
  EXCHANGE,
  expectAlive,
  expectNotify,
  isProtected,
  isResponse,
  messagesReceived,
  NOTIFY,
  notify,
  PAYLOAD,
  type Payload,
  PROTOCOL,
  sealed,
  sendUnder,
  test,
} from "../../harness/script/index.ts";

const STATUS = 60_000;

/** Payloads whose length field lies, and which an INFORMATIONAL request could have otherwise. */
const LYING: Record<string, Payload> = {
  "beyond-the-message": { ...notify(STATUS), length: 200 },
  "of-three-octets": { ...notify(STATUS), length: 3 },
  "of-zero": { ...notify(STATUS), length: 0 },
  "too-short-for-a-notify": { kind: "raw", type: PAYLOAD.NOTIFY, data: new Uint8Array(2) },
  "too-short-for-the-spis-of-a-delete": {
    ...{ kind: "Delete", type: PAYLOAD.DELETE, protocolId: PROTOCOL.ESP, spiSize: 4 },
    ...{ spis: [new Uint8Array(4)], spiCount: 5 },
  },
};

for (const [what, lying] of Object.entries(LYING)) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * A payload in an INFORMATIONAL request, which is protected and has the right Message ID, has a wrong length. The
     * answer is INVALID_SYNTAX, which ends the IKE SA on both sides.
     * Note: that the IKE SA ends is not worded as a requirement; a peer that keeps it is tolerated.
     */
    test(`refuses-a-payload-length-${what}-as-${peer}`, {
      requirements: ["IKEV2-272", "IKEV2-193", "IKEV2-195"],
      peer,
      lies: ["accepts-malformed-messages"],
    }, async (s) => {
      const session = await s.establish(peer);
      const response = await session.tryRequest(EXCHANGE.INFORMATIONAL, [lying]);
      expectNotify(response, NOTIFY.INVALID_SYNTAX);
      const since = s.mark();
      sendUnder(session, sealed(session, { exchangeType: EXCHANGE.INFORMATIONAL, payloads: [] }));
      const answered = await s.until(
        () => messagesReceived(s, since).some((m) => isResponse(m) && isProtected(m)),
        s.arena.quiet,
      );
      if (answered) s.tolerate("it keeps the IKE SA after INVALID_SYNTAX");
    });
  }
}

for (const peer of ["responder", "initiator"] as const) {
  /** The tester sets the C bit of all its payloads, which the peer knows. It makes no difference to them. */
  test(`ignores-the-critical-bit-of-known-payloads-as-${peer}`, {
    requirements: ["IKEV2-234", "IKEV2-098"],
    peer,
    lies: ["drops-critical-payloads"],
  }, async (s) => {
    s.extensions.push({
      name: "critical",
      outgoing: ({ payloads }) => {
        for (const p of payloads) p.critical = true;
      },
    });
    const session = await s.establish(peer);
    await session.rekeyChild();
    await session.proveTraffic();
    await expectAlive(session);
  });
}
