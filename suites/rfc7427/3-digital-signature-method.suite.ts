import {
  bothSign,
  expect,
  hex,
  type KeyKind,
  peersAuth,
  type SchemeName,
  schemeByName,
  signatureData,
  test,
} from "../../harness/script/index.ts";

const SHA2 = ["sha256", "sha384", "sha512"] as const;
const RSA = SHA2.flatMap((hash): SchemeName[] => [`rsa-pss-${hash}`, `rsa-pkcs1-${hash}`]);
const ECDSA = SHA2.map((hash): SchemeName => `ecdsa-${hash}`);
const SCHEMES: [KeyKind, SchemeName[]][] = [
  ["rsa2048", RSA],
  ["ecdsa256", ECDSA],
  ["ecdsa384", ECDSA],
  ["ecdsa521", ECDSA],
  ["ed25519", ["ed25519"]],
  ["ed448", ["ed448"]],
];

/** PSS as RFC 7427 prints it, with the default trailerField spelled out. */
const withTrailer = (identifier: string): string =>
  identifier.replace(/^3041(.*)3034(.*)$/, "3046$13039$2a303020101");

/** The forms of an AlgorithmIdentifier that DER or the appendix of RFC 7427 asks for. */
const preferred = (scheme: SchemeName): string[] => {
  const identifier = hex(schemeByName(scheme).algorithmIdentifier);
  return [identifier, withTrailer(identifier)];
};

const MORE: Partial<Record<SchemeName, string[]>> = {
  "rsa-pss-sha256": ["SIGAUTH-28"],
  "ecdsa-sha256": ["SIGAUTH-31"],
  "ecdsa-sha512": ["SIGAUTH-07", "SIGAUTH-31"],
  ed25519: ["SIGAUTH-23", "SIGAUTH-27"],
  ed448: ["SIGAUTH-23", "SIGAUTH-27"],
};

/**
 * Both ends sign with the same kind of key by the same algorithm, the only one whose hash the tester lists. The
 * peer's AUTH has method 14, an AlgorithmIdentifier in its preferred form, and a signature that verifies with the
 * certificate it sent; it accepts ours, and traffic passes both ways.
 * Note: the form of the identifier is a SHOULD, so another encoding of the same is tolerated.
 */
for (const peer of ["responder", "initiator"] as const)
  for (const [key, schemes] of SCHEMES)
    for (const scheme of schemes)
      test(`${peer}-signs-and-verifies-by-${scheme}-with-${key}`, {
        requirements: [
          ...["SIGAUTH-02", "SIGAUTH-03", "SIGAUTH-04", "SIGAUTH-05", "SIGAUTH-08", "SIGAUTH-20"],
          ...(MORE[scheme] ?? []),
        ],
        peer,
        lies: ["spoils-its-signature", "keeps-to-the-old-methods"],
        config: bothSign(key, { scheme }),
      }, async (s) => {
        s.policy.signatureHashes = [schemeByName(scheme).hash];
        const session = await s.establish(peer);
        const { identifier, scheme: used } = signatureData(peersAuth(s, peer));
        expect(used?.name).to.equal(scheme);
        await session.proveTraffic();
        const form = hex(identifier);
        if (!preferred(scheme).includes(form))
          s.tolerate(`AlgorithmIdentifier ${form}; section 3 prefers another`);
      });
