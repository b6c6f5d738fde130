import { EXCHANGE, require, test } from "../../harness/script/index.ts";

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
  const [answer] = s.received();
  require(answer !== undefined, "an answer to port 40000", "silence");
  const way = `${answer.source.host}:${answer.source.port} > ${answer.destination.host}:${answer.destination.port}`;
  const expected = `${remote.host}:${remote.port} > ${local.host}:40000`;
  require(way === expected, `an answer ${expected}`, way);
});
