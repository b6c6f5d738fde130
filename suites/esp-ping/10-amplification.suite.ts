import {
  type Datagram,
  echoRevision,
  expectPlainPeer,
  expectPlainReply,
  Failure,
  isEchoError,
  numbersOf,
  plainReplies,
  plainRequest,
  readU32,
  require,
  type Script,
  sendPlainRequest,
  test,
} from "../../harness/script/index.ts";
import { decodePlain } from "../../harness/wire/esp-echo-plain.ts";

const REQUESTS = 10_000;
const BATCH = 500;

interface Flow {
  packets: number;
  octets: number;
}

/** Counts plain replies past the trace, which would not hold so much; the returned function ends that. */
function countReplies(s: Script, count: (datagram: Datagram) => void): () => void {
  const { link } = s.arena;
  const { reply } = numbersOf(s).spi;
  link.onReceive((datagram) => {
    if (datagram.data.length >= 4 && readU32(datagram.data, 0) === reply) count(datagram);
    else s.host.take(datagram);
  });
  return () => link.onReceive((datagram) => s.host.take(datagram));
}

/** Which request a reply answers. */
function nameOf(s: Script, { data, destination }: Datagram): string {
  const read = decodePlain(data, echoRevision(s), numbersOf(s));
  const numbers = isEchoError(read) ? "" : `${read.echo.identifier} ${read.echo.sequence}`;
  return `${destination.host} ${numbers}`;
}

/** Fails unless one of some requests is answered: the peer's limit may stand for a second or more. */
async function expectServedAgain(s: Script): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const sent = sendPlainRequest(s);
    if (await s.until(() => plainReplies(s, sent).length > 0, s.arena.quiet)) return;
  }
  throw new Failure("an answer to plain requests after the flood", "silence");
}

/**
 * Ten thousand plain requests, of two forged sources where the lab has them. Whatever comes back is at no time more
 * than what was sent, in octets, and no request has two replies. Afterwards, when a second has passed, the peer
 * answers as before. Note: that replies are limited in rate is sensible, and not demanded; a peer that answers all of
 * them is tolerated.
 */
test("sends-no-more-than-it-gets-in-a-flood", {
  requirements: ["ESP-PING-35", "ESP-PING-41"],
  peer: "responder",
  lies: ["answers-floods-twice", "answers-floods-with-more-octets"],
}, async (s) => {
  await expectPlainPeer(s);
  const [sent, came]: [Flow, Flow] = [
    { packets: 0, octets: 0 },
    { packets: 0, octets: 0 },
  ];
  const names = new Set<string>();
  const end = countReplies(s, (datagram) => {
    came.packets++;
    came.octets += datagram.data.length;
    names.add(nameOf(s, datagram));
  });
  const sources = [s.arena.local, s.arena.stranger ?? s.arena.local];
  for (let sequence = 0; sequence < REQUESTS; sequence++) {
    const { datagram } = plainRequest(s, {
      from: sources[sequence % 2] ?? s.arena.local,
      identifier: 7,
      sequence,
    });
    s.arena.link.send(datagram);
    sent.packets++;
    sent.octets += datagram.data.length;
    if (sequence % BATCH === BATCH - 1) await s.until(() => false, s.arena.quiet / 100);
  }
  await s.wait();
  end();
  require(came.octets <= sent.octets, `at most ${sent.octets} octets of replies`, `${came.octets}`);
  require(names.size ===
    came.packets, "one reply for a request at most", `${came.packets} for ${names.size}`);
  if (came.packets > REQUESTS / 2) s.tolerate(`answered ${came.packets} of ${REQUESTS} requests: no limit`);
  await expectServedAgain(s);
});

for (const size of [0, 8, 500, 1400]) {
  /** No plain reply has more octets than its request, so that nobody can be flooded by way of the peer. */
  test(`sends-no-plain-reply-larger-than-a-request-of-${size}-octets`, {
    requirements: ["ESP-PING-35"],
    peer: "responder",
    revisions: ["M", "K", "C", "C0"],
    lies: ["adds-an-icv-to-plain-replies"],
  }, async (s) => {
    await expectPlainPeer(s);
    const { sent, reply } = await expectPlainReply(s, { size });
    const [most, is] = [sent.packet.length, reply.packet.length];
    require(is <= most, `a reply of at most ${most} octets`, `${is}`);
  });
}
