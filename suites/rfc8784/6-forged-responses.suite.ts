import {
  decodeMessage,
  EXCHANGE,
  encodeMessage,
  hex,
  isFrameError,
  messagesReceived,
  NOTIFY,
  needPpk,
  require,
  Session,
  SHARED_PPK,
  test,
} from "../../harness/script/index.ts";

/** The response of somebody on the way, who takes USE_PPK out and has another SPI. */
function forge(genuine: Uint8Array): Uint8Array {
  const message = decodeMessage(genuine);
  if (isFrameError(message)) return genuine;
  const header = { ...message.header, spiR: message.header.spiR.map((octet) => octet ^ 0x5a) };
  const payloads = message.payloads.filter((p) => p.kind !== "Notify" || p.notifyType !== NOTIFY.USE_PPK);
  return encodeMessage({ header, payloads });
}

/**
 * The peer's PPK is mandatory. Before the tester's IKE_SA_INIT response a forged one comes, without USE_PPK. The peer
 * must not go on with that; it should wait, repeat its request, and so find the genuine one. Note: a peer that gives up
 * at once is tolerated, for waiting is only recommended.
 */
test("waits-for-another-response-than-a-forged-one-without-use-ppk", {
  requirements: ["PPK-32", "PPK-06"],
  peer: "initiator",
  lies: ["insists-on-no-ppk"],
  config: { ppks: [SHARED_PPK], ppkRequired: true },
}, async (s) => {
  let forgedSpi = "";
  s.change(
    EXCHANGE.IKE_SA_INIT,
    (message) => {
      message.octets = (genuine) => {
        const { source, destination } = message.request?.datagram ?? {};
        if (forgedSpi === "") s.sendOctets(forge(genuine), destination, source);
        forgedSpi ||= hex(forge(genuine).subarray(8, 16));
        return [genuine];
      };
    },
    "response",
  );
  const deceived = () => messagesReceived(s).some(({ header }) => hex(header.spiR) === forgedSpi);
  await s.provoke(() => forgedSpi !== "");
  needPpk(s, "initiator");
  // The genuine response was right behind the forged one.
  await s.untilAnswered(() => s.trace.childSas().length > 0 || deceived(), 2 * s.arena.quiet);
  const [child] = s.trace.childSas();
  if (child) return new Session(s, child.ike).proveTraffic();
  require(!deceived(), "no IKE_AUTH after a response without USE_PPK", "one");
  require(await s.peerAnswers(), "an answer to a fresh IKE_SA_INIT", "silence");
  s.tolerate("gives up at the first response without USE_PPK; section 6 recommends to wait for others");
});
