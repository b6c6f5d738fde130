import {
  askBadly,
  beside,
  type Damage,
  EXCHANGE,
  errorNotify,
  expectGroupGoesOn,
  expectRefused,
  group,
  inBody,
  joined,
  listPayloads,
  MEMBER_KEY_BAG_ATTRIBUTE,
  memberValues,
  NOTIFY,
  notify,
  PAYLOAD,
  type Payload,
  PROTOCOL,
  putU8,
  putU16,
  type RekeyLog,
  require,
  Session,
  test,
  twice,
} from "../../harness/script/index.ts";

const { IDg, SA } = PAYLOAD;

/** What names no group, or not that of the test. */
const BAD_IDS: Record<string, Damage> = {
  "an-empty-idg": inBody(IDg, () => new Uint8Array(0)),
  "an-idg-of-3-octets": inBody(IDg, (body) => body.subarray(0, 3)),
  "an-idg-without-identity": inBody(IDg, (body) => body.subarray(0, 4)),
  "an-idg-of-an-unknown-type": inBody(IDg, (body) => putU8(body, 0, 200)),
  "the-octets-of-its-group-as-an-fqdn": inBody(IDg, (body) => putU8(body, 0, 2)),
  "half-an-address-in-idg": inBody(IDg, (body) => putU8(body, 0, 1).subarray(0, 6)),
};

/** What is no offer at all. */
const BAD_OFFERS: Record<string, Damage> = {
  "an-empty-sag": inBody(SA, () => new Uint8Array(0)),
  "sag-cut-short": inBody(SA, (body) => body.subarray(0, -1)),
  "a-proposal-of-length-zero": inBody(SA, (body) => putU16(body, 2, 0)),
  "a-proposal-longer-than-sag": inBody(SA, (body) => putU16(body, 2, 0xffff)),
  "a-proposal-with-an-spi-of-255-octets": inBody(SA, (body) => putU8(body, 6, 0xff)),
  "a-proposal-that-counts-255-transforms": inBody(SA, (body) => putU8(body, 7, 0xff)),
  "a-transform-of-length-zero": inBody(SA, (body) => putU16(body, 10, 0)),
};

/** What does no harm to who overlooks it. */
const SUPERFLUOUS_WISHES: Record<string, Damage> = {
  "two-sag": twice(SA),
  "two-group-sender": beside(IDg, ...[1, 1].map(() => sender(4))),
  "group-sender-without-octets": beside(IDg, sender(0)),
  "group-sender-of-3-octets": beside(IDg, sender(3)),
  "group-sender-of-400-octets": beside(IDg, sender(400)),
};

function sender(octets: number): Payload {
  return notify(NOTIFY.GROUP_SENDER, new Uint8Array(octets).fill(0xff, 0, 2));
}

/** Asks on an IKE SA of its own, by GSA_AUTH. */
async function askBadlyAnew({ member }: RekeyLog, damage: Damage) {
  const over = member.script.change(EXCHANGE.GSA_AUTH, (message) => {
    message.payloads = damage(message.payloads);
  });
  const outcome = await member.tryRegister();
  over();
  return outcome;
}

const EXCHANGES = { "gsa-auth": askBadlyAnew, "gsa-registration": askBadly };

const BAD_WISHES: Record<string, Damage> = { ...BAD_IDS, ...BAD_OFFERS };

for (const [exchange, ask] of Object.entries(EXCHANGES))
  for (const [what, damage] of Object.entries(BAD_WISHES)) {
    /**
     * The tester is a member. It registers again by ${exchange}, with ${what}. The controller grants nothing: it refuses
     * by an error notify, which may end the IKE SA, or is silent. The group goes on as it was: the next rekey reaches
     * the tester, and a good registration leads it to the same Rekey SA.
     */
    test(`refuses-a-${exchange}-with-${what}`, {
      requirements: ["G-IKEV2-B1"],
      peer: "responder",
      config: group(),
      lies: [
        "hangs-at-bad-registrations",
        ...(what.startsWith("the-octets") ? ["finds-groups-by-octets-alone"] : []),
      ],
    }, async (s) => {
      const { log } = await joined(s);
      expectRefused(await ask(log, damage));
      await expectGroupGoesOn(log);
    });
  }

