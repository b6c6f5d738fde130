/** Conversations of two builtin endpoints in memory, as captures with their keys. */
import type { ChildSa } from "../../harness/ike/child.ts";
import type { Policy } from "../../harness/ike/policy.ts";
import type { IkeSa } from "../../harness/ike/sa.ts";
import type { Impairment } from "../../harness/link/memory.ts";
import { espSaKeys, ikeSaKeys } from "../../harness/run/evidence.ts";
import { authenticated, makePair, type Pair, type PairOptions } from "../../harness/run/pair.ts";
import type { HostEvent } from "../../harness/script/host.ts";
import { echoPacket } from "../../harness/script/inner.ts";
import { EMPTY } from "../../harness/wire/bytes.ts";
import type { TrafficSelector } from "../../harness/wire/types.ts";
import type { EspSaKeys, IkeSaKeys } from "../../pcaps/keys.ts";
import type { Captured } from "../../pcaps/types.ts";
import type { PeerConfig } from "../../peers/contract.ts";

export interface Recording {
  packets: Captured[];
  ike: IkeSaKeys[];
  esp: EspSaKeys[];
}

/** What the two agree on, and what they do. */
export interface Conversation {
  name: string;
  config?: Partial<PeerConfig>;
  /** Octets of a fragment; not set: no fragments. */
  chunk?: number;
  /** What happens behind IKE_AUTH and a first ping. */
  acts: readonly Act[];
}

export type Act = "ping" | "liveness" | "rekey child" | "rekey ike" | "delete";

export interface Circumstances {
  seed: string;
  impairment?: Partial<Impairment>;
}

const ONE_DAY = 86_400_000;

const PATIENT: Partial<Policy> = { retransmitTries: 12, retransmitMs: 200 };

/** Plays a conversation. Throws where it does not come to its end, which an honest pair always does. */
export async function record(
  { name, config = {}, chunk, acts }: Conversation,
  { seed, impairment }: Circumstances,
): Promise<Recording> {
  const kept = new Kept();
  const { a, b } = await authenticated(config);
  // Both policies are complete, with the keys that a configuration does not hold.
  const { auth: _, testerAuth: __, ...rest } = config;
  const options: PairOptions = {
    ...{
      seed: `${name} ${seed}`,
      config: rest,
      policies: { a: { ...a, ...PATIENT }, b: { ...b, ...PATIENT } },
    },
    ...(impairment && { impairment }),
    ...(chunk !== undefined && { fragmentation: { chunk } }),
    event: (end, event) => kept.take(end, event),
  };
  const play = new Play(makePair(options), kept, name);
  await play.connect();
  for (const act of acts) await play.act(act);
  await play.settle();
  return kept.recording();
}

/** What is kept of a conversation, as seen by its initiator. */
class Kept {
  readonly #packets: Captured[] = [];
  readonly #sas = new Set<IkeSa>();
  readonly children: ChildSa[] = [];
  replies = 0;
  now: () => number = () => 0;

  take(end: "a" | "b", event: HostEvent): void {
    if (end === "b") return;
    if (event.type === "datagram-sent" || event.type === "datagram-received")
      this.#packets.push({ timeMs: this.now(), ...event.datagram });
    if (event.type === "keys" || event.type === "ike-established") this.#sas.add(event.sa);
    if (event.type === "child-established") this.children.push(event.child);
    if (event.type === "esp-received" && event.inner?.echo?.reply) this.replies += 1;
  }

  recording(): Recording {
    return {
      packets: this.#packets,
      ike: [...this.#sas].flatMap((sa) =>
        [...sa.earlierKeys, sa.keys].flatMap((keys) => (keys ? ikeSaKeys(sa, keys) : [])),
      ),
      esp: this.children.flatMap(espSaKeys),
    };
  }
}

/** Moves a pair from one act to the next. */
class Play {
  readonly #pair: Pair;
  readonly #kept: Kept;
  readonly #name: string;

  constructor(pair: Pair, kept: Kept, name: string) {
    this.#pair = pair;
    this.#kept = kept;
    this.#name = name;
    kept.now = () => this.now;
  }

  get now(): number {
    return this.#pair.network.clock.now();
  }

  async connect(): Promise<void> {
    const { a, addresses } = this.#pair;
    await this.#done("connect", (done) =>
      a.endpoint.connect(addresses.a, addresses.b, ({ failure, childFailure }) =>
        done(failure ?? childFailure),
      ),
    );
  }

  async act(act: Act): Promise<void> {
    const { endpoint } = this.#pair.a;
    if (act === "ping") return this.#ping();
    await this.#done(act, (done) => {
      if (act === "liveness") endpoint.liveness(this.#sa, (alive) => done(alive ? undefined : "dead"));
      else if (act === "rekey child") endpoint.rekeyChild(this.#child, {}, (child) => done(failureOf(child)));
      else if (act === "rekey ike") endpoint.rekeyIke(this.#sa, {}, (sa) => done(failureOf(sa)));
      else endpoint.deleteIke(this.#sa, () => done());
    });
    await this.settle();
  }

  /** Until what follows from an act is over, as the deletion of an SA that was rekeyed. */
  async settle(): Promise<void> {
    await this.#pair.network.until(() => false, 30_000);
  }

  get #sa(): IkeSa {
    return this.#child.ike;
  }

  get #child(): ChildSa {
    const child = this.#kept.children.findLast(({ state }) => state === "installed");
    if (!child) throw new Error(`${this.#name}: there is no Child SA`);
    return child;
  }

  async #ping(): Promise<void> {
    const { a, network } = this.#pair;
    const child = this.#child;
    const pipe = a.pipeOf(child);
    const [from, to] = [firstOf(child.localTs), firstOf(child.remoteTs)];
    const before = this.#kept.replies;
    for (let sequence = 1; pipe && this.#kept.replies === before && sequence < 50; sequence++) {
      const echo = { reply: false, identifier: 7, sequence, data: EMPTY };
      a.sendEsp(pipe, echoPacket(from, to, echo), from.length === 4 ? 4 : 41);
      await network.until(() => this.#kept.replies > before, 2_000);
    }
    if (this.#kept.replies === before) throw new Error(`${this.#name}: no reply to a ping`);
  }

  async #done(what: string, begin: (done: (failure?: string) => void) => void): Promise<void> {
    let outcome: { failure: string | undefined } | undefined;
    begin((failure) => {
      outcome = { failure };
    });
    this.#pair.a.settle();
    await this.#pair.network.until(() => outcome !== undefined, ONE_DAY);
    const failure = outcome ? outcome.failure : "no end";
    if (failure !== undefined) throw new Error(`${this.#name}: ${what}: ${failure}`);
  }
}

const failureOf = (outcome: object | string): string | undefined =>
  typeof outcome === "string" ? outcome : undefined;

/** The first address of selectors. */
const firstOf = ([selector]: readonly TrafficSelector[]): Uint8Array => selector?.startAddress ?? EMPTY;
