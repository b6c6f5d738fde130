import {
  announceEspEcho,
  EXCHANGE,
  echoSession,
  expectAlive,
  expectAnnounced,
  expectEchoReply,
  listPayloads,
  notifies,
  require,
  Session,
  test,
} from "../../harness/script/index.ts";

const LOGIN = { method: "eap", type: "mschapv2" } as const;
const CERTIFICATE = { method: "signature", key: "rsa2048" } as const;

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Both ends announce ESP echo in IKE_AUTH. The peer's notify has Protocol ID 0 and no SPI, and the peer does what it
   * announced: it answers a request. Note: no text says whether the notify has data, or may stand there twice; both are
   * tolerated.
   */
  test(`as-${peer}-announces-esp-echo-in-ike-auth`, {
    requirements: ["ESP-PING-30"],
    peer,
    lies: ["gives-the-echo-notify-an-spi", "announces-esp-echo-and-answers-nothing"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const { request, response } = s.exchange(EXCHANGE.IKE_AUTH, peer === "responder" ? "us" : "peer");
    const message = peer === "responder" ? response : request;
    const [found, ...more] = notifies(message?.payloads ?? [], s.codePoint("ESP_ECHO_SUPPORTED"));
    require(found !== undefined, "ESP_ECHO_SUPPORTED", listPayloads(message));
    require(found.protocolId === 0 && found.spi.length === 0, "no protocol and no SPI", listPayloads(
      message,
    ));
    if (found.data.length > 0) s.tolerate(`the notify has ${found.data.length} octets of data`);
    if (more.length > 0) s.tolerate(`the notify stands there ${1 + more.length} times`);
    await expectEchoReply(session);
  });

  /**
   * Several messages make up IKE_AUTH where the initiator logs in by EAP; the text does not say in which of them the
   * notify stands, so that it may be in any. The peer announces, and answers a request.
   */
  test(`as-${peer}-announces-esp-echo-beside-eap`, {
    requirements: ["ESP-PING-30"],
    peer,
    lies: ["announces-esp-echo-and-answers-nothing"],
    config:
      peer === "responder"
        ? { auth: CERTIFICATE, testerAuth: LOGIN }
        : { auth: LOGIN, testerAuth: CERTIFICATE },
  }, async (s) => {
    await expectEchoReply(await echoSession(s, peer));
  });

  /** One announcement is for all Child SAs: the first one, one that CREATE_CHILD_SA makes beside it, and its successor. */
  test(`as-${peer}-answers-on-every-child-sa`, {
    requirements: ["ESP-PING-31"],
    peer,
    lies: ["answers-echo-on-the-first-child-sa-only"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    await expectEchoReply(session);
    const further = await session.createChild();
    await expectEchoReply(session, { child: further });
    await expectEchoReply(session, { child: await session.rekeyChild({}, further) });
  });

  /**
   * The tester rekeys the IKE SA. What the peer announced goes on for the Child SAs that move to the new one, and for
   * those made under it. Note: the text does not say so; but there is no IKE_AUTH in which it could be announced again.
   */
  test(`as-${peer}-keeps-its-announcement-when-the-ike-sa-is-rekeyed`, {
    requirements: ["ESP-PING-31"],
    peer,
    lies: ["forgets-the-echo-announcement-at-a-rekey"],
  }, async (s) => {
    const old = await echoSession(s, peer);
    const { child } = old;
    const session = await old.rekeyIke();
    await expectAlive(session);
    await expectEchoReply(session, { child });
    await expectEchoReply(session, { child: await session.createChild() });
  });
}

/** The peer rekeys the IKE SA itself, and answers on the Child SA that moved along. */
test("answers-after-it-rekeyed-the-ike-sa", {
  requirements: ["ESP-PING-31"],
  peer: "initiator",
  lies: ["forgets-the-echo-announcement-at-a-rekey"],
}, async (s) => {
  announceEspEcho(s);
  const old = await s.accept();
  expectAnnounced(s, old.sa);
  const { sa } = await old.peerRekeysIke();
  const session = new Session(s, sa);
  await expectAlive(session);
  await expectEchoReply(session);
});
