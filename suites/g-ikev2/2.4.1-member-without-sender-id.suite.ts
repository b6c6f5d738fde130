import {
  changeGrants,
  controllerOf,
  espOfMember,
  expect,
  group,
  registersAgain,
  require,
  setSenderIds,
  test,
} from "../../harness/script/index.ts";

/** Our policy has no Sender-ID for a sender that asked: it cannot use a counter mode cipher, and asks again (section 2.4.1.4). */
test("does-not-send-in-counter-mode-without-sender-id", {
  requirements: ["G-IKEV2-48", "G-IKEV2-48a"],
  peer: "initiator",
  lies: ["sends-without-sender-id", "does-without-sender-id"],
  config: group(),
}, async (s) => {
  const controller = await controllerOf(s);
  const end = changeGrants(s, ({ payloads }) => setSenderIds(payloads, []));
  await controller.registers({ sender: true });
  expect(await espOfMember(controller), "ESP of a sender without Sender-ID").to.have.length(0);
  end();
  const before = controller.registrations().length;
  require(await registersAgain(controller, before), "another registration", "none");
  await s.wait();
  expect(await espOfMember(controller), "ESP of a sender that has its Sender-ID").to.have.length(1);
});
