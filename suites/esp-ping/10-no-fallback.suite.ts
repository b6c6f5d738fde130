import { NEXT_HEADER } from "../../harness/esp/sa.ts";
import {
  announceEspEcho,
  echoSession,
  expectAnnounced,
  expectTraffic,
  numbersOf,
  peerPlainProbes,
  peerProbes,
  plainFromPeer,
  readU32,
  require,
  type Script,
  test,
} from "../../harness/script/index.ts";
import { demultiplex } from "../../harness/wire/udp.ts";

/** Datagrams that came since the mark and are neither IKE, nor ESP of an SA of ours, nor an echo, nor a keepalive. */
function strays(s: Script, since: number): number {
  const { request, reply } = numbersOf(s).spi;
  const known = [request, reply, ...s.host.pipes.map(({ inbound }) => inbound.spi)];
  return s.received(since).filter(({ protocol, destination, data }) => {
    if (data.length === 1 || (protocol === "udp" && destination.port === s.arena.local.port)) return false;
    const part = protocol === "esp" ? { kind: "esp", data } : demultiplex(data);
    if (part.kind !== "esp") return part.kind === "short" || destination.port !== s.arena.natPort;
    return !known.includes(readU32(part.data, 0));
  }).length;
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The peer probes, and gets no reply. Then it is told to send traffic: all of it travels inside of ESP, as before,
   * and nothing in clear.
   */
  test(`as-${peer}-sends-nothing-in-clear-when-probes-fail`, {
    requirements: ["ESP-PING-34"],
    peer,
    lies: ["sends-in-clear-when-probes-fail"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const since = s.mark();
    await peerProbes(s, { count: 3 });
    await s.wait();
    await session.proveTraffic();
    const count = strays(s, since);
    require(count === 0, "nothing but IKE and ESP", `${count} other datagrams`);
  });

  /**
   * SAs are up, and the peer probes outside of them, without a reply. What it is told to send afterwards travels inside of
   * ESP all the same.
   */
  test(`as-${peer}-sends-nothing-in-clear-when-plain-probes-fail`, {
    requirements: ["ESP-PING-34", "ESP-PING-C-09"],
    peer,
    revisions: ["M", "C", "C0", "K"],
    lies: ["sends-in-clear-when-probes-fail"],
  }, async (s) => {
    announceEspEcho(s);
    const session = await s.establish(peer);
    expectAnnounced(s, session.sa);
    const since = s.mark();
    await peerPlainProbes(s, { count: 3 });
    await s.wait();
    await session.proveTraffic();
    const count = strays(s, since);
    require(count === 0, "nothing but IKE and ESP", `${count} other datagrams`);
  });

  /**
   * The tester reads all that the peer sends while it sets up its SAs and carries traffic. None of it is on SPI 7 or 8
   * without being an echo: dummy packets have the SPI of their SA.
   */
  test(`as-${peer}-sends-no-dummies-on-the-reserved-spis`, {
    requirements: ["ESP-PING-C-07"],
    peer,
    revisions: ["C", "M"],
    lies: ["sends-dummies-on-spi-7"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectTraffic(session, "the Child SA came up");
    await session.proveTraffic();
    await s.wait();
    const dummies = plainFromPeer(s).length;
    require(dummies === 0, "nothing on SPI 7 and 8", `${dummies} packets`);
  });
}

/**
 * The peer probes without an SA and nobody replies, as where a firewall drops the reserved SPIs alone. It must not take
 * that for proof that no ESP passes: told to, it sets up its SAs, and sends its traffic inside of ESP.
 */
test("begins-its-sas-after-silence-to-plain-probes", {
  requirements: ["ESP-PING-27", "ESP-PING-28", "ESP-PING-34", "ESP-PING-C-06", "ESP-PING-C-09"],
  peer: "initiator",
  revisions: ["M", "C", "C0", "K"],
  lies: ["gives-up-after-silence-to-plain-probes", "sends-in-clear-when-probes-fail"],
}, async (s) => {
  await peerPlainProbes(s, { count: 3 });
  await s.wait();
  const since = s.mark();
  const session = await s.accept();
  await session.proveTraffic();
  const count = strays(s, since);
  require(count === 0, "nothing but IKE and ESP", `${count} other datagrams`);
  const inside = s.trace.entries.some(
    ({ event }) =>
      event.type === "esp-received" && event.result.ok && event.result.nextHeader === NEXT_HEADER.ipv4,
  );
  require(inside, "traffic inside of ESP", "none");
});
