import {
  carriers,
  concat,
  defaultPadding,
  echoRevision,
  expectAlive,
  expectNoPlainReply,
  expectPlainForm,
  expectPlainPeer,
  expectPlainReply,
  expectTraffic,
  fromHex,
  listPlain,
  numbersOf,
  plainFromPeer,
  plainReplies,
  plainRequest,
  readU32,
  require,
  type Script,
  sendPlainRequest,
  test,
  Unsupported,
  u32,
  type WantedPlain,
} from "../../harness/script/index.ts";
import type { EchoNumbers } from "../../harness/wire/esp-echo.ts";

type Carrier = NonNullable<WantedPlain["over"]>;

const SMALL = [0, 1, 2, 3, 4, 5, 6, 7, 100, 512];
const SIZES = [...SMALL, 513, 1000, 1400];
const ALL_HOSTS = "224.0.0.1";
/** Every way in which a reply can be misshapen. */
const MISSHAPEN = [
  ...["answers-plain-echo-on-spi-7", "adds-an-icv-to-plain-replies"],
  ...["pads-plain-echoes-beyond-3-octets", "answers-plain-echo-with-next-header-61"],
];

function mindCarrier(s: Script, over: Carrier): void {
  if (!carriers(s).includes(over)) throw new Unsupported("no ESP as IP protocol 50 in this lab");
}

/** A request and its reply, which must be a copy in the form of the text, and come back the way that the request took. */
async function expectPlainEcho(s: Script, wanted: WantedPlain): Promise<void> {
  const { sent, reply, read } = await expectPlainReply(s, wanted);
  expectPlainForm(s, reply);
  const { source, destination, protocol } = reply.datagram;
  require(protocol ===
    sent.datagram.protocol, `a reply over ${sent.datagram.protocol}`, `one over ${protocol}`);
  const [there, back] = [sent.datagram.destination, source].map(({ host, port }) => `${host} ${port}`);
  require(there === back, `a reply from ${there}`, `one from ${back}`);
  require(destination.port ===
    sent.datagram.source.port, "a reply to the port of the request", `${destination.port}`);
  if (echoRevision(s) === "C0") return;
  const same = Buffer.from(read.echo.data).equals(Buffer.from(sent.echo.data));
  require(same, `the ${sent.echo.data.length} octets of Data that were sent`, `${read.echo.data.length} octets`);
}

for (const over of ["esp", "udp"] as const) {
  /**
   * Before there is any IKE message, let alone an SA: a request on SPI 7 with R set and Reply path SPI 8 is answered on
   * SPI 8. The reply has neither IV nor ICV, Next Header 144, no more than 3 octets of padding, and comes back the way
   * of the request. An ESP Sequence Number other than 0 is tolerated.
   */
  test(`answers-before-any-sa-over-${over}`, {
    requirements: [
      ...["ESP-PING-02", "ESP-PING-13", "ESP-PING-22", "ESP-PING-23", "ESP-PING-25", "ESP-PING-26"],
      ...(over === "udp" ? ["ESP-PING-29"] : []),
    ],
    peer: "responder",
    lies: ["answers-plain-echo-beside-an-sa-only", ...MISSHAPEN],
  }, async (s) => {
    mindCarrier(s, over);
    await expectPlainPeer(s, { over });
    await expectPlainEcho(s, { over });
  });

  /** The revisions before the merge, and the prototype, whose packets have no ESP trailer. */
  test(`answers-before-any-sa-over-${over}-in-older-forms`, {
    requirements: ["ESP-PING-C-01", "ESP-PING-C-02", "ESP-PING-C-08"],
    peer: "responder",
    revisions: ["K", "C", "C0"],
    lies: ["answers-plain-echo-on-spi-7", "adds-an-icv-to-plain-replies"],
  }, async (s) => {
    mindCarrier(s, over);
    await expectPlainPeer(s, { over });
    await expectPlainEcho(s, { over });
  });

  /**
   * Data of many sizes, which need 0 to 3 octets of padding, come back as they were. Note: the prototype stops at 512
   * octets of Data, and is asked for no more.
   */
  test(`copies-data-of-any-size-over-${over}`, {
    requirements: ["ESP-PING-11", "ESP-PING-13", "ESP-PING-35", "ESP-PING-C-05"],
    peer: "responder",
    revisions: ["M", "K", "C"],
    lies: ["changes-echo-data", "answers-with-more-than-it-got"],
  }, async (s) => {
    mindCarrier(s, over);
    await expectPlainPeer(s, { over, size: 0 });
    const sizes = echoRevision(s) === "K" ? SMALL : SIZES;
    for (const size of sizes) await expectPlainEcho(s, { over, data: s.arena.random(size) });
  });
}

