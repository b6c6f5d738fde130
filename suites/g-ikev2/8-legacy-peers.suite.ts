import {
  type Application,
  askOnce,
  EXCHANGE,
  encodeMessage,
  errorNotify,
  expect,
  expectAlive,
  expectExchangeRefused,
  expectIgnored,
  expectNotify,
  expectRefusedByInitiator,
  expectTraffic,
  FLAG,
  fromHex,
  listPayloads,
  NOTIFY,
  notifies,
  notify,
  type OutgoingMessage,
  PAYLOAD,
  type Payload,
  type RawPayload,
  require,
  type Script,
  Session,
  test,
} from "../../harness/script/index.ts";

const config = { drafts: {} };

const SPI_OF_GROUP = fromHex("a0a1a2a3a4a5a6a7b0b1b2b3b4b5b6b7");
const ROLES = ["responder", "initiator"] as const;

/** Payloads of group key management as a member or a controller would send them. */
const GROUP_PAYLOADS: Record<"IDg" | "GSA" | "KD", RawPayload> = {
  IDg: raw(PAYLOAD.IDg, "0b00000067727031"),
  GSA: raw(PAYLOAD.GSA, "00000010800100058002000a80030008"),
  KD: raw(PAYLOAD.KD, "0000000c0003000400000000"),
};

const GROUP_EXCHANGES = {
  "gsa-auth": EXCHANGE.GSA_AUTH,
  "gsa-registration": EXCHANGE.GSA_REGISTRATION,
  "gsa-rekey": EXCHANGE.GSA_REKEY,
  "gsa-inband-rekey": EXCHANGE.GSA_INBAND_REKEY,
};

const GROUP_ERRORS = {
  "invalid-group-id": NOTIFY.INVALID_GROUP_ID,
  "authorization-failed": NOTIFY.AUTHORIZATION_FAILED,
  "registration-failed": NOTIFY.REGISTRATION_FAILED,
};

function raw(type: number, data: string): RawPayload {
  return { kind: "raw", type, data: fromHex(data) };
}

const groupSender = (): Payload => notify(NOTIFY.GROUP_SENDER, fromHex("00000001"));

for (const [name, exchangeType] of Object.entries(GROUP_EXCHANGES)) {
  /**
   * After IKE_SA_INIT the tester proves itself as in IKE_AUTH, but in an exchange ${name}, with IDg. The peer knows no
   * such exchange: it is silent or answers with an error, and no IKE SA comes up. An ordinary IKE_AUTH, on the same
   * IKE SA if the peer was silent and still has it, serves it.
   */
  test(`makes-no-ike-sa-by-${name}`, {
    requirements: ["G-IKEV2-L2"],
    peer: "responder",
    config,
    lies: ["authenticates-by-any-exchange"],
  }, async (s) => {
    const { sa } = await s.init();
    const session = new Session(s, sa);
    const application: Application = {
      exchangeType,
      request: () => [GROUP_PAYLOADS.IDg, groupSender()],
      take: () => undefined,
    };
    const answered = await askOnce<unknown>(session, (done) =>
      s.host.endpoint.auth(sa, { application }, done),
    );
    const { response } = s.exchange(exchangeType);
    const refused = !response || errorNotify(response.payloads) !== undefined;
    require(refused, "silence or an error", listPayloads(response));
    if (answered === undefined && !(await s.tryAuth(sa)).failure) return expectTraffic(session, "IKE_AUTH");
    await expectTraffic(await s.dial(), "a fresh IKE SA");
  });

  /**
   * On an established IKE SA the tester sends a request of the exchange ${name}. RFC 7296 has no rule for exchange types
   * that are not known: the peer may be silent, answer with an error, or say INVALID_SYNTAX, which ends
   * the IKE SA (section 2.21.3). It may not answer as if it had acted. Unless it ended, IKE and ESP go on.
   */
  test(`as-responder-does-nothing-for-${name}`, {
    requirements: ["G-IKEV2-L2"],
    peer: "responder",
    config,
    lies: ["answers-exchanges-of-groups", "closes-at-exchanges-of-groups"],
  }, async (s) => {
    await expectExchangeRefused(await s.dial(), exchangeType, Object.values(GROUP_PAYLOADS));
  });
}

