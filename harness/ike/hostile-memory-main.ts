/** Plays hostile peers in memory and says what each of them cost its victim, a JSON line each. Needs --expose-gc. */
import { makePair, type Pair, type PairOptions } from "../run/pair.ts";
import type { HostEvent } from "../script/host.ts";
import { Trace } from "../script/trace.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { MOST_HALF_OPEN } from "./half-open.ts";
import type { Sealer } from "./hooks.ts";
import { BOMBS, type Bomb, PLACES, type Place, plant } from "./hostile-bombs.ts";
import { notify } from "./payloads.ts";
import { sealMessage } from "./sk.ts";

/** What a hostile peer cost. */
export interface Cost {
  name: string;
  /** Octets above the idle figure, of both ends together: the most that was resident, and what was kept at the end. */
  resident: number;
  kept: number;
  ms: number;
  /** What the victim's trace says of it, each once. */
  findings: string[];
  /** An honest handshake afterwards came up. */
  next: boolean;
}

interface Figures {
  resident: number;
  kept: number;
}

function figures(): Figures {
  // Twice: buffers go with the finalizers of what the first one found.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { resident: rss, kept: heapUsed + external };
}

/** Both ends, and what the trace of the victim, if it keeps one, takes of it. */
class Stage {
  readonly #started = performance.now();
  readonly #name: string;
  readonly #idle: Figures;
  readonly trace = new Trace();
  readonly pair: Pair;
  #resident = 0;

  constructor(
    name: string,
    idle: Figures,
    victim: "a" | "b" | undefined,
    options: Partial<PairOptions> = {},
  ) {
    this.#name = name;
    this.#idle = idle;
    const event = (end: "a" | "b", what: HostEvent) => {
      this.#resident = Math.max(this.#resident, process.memoryUsage.rss());
      if (end === victim) this.trace.add(this.pair.network.clock.now(), what);
    };
    this.pair = makePair({ seed: name, event, ...options });
  }

