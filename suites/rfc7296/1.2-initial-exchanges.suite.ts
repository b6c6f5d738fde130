import {
  EXCHANGE,
  expect,
  expectPayload,
  PAYLOAD,
  payload,
  type Script,
  TRANSFORM,
  test,
} from "../../harness/script/index.ts";

/**
 * The tester sends an ordinary IKE_SA_INIT and IKE_AUTH with a shared secret. Both SAs come up, and traffic
 * inside of ESP passes both ways under keys that the tester derived by itself.
 */
test("sets-up-ike-and-child-sa", {
  requirements: ["IKEV2-295"],
  peer: "responder",
  lies: ["omits-nonce", "swaps-spis-in-key-derivation", "swaps-nonces-in-keymat"],
}, async (s) => {
  const session = await s.dial();
  await session.proveTraffic();
});

/**
 * The peer initiates with a shared secret. Both SAs come up, and traffic inside of ESP passes both ways under
 * keys that the tester derived by itself.
 */
test("initiates-ike-and-child-sa", {
  requirements: ["IKEV2-295"],
  peer: "initiator",
  lies: ["omits-nonce", "swaps-spis-in-key-derivation", "swaps-nonces-in-keymat"],
}, async (s) => {
  const session = await s.accept();
  await session.proveTraffic();
});

const SUITES = [
  ["aes128-sha256-modp2048", "aes256-sha256"],
  ["aes256gcm16-prfsha384-ecp384", "aes128gcm16"],
  ["chacha20poly1305-prfsha256-x25519", "chacha20poly1305"],
] as const;

/** The id of this type in the only IKE proposal of the policy. */
const only = (s: Script, type: number): number | undefined =>
  s.policy.ike[0]?.transforms.find((t) => t.type === type)?.id;

for (const peer of ["responder", "initiator"] as const) {
  for (const [ike, esp] of SUITES) {
    /**
     * Both ends are set to one suite for IKE and one for ESP. The SAs come up with exactly these transforms, and
     * traffic passes both ways: the transforms are not only agreed upon but also used.
     */
    test(`as-${peer}-uses-${ike}-and-for-esp-${esp}`, {
      requirements: ["IKEV2-295"],
      peer,
      lies: ["swaps-spis-in-key-derivation", "swaps-nonces-in-keymat"],
      config: { ikeProposals: [ike], espProposals: [esp] },
    }, async (s) => {
      const session = await s.establish(peer);
      const { encr, group } = session.sa.suite ?? {};
      expect([encr?.id, group], "cipher and group").to.deep.equal([
        only(s, TRANSFORM.ENCR),
        only(s, TRANSFORM.KE),
      ]);
      await session.proveTraffic();
    });
  }
}

for (const peer of ["responder", "initiator"] as const) {
  for (const [outer, inner] of [
    [6, 6],
    [6, 4],
    [4, 6],
  ] as const) {
    /**
     * The same with IPv6 outside, inside, or both: IKE and ESP packets travel over one IP version and the tunnel
     * carries another or the same one, both ways.
     */
    test(`as-${peer}-tunnels-ipv${inner}-over-ipv${outer}`, {
      requirements: ["IKEV2-295"],
      peer,
      lies: ["swaps-spis-in-key-derivation", "swaps-nonces-in-keymat"],
      outer,
      inner,
    }, async (s) => {
      const session = await s.establish(peer);
      await session.proveTraffic();
    });
  }
}

/** The nonce of the response is between 16 and 256 octets long. */
test("sends-a-nonce", {
  requirements: ["IKEV2-266"],
  peer: "responder",
  lies: ["omits-nonce"],
}, async (s) => {
  await s.tryInit();
  const { response } = s.exchange(EXCHANGE.IKE_SA_INIT);
  expectPayload(response, PAYLOAD.NONCE);
  expect(payload(response?.payloads ?? [], "Nonce")?.data.length, "octets of the nonce").to.be.within(
    16,
    256,
  );
});
