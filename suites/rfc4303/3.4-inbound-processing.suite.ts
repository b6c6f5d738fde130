import {
  expectAlive,
  expectEcho,
  expectSilence,
  expectTraffic,
  isDelivered,
  NOTIFY,
  replies,
  require,
  selector,
  sendEcho,
  test,
  Unsupported,
} from "../../harness/script/index.ts";

for (const peer of ["responder", "initiator"] as const) {
  /**
   * A second Child SA is for a part of the tester's prefix only. An echo request from outside of that part, sent
   * through it, must be discarded, although the first Child SA would carry both the request and its answer
   * (RFC 4301 section 5.2). The peer may say INVALID_SELECTORS inside of the IKE SA.
   */
  test(`as-${peer}-discards-inner-packets-outside-the-selectors`, {
    requirements: ["ESP-48"],
    peer,
    lies: ["delivers-outside-the-selectors"],
  }, async (s) => {
    const session = await s.establish(peer);
    const wide = session.child;
    const narrow = await session.tryCreateChild({ localTs: [selector("203.0.113.8/29")] });
    if (typeof narrow === "string") {
      await expectAlive(session);
      throw new Unsupported(`no Child SA for a part of the selectors: ${narrow}`);
    }
    await expectEcho(session, "a packet within the selectors", { child: narrow, from: "203.0.113.9" });
    const outside = sendEcho(session, { child: narrow, from: s.arena.inner.tester });
    await s.wait();
    const delivered = replies(session, outside, false) > 0;
    require(!delivered, "a packet outside the selectors dropped", "an echo reply");
    await expectEcho(session, "the same packet through the first Child SA", { child: wide });
  });

  /**
   * ESP inside of UDP port 4500 and, where the lab has it, as IP protocol 50 are both taken at any time, whatever was
   * found about NATs, by everybody who sends NAT detection notifies (RFC 7296 section 2.23).
   * Note: Linux kernels drop what is encapsulated in another way than their SA was set up for.
   */
  test(`as-${peer}-takes-esp-raw-and-in-udp`, {
    requirements: ["ESP-NAT-06"],
    peer,
    lies: ["refuses-esp-in-udp"],
  }, async (s) => {
    const session = await s.establish(peer);
    if (!session.sa.announced.has(NOTIFY.NAT_DETECTION_SOURCE_IP))
      throw new Unsupported("the peer sends no NAT detection notifies");
    await expectTraffic(session, "the Child SA came up");
    require(await isDelivered(session, { over: "udp" }), "ESP in UDP delivered", "no echo reply");
    if (s.arena.rawEsp) await expectEcho(session, "ESP as IP protocol 50", { over: "esp" });
    await expectTraffic(session, "ESP in another encapsulation");
  });

  /**
   * Three NAT keepalives, each one octet ff on port 4500, are ignored: no answer, and traffic goes on. A keepalive of
   * the peer's own may come at any time.
   */
  test(`as-${peer}-ignores-nat-keepalives`, {
    requirements: ["ESP-NAT-03"],
    peer,
    lies: ["reflects-strays"],
  }, async (s) => {
    const session = await s.establish(peer);
    const { local, remote, natPort, remoteNatPort } = s.arena;
    const keepalive = () =>
      s.host.send({
        protocol: "udp",
        source: { host: local.host, port: natPort },
        destination: { host: remote.host, port: remoteNatPort },
        data: Uint8Array.of(0xff),
      });
    const since = s.mark();
    const three = () => {
      for (let i = 0; i < 3; i++) keepalive();
    };
    await expectSilence(s, three, () => expectTraffic(session, "keepalives"));
    const back = s.trace.entries.slice(since).filter(({ event }) => event.type === "keepalive").length;
    require(back < 3, "no keepalive for each of ours", `${back} of them`);
  });
}
