import {
  EXCHANGE,
  encodeMessage,
  expectNoError,
  hex,
  NOTIFY,
  type OutgoingMessage,
  PAYLOAD,
  type Payload,
  require,
  sealed,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

/** What every implementation must be able to take (section 2). */
const MUST_TAKE = 1280;

const vendor = (octets: number): Payload => ({
  ...{ kind: "VendorID", type: PAYLOAD.VENDOR_ID, data: new Uint8Array(octets).fill(0x76) },
});

function fillUp({ header, payloads }: OutgoingMessage): void {
  const bare = encodeMessage({ header, payloads: [...payloads, vendor(0)] });
  payloads.push(vendor(MUST_TAKE - bare.length));
}

/**
 * Our IKE_SA_INIT request is filled up to 1280 octets with a Vendor ID. The peer must be able to receive and process
 * a message of that length: the IKE SA and its Child SA come up.
 */
test("takes-an-ike-sa-init-request-of-1280-octets", {
  requirements: ["IKEV2-050"],
  peer: "responder",
  lies: ["drops-messages-over-1200-octets"],
}, async (s) => {
  s.change(EXCHANGE.IKE_SA_INIT, fillUp);
  await s.dial();
});

/** The peer initiates, and our IKE_SA_INIT response is filled up in the same way: both SAs come up. */
test("takes-an-ike-sa-init-response-of-1280-octets", {
  requirements: ["IKEV2-050"],
  peer: "initiator",
  lies: ["drops-messages-over-1200-octets"],
}, async (s) => {
  s.change(EXCHANGE.IKE_SA_INIT, fillUp, "response");
  await s.accept();
});

for (const peer of ["responder", "initiator"] as const) {
  /**
   * An INFORMATIONAL request holds a Vendor ID that fills the protected message up to 1280 octets, less what the
   * block size takes. Fragmentation is not offered. The peer must answer without an error.
   */
  test(`as-${peer}-takes-a-protected-request-of-1280-octets`, {
    requirements: ["IKEV2-050"],
    peer,
    lies: ["drops-messages-over-1200-octets"],
  }, async (s) => {
    s.fragmentation();
    const session = await s.establish(peer);
    const bare = sealed(session, { exchangeType: EXCHANGE.INFORMATIONAL, payloads: [vendor(0)] });
    const room = MUST_TAKE - bare.length;
    expectNoError(await session.informational(vendor(room - (room % 16))));
  });
}

/**
 * We take a NAT to be on the way and send IKE_AUTH from and to the port with the non-ESP marker. Everything that
 * the peer sends there must begin with the marker, four octets of zero. Unsupported where the peer does without NAT
 * traversal, which is optional.
 */
test("puts-the-non-esp-marker-before-ike", {
  requirements: ["IKEV2-052"],
  peer: "responder",
  lies: ["omits-the-non-esp-marker"],
}, async (s) => {
  s.decide("NAT detection", "always");
  const { sa } = await s.init();
  if (!sa.announced.has(NOTIFY.NAT_DETECTION_SOURCE_IP))
    throw new Unsupported("the peer sends no NAT detection notifies");
  const { failure } = await s.tryAuth(sa);
  const came = s.received().filter(({ protocol, destination, data }) => {
    return protocol === "udp" && destination.port === s.arena.natPort && data.length > 1;
  });
  require(came.length > 0, "an answer on the port with the marker", failure ?? "none");
  const markers = came.map(({ data }) => hex(data.subarray(0, 4)));
  require(markers.every((m) => m === "00000000"), "a non-ESP marker", `datagrams that begin with ${markers}`);
  require(failure === undefined, "an established IKE SA", failure ?? "");
});
