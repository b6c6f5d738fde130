/** Plays hostile peers in memory and says what each of them cost its victim, a JSON line each. Needs --expose-gc. */
import { makePair, type Pair } from "../run/pair.ts";
import {
  certificateBombs,
  emptyPayloads,
  hugeEap,
  manyAttributes,
  manyConfigAttributes,
  manyProposals,
  manySelectors,
  manySpis,
  manyTransforms,
} from "../script/bulk.ts";
import { Trace } from "../script/trace.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Payload } from "../wire/types.ts";
import type { OutgoingMessage } from "./hooks.ts";
import { notify, payload } from "./payloads.ts";

/** What one hostile message cost. */
export interface Cost {
  name: string;
  /** Octets above the idle figure: the most that was resident, and what was left of heap and buffers at the end. */
  resident: number;
  kept: number;
  ms: number;
  /** What the victim's trace says of it. */
  findings: string[];
  /** An honest handshake afterwards came up. */
  next: boolean;
}

type Bomb = (message: OutgoingMessage) => Payload[];

const ownSpi = ({ payloads }: OutgoingMessage): Uint8Array =>
  payload(payloads, "SA")?.proposals[0]?.spi ?? new Uint8Array();

const BOMBS: Record<string, Bomb> = {
  "255 proposals": (m) => [manyProposals(ownSpi(m))],
  "7,750 transforms in one proposal": (m) => [manyTransforms(ownSpi(m))],
  "15,500 attributes in one transform": (m) => [manyAttributes(ownSpi(m))],
  "10,000 empty payloads": () => emptyPayloads(),
  "10,000 configuration attributes": () => [manyConfigAttributes()],
  "an EAP packet of 62,000 octets": () => [hugeEap()],
  "15,500 SPIs to delete": () => [manySpis()],
  "3,875 selectors": () => [manySelectors()],
  "31,000 hash algorithms": () => [notify(NOTIFY.SIGNATURE_HASH_ALGORITHMS, new Uint8Array(62_000))],
  ...Object.fromEntries(
    Object.entries(certificateBombs).map(([name, make]): [string, Bomb] => [`certificates ${name}`, make]),
  ),
};

interface Place {
  exchange: keyof typeof EXCHANGE;
  of: "request" | "response";
}

const PLACES: Place[] = (["IKE_SA_INIT", "IKE_AUTH", "CREATE_CHILD_SA", "INFORMATIONAL"] as const).flatMap(
  (exchange) => [
    { exchange, of: "request" as const },
    { exchange, of: "response" as const },
  ],
);

const gc = (): void => {
  globalThis.gc?.();
};

const inHeapAndBuffers = (): number => {
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** Both ends; `a` began the SA. Who is hostile is the one who sends what `place` names. */
function hostileEnd({ exchange, of }: Place): "a" | "b" {
  const initial = exchange === "IKE_SA_INIT" || exchange === "IKE_AUTH";
  return initial && of === "request" ? "a" : "b";
}

/** Has the exchange happen that the bomb is sent in. */
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

function findingsOf(trace: Trace): string[] {
  return trace.entries.flatMap(({ event }) => {
    if (event.type === "received")
      return event.message.findings.map(({ field, reason }) => `${field}: ${reason}`);
    const speaks = event.type === "dropped" || event.type === "ike-closed" || event.type === "child-failed";
    return speaks ? [event.reason] : [];
  });
}

function play(name: string, place: Place, bomb: Bomb, idle: { resident: number; kept: number }): Cost {
  const started = performance.now();
  const trace = new Trace();
  let resident = 0;
  const hostile = hostileEnd(place);
  const pair = makePair({
    seed: name,
    event: (end, event) => {
      if (end === hostile) return;
      trace.add(pair.network.clock.now(), event);
      resident = Math.max(resident, process.memoryUsage.rss());
    },
  });
  let active = true;
  const outgoing = (message: OutgoingMessage) => {
    const { header, isResponse } = message;
    if (
      !active ||
      header.exchangeType !== EXCHANGE[place.exchange] ||
      isResponse !== (place.of === "response")
    )
      return;
    const more = bomb(message);
    const kinds = new Set(more.map(({ kind }) => kind));
    message.payloads = [...message.payloads.filter(({ kind }) => !kinds.has(kind)), ...more];
  };
  pair[hostile].options.extensions.push({ name: "hostile", outgoing });
  act(pair, place);
  active = false;
  const findings = findingsOf(trace);
  const next = pair.a.endpoint.connect(pair.addresses.a, pair.addresses.b);
  pair.a.settle();
  pair.network.run(1000);
  return {
    ...{ name, resident: resident - idle.resident, kept: inHeapAndBuffers() - idle.kept },
    ...{ ms: Math.round(performance.now() - started), findings, next: next.established },
  };
}

const say = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

function main(): void {
  const honest: Place = { exchange: "INFORMATIONAL", of: "request" };
  for (let i = 0; i < 5; i++) play("warm up", honest, () => [], { resident: 0, kept: 0 });
  const kept = inHeapAndBuffers();
  const idle = { kept, resident: process.memoryUsage.rss() };
  for (const place of PLACES)
    for (const [what, bomb] of Object.entries(BOMBS))
      say(play(`${what} in an ${place.exchange} ${place.of}`, place, bomb, idle));
}

main();