/** The same of GSA_INBAND_REKEY, as a controller sends it, to a peer that initiated the IKE SA. */
test("as-initiator-does-nothing-for-gsa-inband-rekey", {
  requirements: ["G-IKEV2-L2"],
  peer: "initiator",
  config,
  lies: ["answers-exchanges-of-groups", "closes-at-exchanges-of-groups"],
}, async (s) => {
  const { GSA, KD } = GROUP_PAYLOADS;
  await expectExchangeRefused(await s.accept(), EXCHANGE.GSA_INBAND_REKEY, [GSA, KD]);
});

for (const peer of ROLES) {
  /**
   * The tester's half of IKE_AUTH and of CREATE_CHILD_SA has IDg, GSA and KD, none of them critical: a peer that does
   * not know them skips them (RFC 7296 section 2.5).
   */
  test(`as-${peer}-skips-payloads-of-groups`, {
    requirements: ["G-IKEV2-L3"],
    peer,
    config,
    lies: ["drops-messages-with-unknown-payloads"],
  }, async (s) => {
    await expectIgnored(s, peer, ...Object.values(GROUP_PAYLOADS));
  });

  /**
   * The tester's half of IKE_AUTH and of CREATE_CHILD_SA has GROUP_SENDER, a status that a peer without groups ignores
   * (RFC 7296 section 3.10.1).
   */
  test(`as-${peer}-ignores-group-sender`, {
    requirements: ["G-IKEV2-L5"],
    peer,
    config,
    lies: ["drops-messages-with-group-sender"],
  }, async (s) => {
    await expectIgnored(s, peer, groupSender());
  });

  /**
   * Requests with the errors INVALID_GROUP_ID, AUTHORIZATION_FAILED and REGISTRATION_FAILED under an established IKE SA.
   * An error that is not known is ignored in a request (RFC 7296 section 3.10.1).
   */
  test(`as-${peer}-ignores-errors-of-groups-in-requests`, {
    requirements: ["G-IKEV2-L5"],
    peer,
    config,
    lies: ["drops-requests-with-group-errors"],
  }, async (s) => {
    const session = await s.establish(peer);
    for (const type of Object.values(GROUP_ERRORS)) await session.informational(notify(type));
    await session.proveTraffic();
  });

  /**
   * GSA_REKEY datagrams to both ports, while SAs are up: under the SPI of a Rekey SA that the peer does not have, and
   * under that of the IKE SA with an ICV that is wrong. They are dropped or answered by INVALID_IKE_SPI; both SAs go on.
   */
  test(`as-${peer}-outlives-gsa-rekey`, {
    requirements: ["G-IKEV2-L7"],
    peer,
    config,
    lies: ["ends-ike-sas-at-foreign-spis"],
  }, async (s) => {
    const session = await s.establish(peer);
    const { spiI, spiR } = session.sa;
    sendEverywhere(s, gsaRekey(SPI_OF_GROUP.subarray(0, 8), SPI_OF_GROUP.subarray(8)), gsaRekey(spiI, spiR));
    await s.wait();
    await expectAlive(session);
    await session.proveTraffic();
  });

  /**
   * Datagrams of GDOI, which is version 1.0 of the header: the first message of phase 1 and a GROUPKEY-PUSH, on port 500,
   * 4500 and 848, while SAs are up. Whatever the peer makes of them, both SAs go on.
   */
  test(`as-${peer}-outlives-gdoi`, {
    requirements: ["G-IKEV2-L7"],
    peer,
    config,
    lies: ["dies-of-isakmp"],
  }, async (s) => {
    const session = await s.establish(peer);
    sendEverywhere(s, ...GDOI);
    await s.wait();
    await expectAlive(session);
    await session.proveTraffic();
  });
}

