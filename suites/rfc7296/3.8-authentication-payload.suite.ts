import {
  AUTH_METHOD,
  authMethods,
  bothSign,
  expectOnlyGoodServed,
  type KeyKind,
  peersAuth,
  require,
  signOtherwise,
  test,
} from "../../harness/script/index.ts";

const METHODS: [KeyKind, number][] = [
  ["rsa2048", AUTH_METHOD.RSA_DIGITAL_SIGNATURE],
  ["ecdsa256", AUTH_METHOD.ECDSA_SHA256_P256],
  ["ecdsa384", AUTH_METHOD.ECDSA_SHA384_P384],
  ["ecdsa521", AUTH_METHOD.ECDSA_SHA512_P521],
];

for (const peer of ["responder", "initiator"] as const)
  for (const [key, method] of METHODS) {
    /**
     * Neither end uses RFC 7427. Both authenticate by the older method that belongs to their keys: 1 for RSA, 9 to 11 for
     * ECDSA, where r and s follow each other in full length (RFC 4754); traffic passes both ways.
     * Note: RSA with SHA-1 is a SHOULD that RFC 8247 has deprecated; the ECDSA methods are options.
     */
    test(`${peer}-authenticates-by-the-old-method-of-${key}`, {
      requirements: ["IKEV2-265"],
      peer,
      lies: ["spoils-its-signature"],
      config: bothSign(key, { oldMethods: true }),
    }, async (s) => {
      const session = await s.establish(peer);
      const used = peersAuth(s, peer).method;
      require(used === method, authMethods.nameOf(method), authMethods.nameOf(used));
      await session.proveTraffic();
    });

    /** The same, but one bit of the signature of the tester is turned: the peer must refuse it. */
    test(`${peer}-refuses-a-wrong-signature-by-the-old-method-of-${key}`, {
      requirements: ["IKEV2-001"],
      peer,
      lies: ["accepts-wrong-auth"],
      config: bothSign(key, { oldMethods: true }),
    }, async (s) => {
      const spoil = signOtherwise(peer, ({ value }) =>
        value.map((octet, i) => (i === 9 ? octet ^ 1 : octet)),
      );
      await expectOnlyGoodServed(s, peer, spoil);
    });
  }
