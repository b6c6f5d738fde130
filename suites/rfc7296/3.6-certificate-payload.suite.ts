import {
  bothSign,
  type CertificateWishes,
  certificate,
  changeCertificates,
  expectOnlyGoodServed,
  foreignCertificate,
  ownCredential,
  peersAuth,
  signatureData,
  test,
  triesAnew,
  withCredential,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

interface Fault {
  wishes: CertificateWishes;
  lie: string;
}

const FAULTS: Record<string, Fault> = {
  "an-expired-certificate": { wishes: { validity: "expired" }, lie: "accepts-an-expired-certificate" },
  "a-certificate-before-its-time": {
    wishes: { validity: "not yet valid" },
    lie: "accepts-a-certificate-before-its-time",
  },
  "a-certificate-of-another-name": {
    wishes: { names: ["somebody-else.example"] },
    lie: "accepts-a-certificate-of-another-name",
  },
  "a-certificate-whose-signature-is-broken": {
    wishes: { signature: "broken" },
    lie: "accepts-a-certificate-with-a-broken-signature",
  },
  "a-certificate-of-an-unknown-ca": {
    wishes: { issuer: "unknown" },
    lie: "accepts-a-certificate-of-an-unknown-issuer",
  },
  "a-self-signed-certificate": {
    wishes: { issuer: "itself" },
    lie: "accepts-a-certificate-of-an-unknown-issuer",
  },
  "a-certificate-without-the-ca-between": {
    wishes: { intermediate: "missing" },
    lie: "accepts-a-certificate-of-an-unknown-issuer",
  },
  "a-certificate-issued-by-no-ca": {
    wishes: { intermediate: "is no CA" },
    lie: "accepts-a-certificate-issued-by-no-ca",
  },
  "a-certificate-below-an-expired-ca": {
    wishes: { intermediate: "expired" },
    lie: "accepts-an-expired-certificate",
  },
  "a-certificate-with-an-unknown-critical-extension": {
    wishes: { extension: "unknown critical" },
    lie: "accepts-an-unknown-critical-extension",
  },
  "a-certificate-for-code-signing-only": {
    wishes: { usage: "code signing" },
    lie: "accepts-a-certificate-for-another-use",
  },
  "a-certificate-not-for-signatures": {
    wishes: { usage: "no signature" },
    lie: "accepts-a-certificate-for-another-use",
  },
};

/**
 * The tester proves itself with this certificate, and a signature that is right. The peer must not accept it: as
 * responder it answers with AUTHENTICATION_FAILED, as initiator it gives the IKE SA up (RFC 5280 section 6.1, RFC
 * 4945 section 5). The same name with a good certificate serves it.
 * Note: the notify is a SHOULD of section 2.21.2, so another error and silence are tolerated.
 */
for (const peer of ROLES)
  for (const [fault, { wishes, lie }] of Object.entries(FAULTS))
    test(`${peer}-refuses-${fault}`, {
      requirements: ["IKEV2-001", peer === "responder" ? "IKEV2-188" : "IKEV2-189"],
      peer,
      lies: [lie],
      config: bothSign("ecdsa256"),
    }, async (s) => {
      const credential = await ownCredential(s, wishes);
      await expectOnlyGoodServed(s, peer, withCredential(credential), fault.replaceAll("-", " "));
    });

/** The tester sends its certificate and that of the CA between it and the root. The peer accepts it. */
for (const peer of ROLES)
  test(`${peer}-accepts-a-certificate-below-another-ca`, {
    requirements: ["IKEV2-261"],
    peer,
    lies: ["reads-one-certificate-only"],
    config: bothSign("ecdsa256"),
  }, async (s) => {
    withCredential(await ownCredential(s, { intermediate: "good" }))(s);
    const session = await s.establish(peer);
    await session.proveTraffic();
  });

for (const peer of ROLES) {
  /**
   * The first CERT payload of the tester is the good certificate of somebody else, the second one its own. The first
   * must have the key that AUTH is made with, which the peer best insists on; it must refuse where there is no other.
   * Note: no text has the receiver refuse it; a peer that finds the key in the second CERT is tolerated.
   */
  test(`${peer}-refuses-the-certificate-of-somebody-else`, {
    requirements: ["IKEV2-003"],
    peer,
    lies: ["accepts-wrong-auth"],
    config: bothSign("ecdsa256"),
  }, async (s) => {
    const foreign = certificate(await foreignCertificate(s));
    await expectOnlyGoodServed(
      s,
      peer,
      changeCertificates(peer, () => [foreign]),
    );
    changeCertificates(peer, (certs) => [foreign, ...certs])(s);
    if (await triesAnew(s, peer))
      s.tolerate("takes the key of the second CERT; section 3.6 has it in the first");
  });

  /** The AUTH of the peer verifies with its first CERT payload, whatever else it sends. */
  test(`${peer}-sends-its-own-certificate-first`, {
    requirements: ["IKEV2-003", "IKEV2-264"],
    peer,
    lies: ["sends-another-certificate-first", "sends-no-certificate"],
    config: bothSign("ecdsa256"),
  }, async (s) => {
    await s.establish(peer);
    signatureData(peersAuth(s, peer));
  });

  /**
   * The tester, which nobody has told that it may, sends a hash and the URL in place of its certificate.
   * Nothing answers there. The peer must not accept it, and answers later.
   */
  for (const [name, encoding] of Object.entries({ certificate: 12, bundle: 13 }))
    test(`${peer}-refuses-the-hash-and-url-of-a-${name}`, {
      requirements: ["IKEV2-001"],
      peer,
      lies: ["accepts-wrong-auth"],
      config: bothSign("ecdsa256"),
    }, async (s) => {
      const url = new TextEncoder().encode("http://192.0.2.1/certificate");
      const data = Uint8Array.from([...new Uint8Array(20).fill(7), ...url]);
      await expectOnlyGoodServed(
        s,
        peer,
        changeCertificates(peer, () => [certificate(data, encoding)]),
      );
    });
}
