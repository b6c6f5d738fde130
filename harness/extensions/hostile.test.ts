import { expect } from "chai";
import fc from "fast-check";
import type { PeerConfig } from "../../peers/contract.ts";
import { kePayload, noncePayload, saPayload } from "../ike/exchanges/ike-sa-init.ts";
import { MOST_HALF_OPEN } from "../ike/half-open.ts";
import type { Extension, OutgoingMessage } from "../ike/hooks.ts";
import { notify } from "../ike/payloads.ts";
import type { Policy } from "../ike/policy.ts";
import { sendRequest } from "../ike/send.ts";
import { makePair, type Pair } from "../run/pair.ts";
import { EMPTY } from "../wire/bytes.ts";
import { encodeChain } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { KE } from "../wire/registry/ke.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Payload, Proposal, Transform } from "../wire/types.ts";
import { ordinaryFragmentation } from "./fragmentation.ts";
import { SHARED } from "./ppk-lab.ts";

const CONFIG: Partial<PeerConfig> = {
  ikeProposals: ["aes256gcm16-prfsha256-x25519-ke1_mlkem512-ke2_x448"],
  espProposals: ["aes256gcm16-x25519-ke1_mlkem512-ke2_x448"],
};
const PLAIN: Partial<PeerConfig> = {
  ikeProposals: ["aes256gcm16-prfsha256-x25519"],
  espProposals: ["aes256gcm16"],
};

/** What both ends are set to. */
const SETTINGS: Record<string, { config: Partial<PeerConfig>; policy: Partial<Policy> }> = {
  "additional key exchanges": { config: CONFIG, policy: {} },
  "empty exchanges": { config: PLAIN, policy: { intermediate: true } },
  "PPKs in IKE_AUTH": { config: PLAIN, policy: { ppks: [SHARED] } },
  "PPKs in the new exchanges": {
    config: PLAIN,
    policy: { ppks: [SHARED], ppkIn: ["IKE_INTERMEDIATE", "CREATE_CHILD_SA"], ppkRequired: true },
  },
};

const EXCHANGES = [
  EXCHANGE.IKE_INTERMEDIATE,
  EXCHANGE.IKE_FOLLOWUP_KE,
  EXCHANGE.CREATE_CHILD_SA,
  EXCHANGE.IKE_AUTH,
  EXCHANGE.IKE_SA_INIT,
  EXCHANGE.INFORMATIONAL,
];
const NOTIFIES = [
  NOTIFY.ADDITIONAL_KEY_EXCHANGE,
  NOTIFY.STATE_NOT_FOUND,
  NOTIFY.INTERMEDIATE_EXCHANGE_SUPPORTED,
  NOTIFY.USE_PPK,
  NOTIFY.USE_PPK_INT,
  NOTIFY.PPK_IDENTITY,
  NOTIFY.PPK_IDENTITY_KEY,
  NOTIFY.NO_PPK_AUTH,
  NOTIFY.NO_PROPOSAL_CHOSEN,
  NOTIFY.INVALID_SYNTAX,
  NOTIFY.CHILD_SA_NOT_FOUND,
  NOTIFY.REKEY_SA,
];
const METHODS = [KE.CURVE25519, KE.CURVE448, KE.ML_KEM_512, KE.ML_KEM_768, KE.ECP256, 0, 65_535];
/** Those that a method or a PPK_ID is right with, and others. */
const SIZES = [0, 1, 8, 9, 32, 56, 768, 800, 1184, 60_000];

const octets = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc.tuple(fc.constantFrom(...SIZES), fc.nat(255)).map(([size, fill]) => new Uint8Array(size).fill(fill)),
);
const transform: fc.Arbitrary<Transform> = fc.record({
  type: fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 12, 13),
  id: fc.constantFrom(...METHODS, 5, 12, 20),
  attributes: fc.constant<Transform["attributes"]>([]),
});
const proposal: fc.Arbitrary<Proposal> = fc.record({
  number: fc.integer({ min: 1, max: 3 }),
  protocolId: fc.constantFrom(1, 3),
  spi: fc.constantFrom(EMPTY, new Uint8Array(4).fill(7), new Uint8Array(8).fill(7)),
  transforms: fc.array(transform, { maxLength: 9 }),
});
const anyPayload: fc.Arbitrary<Payload> = fc.oneof(
  fc.tuple(fc.constantFrom(...NOTIFIES), octets).map(([type, data]) => notify(type, data)),
  fc.tuple(fc.constantFrom(...METHODS), octets).map(([method, data]) => kePayload(method, data)),
  fc.array(proposal, { minLength: 1, maxLength: 3 }).map((proposals) => saPayload(proposals)),
  octets.map(noncePayload),
  fc
    .tuple(fc.constantFrom(39, 42, 99), fc.boolean(), octets)
    .map(([type, critical, data]): Payload => ({ kind: "raw", type, ...(critical && { critical }), data })),
);
const chain = fc.array(anyPayload, { maxLength: 5 });

