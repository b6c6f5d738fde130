import { constants, type KeyObject, sign } from "node:crypto";
import { ed448ph } from "@noble/curves/ed448.js";
import { ed25519ph } from "@noble/curves/ed25519.js";
import {
  AUTH_METHOD,
  bothSign,
  concat,
  expectOnlyGoodServed,
  fromHex,
  type KeyKind,
  type OwnSignature,
  oldMethods,
  type SchemeName,
  schemeByName,
  signatureAuthData,
  signOtherwise,
  test,
  triesAnew,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

const turned = (octets: Uint8Array, at: number): Uint8Array =>
  octets.map((octet, i) => (i === (at + octets.length) % octets.length ? octet ^ 1 : octet));

/** AUTH data as it ought to be. */
const right = ({ identifier, value }: OwnSignature): Uint8Array => signatureAuthData(identifier, value);

const signedBy =
  (scheme: SchemeName) =>
  ({ key, octets, random }: OwnSignature): Uint8Array => {
    const { algorithmIdentifier, sign: make } = schemeByName(scheme);
    return signatureAuthData(algorithmIdentifier, make(key, octets, random));
  };

const pss = (hash: string, saltLength: number) => (own: OwnSignature) =>
  sign(hash, own.octets, { key: own.key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });

/** As the older method of the key signs. */
const oldSignature = ({ key, octets, random }: OwnSignature): Uint8Array =>
  oldMethods.find(({ fits }) => fits(key))?.sign(key, octets, random) ?? octets;

/** The secret of an EdDSA key. */
const seed = (key: KeyObject): Uint8Array => Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url");

const PSS_DEFAULTS = fromHex("300d06092a864886f70d01010a3000");
const MD5_WITH_RSA = fromHex("300d06092a864886f70d0101040500");

interface Fault {
  key: KeyKind;
  scheme: SchemeName;
  requirements: readonly string[];
  make: (own: OwnSignature) => Uint8Array;
  /** Not set: 14. */
  method?: number;
}

/** How the peer signs is no matter here. */
const weSign = (key: KeyKind, scheme: SchemeName) => ({
  ...bothSign(key),
  testerAuth: { method: "signature", key, scheme } as const,
});

const rsa = { key: "rsa2048", scheme: "rsa-pss-sha256", requirements: ["SIGAUTH-29"] } as const;
const ecdsa = { key: "ecdsa256", scheme: "ecdsa-sha256", requirements: ["SIGAUTH-29"] } as const;

const FAULTS: Record<string, Fault> = {
  "a-bit-of-the-rsa-signature-turned": {
    ...rsa,
    make: (own) => signatureAuthData(own.identifier, turned(own.value, 9)),
  },
  "a-bit-of-the-ecdsa-signature-turned": {
    ...ecdsa,
    make: (own) => signatureAuthData(own.identifier, turned(own.value, -1)),
  },
  "a-bit-of-the-ed25519-signature-turned": {
    ...{ key: "ed25519", scheme: "ed25519", requirements: ["SIGAUTH-29"] },
    make: (own) => signatureAuthData(own.identifier, turned(own.value, 9)),
  },
  "a-bit-of-the-algorithm-turned": {
    ...rsa,
    make: (own) => signatureAuthData(turned(own.identifier, 12), own.value),
  },
  "an-algorithm-length-past-the-end": { ...rsa, make: (own) => right(own).subarray(0, 40) },
  "nothing-behind-the-algorithm": {
    ...rsa,
    make: (own) => signatureAuthData(own.identifier, new Uint8Array()),
  },
  "octets-behind-the-signature": {
    ...{ ...rsa, requirements: ["SIGAUTH-03"] },
    make: (own) => concat(right(own), new Uint8Array(4)),
  },
  "the-identifier-of-another-key": {
    ...{ ...rsa, requirements: ["SIGAUTH-08"] },
    make: (own) => signatureAuthData(schemeByName("ecdsa-sha256").algorithmIdentifier, own.value),
  },
  "r-and-s-in-place-of-der": {
    ...ecdsa,
    make: (own) => signatureAuthData(own.identifier, oldSignature(own)),
  },
  "another-salt-than-the-parameters-say": {
    ...rsa,
    make: (own) => signatureAuthData(own.identifier, pss("sha256", 0)(own)),
  },
  "a-prehashed-ed25519-signature": {
    ...{ key: "ed25519", scheme: "ed25519", requirements: ["SIGAUTH-22"] },
    make: ({ identifier, key, octets }) => signatureAuthData(identifier, ed25519ph.sign(octets, seed(key))),
  },
  "a-prehashed-ed448-signature": {
    ...{ key: "ed448", scheme: "ed448", requirements: ["SIGAUTH-22"] },
    make: ({ identifier, key, octets }) => signatureAuthData(identifier, ed448ph.sign(octets, seed(key))),
  },
  "sha1-and-rsa": { ...rsa, requirements: ["SIGAUTH-13", "SIGAUTH-30"], make: signedBy("rsa-pkcs1-sha1") },
  "sha1-and-ecdsa": { ...ecdsa, requirements: ["SIGAUTH-13", "SIGAUTH-30"], make: signedBy("ecdsa-sha1") },
  "sha1-and-the-default-parameters-of-pss": {
    ...{ ...rsa, requirements: ["SIGAUTH-13", "SIGAUTH-30"] },
    make: (own) => signatureAuthData(PSS_DEFAULTS, pss("sha1", 20)(own)),
  },
};

/** Faults that no text has the verifier look for. */
const LENIENCIES: Record<string, Fault & { reason: string }> = {
  "an-old-method": {
    ...{ ...rsa, requirements: ["SIGAUTH-02"] },
    make: oldSignature,
    method: AUTH_METHOD.RSA_DIGITAL_SIGNATURE,
    reason: "accepts method 1 although both ends announced hashes; section 3 has method 14 used",
  },
  "md5-and-rsa": {
    ...{ ...rsa, requirements: ["SIGAUTH-19"] },
    make: ({ octets, key }) => signatureAuthData(MD5_WITH_RSA, sign("md5", octets, key)),
    reason: "accepts MD5, which it cannot have announced; section 4 binds the signer only",
  },
  "an-algorithm-length-of-zero": {
    ...{ ...rsa, requirements: ["SIGAUTH-03"] },
    make: (own) => concat(Uint8Array.of(0), right(own).subarray(1)),
    reason: "does not look at the length of the AlgorithmIdentifier",
  },
};

/**
 * The AUTH of the tester has this fault. The peer must not accept it: as responder it answers with
 * AUTHENTICATION_FAILED, as initiator it gives the IKE SA up. The same without the fault serves it.
 * Note: the notify is a SHOULD of RFC 7296 section 2.21.2, so another error and silence are tolerated.
 */
for (const peer of ROLES)
  for (const [fault, { key, scheme, requirements, make }] of Object.entries(FAULTS))
    test(`${peer}-refuses-${fault}`, {
      requirements: [...new Set([...requirements, "SIGAUTH-29"])],
      peer,
      lies: ["accepts-wrong-auth"],
      config: weSign(key, scheme),
    }, async (s) => {
      await expectOnlyGoodServed(s, peer, signOtherwise(peer, make));
    });

/**
 * The AUTH of the tester is not as RFC 7427 asks, and its signature is wrong as well: the peer must refuse it. With
 * a signature that is right it best refuses it, too.
 * Note: no text has the receiver refuse the latter, so a peer that takes it is tolerated.
 */
for (const peer of ROLES)
  for (const [fault, { key, scheme, requirements, make, method, reason }] of Object.entries(LENIENCIES))
    test(`${peer}-refuses-a-wrong-signature-by-${fault}`, {
      requirements: [...requirements, "SIGAUTH-29"],
      peer,
      lies: ["accepts-wrong-auth"],
      config: weSign(key, scheme),
    }, async (s) => {
      await expectOnlyGoodServed(
        s,
        peer,
        signOtherwise(peer, (own) => turned(make(own), -9), method),
      );
      signOtherwise(peer, make, method)(s);
      if (await triesAnew(s, peer)) s.tolerate(reason);
    });

/** The tester repeats the AUTH of an earlier IKE SA, which covers other nonces. The peer must refuse it. */
for (const peer of ROLES)
  test(`${peer}-refuses-the-signature-of-an-earlier-ike-sa`, {
    requirements: ["SIGAUTH-29"],
    peer,
    lies: ["accepts-wrong-auth"],
    config: bothSign("ecdsa256"),
  }, async (s) => {
    let first: Uint8Array | undefined;
    const keep = signOtherwise(peer, (own) => {
      first ??= right(own);
      return right(own);
    })(s);
    await s.establish(peer);
    keep();
    await s.arena.driver.reset();
    await expectOnlyGoodServed(
      s,
      peer,
      signOtherwise(peer, (own) => first ?? right(own)),
    );
  });
