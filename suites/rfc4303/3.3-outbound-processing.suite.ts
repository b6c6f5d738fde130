import {
  equal,
  expectEcho,
  feignNat,
  ikeReceived,
  NOTIFY,
  require,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

for (const peer of ["responder", "initiator"] as const) {
  /**
   * In transport mode ESP is applied to whole datagrams, and what is too long for the path is cut afterwards. The tester's
   * echo request of 3000 octets, and the peer's answer, are one ESP packet each, which holds all of it.
   */
  test(`as-${peer}-applies-transport-mode-to-whole-datagrams`, {
    requirements: ["ESP-28"],
    peer,
    lies: ["applies-transport-mode-to-fragments"],
    config: { mode: "transport" },
  }, async (s) => {
    const session = await s.establish(peer);
    await expectEcho(session, "an echo request of 56 octets");
    const since = s.mark();
    await expectEcho(session, "an echo request of 3000 octets", { size: 3000 });
    const octets = s.trace.entries
      .slice(since)
      .flatMap(({ event }) => (event.type === "esp-received" ? [event.inner?.payload.length ?? 0] : []));
    require(octets.includes(3008), "one ESP packet with 3008 octets of ICMP", octets.join(", "));
  });

  /**
   * The peer is made to believe that the tester is behind a NAT, so that ESP travels in UDP on port 4500. There an SPI of
   * zero would be the mark of IKE: whatever begins with four zeros must be an IKE message of
   * this IKE SA.
   */
  test(`as-${peer}-sends-no-spi-of-zero-in-udp`, {
    requirements: ["ESP-NAT-01"],
    peer,
    lies: ["sends-an-spi-of-zero-in-udp"],
  }, async (s) => {
    feignNat(s, peer === "responder" ? "request" : "response");
    const session = await s.establish(peer);
    if (!session.sa.announced.has(NOTIFY.NAT_DETECTION_SOURCE_IP))
      throw new Unsupported("the peer sends no NAT detection notifies");
    const since = s.mark();
    await session.proveTraffic();
    const raw = s.received(since).filter(({ protocol }) => protocol === "esp");
    require(raw.length === 0, "ESP in UDP", `${raw.length} packets of IP protocol 50`);
    const ours = (octets: Uint8Array) => equal(octets.subarray(0, 8), session.sa.spiI);
    require(ikeReceived(s, since).every(ours), "IKE of this IKE SA behind four zeros", "something else");
  });
}
