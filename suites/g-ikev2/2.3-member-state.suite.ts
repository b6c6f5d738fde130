import {
  changeGrants,
  controllerOf,
  EXCHANGE,
  espOfMember,
  expect,
  expectAlive,
  Failure,
  GROUP,
  type GroupController,
  GSA_ATTRIBUTE,
  group,
  hasNotify,
  identity,
  lose,
  NOTIFY,
  PROTOCOL,
  peerDeletedIke,
  registersAgain,
  require,
  Session,
  SN,
  saPolicies,
  TRANSFORM,
  test,
} from "../../harness/script/index.ts";

/** A member may wait so many virtual milliseconds before it does what the text wants of it. */
const MEMBER_MS = 30_000;

/** Fails unless data on the first data SA that the group has now reach the peer's application, or do not. */
async function expectRead(controller: GroupController, expected: boolean, what: string): Promise<void> {
  const [sa] = controller.dataSas();
  if (!sa) throw new Error("the group has no data SA");
  expect(await controller.reads(sa), `data ${what} are delivered`).to.equal(expected);
}

/**
 * The peer has registered; we ask it for a unicast Child SA on the IKE SA of the registration. It makes none, and
 * asks for none itself (section 2.3).
 */
test("member-makes-no-child-sa", {
  requirements: ["G-IKEV2-06"],
  peer: "initiator",
  lies: ["makes-child-sas-beside-groups"],
  config: group(),
}, async (s) => {
  const { request } = await (await controllerOf(s)).registers();
  if (!request.sa) throw new Failure("an IKE SA", "none");
  const session = new Session(s, request.sa);
  const child = await session.tryCreateChild();
  require(typeof child === "string", "a refusal of the Child SA", "a Child SA");
  const asked = s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer").length;
  require(asked === 0, "no request for a Child SA", `${asked}`);
  await expectAlive(session);
});

/**
 * Our policy has 64-bit sequence numbers, which a group must not use. The peer leaves the group by NO_PROPOSAL_CHOSEN
 * in GSA_REGISTRATION (section 2.3.1) and takes no data.
 */
test("member-refuses-a-policy-that-it-cannot-follow", {
  requirements: ["G-IKEV2-11"],
  peer: "initiator",
  lies: ["takes-any-policy"],
  config: group(),
}, async (s) => {
  const controller = await controllerOf(s);
  changeGrants(s, ({ payloads }) => {
    for (const policy of saPolicies(payloads, PROTOCOL.ESP))
      policy.transforms = policy.transforms.map((t) =>
        t.type === TRANSFORM.SN ? { ...t, id: SN.PARTIAL_64 } : t,
      );
  });
  await controller.registers();
  const refusal = () =>
    s.trace
      .exchangesOf(EXCHANGE.GSA_REGISTRATION, "peer")
      .find(({ request }) => hasNotify(request.payloads, NOTIFY.NO_PROPOSAL_CHOSEN));
  await s.until(() => refusal() !== undefined, s.arena.quiet);
  if (!refusal()) s.tolerate("does not say that it cannot follow the policy");
  await expectRead(controller, false, "under a policy that is forbidden");
});

/** The peer only receives. Its application wants to send: no ESP comes, as it has no SA to send on (section 2.3.3). */
test("receiver-does-not-send", {
  requirements: ["G-IKEV2-21"],
  peer: "initiator",
  lies: ["sends-as-a-receiver"],
  config: group(),
}, async (s) => {
  const controller = await controllerOf(s);
  await controller.registers();
  expect(await espOfMember(controller), "ESP of a receiver").to.have.length(0);
  await expectRead(controller, true, "of another sender");
});

/**
 * The peer is the only sender of an SA. We give it its own packet back, as the network does: it is not delivered,
 * for the SA is outbound only (section 2.3.3).
 */
test("sender-does-not-take-its-own-traffic", {
  requirements: ["G-IKEV2-22"],
  peer: "initiator",
  lies: ["delivers-its-own-traffic"],
  config: group({ data: ["aes128gcm16-noesn"] }),
}, async (s) => {
  const controller = await controllerOf(s);
  await controller.registers({ sender: true });
  const [sent] = await espOfMember(controller, "an echo");
  if (!sent) throw new Failure("ESP of the sender", "none");
  s.host.send(sent);
  await s.wait();
  expect(await controller.received(), "application data").not.to.include("an echo");
});

/** The peer gets GSA_REKEY, and sends no message of this exchange type itself: its Rekey SA is inbound only. */
test("member-never-sends-gsa-rekey", {
  requirements: ["G-IKEV2-23"],
  peer: "initiator",
  lies: ["sends-gsa-rekey-back"],
  config: group(),
}, async (s) => {
  const controller = await controllerOf(s);
  await controller.registers();
  await controller.act((c) => c.rekey(identity(GROUP), "both"));
  const types = s
    .received()
    .flatMap(({ protocol, data }) => (protocol === "udp" ? [exchangeTypeOf(data)] : []));
  expect(types, "exchange types of what came").not.to.include(EXCHANGE.GSA_REKEY);
  await expectRead(controller, true, "on the new SA");
});