/** What one end does to one of its messages. */
const act = fc.record({
  exchange: fc.constantFrom(...EXCHANGES),
  nth: fc.constantFrom(0, 0, 1, 2),
  manner: fc.constantFrom("instead", "in front", "behind", "twice", "half", "other data" as const),
  payloads: chain,
  data: octets,
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** A request that nobody asked for, before IKE_AUTH or after it. */
const request = fc.record({ exchange: fc.constantFrom(...EXCHANGES), payloads: chain });
type Unasked = typeof request extends fc.Arbitrary<infer T> ? T : never;

function changed({ manner, payloads, data }: Act, message: OutgoingMessage): Payload[] {
  const own = message.payloads;
  if (manner === "instead") return payloads;
  if (manner === "in front") return [...payloads, ...own];
  if (manner === "behind") return [...own, ...payloads];
  if (manner === "other data")
    return own.map((p) => (p.kind === "Notify" || p.kind === "KE" ? { ...p, data } : p));
  return manner === "twice" ? [...own, ...own] : own.slice(0, own.length >> 1);
}

function hostile(acts: Act[], early: Unasked[]): Extension {
  const counts = new Map<number, number>();
  return {
    name: "hostile",
    outgoing: (message) => {
      const { exchangeType } = message.header;
      const count = counts.get(exchangeType) ?? 0;
      counts.set(exchangeType, count + 1);
      for (const a of acts)
        if (a.exchange === exchangeType && a.nth === count) message.payloads = changed(a, message);
    },
    beforeAuth: (core, sa, done) => {
      for (const { exchange, payloads } of early) sendRequest(core, sa, exchange, payloads, () => done());
      return early.length > 0;
    },
  };
}

/** Everything that an IKE SA can do, one after the other, as far as it is there. */
function live(pair: Pair, bad: "a" | "b", unasked: Unasked[]): void {
  const { a, b, network, addresses } = pair;
  a.endpoint.connect(addresses.a, addresses.b);
  a.settle();
  network.run(10_000);
  for (const host of [a, b]) {
    const { endpoint } = host;
    const [sa] = [...endpoint.core.sas.values()].filter(({ established }) => established);
    const [child] = sa?.children ?? [];
    if (sa && host === pair[bad])
      for (const { exchange, payloads } of unasked) endpoint.request(sa, exchange, payloads);
    if (child) endpoint.rekeyChild(child);
    if (sa) endpoint.createChild(sa);
    if (sa) endpoint.rekeyIke(sa);
    host.settle();
    network.run(10_000);
  }
  network.run(120_000);
}

/** The next handshake comes up, and nothing of the former ones is in its way. */
function expectServed({ a, b, network, addresses }: Pair): void {
  for (const { endpoint } of [a, b]) {
    expect(endpoint.core.halfOpen.waiting, "half-open SAs").to.equal(0);
    expect(endpoint.core.timers.size, "timers").to.be.most(MOST_HALF_OPEN);
  }
  const sa = a.endpoint.connect(addresses.a, addresses.b);
  a.settle();
  network.run(10_000);
  expect([sa.state, sa.children.length]).to.deep.equal(["established", 1]);
}

/** Fills requests of IKE_INTERMEDIATE up to so many octets of inner payloads. */
const filling = (length: number): Extension => ({
  name: "filling",
  outgoing: ({ header, isResponse, payloads }) => {
    if (header.exchangeType !== EXCHANGE.IKE_INTERMEDIATE || isResponse) return;
    const half = notify(60_000, new Uint8Array(30_000));
    const missing = length - encodeChain([...payloads, half, notify(60_000)]).length;
    payloads.push(half, notify(60_000, new Uint8Array(missing)));
  },
});

describe("arbitrary input to what resists quantum computers", function () {
  this.timeout(120_000);

  for (const [what, { config, policy }] of Object.entries(SETTINGS)) {
    for (const bad of ["a", "b"] as const) {
      const [hostileEnd, other] = bad === "a" ? ["initiator", "responder"] : ["responder", "initiator"];
      it(`with ${what}, of a hostile ${hostileEnd}, throws nothing, and the ${other} does well next time`, () => {
        const lives = (acts: Act[], early: Unasked[], unasked: Unasked[]): void => {
          const own = { ...policy, retransmitTries: 2 };
          const policies = { a: own, b: own };
          const pair = makePair({ seed: "hostile extensions", config, fragmentation: {}, policies });
          const { extensions } = pair[bad].options;
          extensions.push(hostile(acts, early));
          live(pair, bad, unasked);
          extensions.pop();
          expectServed(pair);
        };
        const acts = fc.array(act, { minLength: 1, maxLength: 4 });
        const requests = fc.array(request, { maxLength: 2 });
        fc.assert(fc.property(acts, requests, requests, lives), { numRuns: 80 });
      });
    }
  }

  // Payload Length has 16 bits, of which the generic header takes 4 octets.
  for (const length of [65_531, 65_532, 65_535, 65_536, 65_537]) {
    const collected = length <= ordinaryFragmentation.maxOctets;
    it(`of ${length} octets in SK of IKE_INTERMEDIATE is ${collected ? "covered by AUTH" : "not collected"}`, () => {
      const pair = makePair({
        ...{ seed: "long", config: CONFIG, fragmentation: {} },
        policies: { a: { retransmitTries: 2 } },
      });
      pair.a.options.extensions.push(filling(length));
      pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b);
      pair.a.settle();
      pair.network.run(60_000);
      expect(pair.b.endpoint.core.sas.size).to.equal(collected ? 1 : 0);
      pair.a.options.extensions.pop();
      expectServed(pair);
    });
  }
});
