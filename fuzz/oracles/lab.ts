/** What only the lab sees of a peer: its end, what it writes, what it takes, and which SAs it says it has. */
import { setTimeout as pause } from "node:timers/promises";
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { hex } from "../../harness/wire/bytes.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { Driver, PeerResources } from "../../peers/contract.ts";
import type { Alarm } from "../alarm.ts";
import { findOperator } from "../operators/index.ts";
import type { Claim, Outcome } from "../outcome.ts";
import type { Change } from "../trace.ts";
import { demandOf } from "./demands.ts";
import { deathAlarm, reportAlarms } from "./ends.ts";
import { GrowthWatch } from "./growth.ts";
import { isFirst } from "./lint-heard.ts";

/** A question that takes longer is not asked after every case. */
const CHEAP_MS = 2;
/** At least so long between two cheap ones. */
const SAMPLE_MS = 10;
/** CPU time of one case, beyond that of a handshake, that is worth an alarm, in milliseconds. */
const LONG_CPU_MS = 1_000;
/** How long an idle daemon is watched, and what share of one core it may take then; others want the core, too. */
const IDLE_MS = 50;
const BUSY = 0.6;
/** How long it has to finish what it was busy with, and how long it is watched then. */
const SETTLE_MS = 3_000;
const SETTLED_MS = 600;
/** SAs whose owner is remembered. */
const MOST_SAS = 20_000;

