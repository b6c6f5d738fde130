/** A responder under 1,000 initiators that never finish, each with 300 KiB of fragments, and among them honest ones. */

import { fragmentation } from "../extensions/fragmentation.ts";
import { postQuantum } from "../extensions/post-quantum.ts";
import { kePayload } from "../ike/exchanges/ike-sa-init.ts";
import type { Extension, Sealer } from "../ike/hooks.ts";
import { notify } from "../ike/payloads.ts";
import type { IkeSa } from "../ike/sa.ts";
import { Host } from "../script/host.ts";
import { encodeChain, firstPayloadType } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { KE } from "../wire/registry/ke.ts";
import { type Cost, Stage, type StageOptions } from "./hostile-stage.ts";

const HOSTILE = 1000;
const HONEST = 10;
/** Of a fragment. */
const CHUNK = 4096;
/** 300 KiB. */
const FRAGMENTS = 75;
/** As many as a responder collects of one message. */
const COLLECTED = 15;
/** One way; a hostile initiator comes every millisecond. */
const DELAY_MS = 20;
const HOSTILE_MS = 200;

const CONFIG = {
  ikeProposals: ["aes256gcm16-prfsha256-x25519-ke1_mlkem768-ke2_frodoa3"],
  espProposals: ["aes256gcm16"],
};

type Origin = "one address" | "many addresses";
type Manner = "beyond the limit" | "begun anew and anew" | "completed, but wrong";

/** Each manner and each origin; not all pairs, for one costs seconds. */
export const SIEGES: readonly (readonly [manner: Manner, from: Origin])[] = [
  ["beyond the limit", "one address"],
  ["begun anew and anew", "many addresses"],
  ["completed, but wrong", "many addresses"],
];

/** What it cost, and whom it hit. */
export interface SiegeCost extends Cost {
  honest: number;
  /** Those of them that have both SAs. */
  served: number;
  /** The most half-open SAs that waited at a time. */
  waiting: number;
}

const zeros = new Uint8Array(CHUNK);

/** The fragments of one initiator. */
function* fragmentsOf(manner: Manner, seal: Sealer): Generator<Uint8Array> {
  if (manner === "completed, but wrong") yield* wrongMessage(seal);
  for (let i = 0; i < FRAGMENTS; i++) {
    // A set of a higher total takes the place of the one before it.
    const restarts = Math.floor(i / COLLECTED);
    const whole = manner === "beyond the limit";
    const number = whole ? i + 1 : (i % COLLECTED) + 1;
    const total = whole ? FRAGMENTS + 1 : COLLECTED + 1 + restarts;
    yield seal(zeros, number === 1 ? 41 : 0, { number, total });
  }
}

/** A whole message whose KE payload is much too short for any method that was agreed on. */
function* wrongMessage(seal: Sealer): Generator<Uint8Array> {
  const payloads = [kePayload(KE.ML_KEM_768, new Uint8Array(10)), notify(60_000, new Uint8Array(56_000))];
  const inner = encodeChain(payloads);
  const total = Math.ceil(inner.length / CHUNK);
  for (let i = 0; i < total; i++) {
    const chunk = inner.subarray(i * CHUNK, (i + 1) * CHUNK);
    yield seal(chunk, i === 0 ? firstPayloadType(payloads) : 0, { number: i + 1, total });
  }
}

const hostAt = (i: number): string => `2001:db8:${i.toString(16)}::1`;

/** Puts its fragments before the victim at once, so that nobody else has to keep them. */
const pressing = (victim: Host, manner: Manner): Extension => ({
  name: "pressing",
  split: ({ sa, header }, _inner, seal) => {
    if (!sa || header.exchangeType !== EXCHANGE.IKE_INTERMEDIATE) return undefined;
    for (const data of fragmentsOf(manner, seal))
      victim.take({ protocol: "udp", source: sa.local, destination: sa.remote, data });
    return [];
  },
});

/** One host that has all these addresses. */
function besieger({ pair }: Stage, manner: Manner, hosts: string[]): Host {
  return new Host({
    ...pair.a.options,
    extensions: [pressing(pair.b, manner), fragmentation(), ...postQuantum()],
    link: pair.network.attach(...hosts),
    event: () => {},
  });
}

export function besiege(options: StageOptions, manner: Manner, from: Origin): SiegeCost {
  const stage = new Stage({
    ...options,
    fragmentation: {},
    config: CONFIG,
    impairment: { delayMs: DELAY_MS },
  });
  const { a, b, network, addresses } = stage.pair;
  const hosts = Array.from({ length: from === "one address" ? 1 : HOSTILE }, (_, i) => hostAt(i + 1));
  const hostile = besieger(stage, manner, hosts);
  const begun: IkeSa[] = [];
  const honest: IkeSa[] = [];
  let waiting = 0;
  for (let i = 0; i < HOSTILE; i++) {
    const host = hosts[i % hosts.length] ?? "";
    begun.push(hostile.endpoint.connect({ host, port: 500 }, addresses.b));
    hostile.settle();
    if (i % (HOSTILE / HONEST) === 0) honest.push(a.endpoint.connect(addresses.a, addresses.b));
    a.settle();
    network.run(1);
    const old = begun[i - HOSTILE_MS];
    if (old) hostile.endpoint.core.closeIke(old, "never finished");
    waiting = Math.max(waiting, b.endpoint.core.halfOpen.waiting);
  }
  network.run(1000);
  hostile.stop();
  const served = honest.filter(({ established, children }) => established && children.length > 0).length;
  return { ...stage.cost(), honest: honest.length, served, waiting };
}
