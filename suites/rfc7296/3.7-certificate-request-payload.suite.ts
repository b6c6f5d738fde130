import {
  bothSign,
  CERT_ENCODING,
  EXCHANGE,
  hex,
  issuerHash,
  type OutgoingMessage,
  type PeerRole,
  payload,
  peersInit,
  peersProof,
  require,
  type Script,
  test,
  trustedCa,
  Unsupported,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

/** A responder asks in IKE_SA_INIT, an initiator in IKE_AUTH. */
const asked = (s: Script, peer: PeerRole) =>
  payload(
    peer === "responder" ? peersInit(s, peer) : s.exchange(EXCHANGE.IKE_AUTH, "peer").request.payloads,
    "CERTREQ",
  );

for (const peer of ROLES) {
  /**
   * The peer trusts one CA, and asks for a certificate: CERTREQ has encoding 4 and hashes of 20 octets, that of the
   * public key of the CA among them.
   * Note: nobody has to ask; a peer that does not is unsupported, and one whose CERTREQ is empty tolerated.
   */
  test(`${peer}-asks-for-a-certificate-of-its-ca`, {
    requirements: ["IKEV2-320"],
    peer,
    lies: ["asks-for-certificates-of-another-ca", "cuts-the-hashes-of-certreq"],
    config: bothSign("ecdsa256"),
  }, async (s) => {
    await s.establish(peer);
    const request = asked(s, peer);
    if (!request) throw new Unsupported("the peer asks for no certificate");
    if (request.data.length === 0)
      return s.tolerate("CERTREQ names no CA; section 3.7 has it list those it trusts");
    const hashes: string[] = hex(request.data).match(/.{1,40}/g) ?? [];
    const ours = hex(issuerHash(await trustedCa()));
    const right = request.encoding === CERT_ENCODING.X509_SIGNATURE && request.data.length % 20 === 0;
    require(right &&
      hashes.includes(ours), `encoding 4 with the hash ${ours}`, `${request.encoding}: ${hashes}`);
  });

  /**
   * The CERTREQ of the tester names a CA that nobody knows. That is a hint and no error: the peer authenticates itself
   * nevertheless, with a certificate or without.
   */
  test(`${peer}-authenticates-where-an-unknown-ca-is-asked-for`, {
    requirements: ["IKEV2-263"],
    peer,
    lies: ["gives-up-for-an-unknown-ca"],
    config: bothSign("ecdsa256"),
  }, async (s) => {
    const stranger = ({ payloads }: OutgoingMessage) => {
      const request = payload(payloads, "CERTREQ");
      if (request) request.data = new Uint8Array(20).fill(0xca);
    };
    if (peer === "responder") s.change(EXCHANGE.IKE_AUTH, stranger);
    else s.change(EXCHANGE.IKE_SA_INIT, stranger, "response");
    const proof = await peersProof(s, peer);
    require(proof !== undefined, "AUTH of the peer", s.lastReason());
  });
}
