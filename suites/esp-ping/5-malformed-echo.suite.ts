import {
  concat,
  echoesFromPeer,
  echoRequest,
  echoSession,
  expectEchoReply,
  expectNoEchoReply,
  expectTraffic,
  fromHex,
  listEchoes,
  numbersOf,
  require,
  type Session,
  sendEchoRequest,
  test,
} from "../../harness/script/index.ts";
import { readU32 } from "../../harness/wire/bytes.ts";
import { encodeEcho } from "../../harness/wire/esp-echo.ts";

const ENCRYPTED = ["M", "E3", "E2", "K"];

/** The payload of an ordinary request that would be answered. */
const payloadOf = ({ script: s, child }: Session, changes: Parameters<typeof echoRequest>[2] = {}) =>
  encodeEcho(echoRequest(s, readU32(child.spiIn, 0), changes), "M");

for (const peer of ["responder", "initiator"] as const) {
  /** Requests that end before their header does, from nothing to one octet less: they are dropped, and the SA goes on. */
  test(`as-${peer}-drops-echoes-that-are-cut-short`, {
    requirements: ["ESP-PING-36"],
    peer,
    lies: ["stops-at-short-echoes"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const whole = payloadOf(session, { size: 0 });
    const cut = Array.from({ length: 12 }, (_, octets) => ({ payload: whole.subarray(0, octets) }));
    await expectNoEchoReply(session, "a request that is cut short", ...cut);
    await expectTraffic(session, "requests that are cut short");
  });

  /** Data Length says more octets than are there: by one, by 256, by all that the field can say. */
  test(`as-${peer}-drops-echoes-that-promise-more-data`, {
    requirements: ["ESP-PING-36"],
    peer,
    revisions: ENCRYPTED,
    lies: ["answers-echo-of-wrong-length"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const lengths = [9, 264, 0x7fff, 0xffff];
    const wrong = lengths.map((dataLength) => ({ dataLength, size: 8 }));
    await expectNoEchoReply(session, "a Data Length beyond the packet", ...wrong);
    await expectTraffic(session, "lies about Data Length");
  });

  /**
   * Octets stand behind Data that Data Length does not count. The receiver may take them for padding or drop the
   * packet, but they never come back.
   */
  test(`as-${peer}-does-not-echo-what-is-behind-data`, {
    requirements: ["ESP-PING-36"],
    peer,
    lies: ["echoes-what-is-behind-data"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const since = s.mark();
    const secret = fromHex("5ec2e75ec2e75ec2e75ec2e7");
    for (const size of [0, 1, 8]) sendEchoRequest(session, { size, excess: secret });
    await s.wait();
    await expectEchoReply(session);
    const back = echoesFromPeer(s, since).some(({ payload }) =>
      Buffer.from(payload).includes(Buffer.from(secret)),
    );
    require(!back, "nothing of what is behind Data", listEchoes(s, since));
  });

  /** Sub-types without meaning: 4 to 255. No reply of any kind comes. */
  test(`as-${peer}-drops-unknown-sub-types`, {
    requirements: ["ESP-PING-37"],
    peer,
    revisions: ENCRYPTED,
    lies: ["answers-unknown-sub-types"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const { request, reply } = numbersOf(s).subType;
    const odd = [4, 5, 16, 127, 128, 254, 255]
      .filter((subType) => subType !== request && subType !== reply)
      .map((subType) => ({ subType }));
    await expectNoEchoReply(session, "an unknown sub-type", ...odd);
  });

  /**
   * Replies that nobody asked for, with R set and a Reply path SPI that is in use. Who answered them could be sent in
   * circles with another such peer.
   */
  test(`as-${peer}-does-not-answer-replies`, {
    requirements: ["ESP-PING-38"],
    peer,
    revisions: ENCRYPTED,
    lies: ["answers-echo-replies"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const subType = numbersOf(s).subType.reply;
    await expectNoEchoReply(session, "a reply", { subType }, { subType, flags: 0, replySpi: 0 });
    await expectTraffic(session, "replies that nobody asked for");
  });

  /** The same packet twice: the replay window lets it in once, and there is one reply. */
  test(`as-${peer}-answers-a-replayed-request-once`, {
    requirements: ["ESP-PING-E3-01"],
    peer,
    revisions: ENCRYPTED,
    lies: ["delivers-duplicates"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const since = s.mark();
    sendEchoRequest(session, { how: { octets: (packet) => [packet, packet, packet] } });
    await s.wait();
    await expectEchoReply(session);
    const count = echoesFromPeer(s, since).length;
    require(count === 2, "one reply to a request that came three times", `${count - 1}`);
  });

  /** A whole request behind Next Header 59 is a dummy packet, and one behind 61 is of a protocol that nobody has. */
  test(`as-${peer}-reads-echoes-behind-next-header-144-only`, {
    requirements: ["ESP-PING-02"],
    peer,
    lies: ["takes-echo-behind-any-next-header"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    await expectNoEchoReply(
      session,
      "an echo that is said to be something else",
      { nextHeader: 59 },
      { nextHeader: 61 },
    );
  });

  /**
   * Requests as other revisions write them: with a header of 8 octets, whose Data Length does not fit in a header of 12;
   * with R in the last bit, which is a reserved one here, so that this is a one-way probe.
   */
  test(`as-${peer}-does-not-answer-requests-of-other-revisions`, {
    requirements: ["ESP-PING-04", "ESP-PING-36"],
    peer,
    lies: ["answers-one-way-probes"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const short = encodeEcho(
      {
        subType: numbersOf(s).subType.request,
        flags: 0,
        identifier: 7,
        sequence: 1,
        data: fromHex("6162636465666768"),
      },
      "K",
    );
    await expectNoEchoReply(session, "a request of another revision", { payload: short }, { flags: 0x01 });
  });

  /** Two hundred payloads of noise behind Next Header 144, half of them with the beginning of a request. */
  test(`as-${peer}-outlives-noise`, {
    requirements: ["ESP-PING-36", "ESP-PING-37"],
    peer,
    lies: ["stops-at-short-echoes"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    for (let i = 0; i < 200; i++) {
      const noise = s.arena.random(i % 40);
      const payload = i % 2 === 0 ? noise : concat(Uint8Array.of(numbersOf(s).subType.request, 0), noise);
      sendEchoRequest(session, { payload });
    }
    await s.wait();
    await expectTraffic(session, "noise behind Next Header 144");
    await expectEchoReply(session);
  });
}
