import {
  EXCHANGE,
  equal,
  errorNotify,
  expectAlive,
  expectKept,
  expectNotify,
  hasNotify,
  heard,
  hex,
  type IncomingMessage,
  lose,
  NOTIFY,
  notifies,
  notify,
  PROTOCOL,
  require,
  type Script,
  type SeenMessage,
  test,
} from "../../harness/script/index.ts";

const UNKNOWN_SPI = Uint8Array.of(0x0b, 0xad, 0x5b, 0x1e);

/**
 * The tester asks to rekey a Child SA with an SPI that does not exist. The answer is CHILD_SA_NOT_FOUND with that
 * SPI, and the IKE SA lives on.
 * Note: the notify itself is a SHOULD, and RFC 5996 contradicted itself on its SPI; another error and a notify without
 * SPI are tolerated.
 */
test("answers-the-rekey-of-an-unknown-child-sa-with-child-sa-not-found", {
  requirements: ["IKEV2-220", "IKEV2-131"],
  peer: "responder",
  lies: ["creates-a-child-sa-for-an-unknown-rekey-sa"],
}, async (s) => {
  const session = await s.dial();
  s.change(EXCHANGE.CREATE_CHILD_SA, ({ payloads }) => {
    for (const rekey of notifies(payloads, NOTIFY.REKEY_SA)) rekey.spi = UNKNOWN_SPI;
  });
  await session.tryCreateChild({ replaces: session.child });
  const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
  await expectAlive(session);
  if (
    errorNotify(response?.payloads ?? []) &&
    !hasNotify(response?.payloads ?? [], NOTIFY.CHILD_SA_NOT_FOUND)
  )
    return s.tolerate("says another error than CHILD_SA_NOT_FOUND");
  expectNotify(response, NOTIFY.CHILD_SA_NOT_FOUND);
  const [error] = notifies(response?.payloads ?? [], NOTIFY.CHILD_SA_NOT_FOUND);
  const copied = error?.protocolId === PROTOCOL.ESP && equal(error.spi, UNKNOWN_SPI);
  if (error?.spi.length === 0) s.tolerate("CHILD_SA_NOT_FOUND does not name the Child SA");
  else require(copied, `SPI ${hex(UNKNOWN_SPI)} of ESP`, `SPI ${hex(error?.spi ?? new Uint8Array())}`);
});

for (const error of ["CHILD_SA_NOT_FOUND", "TEMPORARY_FAILURE"] as const) {
  /**
   * The peer rekeys its Child SA on command, and the tester refuses. That is not fatal for the IKE SA: the peer
   * answers on it afterwards.
   */
  test(`keeps-the-ike-sa-after-${error.toLowerCase().replaceAll("_", "-")}`, {
    requirements: ["IKEV2-023", "IKEV2-131", "IKEV2-221"],
    peer: "initiator",
    lies: ["drops-the-ike-sa-on-a-refused-child-sa"],
  }, async (s) => {
    const session = await s.accept();
    s.change(
      EXCHANGE.CREATE_CHILD_SA,
      (message) => {
        const [rekey] = notifies(message.request?.payloads ?? [], NOTIFY.REKEY_SA);
        const named = error === "CHILD_SA_NOT_FOUND" ? rekey : undefined;
        message.payloads = [notify(NOTIFY[error], undefined, named)];
      },
      "response",
    );
    const asked = () => s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer").find((e) => e.response);
    await session.provoke(() => s.arena.driver.rekeyChild(), asked, "the peer to rekey the Child SA");
    await s.wait();
    await expectKept(
      session,
      "deletes the IKE SA after a failed Child SA, which it should not (section 1.3.1)",
    );
  });
}

/** False if the peer does what it should put off; fails if it does not answer. */
function expectPutOff(s: Script, response: SeenMessage | undefined): boolean {
  require(response !== undefined, "N(TEMPORARY_FAILURE)", "silence");
  const error = errorNotify(response.payloads);
  if (error && error.notifyType !== NOTIFY.TEMPORARY_FAILURE)
    s.tolerate(`says error ${error.notifyType} instead of TEMPORARY_FAILURE`);
  return error !== undefined;
}

const asksForChild = (m: IncomingMessage) =>
  !m.isResponse && m.header.exchangeType === EXCHANGE.CREATE_CHILD_SA;

/**
 * While the peer's request to rekey the IKE SA is unanswered, the tester asks for a new Child SA. The peer should
 * say TEMPORARY_FAILURE, as the old IKE SA is about to go. Once its own request is answered, the rekey succeeds.
 * Note: another error is tolerated, but silence is not.
 */
test("puts-off-a-child-sa-while-it-rekeys-the-ike-sa", {
  requirements: ["IKEV2-217", "IKEV2-223"],
  peer: "responder",
  lies: ["answers-nothing-while-it-waits"],
}, async (s) => {
  const session = await s.dial();
  const release = lose(s, asksForChild);
  await s.arena.driver.rekeyIke();
  const asked = await s.until(() => heard(s, EXCHANGE.CREATE_CHILD_SA) > 0);
  require(asked, "the peer to rekey the IKE SA", "no request");
  await session.tryCreateChild();
  const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
  if (!expectPutOff(s, response)) s.tolerate("it makes a Child SA on an IKE SA that it rekeys");
  release();
  const done = await s.until(() => session.sa.replacedBy !== undefined);
  require(done, "its own rekey to succeed once answered", s.lastReason());
});

/**
 * While the peer's request to rekey the Child SA is unanswered, the tester asks to rekey the IKE SA. The peer
 * should say TEMPORARY_FAILURE. Once its own request is answered, the Child SA is replaced.
 * Note: another error is tolerated, but silence is not.
 */
test("puts-off-an-ike-rekey-while-it-rekeys-a-child-sa", {
  requirements: ["IKEV2-217", "IKEV2-223"],
  peer: "responder",
  lies: ["answers-nothing-while-it-waits"],
}, async (s) => {
  const session = await s.dial();
  const old = session.child;
  const release = lose(s, asksForChild);
  await s.arena.driver.rekeyChild();
  const asked = await s.until(() => heard(s, EXCHANGE.CREATE_CHILD_SA) > 0);
  require(asked, "the peer to rekey the Child SA", "no request");
  await session.tryRekeyIke();
  const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
  if (!expectPutOff(s, response)) return s.tolerate("it rekeys the IKE SA in the midst of that");
  release();
  const done = await s.until(() => session.sa.children.some((c) => c.replaces === old));
  require(done, "its own rekey to succeed once answered", s.lastReason());
});
