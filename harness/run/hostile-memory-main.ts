/** Plays hostile peers in memory and says what each of them cost, a JSON line each. Needs --expose-gc. */

import { MOST_HALF_OPEN } from "../ike/half-open.ts";
import type { Sealer } from "../ike/hooks.ts";
import { notify } from "../ike/payloads.ts";
import type { OwnAuth, PeerAuth } from "../ike/policy.ts";
import { sealMessage } from "../ike/sk.ts";
import { pki } from "../pki/pki.ts";
import { certificateBombs } from "../script/bulk.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { FLAG } from "../wire/types.ts";
import { BOMBS, type Bomb, PLACES, type Place, plant } from "./hostile-bombs.ts";
import { besiege, SIEGES } from "./hostile-pressure.ts";
import { type Cost, type Figures, figures, Stage, type StageOptions } from "./hostile-stage.ts";
import type { Pair } from "./pair.ts";

/** Who is hostile is the one who sends what `place` names; `a` begins the SA. */
function hostileEnd({ exchange, of }: Place): "a" | "b" {
  const initial = exchange === "IKE_SA_INIT" || exchange === "IKE_AUTH";
  return initial && of === "request" ? "a" : "b";
}

const otherEnd = (end: "a" | "b") => (end === "a" ? "b" : "a");

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

function play(options: StageOptions, place: Place, bomb: Bomb): Cost {
  const hostile = hostileEnd(place);
  const stage = new Stage({ ...options, victim: otherEnd(hostile) });
  let active = true;
  stage.pair[hostile].options.extensions.push({
    name: "hostile",
    outgoing: (message) => {
      if (active) plant(message, place, bomb);
    },
  });
  act(stage.pair, place);
  active = false;
  return stage.cost();
}

/** The same with a victim that wants certificates, or logs the other in by EAP. */
function playProof(idle: Figures, what: string, place: Place, bomb: Bomb, auth: Auth): Cost {
  const hostile = hostileEnd(place);
  const policies = { [otherEnd(hostile)]: auth.victim, [hostile]: auth.hostile };
  return play({ name: `${what} as proof in the IKE_AUTH ${place.of}`, idle, policies }, place, bomb);
}

interface Auth {
  victim: { ownAuth?: OwnAuth; peerAuth?: PeerAuth };
  hostile: { ownAuth?: OwnAuth; peerAuth?: PeerAuth };
}

async function proofs(idle: Figures): Promise<void> {
  const { ca } = await pki();
  const certificates: Auth = { victim: { peerAuth: { method: "signature", trust: [ca] } }, hostile: {} };
  const user = { type: "mschapv2", identity: "tester.example", password: "eap-password" } as const;
  const eap = { method: "eap", user } as const;
  const request: Place = { exchange: "IKE_AUTH", of: "request" };
  const response: Place = { exchange: "IKE_AUTH", of: "response" };
  for (const [what, make] of Object.entries(certificateBombs))
    for (const place of [request, response])
      say(playProof(idle, `certificates ${what}`, place, make, certificates));
  const name = "an EAP packet of 62,000 octets";
  const bomb = BOMBS[name] ?? (() => []);
  say(playProof(idle, name, request, bomb, { victim: { peerAuth: eap }, hostile: { ownAuth: eap } }));
  say(playProof(idle, name, response, bomb, { victim: { ownAuth: eap }, hostile: { peerAuth: eap } }));
}

const SOME_FRAGMENTS = 254;

/** A set of fragments but for the last, as big as may be collected. */
const unfinished = (seal: Sealer): Uint8Array[] =>
  Array.from({ length: SOME_FRAGMENTS }, (_, i) =>
    seal(new Uint8Array(255), i === 0 ? 41 : 0, { number: i + 1, total: SOME_FRAGMENTS + 1 }),
  );

/** Fills what a responder keeps of initiators that never finish: long requests, and fragments that wait for more. */
function flood(options: StageOptions): Cost {
  const stage = new Stage({ ...options, fragmentation: { always: true } });
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
const NOTHING = new Uint8Array();

/** Every fragment there can be of a message, under good keys, to an end that is past IKE_AUTH. */
function allFragments(idle: Figures, victim: "a" | "b"): Cost {
  const name = `65,535 fragments to ${victim === "a" ? "an initiator" : "a responder"}`;
  const stage = new Stage({ name, idle, victim, fragmentation: { always: true } });
  const { a, network, addresses } = stage.pair;
  a.endpoint.connect(addresses.a, addresses.b);
  a.settle();
  network.run(100);
  const [sa] = stage.pair[otherEnd(victim)].endpoint.core.sas.values();
  if (!sa?.outbound) throw new Error("the pair did not come up");
  const flags = victim === "b" ? FLAG.initiator : 0;
  const { spiI, spiR, nextMessageId: messageId } = sa;
  const header = { spiI, spiR, version: 0x20, flags, exchangeType: EXCHANGE.INFORMATIONAL, messageId };
  for (let number = ALL_FRAGMENTS; number > 0; number--) {
    const fragment = { number, total: ALL_FRAGMENTS };
    const random = (octets: number) => new Uint8Array(octets);
    const data = sealMessage(sa.outbound, random, header, [], NOTHING, 0, {}, fragment);
    stage.pair[victim].take({ protocol: "udp", source: addresses.a, destination: addresses.b, data });
  }
  return stage.cost();
}

const say = (cost: Cost): void => void process.stdout.write(`${JSON.stringify(cost)}\n`);

function messages(idle: Figures): void {
  for (const place of PLACES)
    for (const [what, bomb] of Object.entries(BOMBS))
      say(play({ name: `${what} in the ${place.exchange} ${place.of}`, idle }, place, bomb));
}

/** Each in a process of its own, as memory that was resident once may stay so. */
const GROUPS: Record<string, (idle: Figures) => void | Promise<void>> = {
  messages,
  proofs,
  "fragments to a responder": (idle) => say(allFragments(idle, "b")),
  "fragments to an initiator": (idle) => say(allFragments(idle, "a")),
  "initiators that never finish": (idle) => say(flood({ name: "without a trace", idle })),
  ...Object.fromEntries(
    SIEGES.map(([manner, from]) => [
      `1,000 initiators with fragments ${manner}`,
      (idle: Figures) => say(besiege({ name: `${manner}, from ${from}`, idle }, manner, from)),
    ]),
  ),
  "initiators that never finish, traced": (idle) => say(flood({ name: "with a trace", idle, victim: "b" })),
};

async function main(group: string): Promise<void> {
  const place: Place = { exchange: "INFORMATIONAL", of: "request" };
  for (let i = 0; i < 5; i++) play({ name: "warm up", idle: { resident: 0, kept: 0 } }, place, () => []);
  await pki();
  await GROUPS[group]?.(figures());
}

await main(process.argv[2] ?? "");
