import {
  echoReplies,
  echoRevision,
  echoSession,
  expectAnnounced,
  expectEchoReply,
  expectTraffic,
  numbersOf,
  require,
  type Script,
  Session,
  sendEchoRequest,
  test,
  Unsupported,
} from "../../harness/script/index.ts";
import { readU32 } from "../../harness/wire/bytes.ts";

const ROLES = ["responder", "initiator"] as const;
const ENCRYPTED = ["M", "E3", "E2", "K"];
const OTHER = "other.example";

/** The SPIs, in hex, of the ESP packets that came since the mark, but for those of these SAs. */
function strangeSpis(s: Script, since: number, ...known: number[]): string[] {
  const spis = s.trace.entries
    .slice(since)
    .flatMap(({ event }) => (event.type === "esp-received" ? [readU32(event.packet, 0)] : []));
  return spis.filter((spi) => !known.includes(spi)).map((spi) => spi.toString(16));
}

for (const peer of ROLES) {
  /**
   * Three Child SAs. A request on each of them asks for the reply on each of them in turn. Note: that the reply takes
   * the asked path is a SHOULD; one that takes the pair of the request is tolerated, any other is not.
   */
  test(`as-${peer}-answers-on-the-spi-that-is-asked-for`, {
    requirements: ["ESP-PING-03", "ESP-PING-33", "ESP-PING-E3-06"],
    peer,
    revisions: ENCRYPTED,
    lies: ["answers-echo-on-another-sa"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const children = [session.child, await session.createChild(), await session.createChild()];
    for (const child of children)
      for (const path of children) {
        const reply = await expectEchoReply(session, { child, replySpi: readU32(path.spiIn, 0) });
        if (reply.child === child && reply.child !== path) s.tolerate("answers on the SA of the request");
        else
          require(reply.child ===
            path, `a reply on the SPI asked for`, `one on SPI ${reply.spi.toString(16)}`);
      }
  });

  /**
   * The Reply path SPI stands for no SA that the peer could send on: zero, reserved ones, the peer's own inbound SPI, a
   * number out of nowhere. Nothing leaves under such an SPI. A reply on the SA of the request and silence pass both.
   */
  test(`as-${peer}-sends-nothing-on-an-spi-that-is-no-sa`, {
    requirements: ["ESP-PING-17", "ESP-PING-18"],
    peer,
    revisions: ENCRYPTED,
    lies: ["sends-echo-replies-with-any-spi"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const [own, theirs] = [readU32(session.child.spiIn, 0), readU32(session.child.spiOut, 0)];
    const since = s.mark();
    for (const replySpi of [0, 1, 7, 8, 255, theirs, (own ^ 1) >>> 0, 0xffffffff])
      sendEchoRequest(session, { replySpi });
    await s.wait();
    await expectEchoReply(session);
    const strange = strangeSpis(s, since, own);
    require(strange.length === 0, "nothing under any other SPI", `ESP with SPI ${strange.join(", ")}`);
    await expectTraffic(session, "requests for SPIs that are none");
  });

  /**
   * Two IKE SAs, whose initiators proved different identities. One of them asks for a reply on the SPI of the other:
   * nothing comes there. It is answered on its own SA, or not at all.
   */
  test(`as-${peer}-sends-nothing-on-the-sa-of-another-peer`, {
    requirements: ["ESP-PING-18", "ESP-PING-E3-05"],
    peer,
    revisions: ["M", "E3", "E2"],
    lies: ["answers-echo-on-the-sa-of-another-peer"],
    config: { furtherRemoteIds: [OTHER] },
  }, async (s) => {
    const session = await echoSession(s, peer);
    s.policy.localId = { type: s.policy.localId.type, data: new TextEncoder().encode(OTHER) };
    const { sa, failure, childFailure } = await s.tryDial();
    if (failure ?? childFailure)
      throw new Unsupported(`the peer knows no second identity: ${failure ?? childFailure}`);
    const other = new Session(s, sa);
    expectAnnounced(s, sa);
    await expectEchoReply(other);
    const since = s.mark();
    sendEchoRequest(session, { replySpi: readU32(other.child.spiIn, 0) });
    await s.wait();
    await expectEchoReply(session);
    const there = s.trace.entries
      .slice(since)
      .some(({ event }) => event.type === "esp-received" && event.pipe?.child === other.child);
    require(!there, "nothing on the SA of the other identity", "a packet");
  });

  /**
   * The Child SA is rekeyed and the old one deleted. A request on the new one that asks for the old SPI is answered on
   * the new one or not at all; nothing leaves under the SPI of the SA that is gone.
   */
  test(`as-${peer}-sends-nothing-on-a-deleted-sa`, {
    requirements: ["ESP-PING-17"],
    peer,
    revisions: ENCRYPTED,
    lies: ["sends-echo-replies-with-any-spi"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const gone = readU32(session.child.spiIn, 0);
    const fresh = await session.rekeyChild();
    await expectTraffic(session, "the Child SA was rekeyed");
    const since = s.mark();
    sendEchoRequest(session, { child: fresh, replySpi: gone });
    await s.wait();
    await expectEchoReply(session, { child: fresh });
    const strange = strangeSpis(s, since, readU32(fresh.spiIn, 0));
    require(strange.length === 0, "nothing under the SPI that is gone", `ESP with SPI ${strange.join(", ")}`);
  });

  /**
   * R is clear. Before the merge of the drafts that means that the responder chooses the way of the reply, which is the
   * pair that the request came on.
   */
  test(`as-${peer}-answers-on-the-pair-if-no-path-is-asked-for`, {
    requirements: ["ESP-PING-E3-06"],
    peer,
    revisions: ["E3", "E2", "K"],
    lies: ["answers-nobody-who-names-no-path"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const path = echoRevision(s) === "K" ? {} : { replySpi: 0 };
    const reply = await expectEchoReply(session, { flags: 0, ...path });
    require(reply.child ===
      session.child, "a reply on the pair of the request", `SPI ${reply.spi.toString(16)}`);
  });

  /**
   * R is the last bit of its octet in the figure of the older drafts, and the first one since. Each revision takes the
   * other's bit for a reserved one: the reply comes on the pair, not on the SPI that stands there.
   */
  test(`as-${peer}-reads-r-where-its-revision-has-it`, {
    requirements: ["ESP-PING-39"],
    peer,
    revisions: ["E3", "E2"],
    lies: ["takes-any-bit-for-r"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const further = await session.createChild();
    const flags = echoRevision(s) === "E2" ? 0x80 : 0x01;
    const sent = sendEchoRequest(session, {
      child: further,
      flags,
      replySpi: readU32(session.sa.children[0]?.spiIn ?? further.spiIn, 0),
    });
    await s.until(() => echoReplies(s, sent).length > 0, s.arena.patience / 2);
    const [reply] = echoReplies(s, sent);
    require(reply?.child ===
      further, "a reply on the pair of the request", `${reply ? reply.spi.toString(16) : "silence"}`);
    require(reply.echo?.subType === numbersOf(s).subType.reply, "a reply", `${reply.echo?.subType}`);
  });
}