export class LabWatch {
  readonly #driver: Driver;
  readonly #growth = new GrowthWatch();
  /** Cases by the SPIs of IKE SAs that nothing lawful can have established. */
  readonly #unlawful = new Map<string, number>();
  #sampled = 0;
  #cheap = true;
  #cpuMs: number | undefined;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** After each case: an end at once, and what the daemon takes where that is told in no time. */
  async afterCase(outcome: Outcome): Promise<Alarm[]> {
    this.#remember(outcome);
    const ended = await this.#end(outcome.probe === "silence");
    if (ended) return [ended];
    if (!this.#cheap || performance.now() - this.#sampled < SAMPLE_MS) return [];
    const taken = await this.#resources();
    return taken ? [...this.#growth.see(taken), ...this.#long(taken)] : [];
  }

  /** After a batch: an end, reports in the log, a daemon that is busy with nothing, SAs that it should not have. */
  async afterBatch(): Promise<Alarm[]> {
    const ended = await this.#end(true);
    if (ended) return [ended];
    const log = await this.#driver.logs().catch(() => "");
    const taken = await this.#resources();
    return [
      ...reportAlarms(log),
      ...(taken ? this.#growth.see(taken) : []),
      ...(await this.#spinning()),
      ...(await this.#claims()),
    ];
  }

  /** Begins anew: the daemon was started, or forgot everything. */
  forget(): void {
    this.#growth.forget();
    this.#unlawful.clear();
    this.#cpuMs = undefined;
  }

  /** `ask`: also where the daemon must be asked for it. */
  async #end(ask: boolean): Promise<Alarm | undefined> {
    const { ended } = this.#driver;
    if (ended && !ask && !ended.call(this.#driver)) return undefined;
    const exit = await this.#exit();
    if (exit === undefined) return undefined;
    return deathAlarm(exit, await this.#driver.logs().catch(() => ""));
  }

  async #exit(): Promise<string | undefined> {
    if (this.#driver.exit) return this.#driver.exit();
    const status = await this.#driver.status().catch(() => undefined);
    return status?.alive === false ? status.exit : undefined;
  }

  async #resources(): Promise<PeerResources | undefined> {
    const began = performance.now();
    const taken = await this.#driver.resources?.().catch(() => undefined);
    this.#sampled = performance.now();
    this.#cheap = this.#sampled - began <= CHEAP_MS;
    return taken;
  }

  /** CPU time since the sample before. */
  #long({ cpuMs }: PeerResources): Alarm[] {
    const before = this.#cpuMs;
    this.#cpuMs = cpuMs;
    if (before === undefined || cpuMs === undefined || cpuMs - before < LONG_CPU_MS) return [];
    return [
      {
        ...{ oracle: "hang", title: "takes seconds of CPU time for one case", signature: "cpu long" },
        ...{ severity: "medium", detail: `${Math.round(cpuMs - before)} ms of CPU time`, alone: true },
      },
    ];
  }

  async #spinning(): Promise<Alarm[]> {
    if ((await this.#busy(IDLE_MS)) < BUSY) return [];
    await pause(SETTLE_MS);
    const share = await this.#busy(SETTLED_MS);
    if (share < BUSY) return [];
    return [
      {
        ...{
          oracle: "hang",
          title: "is busy with nothing",
          signature: "cpu spins",
          severity: "high",
          alone: true,
        },
        detail: `${Math.round(share * 100)} % of one core, ${SETTLE_MS} ms after the last case`,
      },
    ];
  }

  /** Share of one core that it takes while nobody asks anything of it. */
  async #busy(ms: number): Promise<number> {
    const first = (await this.#resources())?.cpuMs;
    if (first === undefined) return 0;
    await pause(ms);
    const second = (await this.#resources())?.cpuMs;
    this.#cpuMs = second;
    return second === undefined ? 0 : (second - first) / ms;
  }

  #remember(outcome: Outcome): void {
    if (this.#unlawful.size > MOST_SAS) this.#unlawful.clear();
    for (const claim of outcome.claims)
      if (isUnlawful(claim, outcome)) this.#unlawful.set(hex(claim.sa.spiI), outcome.case.number);
  }

  /** IKE SAs that the peer says are established although nobody proved himself in them. */
  async #claims(): Promise<Alarm[]> {
    if (this.#unlawful.size === 0) return [];
    const status = await this.#driver.status().catch(() => undefined);
    const owners = (status?.ikeSas ?? []).flatMap(({ spiI, state }) =>
      /^established/i.test(state) ? (this.#unlawful.get(spiI) ?? []) : [],
    );
    this.#unlawful.clear();
    return owners.map((number) => ({
      ...{ oracle: "state", title: "says that an IKE SA is established which nobody was authenticated for" },
      ...{ signature: "claims an unauthenticated IKE SA", severity: "critical", alone: true },
      detail: `case ${number}`,
    }));
  }
}

/**
 * True if no AUTH payload of ours was to go out in this SA, or none but one that proves nothing by its operator's word.
 * An SA made by rekeying inherits what was proven.
 */
function isUnlawful({ sa, authentic }: Claim, outcome: Outcome): boolean {
  if (authentic || !isFirst(sa)) return false;
  const proofs = outcome.entries.flatMap(({ event }) =>
    event.type === "sent" && event.message.sa === sa && hasAuth(event.message) ? [event.message] : [],
  );
  if (proofs.length === 0) return true;
  // What comes later proves nothing that was not proven.
  const own = [...changesByMessage(outcome)].filter(
    ([message]) => message.sa === sa && (proofs.includes(message) || EARLY.has(message.header.exchangeType)),
  );
  const [[message, change] = [], ...more] = own;
  const isSpoilt = change !== undefined && more.length === 0 && demandOf(change)?.never === "established";
  return isSpoilt && proofs.every((proof) => proof === message);
}

/** Which change each changed message has; none where that cannot be told apart. */
function changesByMessage({ case: { trace }, steps, changed = [] }: Outcome): Map<OutgoingMessage, Change> {
  const changes = trace.steps.flatMap(({ changes = [] }, step) =>
    changes
      .filter(({ op }) => findOperator(op)?.on === "ike")
      .map((change) => ({ change, place: `${step} ${change.message}` }))
      .sort((a, b) => a.change.message - b.change.message),
  );
  const isClear =
    new Set(changes.map(({ place }) => place)).size === changes.length &&
    changes.length === changed.length &&
    steps.every(({ unfit }) => unfit.length === 0) &&
    trace.steps.every(({ together }) => !together);
  if (!isClear) return new Map();
  return new Map(changed.flatMap((message, i) => (changes[i] ? [[message, changes[i].change]] : [])));
}

const EARLY: ReadonlySet<number> = new Set([
  ...[EXCHANGE.IKE_SA_INIT, EXCHANGE.IKE_INTERMEDIATE, EXCHANGE.IKE_AUTH, EXCHANGE.GSA_AUTH],
]);

const hasAuth = ({ payloads, clear }: OutgoingMessage): boolean =>
  [...payloads, ...clear].some(({ type }) => type === PAYLOAD.AUTH);
