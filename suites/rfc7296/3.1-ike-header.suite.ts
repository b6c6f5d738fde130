import {
  EXCHANGE,
  FLAG,
  hex,
  listPayloads,
  messagesReceived,
  PAYLOAD,
  type Payload,
  require,
  type Script,
  test,
} from "../../harness/script/index.ts";

const isZero = (spi: Uint8Array): boolean => spi.every((octet) => octet === 0);

const LIES = {
  responder: [
    "inverts-the-i-flag",
    "counts-the-marker-in-length",
    "nests-sk-payloads",
    "answers-with-an-spir-of-zero",
  ],
  initiator: [
    "inverts-the-i-flag",
    "counts-the-marker-in-length",
    "nests-sk-payloads",
    "sends-an-spir-in-its-first-request",
    "sends-an-spii-of-zero",
  ],
};

for (const peer of ["responder", "initiator"] as const) {
  /**
   * The SAs come up, and each side asks something of the other. In every message of the peer SPIi is not zero, SPIr
   * is zero in an IKE_SA_INIT request and not zero where an SA comes of it, the I flag says whether the peer is the original initiator, and the R
   * flag whether it is a response. Length is that of the message, on port 4500 without the non-ESP marker. An SK payload
   * is the last one of its message, and there is none inside of it.
   */
  test(`sends-right-spis-flags-and-length-as-${peer}`, {
    requirements: [
      "IKEV2-224",
      ...(peer === "initiator" ? ["IKEV2-225"] : []),
      "IKEV2-227",
      "IKEV2-231",
      "IKEV2-232",
    ],
    peer,
    lies: LIES[peer],
  }, async (s) => {
    await exchangeBothWays(s, peer);
    const messages = messagesReceived(s);
    require(messages.length > 0, "messages of the peer", "none");
    for (const { header, payloads } of messages) {
      const { spiI, spiR, flags, exchangeType } = header;
      const fromInitiator = (flags & FLAG.initiator) !== 0;
      require(header.length === undefined, "Length of the message", `Length ${header.length}`);
      require(fromInitiator === (peer === "initiator"), `the I flag of the ${peer}`, `flags ${flags}`);
      require(!isZero(spiI), "SPIi that is not zero", hex(spiI));
      const first = exchangeType === EXCHANGE.IKE_SA_INIT && (flags & FLAG.response) === 0;
      if (first) require(isZero(spiR), "SPIr of zero", hex(spiR));
      // A demand for a cookie or another group has an SPIr of zero, or one that means nothing.
      else if (isProtectedOrChoice(payloads)) require(!isZero(spiR), "SPIr that is not zero", hex(spiR));
      require(!payloads.slice(0, -1).some(isSk), "SK in the last place", listPayloads({ payloads }));
    }
    for (const payloads of opened(s))
      require(!payloads.some(isSk), "no SK inside of SK", listPayloads({ payloads }));
  });
}

const isSk = ({ type }: Payload): boolean => type === PAYLOAD.SK || type === PAYLOAD.SKF;

const isProtectedOrChoice = (payloads: Payload[]): boolean =>
  payloads.some((p) => p.kind === "SA" || isSk(p));

/** What the peer's messages hold, inside of SK for those that have one. */
const opened = (s: Script): Payload[][] =>
  s.trace.exchanges.map((e) => (e.by === "peer" ? e.request.payloads : (e.response?.payloads ?? [])));

/** Ends early, without failing, where the peer's messages are too odd for our endpoint: they are judged afterwards. */
async function exchangeBothWays(s: Script, peer: "responder" | "initiator"): Promise<void> {
  if (peer === "responder") await s.tryDial();
  else await s.provoke(() => s.trace.childSas().length > 0);
  const [child] = s.trace.childSas();
  if (!child) return;
  await s.wait();
  await s.arena.driver.delete("child");
  await s.until(() => child.state === "closed");
}
