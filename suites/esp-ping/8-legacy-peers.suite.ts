import {
  concat,
  expectAlive,
  expectDiscarded,
  expectIgnored,
  expectNoEcho,
  expectNoInner,
  expectTraffic,
  fromHex,
  notify,
  type Script,
  type Session,
  sendPlainEsp,
  test,
} from "../../harness/script/index.ts";

/** Next Header AGGFRAG_PAYLOAD, which all encrypted echo payloads have. */
const ECHO = 144;
const ROLES = ["responder", "initiator"] as const;
/** The peer is told nothing of the document. */
const config = { drafts: {} };

/** Well-formed echo payloads of all revisions, with an SPI for the reply. */
const echoPayloads = (spi: Uint8Array): Uint8Array[] => [
  concat(fromHex("0280000812340001"), spi, fromHex("6162636465666768")),
  concat(fromHex("0201000812340002"), spi, fromHex("6162636465666768")),
  fromHex("020000081234000300000000" + "6162636465666768"),
  fromHex("0200000812340004" + "6162636465666768"),
  concat(fromHex("0280000012340005"), spi),
  concat(fromHex("0380000812340006"), spi, fromHex("6162636465666768")),
];

/** Payloads behind Next Header 144 that no document explains, and one of congestion control. */
const oddPayloads = (spi: Uint8Array): Uint8Array[] => [
  new Uint8Array(0),
  ...[1, 4, 7, 8, 11].map((length) => fromHex("028000081234000100000000").subarray(0, length)),
  concat(fromHex("0280ffff12340001"), spi, fromHex("61626364")),
  concat(fromHex("0280000012340001"), spi, new Uint8Array(40)),
  concat(fromHex("0480000412340001"), spi, fromHex("61626364")),
  concat(fromHex("ff80000412340001"), spi, fromHex("61626364")),
  concat(fromHex("0280000112340001"), new Uint8Array(4), fromHex("61")),
  fromHex("0100000000000000000000000000000000000000" + "00000000"),
  fromHex("00000000" + "450000140000000040010000cb007101cb007111"),
];

/** Plain echo packets of all revisions: requests and replies, with and without trailer. */
const PLAIN = [
  "00000007000000000280000812340001000000086162636465666768" + "01020290",
  "00000007000000000200000812340001000000006162636465666768" + "01020290",
  "00000008000000000380000812340001000000086162636465666768" + "01020290",
  "000000070000000102000008123400016162636465666768",
  "0000000700000000123400016162636465666768" + "0102023b",
  "0000000800000000123400016162636465666768" + "0102023b",
  "0000000700000000" + "0102023b",
].map(fromHex);

/** Plain packets that are wrong in themselves. */
const MALFORMED = [
  "00000007",
  "0000000700000000",
  "00000007000000",
  "000000070000000002",
  "0000000700000000028000081234",
  "000000070000000002800008123400010000000861626364" + "01020290",
  "00000007000000000280ffff12340001000000086162636465666768" + "01020290",
  "0000000700000000028000041234000100000008" + "61626364" + "0102ff90",
  "00000007000000000280000812340001000000076162636465666768" + "01020290",
  "000000080000000002800008123400010000000861626364656667680102" + "0290",
  "0000000700000000028000081234000100000008616263646566676801020204",
  "000000070000000004800008123400010000000861626364656667680102" + "0290",
].map(fromHex);

const MANY = 300;

