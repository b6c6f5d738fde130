import {
  AUTH_METHOD,
  type AuthInputs,
  authMethods,
  decodeMessage,
  EXCHANGE,
  encodeMessage,
  expectRefusedByInitiator,
  expectRefusedByResponder,
  isFrameError,
  PAYLOAD,
  type PeerRole,
  peersAuth,
  require,
  type Spoil,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;
const SIGNATURE = { method: "signature", key: "rsa2048" } as const;

for (const peer of ROLES) {
  /** The peer has a certificate and the tester the shared secret: each end proves itself in its own way. */
  test(`${peer}-signs-for-a-tester-with-the-shared-secret`, {
    requirements: ["IKEV2-162", ...(peer === "responder" ? ["IKEV2-297"] : [])],
    peer,
    lies: ["proves-itself-by-the-secret-instead", "spoils-its-signature"],
    config: { auth: SIGNATURE },
  }, async (s) => {
    const session = await s.establish(peer);
    const { method } = peersAuth(s, peer);
    require(method !== AUTH_METHOD.SHARED_KEY_MIC, "a signature", authMethods.nameOf(method));
    await session.proveTraffic();
  });

  /** The peer has the shared secret and the tester a certificate. */
  test(`${peer}-proves-the-shared-secret-to-a-tester-with-a-certificate`, {
    requirements: ["IKEV2-162"],
    peer,
    lies: ["cuts-the-secret-after-32-octets"],
    config: { testerAuth: SIGNATURE, psk: "a shared secret of more than thirty-two octets" },
  }, async (s) => {
    const session = await s.establish(peer);
    const { method } = peersAuth(s, peer);
    require(method === AUTH_METHOD.SHARED_KEY_MIC, "a proof by shared secret", authMethods.nameOf(method));
    await session.proveTraffic();
  });

  /** The shared secret has 64 printable octets, all of which count, and no NUL behind them. */
  test(`${peer}-has-a-shared-secret-of-64-octets`, {
    requirements: ["IKEV2-163", "IKEV2-297"],
    peer,
    lies: ["cuts-the-secret-after-32-octets", "adds-a-nul-to-the-secret"],
    config: { psk: "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/" },
  }, async (s) => {
    const session = await s.establish(peer);
    await session.proveTraffic();
  });

  /**
   * The responder, whichever end that is, demands a cookie, so that there are two IKE_SA_INIT requests. AUTH covers the
   * last one: both ends accept each other's.
   */
  test(`${peer}-covers-the-last-request-where-there-was-a-cookie`, {
    requirements: ["IKEV2-159"],
    peer,
    lies: ["covers-the-first-of-the-requests"],
    config: { cookies: "always" },
  }, async (s) => {
    s.policy.cookies = "always";
    const session = await s.establish(peer);
    await session.proveTraffic();
  });
}

/** Puts a Vendor ID into our IKE_SA_INIT message on its way; AUTH covers the message as we made it. */
const addsOnTheWay =
  (peer: PeerRole): Spoil =>
  (s) => {
    let made: Uint8Array | undefined;
    const undo = s.change(
      EXCHANGE.IKE_SA_INIT,
      (message) => {
        message.octets = (octets) => {
          made = octets;
          return [withVendorId(octets)];
        };
      },
      peer === "responder" ? "request" : "response",
    );
    const authOctets = (inputs: AuthInputs) => {
      if (made && inputs.of === inputs.sa.role) inputs.message = made;
    };
    s.extensions.push({ name: "what we made", authOctets });
    return () => {
      undo();
      made = undefined;
    };
  };

function withVendorId(octets: Uint8Array): Uint8Array {
  const message = decodeMessage(octets);
  if (isFrameError(message)) return octets;
  const data = new TextEncoder().encode("added on the way");
  const payloads = [...message.payloads, { kind: "VendorID", type: PAYLOAD.VENDOR_ID, data } as const];
  return encodeMessage({ ...message, payloads });
}

/** Somebody adds a Vendor ID to our IKE_SA_INIT request on its way. AUTH does not fit any more, and the peer refuses. */
test("responder-notices-what-was-added-to-ike-sa-init", {
  requirements: ["IKEV2-160"],
  peer: "responder",
  lies: ["leaves-vendor-ids-out-of-auth"],
}, async (s) => {
  await expectRefusedByResponder(s, addsOnTheWay("responder"), "what was added on the way");
});

/** The same with our IKE_SA_INIT response: the peer gives the IKE SA up. */
test("initiator-notices-what-was-added-to-ike-sa-init", {
  requirements: ["IKEV2-160"],
  peer: "initiator",
  lies: ["leaves-vendor-ids-out-of-auth"],
}, async (s) => {
  await expectRefusedByInitiator(s, addsOnTheWay("initiator"));
});
