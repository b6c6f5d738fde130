import {
  concat,
  type Datagram,
  EXCHANGE,
  hex,
  require,
  type Script,
  sealed,
  test,
} from "../../harness/script/index.ts";

const wayOf = ({ host, port }: Datagram["source"]): string => `${host}:${port}`;

/** The datagrams since the mark, without copies of requests that we have answered. */
const answersIn = (s: Script, since: number): Datagram[] => {
  const before = s
    .received()
    .slice(0, -s.received(since).length || undefined)
    .map(({ data }) => hex(data));
  return s.received(since).filter(({ data }) => !before.includes(hex(data)));
};

/** Fails unless the first of them came this way. */
function expectWay(s: Script, since: number, expected: string): void {
  const [answer] = answersIn(s, since);
  require(answer !== undefined, `an answer ${expected}`, "silence");
  const way = `${wayOf(answer.source)} > ${wayOf(answer.destination)}`;
  require(way === expected, `an answer ${expected}`, way);
}

/**
 * The tester's IKE_SA_INIT comes from port 40000. The peer must take it, and its answer goes to that port, from the
 * address and port that the request was sent to.
 */
test("answers-to-the-port-that-the-request-came-from", {
  requirements: ["IKEV2-149", "IKEV2-150"],
  peer: "responder",
  lies: ["answers-to-port-500", "answers-from-port-4500"],
}, async (s) => {
  const { local, remote } = s.arena;
  s.change(EXCHANGE.IKE_SA_INIT, (message) => {
    message.source = { host: local.host, port: 40_000 };
  });
  await s.tryInit();
  expectWay(s, 0, `${wayOf(remote)} > ${local.host}:40000`);
});

/**
 * The peer has begun the IKE SA. A liveness check comes from port 40000 to where it takes IKE. It must take the request,
 * and its answer goes to that port, from the address and port that the request was sent to.
 */
test("as-initiator-answers-to-the-port-that-the-request-came-from", {
  requirements: ["IKEV2-149", "IKEV2-150"],
  peer: "initiator",
  lies: ["answers-to-port-500", "answers-from-port-4500"],
}, async (s) => {
  const session = await s.accept();
  const { local, remote } = session.sa;
  const source = { host: local.host, port: 40_000 };
  const check = sealed(session, { exchangeType: EXCHANGE.INFORMATIONAL, payloads: [] });
  const data = remote.port === s.arena.remoteNatPort ? concat(new Uint8Array(4), check) : check;
  const since = s.mark();
  s.arena.link.send({ protocol: "udp", source, destination: remote, data });
  await s.until(() => answersIn(s, since).length > 0);
  expectWay(s, since, `${wayOf(remote)} > ${wayOf(source)}`);
});
