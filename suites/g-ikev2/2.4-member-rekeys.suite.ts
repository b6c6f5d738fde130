import {
  controllerOf,
  controllerWithMember,
  deletesOf,
  EXCHANGE,
  expect,
  expectNoAnswer,
  GCAUTH,
  GROUP,
  type GroupController,
  group,
  identity,
  lose,
  NOTIFY,
  notify,
  PAYLOAD,
  type Payload,
  PROTOCOL,
  registersAgain,
  rekeySa,
  require,
  saPolicies,
  sendRekeyOn,
  TRANSFORM,
  test,
} from "../../harness/script/index.ts";

const ID = identity(GROUP);
/** Octets that make a message longer than what our controller sends in one piece. */
const LONG = 1500;
/** A status that nobody knows. */
const UNKNOWN_STATUS = 50_000;
const DTD = 20;
const REGISTERING: readonly number[] = [EXCHANGE.IKE_SA_INIT, EXCHANGE.GSA_AUTH, EXCHANGE.GSA_REGISTRATION];

type Sa = ReturnType<GroupController["dataSas"]>[number];

function onlySa(controller: GroupController): Sa {
  const [sa] = controller.dataSas();
  if (!sa) throw new Error("the group has no data SA");
  return sa;
}

async function expectRead(
  controller: GroupController,
  sa: Sa,
  expected: boolean,
  what: string,
): Promise<void> {
  expect(await controller.reads(sa), `data ${what} are delivered`).to.equal(expected);
}

/** Sends one GSA_REKEY for new data SAs, changed by `change`. Returns the new SA. */
async function rekeyBy(
  controller: GroupController,
  change: NonNullable<GroupController["hooks"][number]["outgoingRekey"]> = () => {},
): Promise<Sa> {
  const hook = { outgoingRekey: change };
  controller.hooks.push(hook);
  await controller.act((c) => c.rekey(ID, "data"));
  controller.hooks.splice(controller.hooks.indexOf(hook), 1);
  return onlySa(controller);
}

const deleteOf = (sa: Sa): Payload => ({
  ...{ kind: "Delete", type: PAYLOAD.DELETE, protocolId: PROTOCOL.ESP, spiSize: 4, spis: [sa.spi] },
});

/**
 * The first GSA_REKEY of our Rekey SA has number 0, as GSA_INITIAL_MESSAGE_ID was left out: it is taken. Sent again
 * with the same number and other keys it is dropped, and so is a lower one after the next (section 2.4.1.4).
 */
test("takes-rising-message-ids-from-zero-on", {
  requirements: ["G-IKEV2-46", "G-IKEV2-47"],
  peer: "initiator",
  lies: ["takes-stale-rekeys", "begins-with-rekey-number-one"],
  config: group(),
}, async (s) => {
  const controller = await controllerWithMember(s);
  const first = await rekeyBy(controller);
  await expectRead(controller, first, true, "on the SA of message 0");
  const numbered = (messageId: number) =>
    rekeyBy(controller, (message) => {
      message.messageId = messageId;
    });
  await expectRead(controller, await numbered(0), false, "on the SA of another message 0");
  await expectRead(controller, await numbered(5), true, "on the SA of message 5");
  await expectRead(controller, await numbered(3), false, "on the SA of message 3 after 5");
});

/**
 * The signature of a good GSA_REKEY covers its headers as if nothing were encrypted, and its payloads. One that was made
 * over other octets, as over the lengths that are sent, is worth nothing (section 2.4.1.1).
 */
test("verifies-what-the-signature-of-a-rekey-covers", {
  requirements: ["G-IKEV2-39"],
  peer: "initiator",
  lies: ["takes-rekeys-with-any-signature"],
  config: group(),
}, async (s) => {
  const controller = await controllerWithMember(s);
  await expectRead(controller, await rekeyBy(controller), true, "on the SA of a good rekey");
  const since = s.mark();
  const badly = await rekeyBy(controller, (message) => {
    message.signedOctets = (octets) => {
      const lengths = octets.slice();
      // The length in the IKE header, with IV and ICV.
      lengths[27] = ((lengths[27] ?? 0) + 25) & 255;
      return lengths;
    };
  });
  expectNoAnswer(s, since, "no answer to a GSA_REKEY with a wrong signature");
  await expectRead(controller, badly, false, "on the SA of a rekey with a wrong signature");
  await expectRead(controller, await rekeyBy(controller), true, "on the SA of the next good rekey");
});

