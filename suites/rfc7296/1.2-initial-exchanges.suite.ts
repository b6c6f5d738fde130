import { EXCHANGE, expect, expectPayload, PAYLOAD, payload, test } from "../../harness/script/index.ts";

/**
 * The tester sends an ordinary IKE_SA_INIT and IKE_AUTH with a shared secret. Both SAs come up, and traffic
 * inside of ESP passes both ways under keys that the tester derived by itself.
 */
test("sets-up-ike-and-child-sa", {
  requirements: ["IKEV2-295"],
  peer: "responder",
  lies: ["omits-nonce"],
}, async (s) => {
  const session = await s.dial();
  await session.proveTraffic();
});

/** The nonce of the response is between 16 and 256 octets long. */
test("sends-a-nonce", {
  requirements: ["IKEV2-266"],
  peer: "responder",
  lies: ["omits-nonce"],
}, async (s) => {
  await s.tryInit();
  const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
  expectPayload(response, PAYLOAD.NONCE);
  expect(payload(response?.payloads ?? [], "Nonce")?.data.length).to.be.within(16, 256);
});