/** The same over IPv6. */
test("answers-before-any-sa-over-ipv6", {
  requirements: ["ESP-PING-22", "ESP-PING-26"],
  peer: "responder",
  outer: 6,
  revisions: ["M", "K", "C", "C0"],
  lies: ["adds-an-icv-to-plain-replies"],
}, async (s) => {
  await expectPlainPeer(s);
  await expectPlainEcho(s, {});
});

/**
 * In a TCP connection of RFC 9329, before there is any SA: the reply comes back in the same connection. It is not cut
 * to any MTU, for a stream has none.
 */
test("answers-before-any-sa-over-tcp", {
  requirements: ["ESP-PING-29"],
  peer: "responder",
  lies: ["answers-plain-echo-beside-an-sa-only", ...MISSHAPEN],
  config: { transport: "tcp" },
}, async (s) => {
  await expectPlainPeer(s);
  for (const size of [0, 8, 1000, 4000]) await expectPlainEcho(s, { size });
});

/** While SAs are up, plain requests are still answered, and the SAs carry traffic as before. */
test("answers-plain-echo-beside-an-sa", {
  requirements: ["ESP-PING-26", "ESP-PING-29"],
  peer: "responder",
  lies: ["answers-plain-echo-outside-of-encapsulation-only", "stops-at-plain-requests"],
}, async (s) => {
  await expectPlainPeer(s);
  const session = await s.dial();
  await expectTraffic(session, "the Child SA came up");
  for (const over of carriers(s)) await expectPlainEcho(s, { over });
  await expectTraffic(session, "plain requests");
  await expectAlive(session);
});

/**
 * The same octets three times, and numbers in the ESP header that run backwards: SPI 7 has no replay window, and each
 * request is answered.
 */
test("answers-the-same-plain-request-again", {
  requirements: ["ESP-PING-24"],
  peer: "responder",
  lies: ["remembers-plain-requests"],
}, async (s) => {
  await expectPlainPeer(s);
  const since = s.mark();
  const sent = plainRequest(s);
  for (let copy = 0; copy < 3; copy++) s.host.send(sent.datagram);
  await s.until(() => plainReplies(s, sent, since).length >= 3, s.arena.patience / 2);
  const count = plainReplies(s, sent, since).length;
  require(count === 3, "three replies to the same octets three times", `${count}`);
  for (const espSequence of [5, 4, 0xffffffff, 0]) await expectPlainReply(s, { espSequence });
});

/** R is clear: nobody wants a reply, whatever stands in Reply path SPI. */
test("does-not-answer-plain-one-way-probes", {
  requirements: ["ESP-PING-04", "ESP-PING-10"],
  peer: "responder",
  lies: ["answers-one-way-probes"],
}, async (s) => {
  await expectPlainPeer(s);
  const probes = [0, 8, 0xc0ffee02].map((replySpi) => ({ flags: 0, replySpi }));
  await expectNoPlainReply(s, "a one-way probe", ...probes);
});

/**
 * R is set, and Reply path SPI is not 8: a protocol error, to which no reply should come. One on SPI 8 is tolerated,
 * one on any other SPI is not.
 */
test("does-not-take-another-reply-path-for-plain-requests", {
  requirements: ["ESP-PING-15", "ESP-PING-22"],
  peer: "responder",
  lies: ["answers-plain-echo-on-the-spi-it-names"],
}, async (s) => {
  await expectPlainPeer(s);
  const since = s.mark();
  const { reply } = numbersOf(s).spi;
  const others = [0, 7, 9, 255, 0xc0ffee02].filter((spi) => spi !== reply);
  for (const replySpi of others) sendPlainRequest(s, { replySpi });
  await s.wait();
  const seen = s.received(since).filter(({ data }) => data.length >= 20);
  const strange = seen.filter(({ data }) => readU32(data, 0) !== reply);
  require(strange.length === 0, "no reply on any SPI but 8", `${strange.length} packets`);
  if (plainFromPeer(s, since).length > 0) s.tolerate("answers on SPI 8 where another one was asked for");
  await expectPlainReply(s);
});

