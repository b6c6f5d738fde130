/** Two hosts in memory whose messages are shown while they are alive, for tests of operators on what is sealed. */
import { seededRandom } from "../../harness/crypto/seeded-random.ts";
import type { OutgoingEsp } from "../../harness/esp/hooks.ts";
import { isSealRefusal, OutboundSa } from "../../harness/esp/outbound.ts";
import type { Core } from "../../harness/ike/core.ts";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { sealMessage } from "../../harness/ike/sk.ts";
import { authenticated, makePair, type Pair } from "../../harness/run/pair.ts";
import type { HostEvent } from "../../harness/script/host.ts";
import { hex } from "../../harness/wire/bytes.ts";
import { encodeChain, encodeMessage, firstPayloadType } from "../../harness/wire/index.ts";
import type { PeerConfig } from "../../peers/contract.ts";
import type { Draft, EspOperator, IkeOperator, LieContext } from "./operator.ts";
import { diceOf, fresh } from "./testing.ts";

type End = "a" | "b";

export interface Watching {
  config?: Partial<PeerConfig>;
  message?(message: OutgoingMessage, core: Core, end: End): void;
  packet?(packet: OutgoingEsp, end: End): void;
  event?(end: End, event: HostEvent): void;
}

/** CBC, with an ICV of its own. */
export const CBC: Partial<PeerConfig> = {
  ikeProposals: ["aes256-sha256-x25519"],
  espProposals: ["aes128-sha256"],
};
export const GCM: Partial<PeerConfig> = {
  ikeProposals: ["aes256gcm16-prfsha256-x25519"],
  espProposals: ["aes256gcm16"],
};

export async function livePair({ config = {}, message, packet, event }: Watching): Promise<Pair> {
  const pair = makePair({
    seed: "live",
    policies: await authenticated(config),
    fragmentation: {},
    extensions: (end) => [{ name: "shown", outgoing: (outgoing, core) => message?.(outgoing, core, end) }],
    ...(event && { event }),
  });
  for (const end of ["a", "b"] as const)
    pair[end].options.esp.push({ name: "shown", outgoing: (outgoing) => packet?.(outgoing, end) });
  return pair;
}

/** Sets up an IKE SA and, if it comes up, sends an echo request; rekeys and ends it where `whole` is set. */
export async function life(pair: Pair, whole = false): Promise<string | undefined> {
  const { network, a, addresses } = pair;
  let failure: string | undefined = "no end";
  const sa = a.endpoint.connect(addresses.a, addresses.b, (outcome) => {
    failure = outcome.failure;
  });
  a.settle();
  await network.until(() => failure !== "no end", 5_000);
  const [pipe] = a.pipes;
  if (failure !== undefined || !pipe) return failure ?? "no Child SA";
  const echo = { from: "203.0.113.1", to: "203.0.113.17", identifier: 7, data: new Uint8Array(16) };
  for (const sequence of [1, 2]) a.sendEcho(pipe, { ...echo, sequence });
  network.run(1_000);
  if (!whole) return undefined;
  let ended = false;
  a.endpoint.rekeyIke(sa, {}, (made) => {
    if (typeof made !== "string")
      a.endpoint.liveness(made, () => a.endpoint.deleteIke(made, () => (ended = true)));
  });
  a.settle();
  await network.until(() => ended, 60_000);
  return undefined;
}

/** What came of a change: datagrams in hex, and what the operator asked for beside them. */
export interface Told {
  applied: boolean;
  sent: string[];
  beside: string[];
}

/** Applies an operator to a copy of the message, as it would be sent; the conversation does not notice. */
export function tell(
  operator: IkeOperator | undefined,
  change: Draft,
  message: OutgoingMessage,
  core: Core,
  sent: LieContext["sent"] = [],
): Told {
  const copy = fresh(message);
  const keys = message.sa?.outbound;
  const count = keys?.sealed ?? 0;
  const random = seededRandom("tell");
  const own: Core = Object.create(core, { random: { value: random } });
  const beside: string[] = [];
  const applied =
    operator?.apply(copy, change, {
      ...{ core: own, sent, dice: diceOf("tell") },
      copies: (copies) => beside.push(`copies ${copies}`),
      hold: () => beside.push("hold"),
      also: (octets, when) => beside.push(`${when} ${hex(octets)}`),
    }) ?? true;
  const { header, clear, payloads, seal } = copy;
  const octets =
    copy.protected && keys
      ? sealMessage(keys, random, header, clear, encodeChain(payloads), firstPayloadType(payloads), seal)
      : encodeMessage({ header, payloads: [...clear, ...payloads] });
  const out = (copy.octets?.(octets) ?? [octets]).map(hex);
  if (keys) keys.sealed = count;
  return { applied, sent: out, beside };
}

/** The same for an ESP packet. */
export function tellEsp(operator: EspOperator | undefined, change: Draft, packet: OutgoingEsp): Told {
  if (!packet.sa) throw new Error("no SA");
  const { parameters, counter } = packet.sa;
  const sa = new OutboundSa({ ...parameters, random: seededRandom("tell"), counter });
  const copy: OutgoingEsp = { ...packet, sa, options: { ...packet.options } };
  const applied = operator?.apply(copy, change, { dice: diceOf("tell") }) ?? true;
  const sealed = sa.seal(copy.payload, copy.nextHeader, copy.options);
  if (isSealRefusal(sealed)) return { applied, sent: [], beside: [] };
  return { applied, sent: (copy.octets?.(sealed) ?? [sealed]).map(hex), beside: [] };
}
