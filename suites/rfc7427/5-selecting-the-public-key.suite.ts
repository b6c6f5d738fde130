import { secp256k1 } from "@noble/curves/secp256k1.js";
import {
  bothSign,
  certificate,
  changeCertificates,
  EXCHANGE,
  errorNotify,
  listPayloads,
  NOTIFY,
  ownCredential,
  require,
  schemeByName,
  signatureAuthData,
  signOtherwise,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

/**
 * The tester has a good certificate for a key on secp256k1, which IKE has no use for, and signs with it by ECDSA. A peer
 * that does not support such keys says AUTHENTICATION_FAILED; an ordinary key serves it.
 * Note: another error notify is tolerated, and a peer that takes such keys has nothing to refuse.
 */
test("responder-says-that-it-does-not-support-a-key", {
  requirements: ["SIGAUTH-17"],
  peer: "responder",
  lies: ["says-nothing-of-an-unknown-key"],
  config: bothSign("ecdsa256"),
}, async (s) => {
  const { key, chain } = await ownCredential(s, { key: "secp256k1" });
  const scalar = Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url");
  const { algorithmIdentifier } = schemeByName("ecdsa-sha256");
  const auth = signOtherwise("responder", ({ octets }) =>
    signatureAuthData(algorithmIdentifier, secp256k1.sign(octets, scalar, { format: "der", lowS: false })),
  )(s);
  const certs = changeCertificates("responder", () => chain.map((data) => certificate(data)))(s);
  const { failure } = await s.tryDial();
  if (!failure) throw new Unsupported("the peer supports keys on secp256k1");
  const { response } = s.exchange(EXCHANGE.IKE_AUTH);
  const error = errorNotify(response?.payloads ?? [])?.notifyType;
  require(error !== undefined, "N(AUTHENTICATION_FAILED)", listPayloads(response));
  for (const undo of [auth, certs]) undo();
  await s.dial();
  if (error !== NOTIFY.AUTHENTICATION_FAILED) s.tolerate(`refuses with ${listPayloads(response)}`);
});