for (const peer of ROLES) {
  /**
   * The tester's half of IKE_AUTH and of CREATE_CHILD_SA has ESP_ECHO_SUPPORTED and ENCRYPTED_PING_SUPPORTED. A peer
   * that knows neither ignores them (RFC 7296 section 3.10.1): the Child SAs come up and carry traffic both ways.
   */
  test(`as-${peer}-ignores-the-notifies-of-esp-echo`, {
    requirements: ["ESP-PING-L1"],
    peer,
    config,
    lies: ["drops-messages-with-notifies-of-drafts"],
  }, async (s) => {
    const names = ["ESP_ECHO_SUPPORTED", "ENCRYPTED_PING_SUPPORTED"] as const;
    await expectIgnored(s, peer, ...names.map((name) => notify(s.codePoint(name))));
  });

  /**
   * Encrypted echo requests and a reply, as every revision writes them, on an SA with a peer that announced nothing.
   * Next Header 144 means nothing to it: the packets are dropped, or answered inside of the SA by an ICMP error, and the SA
   * goes on.
   */
  test(`as-${peer}-drops-encrypted-echo-requests`, {
    requirements: ["ESP-PING-L2"],
    peer,
    config,
    lies: ["stops-at-unknown-inner-protocols", "answers-encrypted-echo-requests-unasked"],
  }, async (s) => {
    await expectDropped(s, await s.establish(peer), echoPayloads);
  });

  /** Packets with Next Header 144 that are cut short, lie about their lengths or have other sub-types: dropped just so. */
  test(`as-${peer}-drops-odd-packets-of-the-echo-protocol`, {
    requirements: ["ESP-PING-L2"],
    peer,
    config,
    lies: ["stops-at-unknown-inner-protocols"],
  }, async (s) => {
    await expectDropped(s, await s.establish(peer), oddPayloads);
  });

  /**
   * An encrypted echo request whose sequence number is 2^24 above the last one. Its ICV is right, so the replay window
   * moves with it (RFC 4303 section 3.4.3), whatever is inside: afterwards numbers in between are dropped as too old, and those
   * behind it are taken.
   */
  test(`as-${peer}-moves-its-window-for-an-echo-request`, {
    requirements: ["ESP-PING-L2"],
    peer,
    config,
    lies: ["overlooks-the-numbers-of-unknown-inner-protocols"],
  }, async (s) => {
    const session = await s.establish(peer);
    await expectTraffic(session, "the Child SA came up");
    session.pipe().outbound.counter += 2n ** 24n;
    const [request = new Uint8Array()] = echoPayloads(session.child.spiIn);
    s.host.sendEsp(session.pipe(), request, ECHO);
    await expectNoEcho(session, "a number behind the window", { sequence: 300n }, { sequence: 5000n });
  });

  /**
   * Plain requests and replies of all revisions on SPI 7 and 8, in UDP and, where the lab can, as IP protocol 50, while
   * SAs are up. No SA has these SPIs, so the packets are discarded (RFC 4303 section 3.4.2), or INVALID_SPI comes (RFC
   * 7296 section 1.5); IKE and ESP go on.
   */
  test(`as-${peer}-discards-plain-echo-packets`, {
    requirements: ["ESP-PING-L3"],
    peer,
    config,
    lies: ["answers-plain-echo-requests-unasked", "stops-at-plain-echo-packets"],
  }, async (s) => {
    await expectHarmless(s, await s.establish(peer), PLAIN);
  });
}

/** Plain packets on SPI 7 and 8 that end too soon or lie about their lengths are discarded just so. */
test("discards-malformed-plain-echo-packets", {
  requirements: ["ESP-PING-L3"],
  peer: "responder",
  config,
  lies: ["stops-at-short-plain-packets"],
}, async (s) => {
  await expectHarmless(s, await s.dial(), MALFORMED);
});

/** Some hundred plain requests at once: they are discarded, and both SAs outlive it. */
test("outlives-a-flood-of-plain-echo-requests", {
  requirements: ["ESP-PING-L3"],
  peer: "responder",
  config,
  lies: ["stops-at-the-100th-plain-echo-packet"],
}, async (s) => {
  const flood = Array.from({ length: MANY }, (_, i) => PLAIN[i % 2] ?? new Uint8Array());
  await expectHarmless(s, await s.dial(), flood);
});

/** Plain packets before there is any SA: nothing comes back, and then both SAs come up as ever. */
test("discards-plain-echo-packets-before-any-sa", {
  requirements: ["ESP-PING-L3"],
  peer: "responder",
  config,
  lies: ["answers-plain-echo-requests-unasked", "goes-deaf-after-plain-echo-packets"],
}, async (s) => {
  const since = s.mark();
  sendPlainEsp(s, ...PLAIN, ...MALFORMED);
  await s.wait();
  expectDiscarded(s, since);
  const session = await s.dial();
  await session.proveTraffic();
});

/** Fails if one of these payloads behind Next Header 144 is answered by another, or ends the SAs. */
async function expectDropped(
  s: Script,
  session: Session,
  payloads: (spi: Uint8Array) => Uint8Array[],
): Promise<void> {
  await expectTraffic(session, "the Child SA came up");
  const since = s.mark();
  for (const payload of payloads(session.child.spiIn)) s.host.sendEsp(session.pipe(), payload, ECHO);
  await s.wait();
  await session.proveTraffic();
  expectNoInner(s, ECHO, since);
  await expectAlive(session);
}

/** Fails if one of these packets on SPIs without an SA is answered, or harms the SAs that there are. */
async function expectHarmless(s: Script, session: Session, packets: Uint8Array[]): Promise<void> {
  await expectTraffic(session, "the Child SA came up");
  const since = s.mark();
  sendPlainEsp(s, ...packets);
  await s.wait();
  expectDiscarded(s, since);
  await expectAlive(session);
  await session.proveTraffic();
}