for (const [what, damage] of Object.entries(SUPERFLUOUS_WISHES)) {
  /**
   * The tester is a member. It registers again, with ${what}. The controller may refuse that, or overlook what is too
   * much. The group goes on as it was: the next rekey reaches the tester, and a good registration leads it to the same
   * Rekey SA.
   */
  test(`survives-a-registration-with-${what}`, {
    requirements: ["G-IKEV2-B1"],
    peer: "responder",
    config: group(),
    lies: ["hangs-at-bad-registrations"],
  }, async (s) => {
    const { log } = await joined(s);
    await askBadly(log, damage);
    await expectGroupGoesOn(log);
  });
}

/**
 * A sender asks for 4294967295 Sender-IDs in a group that has 16. The controller refuses, or gives it some. Others get
 * theirs as before: nobody is excluded for that, and the Rekey SA stays.
 */
test("keeps-sender-ids-for-others-when-one-wants-all", {
  requirements: ["G-IKEV2-B1"],
  peer: "responder",
  config: group({ senderIdBits: 4, mostSenderIds: 4 }),
  lies: ["gives-one-member-all-sender-ids"],
}, async (s) => {
  const { member, log } = await joined(s, { sender: true });
  const { sa } = await log.afterRekey("data");
  await member.tryRegisterMore({ sender: true, senderIds: 0xffff_ffff });
  const { response } = await member.register({ sender: true });
  const ids = memberValues(response, MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID);
  require(ids.length === 1, "one Sender-ID for who asks for one", `${ids.length}`);
  const { sa: later } = await log.afterRekey("data");
  require(later.spi.every((octet, at) => octet === sa.spi[at]), "the same Rekey SA as before", "another one");
});

const ZERO = { [PROTOCOL.ESP]: new Uint8Array(4), [PROTOCOL.GIKE_UPDATE]: new Uint8Array(16) };

for (const [protocolId, spi] of Object.entries(ZERO)) {
  /**
   * A member sends a Delete of everything of protocol ${protocolId}, as only its controller may, in INFORMATIONAL on its
   * IKE SA. That deletes nothing of the group: the next rekey reaches the tester, and a good registration leads it to
   * the same Rekey SA.
   */
  test(`keeps-the-group-when-a-member-deletes-all-of-protocol-${protocolId}`, {
    requirements: ["G-IKEV2-B1"],
    peer: "responder",
    config: group(),
    lies: ["hangs-at-deletes-of-members"],
  }, async (s) => {
    const { log, granted } = await joined(s);
    const ids = { protocolId: Number(protocolId), spiSize: spi.length };
    const all: Payload = { kind: "Delete", type: PAYLOAD.DELETE, ...ids, spis: [spi] };
    await new Session(s, granted.sa).tryRequest(EXCHANGE.INFORMATIONAL, [all]);
    await expectGroupGoesOn(log);
  });
}

for (const [what, exchangeType] of Object.entries({
  "gsa-rekey": EXCHANGE.GSA_REKEY,
  "gsa-inband-rekey": EXCHANGE.GSA_INBAND_REKEY,
})) {
  /**
   * A member sends ${what} to its controller on the IKE SA of its registration, with policy and keys out of its
   * registration. Only controllers send that: it is refused or dropped, and the group goes on as it was.
   */
  test(`takes-no-${what}-from-a-member`, {
    requirements: ["G-IKEV2-B1"],
    peer: "responder",
    config: group(),
    lies: ["answers-exchanges-of-groups"],
  }, async (s) => {
    const { log, granted } = await joined(s);
    const session = new Session(s, granted.sa);
    const response = await session.tryRequest(exchangeType, [granted.GSA, granted.KD]);
    const refused = !response || errorNotify(response.payloads) !== undefined;
    require(refused, "silence or an error", listPayloads(response));
    await expectGroupGoesOn(log);
  });
}
