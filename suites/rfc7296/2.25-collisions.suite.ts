import {
  type DeletePayload,
  type Driver,
  distinctRequests,
  EXCHANGE,
  equal,
  errorNotify,
  expectAlive,
  expectKept,
  Failure,
  hex,
  listPayloads,
  NOTIFY,
  notifies,
  notify,
  type OutgoingMessage,
  type Payload,
  PROTOCOL,
  peerDeletedIke,
  require,
  type Script,
  type SeenMessage,
  Session,
  test,
  whileItWaits,
} from "../../harness/script/index.ts";

const UNKNOWN_SPI = Uint8Array.of(0x0b, 0xad, 0x5b, 0x1e);

/**
 * The tester asks to rekey a Child SA with an SPI that does not exist. The answer is CHILD_SA_NOT_FOUND with that
 * SPI, and the IKE SA lives on.
 * Note: the notify itself is a SHOULD, and RFC 5996 contradicted itself on its SPI; another error, a Child SA that
 * replaces none, and a notify without SPI are tolerated.
 */
test("answers-the-rekey-of-an-unknown-child-sa-with-child-sa-not-found", {
  requirements: ["IKEV2-220", "IKEV2-131"],
  peer: "responder",
  lies: ["names-another-spi-in-child-sa-not-found", "ends-the-ike-sa-on-a-late-rekey"],
}, async (s) => {
  const session = await s.dial();
  s.change(EXCHANGE.CREATE_CHILD_SA, ({ payloads }) => {
    for (const rekey of notifies(payloads, NOTIFY.REKEY_SA)) rekey.spi = UNKNOWN_SPI;
  });
  await session.tryCreateChild({ replaces: session.child });
  const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
  await expectAlive(session);
  if (!response) throw new Failure("N(CHILD_SA_NOT_FOUND)", "silence");
  const [error] = notifies(response.payloads, NOTIFY.CHILD_SA_NOT_FOUND);
  if (!error) return s.tolerate(`answers ${listPayloads(response)} instead of CHILD_SA_NOT_FOUND`);
  const copied = error.protocolId === PROTOCOL.ESP && equal(error.spi, UNKNOWN_SPI);
  if (error.spi.length === 0) s.tolerate("CHILD_SA_NOT_FOUND does not name the Child SA");
  else require(copied, `SPI ${hex(UNKNOWN_SPI)} of ESP`, `SPI ${hex(error.spi)}`);
});

for (const error of ["CHILD_SA_NOT_FOUND", "TEMPORARY_FAILURE"] as const) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * The peer rekeys its Child SA on command, and the tester refuses. That is not fatal for the IKE SA: the peer
     * answers on it afterwards.
     */
    test(`as-${peer}-keeps-the-ike-sa-after-${error.toLowerCase().replaceAll("_", "-")}`, {
      requirements: ["IKEV2-023", "IKEV2-131", "IKEV2-221"],
      peer,
      lies: ["drops-the-ike-sa-on-a-refused-child-sa"],
    }, async (s) => {
      const session = await s.establish(peer);
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
}

for (const what of ["child", "ike"] as const) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * The peer rekeys on command, and the tester says TEMPORARY_FAILURE. The peer must not ask again at once. The IKE SA
     * lives on.
     */
    test(`as-${peer}-does-not-repeat-a-rekey-of-the-${what}-sa-at-once`, {
      requirements: ["IKEV2-218"],
      peer,
      lies: ["asks-again-at-once"],
    }, async (s) => {
      const session = await s.establish(peer);
      const refuse = (message: OutgoingMessage) => {
        message.payloads = [notify(NOTIFY.TEMPORARY_FAILURE)];
      };
      s.change(EXCHANGE.CREATE_CHILD_SA, refuse, "response");
      const { driver } = s.arena;
      const asked = () => s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer").find((e) => e.response);
      const rekey = () => (what === "child" ? driver.rekeyChild() : driver.rekeyIke());
      await session.provoke(rekey, asked, `the peer to rekey the ${what} SA`);
      await s.wait();
      const asks = distinctRequests(s, EXCHANGE.CREATE_CHILD_SA).length;
      require(asks === 1, `one request within ${s.arena.quiet} ms`, `${asks}`);
      await expectKept(session, "deletes the IKE SA after a failed rekey, which it should not");
    });
  }
}

const isDelete = (p: Payload): p is DeletePayload => p.kind === "Delete";

/** Says what is remarkable about the answer to a request of ours that a waiting peer got; fails if there is none. */
const EXPECTED = {
  /** The text recommends TEMPORARY_FAILURE, for everything else can be lost at once. */
  TEMPORARY_FAILURE: (s: Script, { payloads }: SeenMessage) => {
    const error = errorNotify(payloads);
    if (!error) s.tolerate("does at once what it had better put off");
    else if (error.notifyType !== NOTIFY.TEMPORARY_FAILURE)
      s.tolerate(`says error ${error.notifyType} instead of TEMPORARY_FAILURE`);
  },
  "Delete as usual": (s: Script, { payloads }: SeenMessage) => {
    if (!payloads.some(isDelete)) s.tolerate("leaves its own SPI out of the answer to a Delete");
  },
  "an empty response": (s: Script, { payloads }: SeenMessage) => {
    if (payloads.length > 0) s.tolerate(`answers a Delete of the IKE SA with ${listPayloads({ payloads })}`);
  },
} as const;

interface Overlap {
  /** What the peer does, and what we ask meanwhile. */
  name: string;
  requirement: "IKEV2-222" | "IKEV2-223";
  exchangeType: number;
  theirs: (driver: Driver) => Promise<void>;
  ours: (session: Session) => Promise<unknown>;
  expected: keyof typeof EXPECTED;
}

