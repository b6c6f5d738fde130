import {
  afterInband,
  EXCHANGE,
  errorNotify,
  expect,
  expectAlive,
  expectNotify,
  GROUP,
  type GroupMember,
  group,
  groupDriver,
  identity,
  inbandRekeys,
  joined,
  listPayloads,
  memberOf,
  NOTIFY,
  PAYLOAD,
  type Payload,
  payload,
  type Registration,
  require,
  Session,
  test,
} from "../../harness/script/index.ts";

const ordinary = { rekey: "ed25519" as const, data: ["aes128gcm16-unspec32"] };
const config = group(
  {},
  { ...ordinary, id: "keyid:02", members: ["other.example"] },
  { ...ordinary, id: "keyid:03", full: true },
);

const errors = (payloads: Payload[]) => payloads.filter((p) => p.kind === "Notify" && p.notifyType < 16384);

/**
 * The tester proves itself in GSA_AUTH and asks for a group that is not there. The response has IDr and AUTH, one error
 * notify with neither protocol nor SPI, and no policy and keys.
 */
test("refuses-with-proof-and-one-error", {
  requirements: ["G-IKEV2-09", "G-IKEV2-103"],
  peer: "responder",
  config,
  lies: [
    "takes-any-group-for-its-own",
    "refuses-members-without-auth",
    "refuses-members-twice",
    "gives-policy-to-who-is-refused",
    "puts-an-spi-into-group-errors",
  ],
}, async (s) => {
  await joined(s);
  const { response } = await memberOf(s).tryRegister({}, "keyid:ff");
  const types = response.map(({ type }) => type);
  expect(types, "payloads").to.include.members([PAYLOAD.IDr, PAYLOAD.AUTH]);
  expect(types, "payloads").to.not.include.members([PAYLOAD.GSA]);
  expect(types, "payloads").to.not.include.members([PAYLOAD.KD]);
  const [error, ...more] = errors(response);
  expect(more, "further errors").to.deep.equal([]);
  require(error?.kind === "Notify", "an error notify", listPayloads({ payloads: response }));
  expect([error.protocolId, error.spi.length], "Protocol ID and SPI Size").to.deep.equal([0, 0]);
});

const TROUBLES = {
  "an-unknown-group": {
    id: "keyid:ff",
    expected: [NOTIFY.INVALID_GROUP_ID, NOTIFY.AUTHORIZATION_FAILED, NOTIFY.REGISTRATION_FAILED],
    lies: [],
  },
  "a-group-of-others": {
    id: "keyid:02",
    expected: [NOTIFY.AUTHORIZATION_FAILED],
    lies: ["lets-strangers-in", "calls-strangers-a-trouble-of-the-group"],
  },
  "a-full-group": {
    id: "keyid:03",
    expected: [NOTIFY.REGISTRATION_FAILED],
    lies: ["calls-a-full-group-forbidden"],
  },
};

async function refusalIn(member: GroupMember, register: () => Promise<Registration>): Promise<number> {
  const { response } = await register();
  require(payload(response, "KD") === undefined, "no keys", listPayloads({ payloads: response }));
  const error = errorNotify(response);
  require(error !== undefined, "an error notify", member.script.lastReason());
  return error.notifyType;
}

for (const [what, { id, expected, lies }] of Object.entries(TROUBLES)) {
  /**
   * The tester asks for ${what}, in GSA_AUTH and again in GSA_REGISTRATION. Both are refused with the same notify.
   * AUTHORIZATION_FAILED tells of trouble with this member, REGISTRATION_FAILED of trouble with the group (a decision
   * of the working group of March 2022); an unknown group may, but need not, be called INVALID_GROUP_ID.
   */
  test(`refuses-${what}-alike-in-both-exchanges`, {
    requirements: ["G-IKEV2-13", "G-IKEV2-28"],
    peer: "responder",
    config,
    lies: ["refuses-later-registrations-otherwise", ...lies],
  }, async (s) => {
    await joined(s);
    const member = memberOf(s);
    const first = await refusalIn(member, () => member.tryRegister({}, id));
    expectNotify(s.exchange(EXCHANGE.GSA_AUTH).response, ...expected);
    const second = await refusalIn(member, () => member.tryRegisterMore({}, id));
    expect(second, "error of GSA_REGISTRATION").to.equal(first);
    await expectAlive(new Session(s, member.sa!));
  });
}

for (const reason of ["NO_PROPOSAL_CHOSEN", "REGISTRATION_FAILED"] as const) {
  /**
   * The tester is a member of a group that is rekeyed inband. It leaves by GSA_REGISTRATION with IDg and
   * N(${reason}): the answer is empty, and the next rekey does not come to it.
   */
  test(`lets-a-member-go-that-says-${reason.toLowerCase().replaceAll("_", "-")}`, {
    requirements: ["G-IKEV2-12"],
    peer: "responder",
    config: group({ rekey: "inband" }),
    lies: ["keeps-members-that-leave", "answers-who-leaves-with-a-notify"],
  }, async (s) => {
    const { member, granted } = await joined(s);
    await afterInband(s, (driver) => driver.rekey(GROUP, "data"));
    let left = false;
    member.member.leave(granted.sa, identity(GROUP), reason, () => {
      left = true;
    });
    s.host.settle();
    require(await s.until(() => left), "an answer to GSA_REGISTRATION", "silence");
    const { response } = s.exchange(EXCHANGE.GSA_REGISTRATION);
    const substantial = (response?.payloads ?? []).filter((p) => p.kind !== "VendorID");
    expect(substantial.length, "payloads of the answer").to.equal(0);
    const before = inbandRekeys(s).length;
    await groupDriver(s).rekey(GROUP, "data");
    await s.wait();
    expect(inbandRekeys(s).length - before, "rekeys after leaving").to.equal(0);
    await expectAlive(new Session(s, granted.sa));
  });
}
