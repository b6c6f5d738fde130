import {
  EXCHANGE,
  expectAlive,
  expectNotify,
  NOTIFY,
  notify,
  payload,
  require,
  type Script,
  test,
} from "../../harness/script/index.ts";

/** Our next IKE_AUTH requests say INITIAL_CONTACT. */
function sayInitialContact(s: Script): void {
  s.change(EXCHANGE.IKE_AUTH, ({ payloads }) => void payloads.push(notify(NOTIFY.INITIAL_CONTACT)));
}

/**
 * The tester has an IKE SA and sets up another one that says INITIAL_CONTACT. The new one must work. The peer may
 * forget the old one: then it neither answers under it nor sends a Delete on it.
 */
test("serves-the-ike-sa-that-says-initial-contact", {
  requirements: ["IKEV2-079"],
  peer: "responder",
  lies: ["ends-the-ike-sa-that-says-initial-contact"],
  config: { unique: "replace" },
}, async (s) => {
  const older = await s.dial();
  sayInitialContact(s);
  const newer = await s.dial();
  await newer.proveTraffic();
  await expectAlive(newer);
  if (await older.alive()) s.tolerate("keeps older IKE SAs of this identity");
});

/**
 * Somebody says INITIAL_CONTACT under the identity of a peer that has an IKE SA, but cannot prove to be that peer. The
 * attempt fails, and the IKE SA lives on: only what is authenticated may end it.
 */
test("heeds-initial-contact-only-from-who-proves-its-identity", {
  requirements: ["IKEV2-081", "IKEV2-079"],
  peer: "responder",
  lies: ["heeds-initial-contact-before-auth"],
  config: { unique: "replace" },
}, async (s) => {
  const session = await s.dial();
  await expectAlive(session);
  sayInitialContact(s);
  s.change(EXCHANGE.IKE_AUTH, ({ payloads }) => {
    const auth = payload(payloads, "AUTH");
    if (auth) auth.data = auth.data.map((octet) => octet ^ 0x55);
  });
  const { failure } = await s.tryDial();
  require(failure !== undefined, "the attempt to fail", "an IKE SA");
  expectNotify(s.exchange(EXCHANGE.IKE_AUTH).response, NOTIFY.AUTHENTICATION_FAILED, NOTIFY.INVALID_SYNTAX);
  await expectAlive(session);
});
