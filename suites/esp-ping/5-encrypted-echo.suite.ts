import {
  echoesFromPeer,
  echoReplies,
  echoRevision,
  echoSession,
  expectConsistent,
  expectCopy,
  expectEchoReply,
  expectLeastPadding,
  expectNoEchoReply,
  expectTraffic,
  ipOctets,
  require,
  sendEchoRequest,
  test,
} from "../../harness/script/index.ts";
import { readU32 } from "../../harness/wire/bytes.ts";

const ROLES = ["responder", "initiator"] as const;
/** Revisions with echoes inside of SAs. */
const ENCRYPTED = ["M", "E3", "E2", "K"];
/** Those with an announcement, which tells a peer that drops every request from one that knows none. */
const ANNOUNCED = ["M", "E3", "E2"];
const SMALL = [0, 1, 2, 3, 4, 5, 6, 7];

for (const peer of ROLES) {
  /**
   * A request inside of the SA, with R set and the SPI of the pair it travels on. The reply is protected like all
   * traffic of that SA, has Next Header 144 and Sub-Type 3, and is else what was sent. Note: flags and Reply path SPI
   * of a reply are not defined; a copy and zeros both pass.
   */
  test(`as-${peer}-answers-with-a-copy-of-the-request`, {
    requirements: [
      ...["ESP-PING-02", "ESP-PING-03", "ESP-PING-08", "ESP-PING-11", "ESP-PING-20", "ESP-PING-21"],
      ...["ESP-PING-E3-01", "ESP-PING-E3-03", "ESP-PING-E3-03a"],
    ],
    peer,
    revisions: ENCRYPTED,
    lies: [
      ...["answers-with-the-sub-type-of-requests", "answers-with-another-identifier"],
      ...["answers-with-another-sequence-number", "changes-echo-data"],
    ],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const wanted = { identifier: 0x1234, sequence: 1 };
    const since = s.mark();
    const sent = sendEchoRequest(session, wanted);
    await s.until(() => echoesFromPeer(s, since).length > 0, s.arena.patience / 2);
    const [reply] = echoesFromPeer(s, since);
    require(reply !== undefined, "a reply inside of ESP", "silence");
    expectCopy(s, sent, reply);
    require(reply.child === session.child, "the reply on the SPI that was asked for", `SPI ${reply.spi}`);
    await expectTraffic(session, "an echo request");
  });

  /**
   * Data of 0 to 7 octets, and of sizes around those where implementations stop, come back as they were. Note: before
   * the merge of the drafts a peer that is short of resources may send fewer octets, which is tolerated as long as Data
   * Length says how many.
   */
  test(`as-${peer}-copies-data-of-any-size`, {
    requirements: ["ESP-PING-11", "ESP-PING-21", "ESP-PING-E3-03a"],
    peer,
    revisions: ANNOUNCED,
    lies: ["cuts-echo-data-to-512-octets"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    for (const size of [...SMALL, 64, 255, 256, 511, 512, 513, 1000, 1300]) {
      const data = s.arena.random(size);
      const reply = await expectEchoReply(session, { data });
      if (reply.echo) expectCopy(s, { ...reply.echo, data }, reply);
    }
  });

  /** Requests with Data of 0 to 7 octets: the padding of each reply is the least that cipher and RFC 4303 allow. */
  test(`as-${peer}-pads-replies-no-more-than-it-must`, {
    requirements: ["ESP-PING-12"],
    peer,
    lies: ["pads-echoes-more-than-it-must"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    for (const size of SMALL) expectLeastPadding(session.child, await expectEchoReply(session, { size }));
  });

  /**
   * Five requests in a row. Each gets its reply in an ESP packet of its own, with nothing joined to it: no data blocks
   * of RFC 9347 and no second echo.
   */
  test(`as-${peer}-sends-each-reply-in-a-packet-of-its-own`, {
    requirements: ["ESP-PING-02", "ESP-PING-05", "ESP-PING-06"],
    peer,
    lies: ["answers-echo-with-next-header-59", "joins-data-blocks-to-echoes", "joins-replies-in-one-packet"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const since = s.mark();
    const requests = [1, 2, 3, 4, 5].map((sequence) => sendEchoRequest(session, { sequence }));
    await s.until(() => echoesFromPeer(s, since).length >= requests.length);
    const replies = echoesFromPeer(s, since);
    for (const reply of replies) expectConsistent(s, reply);
    const missing = requests.filter((sent) => echoReplies(s, sent, since).length !== 1);
    require(missing.length === 0, "one packet for each of 5 requests", `${replies.length} packets`);
  });

  /**
   * R clear asks for no reply, whatever stands in Reply path SPI: nothing, the SPI of our own SA, a number that means
   * nothing. A request with R set is answered afterwards, so that the silence is no accident.
   */
  test(`as-${peer}-does-not-answer-one-way-probes`, {
    requirements: ["ESP-PING-04", "ESP-PING-10"],
    peer,
    lies: ["answers-one-way-probes", "takes-the-reply-path-of-one-way-probes", "stops-at-one-way-probes"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const spis = [0, readU32(session.child.spiIn, 0), 0xdeadbeef];
    const probes = spis.map((replySpi) => ({ flags: 0, replySpi }));
    await expectNoEchoReply(session, "a one-way probe", ...probes);
    await expectTraffic(session, "one-way probes");
  });

  /**
   * The tunnel's selectors let in only packets between the two networks behind the ends; an echo payload has no
   * addresses at all, and none that would fit. It is answered all the same, while a packet outside of the selectors
   * still is not let through.
   */
  test(`as-${peer}-does-not-hold-echo-against-the-selectors`, {
    requirements: ["ESP-PING-01", "ESP-PING-E3-08"],
    peer,
    revisions: ANNOUNCED,
    lies: ["holds-echo-against-the-selectors"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    await expectEchoReply(session);
    const outside = { tries: 1, from: "198.51.100.77" };
    require(!(await session.ping(outside)), "a packet outside of the selectors dropped", "an echo reply");
    await expectEchoReply(session);
  });

  /** Every reserved bit of the flags is set beside R: receivers ignore them. */
  test(`as-${peer}-ignores-reserved-bits`, {
    requirements: ["ESP-PING-39"],
    peer,
    revisions: ENCRYPTED,
    lies: ["minds-the-reserved-bits-of-echoes"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    await expectEchoReply(session, { flags: 0xff });
    await expectEchoReply(session);
  });

  /**
   * The way back takes packets of 600 octets at most. Small requests come back whole; a longer one comes back as far
   * as its Data fit, and Data Length says how many octets that are.
   */
  test(`as-${peer}-cuts-data-to-the-mtu-of-the-way-back`, {
    requirements: ["ESP-PING-11"],
    peer,
    lies: ["sends-replies-beyond-the-mtu", "cuts-echo-data-to-512-octets"],
    config: { mtu: 600 },
  }, async (s) => {
    const session = await echoSession(s, peer);
    for (const size of [400, 560, 1000, 1300]) {
      const reply = await expectEchoReply(session, { size });
      expectConsistent(s, reply);
      const octets = ipOctets(s, reply.packet);
      require(octets <= 600, "a reply of at most 600 octets", `${octets}`);
      const least = Math.min(size, 450);
      const come = reply.echo?.data.length ?? 0;
      require(come >= least, `at least ${least} octets of Data`, `${come}`);
    }
  });

  /** On the pair that it travels on, no reply is larger than its request. */
  test(`as-${peer}-sends-no-reply-larger-than-its-request`, {
    requirements: ["ESP-PING-35"],
    peer,
    revisions: ENCRYPTED,
    lies: ["answers-with-more-than-it-got"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    for (const size of [...SMALL, 100, 1000]) {
      let sent = 0;
      const octets = (packet: Uint8Array) => {
        sent = packet.length;
        return [packet];
      };
      const { packet } = await expectEchoReply(session, { size, how: { octets } });
      require(packet.length <= sent, `a reply of at most ${sent} octets`, `${packet.length}`);
    }
  });
}

/** What an SA can be like. */
const SAS = {
  "aes-gcm": { espProposals: ["aes256gcm16"] },
  "aes-cbc-and-hmac": { espProposals: ["aes128-sha256"] },
  "aes-ccm": { espProposals: ["aes128ccm16"] },
  "chacha20-poly1305": { espProposals: ["chacha20poly1305"] },
  "integrity-only-gmac": { espProposals: ["aes256gmac"] },
  "null-and-hmac": { espProposals: ["null-sha256"] },
  "an-implicit-iv": { espProposals: ["aes128gcm16iiv"] },
  "extended-sequence-numbers": { espProposals: ["aes256gcm16-esn"] },
  "transport-mode": { mode: "transport" },
} as const;

for (const [name, { ...options }] of Object.entries(SAS)) {
  /** Echoes have the protection of the SA's other traffic, whatever that is. */
  test(`answers-under-${name}`, {
    requirements: ["ESP-PING-03", "ESP-PING-12", "ESP-PING-E3-01"],
    peer: "responder",
    revisions: ENCRYPTED,
    lies: ["changes-echo-data"],
    config: "mode" in options ? options : { espProposals: [...options.espProposals] },
  }, async (s) => {
    const session = await echoSession(s);
    for (const size of SMALL) {
      const data = s.arena.random(size);
      const reply = await expectEchoReply(session, { data });
      if (reply.echo) expectCopy(s, { ...reply.echo, data }, reply);
      expectLeastPadding(session.child, reply);
    }
    await expectTraffic(session, "echo requests");
  });
}

for (const outer of [4, 6] as const) {
  /** The request comes in UDP, whether or not a NAT was found; the reply comes the way the peer's ESP goes. */
  test(`answers-a-request-in-udp-over-ipv${outer}`, {
    requirements: ["ESP-PING-03"],
    peer: "responder",
    lies: ["changes-echo-data"],
    outer,
  }, async (s) => {
    const session = await echoSession(s);
    const data = s.arena.random(32);
    const reply = await expectEchoReply(session, { data, how: { over: "udp" } });
    if (reply.echo) expectCopy(s, { ...reply.echo, data }, reply);
  });
}

/**
 * IKE and ESP travel in one TCP connection (RFC 9329), and the reply comes back in it. A stream has no MTU that cuts Data.
 * Note: the prototype stops at 512 octets of Data, and is asked for no more.
 */
test("answers-inside-of-tcp", {
  requirements: ["ESP-PING-03", "ESP-PING-11"],
  peer: "responder",
  revisions: ENCRYPTED,
  lies: ["changes-echo-data"],
  config: { transport: "tcp" },
}, async (s) => {
  const session = await echoSession(s);
  for (const size of [0, 100, echoRevision(s) === "K" ? 512 : 4000]) {
    const data = s.arena.random(size);
    const reply = await expectEchoReply(session, { data });
    if (reply.echo) expectCopy(s, { ...reply.echo, data }, reply);
  }
  await expectTraffic(session, "echo requests");
});