const { CREATE_CHILD_SA, INFORMATIONAL } = EXCHANGE;

const closesChild = (driver: Driver) => driver.delete("child");
const closesIke = (driver: Driver) => driver.delete("ike");
const rekeysChild = (driver: Driver) => driver.rekeyChild();
const rekeysIke = (driver: Driver) => driver.rekeyIke();

/** All pairs of section 2.25, apart from both ends doing the same by rekeying: they are in sections 2.8.1 and 2.8.2. */
const OVERLAPS: Overlap[] = [
  {
    ...{ name: "puts-off-the-rekey-of-a-child-sa-it-closes", requirement: "IKEV2-222" },
    ...{ theirs: closesChild, exchangeType: CREATE_CHILD_SA, expected: "TEMPORARY_FAILURE" },
    ours: (session) => session.tryCreateChild({ replaces: session.child }),
  },
  {
    ...{ name: "closes-a-child-sa-it-rekeys", requirement: "IKEV2-222" },
    ...{ theirs: rekeysChild, exchangeType: INFORMATIONAL, expected: "Delete as usual" },
    ours: (session) => session.deleteChild(),
  },
  {
    ...{ name: "puts-off-an-ike-rekey-while-it-rekeys-a-child-sa", requirement: "IKEV2-223" },
    ...{ theirs: rekeysChild, exchangeType: CREATE_CHILD_SA, expected: "TEMPORARY_FAILURE" },
    ours: (session) => session.tryRekeyIke(),
  },
  {
    ...{ name: "puts-off-an-ike-rekey-while-it-closes-a-child-sa", requirement: "IKEV2-223" },
    ...{ theirs: closesChild, exchangeType: CREATE_CHILD_SA, expected: "TEMPORARY_FAILURE" },
    ours: (session) => session.tryRekeyIke(),
  },
  {
    ...{ name: "puts-off-a-child-sa-while-it-rekeys-the-ike-sa", requirement: "IKEV2-223" },
    ...{ theirs: rekeysIke, exchangeType: CREATE_CHILD_SA, expected: "TEMPORARY_FAILURE" },
    ours: (session) => session.tryCreateChild(),
  },
  {
    ...{ name: "puts-off-the-rekey-of-a-child-sa-while-it-rekeys-the-ike-sa", requirement: "IKEV2-223" },
    ...{ theirs: rekeysIke, exchangeType: CREATE_CHILD_SA, expected: "TEMPORARY_FAILURE" },
    ours: (session) => session.tryCreateChild({ replaces: session.child }),
  },
  {
    ...{ name: "closes-a-child-sa-while-it-rekeys-the-ike-sa", requirement: "IKEV2-223" },
    ...{ theirs: rekeysIke, exchangeType: INFORMATIONAL, expected: "Delete as usual" },
    ours: (session) => session.deleteChild(),
  },
  {
    ...{ name: "puts-off-an-ike-rekey-while-it-closes-the-ike-sa", requirement: "IKEV2-223" },
    ...{ theirs: closesIke, exchangeType: CREATE_CHILD_SA, expected: "TEMPORARY_FAILURE" },
    ours: (session) => session.tryRekeyIke(),
  },
  {
    ...{ name: "closes-the-ike-sa-while-it-rekeys-it", requirement: "IKEV2-223" },
    ...{ theirs: rekeysIke, exchangeType: INFORMATIONAL, expected: "an empty response" },
    ours: (session) => session.deleteIke(),
  },
  {
    ...{ name: "closes-the-ike-sa-while-it-closes-it-itself", requirement: "IKEV2-223" },
    ...{ theirs: closesIke, exchangeType: INFORMATIONAL, expected: "an empty response" },
    ours: (session) => session.deleteIke(),
  },
];

for (const { name, requirement, exchangeType, theirs, ours, expected } of OVERLAPS) {
  for (const peer of ["responder", "initiator"] as const) {
    /**
     * On command the peer begins what its name says second; while its request is unanswered, ours for the first arrives.
     * Both are about the same SAs. The peer should answer as section 2.25 says: with TEMPORARY_FAILURE, or as usual. Its
     * own request is answered after that, and it goes on: if the IKE SA is there still, it answers under it, and else
     * it serves a new attempt.
     * Note: the manner of the answer is a SHOULD; another one is tolerated, silence is not.
     */
    test(`as-${peer}-${name}`, {
      requirements: ["IKEV2-217", requirement],
      peer,
      lies: ["answers-nothing-while-it-waits"],
    }, async (s) => {
      const session = await s.establish(peer);
      await whileItWaits(
        s,
        () => theirs(s.arena.driver),
        () => ours(session),
      );
      const { response } = s.exchange(exchangeType);
      if (!response) throw new Failure(expected, "silence");
      EXPECTED[expected](s, response);
      const settled = () => session.sa.state !== "established" || session.sa.pending === undefined;
      await s.until(settled, s.arena.quiet);
      await expectOrder(s, session);
    });
  }
}

/** Fails unless the newest IKE SA answers, or, with none left, the peer serves a new attempt. */
async function expectOrder(s: Script, { sa }: Session): Promise<void> {
  const newest = s.trace.ikeSas().findLast((other) => other.state === "established");
  const closes = sa.state === "closed" && newest === undefined;
  if (newest && (await new Session(s, newest).alive())) return;
  require(closes || peerDeletedIke(s), "an IKE SA that answers, or its Delete", "silence");
  require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
}