  /** Sums up, with an honest handshake for the end. */
  cost(): Cost {
    const findings = [...new Set(findingsOf(this.trace))];
    const { kept } = figures();
    const { a, network, addresses } = this.pair;
    const next = a.endpoint.connect(addresses.a, addresses.b);
    a.settle();
    network.run(1000);
    return {
      ...{
        name: this.#name,
        findings,
        next: next.established,
        ms: Math.round(performance.now() - this.#started),
      },
      ...{ resident: this.#resident - this.#idle.resident, kept: kept - this.#idle.kept },
    };
  }
}

function findingsOf(trace: Trace): string[] {
  return trace.entries.flatMap(({ event }) => {
    if (event.type === "received")
      return event.message.findings.map(({ field, reason }) => `${field}: ${reason}`);
    const speaks = event.type === "dropped" || event.type === "ike-closed" || event.type === "child-failed";
    return speaks ? [event.reason] : [];
  });
}

/** Who is hostile is the one who sends what `place` names. */
function hostileEnd({ exchange, of }: Place): "a" | "b" {
  const initial = exchange === "IKE_SA_INIT" || exchange === "IKE_AUTH";
  return initial && of === "request" ? "a" : "b";
}

/** Has the exchange happen that the bomb is sent in; `a` begins the SA. */
function act({ a, b, network, addresses }: Pair, { exchange, of }: Place): void {
  a.endpoint.connect(addresses.a, addresses.b);
  a.settle();
  network.run(1000);
  const asks = of === "request" ? b : a;
  const [sa] = asks.endpoint.core.sas.values();
  if (sa && exchange === "CREATE_CHILD_SA") asks.endpoint.createChild(sa);
  if (sa && exchange === "INFORMATIONAL") asks.endpoint.liveness(sa);
  asks.settle();
  network.run(90_000);
}

function play(name: string, idle: Figures, place: Place, bomb: Bomb): Cost {
  const hostile = hostileEnd(place);
  const { pair, ...stage } = withCost(new Stage(name, idle, hostile === "a" ? "b" : "a"));
  let active = true;
  pair[hostile].options.extensions.push({
    name: "hostile",
    outgoing: (message) => {
      if (active) plant(message, place, bomb);
    },
  });
  act(pair, place);
  active = false;
  return stage.cost();
}

const withCost = (stage: Stage) => ({ pair: stage.pair, cost: () => stage.cost() });

const SOME_FRAGMENTS = 254;

/** A set of fragments but for the last, as big as may be collected. */
const unfinished = (seal: Sealer): Uint8Array[] =>
  Array.from({ length: SOME_FRAGMENTS }, (_, i) =>
    seal(new Uint8Array(255), i === 0 ? 41 : 0, { number: i + 1, total: SOME_FRAGMENTS + 1 }),
  );

/** Fills what a responder keeps of initiators that never finish: long requests, and fragments that wait for more. */
function flood(name: string, idle: Figures, traced: boolean): Cost {
  const stage = new Stage(name, idle, traced ? "b" : undefined, {
    fragmentation: { chunk: 250, always: true },
  });
  const { a, network, addresses } = stage.pair;
  const long = notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, new Uint8Array(60_000));
  a.options.extensions.unshift({
    name: "hostile",
    outgoing: ({ header, payloads }) => {
      if (header.exchangeType === EXCHANGE.IKE_SA_INIT) payloads.push(long);
    },
    split: (_message, _inner, seal) => unfinished(seal),
  });
  for (let i = 0; i < 1.5 * MOST_HALF_OPEN; i++) {
    const sa = a.endpoint.connect(addresses.a, addresses.b);
    a.settle();
    network.run(5);
    a.endpoint.core.closeIke(sa, "never finished");
  }
  a.options.extensions.splice(0, 1);
  return stage.cost();
}

const ALL_FRAGMENTS = 65_535;

/** Every fragment there can be of a message, under good keys, to an end that is past IKE_AUTH. */
function allFragments(name: string, idle: Figures, victim: "a" | "b"): Cost {
  const stage = new Stage(name, idle, victim, { fragmentation: { always: true } });
  const { a, b, network, addresses } = stage.pair;
  const sa = a.endpoint.connect(addresses.a, addresses.b);
  a.settle();
  network.run(100);
  const [ours] = (victim === "a" ? b : a).endpoint.core.sas.values();
  const { outbound } = ours ?? {};
  if (!outbound) throw new Error("the pair did not come up");
  const { spiI, spiR } = sa;
  const flags = victim === "b" ? 8 : 0;
  const header = {
    ...{ spiI, spiR, version: 0x20, flags },
    exchangeType: EXCHANGE.INFORMATIONAL,
    messageId: victim === "b" ? 2 : 0,
  };
  const route = { protocol: "udp", source: addresses.a, destination: addresses.b } as const;
  for (let number = ALL_FRAGMENTS; number > 0; number--) {
    const fragment = { number, total: ALL_FRAGMENTS };
    const random = (octets: number) => new Uint8Array(octets);
    const data = sealMessage(outbound, random, header, [], new Uint8Array(8), 0, {}, fragment);
    stage.pair[victim].take({ ...route, data });
  }
  return stage.cost();
}

const say = (cost: Cost): void => void process.stdout.write(`${JSON.stringify(cost)}\n`);

/** Each group in a process of its own, as memory that was resident once may stay so. */
const GROUPS: Record<string, (idle: Figures) => void> = {
  messages: (idle) => {
    for (const place of PLACES)
      for (const [what, bomb] of Object.entries(BOMBS))
        say(play(`${what} in the ${place.exchange} ${place.of}`, idle, place, bomb));
  },
  "fragments to a responder": (idle) => say(allFragments("65,535 fragments to a responder", idle, "b")),
  "fragments to an initiator": (idle) => say(allFragments("65,535 fragments to an initiator", idle, "a")),
  "initiators that never finish": (idle) => say(flood("initiators that never finish", idle, false)),
  "initiators that never finish, traced": (idle) =>
    say(flood("initiators that never finish, traced", idle, true)),
};

function main(group: string): void {
  const place: Place = { exchange: "INFORMATIONAL", of: "request" };
  for (let i = 0; i < 5; i++) play("warm up", { resident: 0, kept: 0 }, place, () => []);
  GROUPS[group]?.(figures());
}

main(process.argv[2] ?? "");