/** The way back takes packets of 600 octets: a longer request comes back shorter, with a Data Length that is true. */
test("cuts-plain-data-to-the-mtu-of-the-way-back", {
  requirements: ["ESP-PING-11", "ESP-PING-C-05"],
  peer: "responder",
  revisions: ["M", "C"],
  lies: ["sends-replies-beyond-the-mtu"],
  config: { mtu: 600 },
}, async (s) => {
  await expectPlainPeer(s);
  for (const size of [500, 1000, 1400]) {
    const { reply } = await expectPlainReply(s, { size });
    expectPlainForm(s, reply);
    const octets = reply.packet.length + (reply.datagram.protocol === "udp" ? 28 : 20);
    require(octets <= 600 && octets >= Math.min(size, 560), "a reply of up to 600 octets", `${octets}`);
  }
});

/** What contradicts the format of plain packets, and the peer that takes it all the same. */
const CONTRADICTIONS: Record<string, { wanted: (numbers: EchoNumbers) => WantedPlain[]; lie: string }> = {
  "replies-on-the-spi-of-requests": {
    wanted: ({ subType }) => [{ subType: subType.reply }],
    lie: "takes-any-sub-type-on-spi-7",
  },
  "requests-on-the-spi-of-replies": {
    wanted: ({ spi, subType }) => [{ spi: spi.reply }, { spi: spi.reply, subType: subType.reply }],
    lie: "answers-on-spi-8",
  },
  "unknown-sub-types": {
    wanted: ({ subType: { request, reply } }) =>
      [0, 1, 4, 128, 255].filter((n) => n !== request && n !== reply).map((subType) => ({ subType })),
    lie: "takes-any-sub-type-on-spi-7",
  },
  "other-next-headers": {
    wanted: () => [4, 41, 50, 0].map((nextHeader) => ({ trailer: { nextHeader } })),
    lie: "takes-plain-echo-behind-any-next-header",
  },
  "data-lengths-beyond-the-packet": {
    wanted: () => [9, 264, 0xffff].map((dataLength) => ({ size: 8, dataLength })),
    lie: "answers-echo-of-wrong-length",
  },
  "pad-lengths-beyond-the-packet": {
    wanted: () => [255, 40].map((padLength) => ({ trailer: { padLength } })),
    lie: "believes-any-pad-length-of-plain-echoes",
  },
};

for (const [what, { wanted, lie }] of Object.entries(CONTRADICTIONS)) {
  /** Plain packets whose fields contradict each other are dropped in silence. A right one behind them is answered. */
  test(`drops-plain-${what}`, {
    requirements: [what === "data-lengths-beyond-the-packet" ? "ESP-PING-36" : "ESP-PING-40"],
    peer: "responder",
    lies: [lie],
  }, async (s) => {
    await expectPlainPeer(s);
    await expectNoPlainReply(s, what.replaceAll("-", " "), ...wanted(numbersOf(s)));
  });
}

/**
 * Requests with 6, 10 and 254 octets of padding, of which a sender may use 3. The peer may drop them. One that answers
 * is tolerated, but its own replies have no more padding than they may.
 */
test("pads-plain-replies-as-it-must-whatever-the-request-has", {
  requirements: ["ESP-PING-13", "ESP-PING-40"],
  peer: "responder",
  lies: ["pads-plain-echoes-beyond-3-octets"],
}, async (s) => {
  await expectPlainPeer(s);
  const since = s.mark();
  for (const octets of [6, 10, 254]) sendPlainRequest(s, { trailer: { padding: defaultPadding(octets) } });
  await s.wait();
  if (plainFromPeer(s, since).length > 0) s.tolerate("answers requests with too much padding");
  await expectPlainReply(s);
  for (const seen of plainFromPeer(s, since)) expectPlainForm(s, seen);
});

/**
 * Octets stand behind Data that Data Length does not count. The receiver may take them for padding or drop the packet,
 * but they never come back.
 */
