import { expect } from "chai";
import type { Datagram } from "../link/types.ts";
import { makePair, type Pair, type PairOptions } from "../run/pair.ts";
import { decodeMessage, encodeMessage, isFrameError } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { FLAG, type Message } from "../wire/types.ts";
import { notify } from "./payloads.ts";
import { ordinaryPolicy } from "./policy.ts";

const CONFIG = { ikeProposals: ["aes256gcm16-prfsha256-x25519"], espProposals: ["aes256gcm16"] };

/** What becomes of a datagram on the way. */
type Fate = (message: Message, datagram: Datagram) => Datagram[];

const isResponse = ({ header }: Message): boolean => (header.flags & FLAG.response) !== 0;

/** A pair with a middle box that decides on every datagram. */
function through(fate: Fate, options: Partial<PairOptions> = {}): Pair {
  const pair = makePair({ seed: "lost", config: CONFIG, ...options });
  for (const host of [pair.a, pair.b]) {
    const { link } = host.options;
    const { send } = link;
    link.send = (datagram) => {
      const message = decodeMessage(datagram.data);
      for (const d of isFrameError(message) ? [datagram] : fate(message, datagram)) send(d);
    };
  }
  return pair;
}

/** Loses the first `count` datagrams for which `which` holds. */
function losing(count: number, which: (message: Message) => boolean): Fate {
  let left = count;
  return (message, datagram) => (which(message) && left-- > 0 ? [] : [datagram]);
}

function connect({ a, network, addresses }: Pair): { state: string; closedBecause?: string } {
  const sa = a.endpoint.connect(addresses.a, addresses.b);
  a.settle();
  network.run(60_000);
  return sa;
}

const sizes = ({ a, b }: Pair): number[] => [a.endpoint.core.sas.size, b.endpoint.core.sas.size];

describe("lost and spoilt datagrams", () => {
  it("of the answer to a Delete of the IKE SA: the closed SA answers the repeat", () => {
    let lost = 1;
    const pair = through((message, datagram) => {
      const answer = isResponse(message) && message.header.exchangeType === EXCHANGE.INFORMATIONAL;
      return answer && lost-- > 0 ? [] : [datagram];
    });
    connect(pair);
    const [sa] = pair.a.endpoint.core.sas.values();
    let ended = false;
    if (sa) pair.a.endpoint.deleteIke(sa, () => (ended = true));
    pair.a.settle();
    pair.network.run(ordinaryPolicy.retransmitMs + 10);
    expect(ended).to.equal(true);
    expect(sizes(pair)).to.deep.equal([0, 0]);
  });

  it("of AUTHENTICATION_FAILED from the initiator: it is sent again, and the responder forgets the SA", () => {
    // The responder proves itself with another secret, but accepts whatever comes: only the initiator can refuse.
    const pair = through(
      losing(2, ({ header }) => header.exchangeType === EXCHANGE.INFORMATIONAL),
      { policies: { b: { psk: Uint8Array.of(1) } } },
    );
    pair.b.options.extensions.push({ name: "careless", decide: { "wrong AUTH": "accept" } });
    expect(connect(pair).closedBecause).to.equal("AUTH does not verify");
    expect(sizes(pair)).to.deep.equal([0, 0]);
  });

  it("that make IKE_SA_INIT malformed, or an error, do no harm: the genuine answer comes", () => {
    const forged: ((message: Message) => Message)[] = [
      (m) => ({ ...m, payloads: m.payloads.slice(0, 1) }),
      (m) => ({ ...m, payloads: [notify(NOTIFY.NO_PROPOSAL_CHOSEN)] }),
      (m) => ({
        ...m,
        payloads: m.payloads.map((p) => (p.kind === "Nonce" ? { ...p, data: p.data.slice(0, 4) } : p)),
      }),
      (m) => ({ ...m, payloads: [{ kind: "raw", type: 33, data: new Uint8Array(3) }] }),
    ];
    for (const forge of forged) {
      let left = 1;
      const pair = through((message, datagram) => {
        if (!isResponse(message) || message.header.exchangeType !== EXCHANGE.IKE_SA_INIT || left-- <= 0)
          return [datagram];
        return [{ ...datagram, data: encodeMessage(forge(message)) }];
      });
      expect(connect(pair).state).to.equal("established");
      expect(sizes(pair)).to.deep.equal([1, 1]);
    }
  });

  it("that come many times over: copies of a COOKIE challenge do not use up the initiator's patience", () => {
    const pair = through(
      (message, datagram) => {
        const challenge = message.payloads.some((p) => p.kind === "Notify" && p.notifyType === NOTIFY.COOKIE);
        return challenge && isResponse(message) ? Array.from({ length: 12 }, () => datagram) : [datagram];
      },
      { config: { ...CONFIG, cookies: "always" } },
    );
    expect(connect(pair).state).to.equal("established");
  });
});