/** How rekeys are authenticated never changes: a GSA_REKEY with GCAUTH is ignored as a whole (section 4.4.2.1.1). */
test("ignores-a-rekey-with-gcauth", {
  requirements: ["G-IKEV2-B3"],
  peer: "initiator",
  lies: ["takes-gcauth-in-rekeys"],
  config: group(),
}, async (s) => {
  const controller = await controllerWithMember(s);
  const hook = {
    outgoingRekey: ({ payloads }: { payloads: Payload[] }) => {
      for (const policy of saPolicies(payloads, PROTOCOL.GIKE_UPDATE))
        policy.transforms = [
          ...policy.transforms,
          { type: TRANSFORM.GCAUTH, id: GCAUTH.IMPLICIT, attributes: [] },
        ];
    },
  };
  controller.hooks.push(hook);
  const old = onlySa(controller);
  await controller.act((c) => c.rekey(ID, "both"));
  await expectRead(controller, onlySa(controller), false, "on the SA of a rekey with GCAUTH");
  await expectRead(controller, old, true, "on the SA before it");
});

/** Fragments of a GSA_REKEY have no signature of their own: the peer puts them together and verifies the whole. */
test("takes-a-rekey-in-fragments", {
  requirements: ["G-IKEV2-41"],
  peer: "initiator",
  lies: ["drops-fragments-of-rekeys"],
  config: group(),
}, async (s) => {
  const controller = await controllerOf(s);
  const { request } = await controller.registers();
  const announced = request.sa?.announced.has(NOTIFY.IKEV2_FRAGMENTATION_SUPPORTED) ?? false;
  const sa = await rekeyBy(controller, ({ payloads }) => {
    payloads.push(notify(UNKNOWN_STATUS, new Uint8Array(LONG)));
  });
  const pieces = s.trace.entries.filter(
    ({ event }) => event.type === "datagram-sent" && event.datagram.destination.port === 848,
  );
  // Who cannot take fragments gets a message in one piece.
  require(!announced ||
    pieces.length >= 4, "two fragments, and copies of them", `${pieces.length} datagrams`);
  await expectRead(controller, sa, true, "on the SA of a long rekey");
});

/** Reserved bits of the first fragment are signed as they came (section 2.4.1.2). */
test("keeps-the-reserved-bits-of-the-first-fragment", {
  requirements: ["G-IKEV2-42"],
  peer: "initiator",
  lies: ["clears-reserved-bits-of-rekeys"],
  config: group(),
}, async (s) => {
  const controller = await controllerWithMember(s);
  const sa = await rekeyBy(controller, (message) => {
    message.reserved = 0x15;
    message.payloads.push(notify(UNKNOWN_STATUS, new Uint8Array(LONG)));
  });
  await expectRead(controller, sa, true, "on the SA of a rekey with reserved bits");
});

/** The old Rekey SA works for so long as the deactivation delay says: a Delete on it is still obeyed. */
test("hears-on-the-old-rekey-sa-until-the-deactivation-delay-is-over", {
  requirements: ["G-IKEV2-49"],
  peer: "initiator",
  lies: ["drops-old-rekey-sas-at-once"],
  config: group({ DTD }),
}, async (s) => {
  const controller = await controllerWithMember(s);
  const [old, sa] = [rekeySa(controller), onlySa(controller)];
  await controller.act((c) => c.rekey(ID, "rekey SA"));
  sendRekeyOn(controller, old, [deleteOf(sa)]);
  await s.wait((DTD + 1) * 1000);
  await expectRead(controller, sa, false, "on an SA that was deleted on the old Rekey SA in time");
});