test("does-not-echo-what-is-behind-plain-data", {
  requirements: ["ESP-PING-36"],
  peer: "responder",
  lies: ["echoes-what-is-behind-plain-data"],
}, async (s) => {
  await expectPlainPeer(s);
  const since = s.mark();
  const secret = fromHex("5ec2e75ec2e75ec2e75ec2e7");
  for (const size of [0, 1, 8]) sendPlainRequest(s, { size, excess: secret });
  await s.wait();
  await expectPlainReply(s);
  const back = plainFromPeer(s, since).some(({ packet }) =>
    Buffer.from(packet).includes(Buffer.from(secret)),
  );
  require(!back, "nothing of what is behind Data", listPlain(s, since));
});

/** Packets on SPI 7 that end anywhere before a whole request does: dropped, and a whole one is answered. */
test("drops-plain-requests-that-are-cut-short", {
  requirements: ["ESP-PING-36", "ESP-PING-40"],
  peer: "responder",
  lies: ["dies-of-short-plain-requests"],
}, async (s) => {
  await expectPlainPeer(s);
  const { packet } = plainRequest(s, { size: 0 });
  const cut = Array.from({ length: packet.length - 4 }, (_, i) => ({ packet: packet.subarray(0, 4 + i) }));
  await expectNoPlainReply(s, "a packet that is cut short", ...cut);
});

/**
 * Requests as the older revisions and the prototype write them, on the same SPI. Who speaks the newest one alone drops
 * them; a peer that answers in the form of the request is tolerated, for it may speak that as well. No reply is one of
 * the newest revision.
 */
test("does-not-misread-plain-requests-of-other-revisions", {
  requirements: ["ESP-PING-40"],
  peer: "responder",
  lies: ["reads-plain-echo-of-the-prototype"],
}, async (s) => {
  await expectPlainPeer(s);
  const since = s.mark();
  const packets = [
    "000000070000000102000008123400016162636465666768",
    "000000070000000012340001616263646566676801023b3b",
    "0000000700000000123400016162636465666768" + "0102023b",
    "0000000700000000" + "0102023b",
  ];
  for (const octets of packets) sendPlainRequest(s, { packet: fromHex(octets) });
  await s.wait();
  const misread = plainFromPeer(s, since).some(({ read }) => read?.findings.length === 0);
  require(!misread, "no reply of this revision to a request of another", listPlain(s, since));
  if (plainFromPeer(s, since).length > 0) s.tolerate("answers older revisions in their own form");
  await expectPlainReply(s);
});

/** Three hundred packets of noise behind SPI 7: no reply, and a request is answered as before. */
test("outlives-noise-on-the-reserved-spis", {
  requirements: ["ESP-PING-40"],
  peer: "responder",
  lies: ["dies-of-short-plain-requests"],
}, async (s) => {
  await expectPlainPeer(s);
  const since = s.mark();
  const { spi } = numbersOf(s);
  for (let i = 0; i < 300; i++)
    sendPlainRequest(s, {
      packet: concat(u32(i % 2 === 0 ? spi.request : spi.reply), s.arena.random(i % 60)),
    });
  await s.wait();
  require(plainFromPeer(s, since).length === 0, "no reply to noise", listPlain(s, since));
  await expectPlainReply(s);
});

/**
 * The request goes to all hosts of the link, 224.0.0.1. As with ICMP the peer may pass over it, and should, or one packet
 * would bring many; a reply is tolerated. It never comes from the address of the group (RFC 1122 section 3.2.1.3).
 * Note: only in a lab with a network of its own.
 */
test("does-not-answer-in-the-name-of-many", {
  requirements: ["ESP-PING-42"],
  peer: "responder",
  lies: ["answers-plain-echo-to-many"],
}, async (s) => {
  mindCarrier(s, "esp");
  await expectPlainPeer(s);
  const since = s.mark();
  for (const over of carriers(s)) {
    const { datagram } = plainRequest(s, { over });
    s.host.send({ ...datagram, destination: { ...datagram.destination, host: ALL_HOSTS } });
  }
  await s.wait();
  const came = plainFromPeer(s, since);
  const ofGroup = came.some(({ datagram }) => datagram.source.host === ALL_HOSTS);
  require(!ofGroup, "no reply from the address of the group", listPlain(s, since));
  if (came.length > 0) s.tolerate("answers a request to all hosts");
  await expectPlainReply(s);
});
