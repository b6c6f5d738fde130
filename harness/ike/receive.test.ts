import { expect } from "chai";
import { makePair, type Pair, type PairOptions } from "../run/pair.ts";
import { decodeMessage, encodeMessage, isFrameError } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Decisions, Extension, OutgoingMessage } from "./hooks.ts";
import { notify } from "./payloads.ts";
import type { IkeSa } from "./sa.ts";

/** An established pair; `b` is the responder. */
function established(options: Partial<PairOptions> = {}): { pair: Pair; a: IkeSa; b: IkeSa } {
  const pair = makePair({ seed: "receive", ...options });
  const a = pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b);
  pair.a.settle();
  pair.network.run(1000);
  const [b] = pair.b.endpoint.core.sas.values();
  if (!b || a.state !== "established") throw new Error("the pair did not come up");
  return { pair, a, b };
}

/** Changes the INFORMATIONAL responses of an end. */
const answering = (change: (message: OutgoingMessage) => void): Extension => ({
  name: "answering",
  outgoing: (message) => {
    if (message.isResponse && message.header.exchangeType === EXCHANGE.INFORMATIONAL) change(message);
  },
});

describe("receiving", () => {
  it("drops an IKE_SA_INIT request with another Message ID than 0 (section 2.2)", () => {
    let first: Uint8Array | undefined;
    const pair = makePair({
      seed: "message id",
      event: (_end, event) => {
        if (event.type === "datagram-sent") first ??= event.datagram.data;
      },
    });
    pair.a.endpoint.init(pair.addresses.a, pair.addresses.b);
    const message = decodeMessage(first ?? new Uint8Array());
    if (isFrameError(message)) throw new Error(message.error);
    const take = (messageId: number) =>
      pair.b.take({
        ...{ protocol: "udp", source: pair.addresses.a, destination: pair.addresses.b },
        data: encodeMessage({ ...message, header: { ...message.header, messageId } }),
      });
    take(1);
    expect(pair.b.endpoint.core.sas.size).to.equal(0);
    take(0);
    expect(pair.b.endpoint.core.sas.size).to.equal(1);
  });

  it("ignores the IKE_SA_INIT request of an SA that has got further (section 2.1)", () => {
    const sent: { exchangeType: number; isResponse: boolean; data: Uint8Array }[] = [];
    const pair = makePair({
      seed: "got further",
      config: { ikeProposals: ["aes256-sha256-x25519-ke1_ecp256"] },
      event: (_end, event) => {
        if (event.type !== "sent") return;
        const { isResponse, header } = event.message;
        for (const data of event.datagrams)
          sent.push({ isResponse, exchangeType: header.exchangeType, data });
      },
    });
    const stranger = { host: "198.51.100.7", port: 500 };
    /** The answers of `b` to the request, once more and from elsewhere. */
    const again = (): number[] => {
      const before = sent.length;
      const data = sent[0]?.data ?? new Uint8Array();
      pair.b.take({ protocol: "udp", source: stranger, destination: pair.addresses.b, data });
      return sent.slice(before).map(({ exchangeType }) => exchangeType);
    };
    const until = (exchangeType: number) => {
      const seen = () => sent.some((m) => m.isResponse && m.exchangeType === exchangeType);
      for (let ms = 0; !seen() && ms < 1000; ms++) pair.network.run(1);
    };
    pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b);
    pair.a.settle();
    until(EXCHANGE.IKE_SA_INIT);
    expect(again(), "at first").to.deep.equal([EXCHANGE.IKE_SA_INIT]);
    until(EXCHANGE.IKE_INTERMEDIATE);
    expect(again(), "behind IKE_INTERMEDIATE").to.deep.equal([]);
    until(EXCHANGE.IKE_AUTH);
    expect(again(), "behind IKE_AUTH").to.deep.equal([]);
  });

  it("deletes the IKE SA when a request is refused with INVALID_SYNTAX (section 2.21.3)", () => {
    const refusing = answering((m) => m.payloads.push(notify(NOTIFY.INVALID_SYNTAX)));
    for (const keeps of [false, true]) {
      const { pair, a } = established();
      pair.b.options.extensions.push(refusing);
      const decide: Partial<Decisions> = { "INVALID_SYNTAX in a response": "keep the IKE SA" };
      if (keeps) pair.a.options.extensions.push({ name: "keeping", decide });
      let answered = false;
      pair.a.endpoint.liveness(a, (alive) => (answered = alive));
      pair.network.run(1000);
      expect(answered).to.equal(true);
      expect(a.state).to.equal(keeps ? "established" : "closed");
    }
  });

  it("takes a malformed response for none, and ends the SA when no better one comes", () => {
    const { pair, a } = established();
    const short = answering((m) => m.payloads.push({ kind: "Nonce", type: 40, data: new Uint8Array(3) }));
    pair.b.options.extensions.push(short);
    let answered: boolean | undefined;
    pair.a.endpoint.liveness(a, (alive) => (answered = alive));
    pair.a.settle();
    pair.network.run(1000);
    expect([answered, a.state]).to.deep.equal([undefined, "established"]);
    pair.network.run(120_000);
    expect([answered, a.state]).to.deep.equal([false, "closed"]);
  });

  it("follows a peer behind a NAT to its new address, and no other peer (section 2.23)", () => {
    for (const behindNat of [true, false]) {
      const { pair, a, b } = established();
      b.nat = { peer: behindNat, us: false };
      const moved = { host: pair.addresses.a.host, port: 40_000 };
      pair.a.options.extensions.push({
        name: "moved",
        outgoing: (message) => {
          message.source = moved;
        },
      });
      pair.a.endpoint.liveness(a);
      pair.a.settle();
      pair.network.run(1000);
      expect(b.remote.port).to.equal(behindNat ? 40_000 : 500);
    }
  });
});