/** In the IKE header, behind a non-ESP marker if there is one. */
const exchangeTypeOf = (data: Uint8Array): number | undefined =>
  data[data.subarray(0, 4).every((octet) => octet === 0) ? 22 : 18];

/**
 * The group is at message 3 when the peer registers again, and we leave GSA_INITIAL_MESSAGE_ID out, as if it were at 0.
 * The peer knows better: a rekey with number 1 is dropped, the next one is taken (section 4.4.2.2.2).
 */
test("member-ignores-a-stale-initial-message-id", {
  requirements: ["G-IKEV2-24"],
  peer: "initiator",
  lies: ["takes-stale-initial-message-ids"],
  config: group(),
}, async (s) => {
  const controller = await controllerOf(s);
  const rekey = () => controller.act((c) => c.rekey(identity(GROUP), "data"));
  await controller.registers();
  for (let count = 0; count < 3; count++) await rekey();
  changeGrants(s, ({ payloads }) => {
    for (const policy of saPolicies(payloads, PROTOCOL.GIKE_UPDATE))
      policy.attributes = policy.attributes.filter(
        ({ type }) => type !== GSA_ATTRIBUTE.GSA_INITIAL_MESSAGE_ID,
      );
  });
  await controller.registers();
  const old = {
    outgoingRekey: (message: { messageId: number }) => {
      message.messageId = 1;
    },
  };
  controller.hooks.push(old);
  await rekey();
  await expectRead(controller, false, "on an SA of a rekey with an old number");
  controller.hooks.splice(controller.hooks.indexOf(old), 1);
  await rekey();
  await expectRead(controller, true, "on an SA of the next rekey");
});

/** The group has other data SAs when the peer registers again. What it had before is over at once (section 2.3.3). */
test("member-replaces-everything-by-a-new-registration", {
  requirements: ["G-IKEV2-25"],
  peer: "initiator",
  lies: ["keeps-old-sas-at-registration"],
  config: group(),
}, async (s) => {
  const controller = await controllerOf(s);
  await controller.registers();
  const [old] = controller.dataSas();
  await expectRead(controller, true, "on the first SA");
  controller.controller.state(identity(GROUP)).makeData();
  await controller.registers();
  await expectRead(controller, true, "on the new SA");
  expect(old && (await controller.reads(old)), "data on the old SA are delivered").to.equal(false);
});

/**
 * The peer has a Rekey SA. It leaves the IKE SA alone; when we close that, the peer stays a member, which follows
 * GSA_REKEY (section 2.3.3).
 */
test("member-with-a-rekey-sa-outlives-its-ike-sa", {
  requirements: ["G-IKEV2-26"],
  peer: "initiator",
  lies: ["takes-the-end-of-the-ike-sa-for-exclusion"],
  config: group(),
}, async (s) => {
  const controller = await controllerOf(s);
  const { request } = await controller.registers();
  if (!request.sa) throw new Failure("an IKE SA", "none");
  await s.wait(MEMBER_MS);
  if (peerDeletedIke(s)) return s.tolerate("closes the IKE SA of its registration");
  const session = new Session(s, request.sa);
  await expectAlive(session);
  await session.deleteIke();
  lose(s, ({ isResponse }) => !isResponse);
  await expectRead(controller, true, "to a member without IKE SA");
  await controller.act((c) => c.rekey(identity(GROUP), "data"));
  await expectRead(controller, true, "on the next SA, to a member without IKE SA");
});

/**
 * The group has no Rekey SA, and we close the IKE SA: the peer is excluded. It takes no data until it has registered
 * again (section 2.3.3).
 */
test("member-without-a-rekey-sa-is-excluded-with-its-ike-sa", {
  requirements: ["G-IKEV2-27"],
  peer: "initiator",
  lies: ["goes-on-without-ike-sa"],
  config: group({ rekey: "inband" }),
}, async (s) => {
  const controller = await controllerOf(s);
  const { request } = await controller.registers();
  await expectRead(controller, true, "to a member");
  if (!request.sa) throw new Failure("an IKE SA", "none");
  const hear = lose(s, ({ isResponse }) => !isResponse);
  await new Session(s, request.sa).deleteIke();
  await expectRead(controller, false, "to a member without IKE SA");
  hear();
  if (!(await registersAgain(controller, 1, MEMBER_MS))) return;
  await s.wait();
  await expectRead(controller, true, "to the member that has registered again");
});
