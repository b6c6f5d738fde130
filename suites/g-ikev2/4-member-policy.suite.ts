import {
  controllerOf,
  controllerWithMember,
  EXCHANGE,
  errorNotify,
  espOfMember,
  expect,
  expectAlive,
  Failure,
  GROUP,
  type GroupController,
  group,
  identity,
  innerEnds,
  NOTIFY,
  notify,
  openGroupEsp,
  registersAgain,
  Session,
  test,
} from "../../harness/script/index.ts";

const ID = identity(GROUP);

function onlySa(controller: GroupController) {
  const [sa] = controller.dataSas();
  if (!sa) throw new Error("the group has no data SA");
  return sa;
}

/** We ask for a unicast Child SA on the IKE SA of the peer's registration: that is no place for one (section 2.3). */
test("makes-no-child-sa-beside-its-group", {
  requirements: ["G-IKEV2-06"],
  peer: "initiator",
  lies: ["makes-child-sas-beside-groups"],
  config: group(),
}, async (s) => {
  const { request } = await (await controllerOf(s)).registers();
  if (!request.sa) throw new Failure("an IKE SA", "none");
  const session = new Session(s, request.sa);
  if (typeof (await session.tryCreateChild()) !== "string")
    throw new Failure("a refusal of the Child SA", "a Child SA");
  await expectAlive(session);
});

/** A tunnel of a group has the addresses of what is in it on the outside (section 4.4.2, RFC 5374). */
test("keeps-addresses-in-tunnel-mode", {
  requirements: ["G-IKEV2-77"],
  peer: "initiator",
  lies: ["puts-other-addresses-into-tunnels"],
  config: group(),
}, async (s) => {
  const controller = await controllerWithMember(s, { sender: true });
  const [sent] = await espOfMember(controller);
  if (!sent) throw new Failure("ESP of the sender", "none");
  const inner = innerEnds(openGroupEsp(onlySa(controller), sent));
  expect(inner.source, "inner source").to.equal(sent.source.host);
  expect(inner.destination, "inner destination").to.equal(sent.destination.host);
});

/** A packet comes with the SPI that the next data SA was promised to have: a rekey was lost, and the peer asks for it. */
test("registers-again-when-a-promised-spi-is-used", {
  requirements: ["G-IKEV2-91"],
  peer: "initiator",
  lies: ["takes-data-on-promised-spis"],
  config: group({ promisesNextSpi: true }),
}, async (s) => {
  const controller = await controllerWithMember(s);
  const sa = onlySa(controller);
  const { nextSpi } = sa;
  if (!nextSpi) throw new Error("no SPI was promised");
  controller.sendData(sa, new TextEncoder().encode("too early"), (packet) => {
    packet.set(nextSpi);
    return packet;
  });
  if (!(await registersAgain(controller, 1))) s.tolerate("does not register when a promised SPI is used");
  expect(await controller.received(), "application data").not.to.include("too early");
  expect(await controller.reads(sa), "data on the SA that is there are delivered").to.equal(true);
});

/** Senders go on with the old SA until the activation delay is over; receivers take the new one at once. */
test("sends-on-a-new-sa-after-the-activation-delay", {
  requirements: ["G-IKEV2-93"],
  peer: "initiator",
  lies: ["sends-on-new-sas-at-once"],
  config: group({ ATD: 20, DTD: 60 }),
}, async (s) => {
  const controller = await controllerWithMember(s, { sender: true });
  const old = onlySa(controller);
  await controller.act((c) => c.rekey(ID, "data"));
  const fresh = onlySa(controller);
  expect(await controller.reads(fresh), "data on the new SA are delivered").to.equal(true);
  const [early] = await espOfMember(controller);
  if (!early) throw new Failure("ESP of the sender", "none");
  openGroupEsp(old, early);
  await s.wait(20_000);
  const [late] = await espOfMember(controller);
  if (!late) throw new Failure("ESP of the sender after the delay", "none");
  openGroupEsp(fresh, late);
});

for (const name of ["INVALID_GROUP_ID", "AUTHORIZATION_FAILED", "REGISTRATION_FAILED"] as const) {
  /** An error of this document has no data; octets that stand there all the same change nothing: the IKE SA is up, without a group. */
  test(`takes-${name.toLowerCase().replaceAll("_", "-")}-with-data-as-without`, {
    requirements: ["G-IKEV2-103"],
    peer: "initiator",
    lies: ["drops-group-errors-with-data"],
    config: group(),
  }, async (s) => {
    const controller = await controllerOf(s);
    s.change(
      EXCHANGE.GSA_AUTH,
      (message) => {
        const proof = message.payloads.filter(
          ({ kind }) => kind === "ID" || kind === "AUTH" || kind === "CERT",
        );
        message.payloads = [...proof, notify(NOTIFY[name], Uint8Array.of(1, 2, 3))];
      },
      "response",
    );
    const { request, response } = await controller.registers();
    expect(errorNotify(response?.payloads ?? [])?.notifyType, "our error").to.equal(NOTIFY[name]);
    if (!request.sa) throw new Failure("an IKE SA", "none");
    await expectAlive(new Session(s, request.sa));
    expect(await controller.reads(onlySa(controller)), "data are delivered").to.equal(false);
  });
}
