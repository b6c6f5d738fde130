import {
  controllerOf,
  damageGrants,
  EXCHANGE,
  expectReads,
  expectRekeyDropped,
  expectRekeySurvived,
  expectServesMember,
  expectUnread,
  GROUP,
  group,
  identity,
  MISSHAPEN,
  SUPERFLUOUS,
  test,
  withMember,
} from "../../harness/script/index.ts";

for (const [what, damage] of Object.entries(MISSHAPEN)) {
  /**
   * The controller's answer to the registration has ${what}. The member can make no SA of it: nothing that is sent to
   * the group is delivered. It may leave the group, register again or close the IKE SA; once the answers are good it
   * is a member as ever.
   */
  test(`takes-no-registration-with-${what}`, {
    requirements: ["G-IKEV2-B2"],
    peer: "initiator",
    config: group(),
    lies: ["hangs-at-misshapen-group-payloads"],
  }, async (s) => {
    const gc = await controllerOf(s);
    const over = damageGrants(s, damage);
    await gc.registers();
    await expectUnread(gc, `a registration with ${what}`);
    over();
    await expectServesMember(gc);
  });

  /**
   * A GSA_REKEY that is authentic and new has ${what}. The member drops it without an answer: the data SA from before
   * goes on, the one that the message is about is not there. The next good GSA_REKEY is taken.
   */
  test(`drops-a-rekey-with-${what}`, {
    requirements: ["G-IKEV2-B3"],
    peer: "initiator",
    config: group(),
    lies: ["hangs-at-misshapen-group-payloads"],
  }, async (s) => {
    const gc = await withMember(s);
    await expectRekeyDropped(gc, (message) => {
      message.payloads = damage(message.payloads);
    });
  });

  /**
   * A GSA_INBAND_REKEY has ${what}. The member makes no SA of it; it answers INVALID_SYNTAX, which ends the IKE SA, or
   * lives on. Who registers again at once finds the same there. When the answers are good, it is a member as ever.
   */
  test(`takes-no-inband-rekey-with-${what}`, {
    requirements: ["G-IKEV2-B2"],
    peer: "initiator",
    config: group({ rekey: "inband" }),
    lies: ["hangs-at-misshapen-group-payloads"],
  }, async (s) => {
    const gc = await withMember(s);
    const over = s.change(EXCHANGE.GSA_INBAND_REKEY, (message) => {
      message.payloads = damage(message.payloads);
    });
    const grantsOver = damageGrants(s, damage);
    await gc.act((controller) => controller.rekey(identity(GROUP), "data"));
    await expectUnread(gc, `a rekey with ${what}`);
    over();
    grantsOver();
    await expectServesMember(gc);
  });
}

for (const [what, damage] of Object.entries(SUPERFLUOUS)) {
  /**
   * The controller's answer to the registration has ${what}. The member may refuse it or take it for what else it
   * says. Either way it is alive, and takes the next good answer.
   */
  test(`survives-a-registration-with-${what}`, {
    requirements: ["G-IKEV2-B2"],
    peer: "initiator",
    config: group(),
    lies: ["hangs-at-superfluous-group-payloads"],
  }, async (s) => {
    const gc = await controllerOf(s);
    const over = damageGrants(s, damage);
    await gc.registers();
    over();
    await expectServesMember(gc);
  });

  /**
   * A GSA_REKEY that is authentic and new has ${what}. The member may drop it or take it for what else it says, but
   * does not answer. It takes the next good one.
   */
  test(`survives-a-rekey-with-${what}`, {
    requirements: ["G-IKEV2-B3"],
    peer: "initiator",
    config: group(),
    lies: ["hangs-at-superfluous-group-payloads"],
  }, async (s) => {
    const gc = await withMember(s);
    await expectRekeySurvived(gc, (message) => {
      message.payloads = damage(message.payloads);
    });
    await expectReads(gc, "the peer to read data of the group");
  });
}