/** After the deactivation delay nobody hears what is sent on the old Rekey SA. */
test("forgets-the-old-rekey-sa-after-the-deactivation-delay", {
  requirements: ["G-IKEV2-49"],
  peer: "initiator",
  lies: ["keeps-old-rekey-sas"],
  config: group({ DTD }),
}, async (s) => {
  const controller = await controllerWithMember(s);
  const [old, sa] = [rekeySa(controller), onlySa(controller)];
  await controller.act((c) => c.rekey(ID, "rekey SA"));
  await s.wait((DTD + 1) * 1000);
  sendRekeyOn(controller, old, [deleteOf(sa)]);
  await s.wait((DTD + 1) * 1000);
  await expectRead(controller, sa, true, "after a Delete on a Rekey SA that is over");
});

/** A data SA that a rekey deletes is of use until the deactivation delay is over, and goes without a word. */
test("takes-data-on-a-deleted-sa-until-the-deactivation-delay-is-over", {
  requirements: ["G-IKEV2-50"],
  peer: "initiator",
  lies: ["drops-deleted-data-sas-at-once", "keeps-deleted-data-sas"],
  config: group({ DTD }),
}, async (s) => {
  const controller = await controllerWithMember(s);
  const old = onlySa(controller);
  await rekeyBy(controller);
  await expectRead(controller, old, true, "on the old SA in the delay");
  await s.wait((DTD + 1) * 1000);
  await expectRead(controller, old, false, "on the old SA after the delay");
  const said = s.trace
    .exchangesOf(EXCHANGE.INFORMATIONAL, "peer")
    .flatMap(({ request }) => deletesOf(request.payloads));
  expect(said, "Deletes of the member").to.have.length(0);
});

/** Nothing renews the keys: the peer registers before an SA ends; if it does not, the SA is of no use at its end. */
test("registers-before-an-sa-ends-that-nobody-rekeys", {
  requirements: ["G-IKEV2-51", "G-IKEV2-87"],
  peer: "initiator",
  lies: ["uses-sas-after-their-end"],
  config: group({ dataLifetime: 30, rekeyLifetime: 600 }),
}, async (s) => {
  const controller = await controllerWithMember(s);
  const sa = onlySa(controller);
  controller.hooks.push({
    outgoingRekey: (message) => {
      message.octets = () => [];
    },
  });
  let asked = false;
  lose(s, ({ header, isResponse }) => {
    const registers = !isResponse && REGISTERING.includes(header.exchangeType);
    asked ||= registers;
    return registers;
  });
  await expectRead(controller, sa, true, "in the lifetime of an SA");
  await s.wait(26_000);
  if (!asked) s.tolerate("does not register before an SA ends");
  await s.wait(5000);
  await expectRead(controller, sa, false, "after the end of an SA");
});

/** A rekey over the IKE SA is answered by an empty message, and its keys are taken (section 2.4.2). */
test("answers-an-inband-rekey-with-nothing", {
  requirements: ["G-IKEV2-52"],
  peer: "initiator",
  lies: ["answers-inband-rekeys-with-a-notify"],
  config: group({ rekey: "inband" }),
}, async (s) => {
  const controller = await controllerWithMember(s);
  await controller.act((c) => c.rekey(ID, "data"));
  const { response } = s.exchange(EXCHANGE.GSA_INBAND_REKEY);
  expect(response?.payloads, "payloads of the answer").to.deep.equal([]);
  await expectRead(controller, onlySa(controller), true, "on the SA of an inband rekey");
});

/** By Deletes of protocols 3 and 6 with SPI zero everybody is excluded, and has to register to go on (section 2.4.3). */
test("registers-again-after-everything-was-deleted", {
  requirements: ["G-IKEV2-53"],
  peer: "initiator",
  lies: ["goes-on-though-excluded", "stays-out-when-excluded"],
  config: group(),
}, async (s) => {
  const controller = await controllerWithMember(s);
  const old = onlySa(controller);
  const hear = lose(s, ({ isResponse }) => !isResponse);
  await controller.act((c) => c.delete(ID, "all"));
  await expectRead(controller, old, false, "on an SA of a group that was reset");
  hear();
  const again = await registersAgain(controller, 1, 60_000);
  require(again, "another registration", "none");
  await s.wait();
  await expectRead(controller, onlySa(controller), true, "on the SA after the next registration");
});
