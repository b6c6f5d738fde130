import {
  CONGESTION_HEADER,
  CONGESTION_SUBTYPE,
  decodeCongestion,
  echoesFromPeer,
  echoSession,
  encodeCongestion,
  expectEchoReply,
  isEchoError,
  peerProbes,
  require,
  type Script,
  type SeenEcho,
  sendEchoRequest,
  test,
} from "../../harness/script/index.ts";

const TOKEN = 0x11223344;

/** A congestion-control payload that asks for TVal to come back in TEcho, with these data blocks. */
const probe = (tval: number, blocks = new Uint8Array()): Uint8Array =>
  encodeCongestion({
    ...{ subType: CONGESTION_SUBTYPE, flags: 0, blockOffset: 0, lossEventRate: 0 },
    ...{ rtt: 0, echoDelay: 0, transmitDelay: 0, tval, techo: 0, blocks },
  });

/** Congestion-control payloads of the peer, each of which must be its header and nothing else. */
function congestionFromPeer(s: Script, since: number): SeenEcho[] {
  const seen = echoesFromPeer(s, since).filter(({ payload }) => payload[0] === CONGESTION_SUBTYPE);
  for (const { payload } of seen)
    require(payload.length ===
      CONGESTION_HEADER, `${CONGESTION_HEADER} octets without data blocks`, `${payload.length}`);
  return seen;
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * A congestion-control payload of RFC 9347 without data blocks, on an SA that was not set up for AGGFRAG. The peer may
   * pass over it, which is tolerated. If it answers, then with a payload of 24 octets that has TVal in TEcho. Payloads
   * with data blocks, or cut short, do no harm.
   */
  test(`as-${peer}-joins-no-data-blocks-to-a-congestion-payload`, {
    requirements: ["ESP-PING-32", "ESP-PING-E3-02"],
    peer,
    revisions: ["M", "E2"],
    lies: ["joins-data-blocks-to-congestion-echoes"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const since = s.mark();
    sendEchoRequest(session, { payload: probe(TOKEN) });
    await s.until(() => congestionFromPeer(s, since).length > 0, s.arena.quiet);
    const [answer] = congestionFromPeer(s, since);
    const read = answer && decodeCongestion(answer.payload);
    if (!read || isEchoError(read)) s.tolerate("passes over congestion-control payloads");
    else require(read.techo === TOKEN, "TVal in TEcho", read.techo.toString(16));
    for (const payload of [probe(1, new Uint8Array(40)), probe(2).subarray(0, 23), probe(0)])
      sendEchoRequest(session, { payload });
    await s.wait();
    const more = congestionFromPeer(s, since).length - 1;
    require(more <= 0, "one answer at most", `${more + 1}`);
    await expectEchoReply(session);
  });

  /** The peer is told to probe with congestion-control payloads: each is 24 octets long, and has no data blocks. */
  test(`as-${peer}-probes-with-congestion-payloads-without-data-blocks`, {
    requirements: ["ESP-PING-32", "ESP-PING-E3-02"],
    peer,
    revisions: ["M", "E2"],
    lies: ["joins-data-blocks-to-congestion-echoes"],
  }, async (s) => {
    await echoSession(s, peer);
    const since = s.mark();
    await peerProbes(s, { count: 3, congestion: true });
    const count = congestionFromPeer(s, since).length;
    require(count === 3, "three congestion-control payloads", `${count}`);
  });
}
