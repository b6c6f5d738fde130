import {
  EXCHANGE,
  expect,
  expectNoNotify,
  expectNotify,
  NOTIFY,
  notify,
  peerDeletedIke,
  require,
  type Script,
  type SeenMessage,
  Session,
  test,
} from "../../harness/script/index.ts";

/** The peer's part of IKE_AUTH. */
const authOfPeer = (s: Script, peer: "initiator" | "responder"): SeenMessage | undefined =>
  peer === "responder"
    ? s.exchange(EXCHANGE.IKE_AUTH).response
    : s.exchange(EXCHANGE.IKE_AUTH, "peer").request;

for (const peer of ["responder", "initiator"] as const) {
  for (const outer of [4, 6] as const) {
    /**
     * Both ends are set to transport mode. The peer's part of IKE_AUTH says USE_TRANSPORT_MODE, and traffic between
     * the two hosts passes both ways in ESP that holds no IP header of its own.
     */
    test(`as-${peer}-uses-transport-mode-over-ipv${outer}-if-both-want-it`, {
      requirements: ["IKEV2-018"],
      peer,
      lies: ["never-says-use-transport-mode"],
      config: { mode: "transport" },
      outer,
    }, async (s) => {
      const session = await s.establish(peer);
      expectNotify(authOfPeer(s, peer), NOTIFY.USE_TRANSPORT_MODE);
      expect(session.child.mode, "mode of the Child SA").to.equal("transport");
      await session.proveTraffic();
    });
  }
}

/**
 * The peer is set to transport mode, but we do not ask for it. Its response must not say USE_TRANSPORT_MODE; if it
 * accepts the Child SA, that is in tunnel mode.
 */
test("does-not-use-transport-mode-unasked", {
  requirements: ["IKEV2-018", "IKEV2-020"],
  peer: "responder",
  lies: ["insists-on-transport-mode"],
  config: { mode: "transport" },
}, async (s) => {
  s.policy.mode = "tunnel";
  const { sa, childFailure } = await s.tryDial();
  expectNoNotify(authOfPeer(s, "responder"), NOTIFY.USE_TRANSPORT_MODE);
  const refused = childFailure !== undefined;
  require(refused || sa.children[0]?.mode === "tunnel", "tunnel mode or a refusal", s.lastReason());
});

/**
 * We ask for transport mode, and the peer is set to tunnel mode. It should decline by leaving USE_TRANSPORT_MODE out,
 * and then the Child SA is in tunnel mode: traffic passes that way. Note: a peer that refuses the Child SA instead is
 * tolerated, for it may be unable to take it.
 */
test("declines-transport-mode-by-silence", {
  requirements: ["IKEV2-018", "IKEV2-020"],
  peer: "responder",
  lies: ["insists-on-transport-mode"],
}, async (s) => {
  s.policy.mode = "transport";
  const { sa, childFailure } = await s.tryDial();
  if (childFailure) return s.tolerate(`refuses instead of declining: ${childFailure}`);
  expectNoNotify(authOfPeer(s, "responder"), NOTIFY.USE_TRANSPORT_MODE);
  const [child] = s.trace.childSas();
  require(child?.mode === "tunnel", "tunnel mode", child?.mode ?? "no Child SA");
  await new Session(s, sa).proveTraffic();
});

/**
 * The peer asks for transport mode, and our response declines. The peer must either delete the Child SA or the IKE SA,
 * or use the Child SA in tunnel mode: a whole IP packet of ours is answered inside of ESP with a whole IP packet.
 */
test("deletes-the-child-sa-or-takes-tunnel-mode-when-declined", {
  requirements: ["IKEV2-019", "IKEV2-020"],
  peer: "initiator",
  lies: ["takes-transport-mode-for-granted"],
  config: { mode: "transport" },
}, async (s) => {
  s.policy.mode = "tunnel";
  const session = await s.accept().catch(() => undefined);
  const gone = () => peerDeletedIke(s) || s.trace.childSas()[0]?.state === "closed";
  if (gone() || !session) return require(gone(), "a Delete, or tunnel mode", s.lastReason());
  require((await session.ping()) || gone(), "a Delete, or traffic in tunnel mode", "neither");
});

/**
 * Both ends are set to transport mode, and the Child SA is in it. The peer rekeys it on command, and our response
 * declines. It must either delete the new Child SA or the IKE SA, or use the new Child SA in tunnel mode.
 */
test("deletes-the-rekeyed-child-sa-or-takes-tunnel-mode-when-declined", {
  requirements: ["IKEV2-019", "IKEV2-020"],
  peer: "responder",
  lies: ["takes-transport-mode-for-granted"],
  config: { mode: "transport" },
}, async (s) => {
  const session = await s.dial();
  s.decide("transport mode", "never");
  const child = await session.peerRekeysChild();
  const gone = () => peerDeletedIke(s) || child.state === "closed";
  if (await s.until(gone, s.arena.quiet)) return;
  require((await session.ping({ child })) || gone(), "a Delete, or traffic in tunnel mode", "neither");
});

/**
 * Our IKE_AUTH request says ESP_TFC_PADDING_NOT_SUPPORTED. None of the ESP packets of the peer may bear padding for
 * traffic flow confidentiality.
 */
test("sends-no-tfc-padding-to-whom-it-is-no-use", {
  requirements: ["IKEV2-021"],
  peer: "responder",
  lies: ["pads-for-traffic-flow-confidentiality"],
}, async (s) => {
  s.change(EXCHANGE.IKE_AUTH, ({ payloads }) => {
    payloads.push(notify(NOTIFY.ESP_TFC_PADDING_NOT_SUPPORTED));
  });
  const session = await s.dial();
  await session.proveTraffic();
  const padded = s.trace.entries.filter(
    ({ event }) => event.type === "esp-received" && event.result.ok && event.result.tfcLength > 0,
  );
  require(padded.length === 0, "no TFC padding", `${padded.length} padded packets`);
});