for (const [name, unknown] of Object.entries(GROUP_PAYLOADS)) {
  /**
   * Our IKE_AUTH request ends with a critical payload ${name}. The responder must refuse it with
   * UNSUPPORTED_CRITICAL_PAYLOAD and the number of the payload type (RFC 7296 section 2.5), and set up nothing.
   */
  test(`refuses-a-critical-payload-${name.toLowerCase()}-in-ike-auth`, {
    requirements: ["G-IKEV2-L4"],
    peer: "responder",
    config,
    lies: ["skips-unknown-critical-payloads", "names-no-type-of-a-critical-payload"],
  }, async (s) => {
    s.change(EXCHANGE.IKE_AUTH, ({ payloads }) => void payloads.push({ ...unknown, critical: true }));
    await s.tryDial();
    expectNamed(s.exchange(EXCHANGE.IKE_AUTH).response, unknown.type);
  });
}

for (const peer of ROLES) {
  /** The same of a critical payload GSA in an INFORMATIONAL request under an established IKE SA. */
  test(`as-${peer}-refuses-a-critical-payload-gsa-in-informational`, {
    requirements: ["G-IKEV2-L4"],
    peer,
    config,
    lies: ["skips-unknown-critical-payloads", "names-no-type-of-a-critical-payload"],
  }, async (s) => {
    const session = await s.establish(peer);
    const critical = { ...GROUP_PAYLOADS.GSA, critical: true };
    expectNamed(await session.tryRequest(EXCHANGE.INFORMATIONAL, [critical]), PAYLOAD.GSA);
  });
}

for (const [name, type] of Object.entries(GROUP_ERRORS)) {
  /**
   * The peer initiates; our IKE_AUTH response has nothing but the error ${name}. An error that is not known means that
   * the request has failed (RFC 7296 section 3.10.1): the peer must have no IKE SA. Its next attempt succeeds.
   */
  test(`takes-${name}-for-the-end-of-ike-auth`, {
    requirements: ["G-IKEV2-L6"],
    peer: "initiator",
    config,
    lies: ["overlooks-group-errors-in-responses"],
  }, async (s) => {
    const spoil = (message: OutgoingMessage) => {
      message.payloads = [notify(type)];
    };
    await expectRefusedByInitiator(s, () => s.change(EXCHANGE.IKE_AUTH, spoil, "response"));
  });
}

function expectNamed(response: { payloads: Payload[] } | undefined, type: number): void {
  expectNotify(response, NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD);
  const [error] = notifies(response?.payloads ?? [], NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD);
  expect([...(error?.data ?? [])], "octets of UNSUPPORTED_CRITICAL_PAYLOAD").to.deep.equal([type]);
}

/** Octets that look encrypted. */
const SEALED = new Uint8Array(96).map((_, i) => (i * 151 + 7) & 0xff);

/** A rekey message, as far as one without its keys can read it. */
const gsaRekey = (spiI: Uint8Array, spiR: Uint8Array): Uint8Array =>
  encodeMessage({
    header: {
      ...{ spiI, spiR, version: 0x20, exchangeType: EXCHANGE.GSA_REKEY },
      ...{ flags: FLAG.initiator, messageId: 7 },
    },
    payloads: [{ kind: "raw", type: PAYLOAD.SK, data: SEALED }],
  });

const SPIS = "a0a1a2a3a4a5a6a7";

/** The first message of Main Mode with one proposal, and a GROUPKEY-PUSH (exchange 33) that is encrypted. */
const GDOI = [
  [
    ...[SPIS, "0000000000000000", "0110020000000000", "00000050"],
    ...["00000034", "0000000100000001", "0000002801010001", "0000002001010000"],
    ...["80010007", "800e0080", "80020002", "80030001", "80040002", "800b0001"],
  ],
  [SPIS, "b0b1b2b3b4b5b6b7", "0510210100000000", "0000004c", "5c".repeat(48)],
].map((parts) => fromHex(parts.join("")));

/** Sends IKE octets from our port 500 to the peer's and to 848, and with the non-ESP marker to 4500. */
function sendEverywhere(s: Script, ...messages: Uint8Array[]): void {
  const { local, remote, natPort, remoteNatPort } = s.arena;
  for (const octets of messages) {
    s.sendOctets(octets);
    s.sendOctets(octets, local, { ...remote, port: 848 });
    s.sendOctets(octets, { ...local, port: natPort }, { ...remote, port: remoteNatPort });
  }
}
