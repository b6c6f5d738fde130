import {
  allowOnlyAnotherGroup,
  distinctRequests,
  EXCHANGE,
  expect,
  expectNoSwitch,
  expectNotify,
  Failure,
  ikeProposals,
  initExchange,
  NOTIFY,
  type NotifyPayload,
  notifies,
  payload,
  require,
  type SeenMessage,
  TRANSFORM,
  test,
} from "../../harness/script/index.ts";

const MODP2048 = 14;
/** All that an SA payload offers, without regard to the order of transforms. */
const offerOf = (message: SeenMessage): unknown[] =>
  (payload(message.payloads, "SA")?.proposals ?? []).map(({ number, protocolId, transforms }) => ({
    ...{ number, protocolId },
    transforms: transforms.map((t) => JSON.stringify([t.type, t.id, t.attributes])).sort(),
  }));

/** Two octets with a group of the offer. */
function expectGroupOf(request: SeenMessage, named: NotifyPayload | undefined): void {
  const { data } = named ?? { data: new Uint8Array() };
  require(data.length === 2, "INVALID_KE_PAYLOAD with two octets", `${data.length} octets`);
  const proposals = payload(request.payloads, "SA")?.proposals ?? [];
  const offered = proposals.flatMap((p) =>
    p.transforms.filter((t) => t.type === TRANSFORM.KE).map((t) => t.id),
  );
  const group = ((data[0] ?? 0) << 8) | (data[1] ?? 0);
  require(offered.includes(group), `a group that was offered: ${offered.join(", ")}`, `group ${group}`);
}

/** MODP-3072, which no configuration of the lab holds. */
const UNOFFERED = 15;

/**
 * We offer two groups and send a KE payload of the one that the peer does not allow. It must answer with
 * INVALID_KE_PAYLOAD and, in two octets, the group it wants; with that group the IKE SA comes up.
 */
test("names-the-group-it-wants", {
  requirements: ["IKEV2-256", "IKEV2-016"],
  peer: "responder",
  lies: ["refuses-another-group-at-once", "names-group-in-four-octets", "names-a-group-that-was-not-offered"],
  config: { ikeProposals: ["aes256-sha256-modp2048"] },
}, async (s) => {
  s.policy.ike = ikeProposals("aes256-sha256-x25519-modp2048");
  const { sa, failure } = await s.tryDial();
  const { request, response } = initExchange(s);
  expectNotify(response, NOTIFY.INVALID_KE_PAYLOAD);
  const [wanted] = notifies(response?.payloads ?? [], NOTIFY.INVALID_KE_PAYLOAD);
  expectGroupOf(request, wanted);
  require(failure === undefined, "an IKE SA with the named group", failure ?? "");
  expect(sa.suite?.group, "group of the IKE SA").to.equal(MODP2048);
});

/**
 * The peer initiates; we allow only another group than that of its KE payload and say so with INVALID_KE_PAYLOAD. It must repeat its request
 * with a KE payload of that group and with its full list of proposals, so that nobody on the way can make it offer
 * less. Note: the order of the transforms is its own affair; some put the named group first.
 */
test("retries-with-the-named-group-and-its-full-offer", {
  requirements: ["IKEV2-004", "IKEV2-005", "IKEV2-063"],
  peer: "initiator",
  lies: ["gives-up-on-invalid-ke", "offers-less-after-invalid-ke"],
}, async (s) => {
  await allowOnlyAnotherGroup(s);
  await s.untilRepeated(() => s.trace.childSas().length > 0);
  const [first, second] = distinctRequests(s, EXCHANGE.IKE_SA_INIT);
  if (!first || !second) throw new Failure("a request with another group", s.lastReason());
  const allowed = s.policy.ike[0]?.transforms.find((t) => t.type === TRANSFORM.KE)?.id;
  expect(payload(second.payloads, "KE")?.group, "group of the repeated KE payload").to.equal(allowed);
  expect(offerOf(second), "offer of the repeated request").to.deep.equal(offerOf(first));
  expect(second.header.messageId, "Message ID of the repeated request").to.equal(0);
});

/**
 * The peer initiates, and INVALID_KE_PAYLOAD names a group that it never offered, as somebody on the way could
 * forge it. No KE payload of that group may follow, for none may be of a group that the SA payload does not name.
 */
test(
  "does-not-switch-to-a-group-it-did-not-offer",
  {
    requirements: ["IKEV2-006", "IKEV2-254"],
    peer: "initiator",
    lies: ["switches-to-any-group"],
  },
  (s) => expectNoSwitch(s, UNOFFERED),
);
