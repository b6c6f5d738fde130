/** Plays single conversations on a fresh peer, to see whether an alarm comes again. */
import type { PeerRole } from "../../peers/contract.ts";
import type { Alarm } from "../alarm.ts";
import { reportAlarms } from "../oracles/ends.ts";
import { growthOf } from "../oracles/growth.ts";
import { HALF_OPEN, halfOpenAlarm } from "../oracles/half-open.ts";
import type { Outcome } from "../outcome.ts";
import { findSetup, type Setup } from "../setups.ts";
import { type FuzzCase, withoutLies } from "../trace.ts";
import { type Keeper, type Ready, reasonOf } from "./keeper.ts";

/** Where a conversation takes place. */
export interface Place {
  setup: Setup;
  peer: PeerRole;
}

/** What the conversation itself says; never throws. */
export type Judge = (outcome: Outcome, place: Place) => Alarm[];

export interface Shown {
  case: FuzzCase;
  outcome: Outcome;
  alarm: Alarm;
  /** What the peer wrote meanwhile; not set: not told apart from what it wrote before. */
  log?: string;
}

/** Full handshakes that must fail before a peer counts as one that hangs. */
const HANDSHAKES = 2;

/** Alarms after which the peer is of no more use. */
export const isFatal = ({ oracle, signature }: Alarm): boolean =>
  oracle === "crash" || (oracle === "hang" && signature !== LONG);

/** What the conversation alone cannot say: whole handshakes must fail, too. */
export const isDoubtful = ({ oracle }: Alarm): boolean => oracle === "hang";

/** Signatures of the lab's watch that one play alone does not show. */
const LONG = "cpu long";
const GROWTH = "growth ";
const REPORT = "report ";
const CLAIMS = "claims ";

/** The peer's own word for an IKE SA with nobody: it says less than the conversation does that led to it. */
export const isClaim = ({ signature }: Alarm): boolean => signature.startsWith(CLAIMS);
export const isBypass = ({ oracle, severity }: Alarm): boolean =>
  oracle === "state" && severity === "critical";

/** What the lab's watch says, and no conversation of itself. */
const isSeen = ({ oracle, signature }: Alarm): boolean =>
  oracle === "crash" ||
  oracle === "hang" ||
  oracle === "memory" ||
  signature.startsWith(REPORT) ||
  signature.startsWith(CLAIMS);

/** What one play does not show. */
export const buildsUp = ({ signature }: Alarm): boolean => signature.startsWith(GROWTH) || signature === LONG;

export class Trials {
  readonly #keeper: Keeper;
  readonly #judge: Judge;
  readonly #progress: () => void;
  #count = 0;

  /** `progress` is called with each conversation that has come to its end. */
  constructor(keeper: Keeper, judge: Judge, progress: () => void) {
    this.#keeper = keeper;
    this.#judge = judge;
    this.#progress = progress;
  }

  /** Plays one on a fresh peer, and gives all alarms. */
  async play(played: FuzzCase, place: Place): Promise<{ outcome: Outcome; alarms: Alarm[] }> {
    const ready = await this.#fresh(place);
    const { outcome, alarms } = await this.#one(played, place, ready);
    if (!alarms.some(isFatal)) {
      const seen = await ready.watch.afterBatch();
      alarms.push(...seen.filter((alarm) => !isClaim(alarm) || !alarms.some(isBypass)));
    }
    this.#note(alarms);
    return { outcome, alarms };
  }

  /** Whether this conversation alone raises the alarm, on a fresh peer. */
  async shows(played: FuzzCase, alarm: Alarm, place: Place): Promise<Shown | undefined> {
    if (alarm.signature === HALF_OPEN) return this.lingers(played, place);
    if (alarm.signature.startsWith(GROWTH)) return this.#grows(played, alarm, place);
    if (alarm.signature === LONG) return this.#takesLong(played, alarm, place);
    return this.showsAfter([played], alarm, place);
  }

  /** The first of these that raises the alarm when they are played one after another on a fresh peer. */
  async showsAfter(cases: readonly FuzzCase[], alarm: Alarm, place: Place): Promise<Shown | undefined> {
    const ready = await this.#fresh(place);
    const look = isSeen(alarm);
    const grows = buildsUp(alarm);
    // What it takes before any of them.
    if (grows) await ready.watch.afterBatch();
    let last: Pick<Shown, "case" | "outcome"> | undefined;
    for (const next of cases) {
      const { outcome, alarms } = await this.#one(next, place, ready);
      if (alarm.signature.startsWith(REPORT)) alarms.push(...reportAlarms(await this.#keeper.logs()));
      last = { case: next, outcome };
      this.#note(alarms);
      const again = find(alarms, alarm);
      if (again) return this.#shown(last, { ...again, beside: besideOf(again, alarms) });
      if (alarms.some(isFatal)) return undefined;
    }
    // To look around takes a while, and what a conversation says of itself needs none of it.
    const alarms = look ? await ready.watch.afterBatch() : [];
    // Growth is told once it has stayed so for a sample more.
    if (grows) alarms.push(...(await ready.watch.afterBatch()));
    this.#note(alarms);
    const again = find(alarms, alarm);
    return again && last && this.#shown(last, again);
  }

  async #shown(last: Pick<Shown, "case" | "outcome">, alarm: Alarm): Promise<Shown> {
    return { ...last, alarm, log: await this.#keeper.logs() };
  }

  async #one(played: FuzzCase, place: Place, ready: Ready): Promise<{ outcome: Outcome; alarms: Alarm[] }> {
    const outcome = await ready.player.play(played);
    this.#progress();
    const seen = await ready.watch.afterCase(outcome);
    const said = this.#judge(outcome, place);
    const deaf = said.some(isDoubtful) && !seen.some(isFatal) && (await this.isDeaf(ready));
    return { outcome, alarms: [...seen, ...said.filter((alarm) => deaf || !isDoubtful(alarm))] };
  }

  /** Whether the peer has a handshake for nobody, asked several times. */
  async isDeaf({ player }: Ready): Promise<boolean> {
    for (let tried = 0; tried < HANDSHAKES; tried++) {
      if ((await player.handshake()) === undefined) return false;
    }
    return true;
  }

  async #fresh({ setup, peer }: Place): Promise<Ready> {
    this.#count += 1;
    return this.#keeper.prepare(setup, peer, `trial-${this.#count}`);
  }

  #note(alarms: readonly Alarm[]): void {
    const fatal = alarms.find(isFatal);
    if (fatal) this.#keeper.broke(fatal.title);
  }

  /** A peer ends at last by what the trials before took; then a fresh one is asked, once. */
  async #grows(played: FuzzCase, alarm: Alarm, place: Place, isFresh = false): Promise<Shown | undefined> {
    const ready = await this.#fresh(place);
    let outcome: Outcome | undefined;
    let times = 0;
    const play = async () => {
      times += 1;
      const ended = await ready.player.play(reseeded(played, times));
      // Many half-open SAs later a peer may go on otherwise.
      outcome ??= ended;
      this.#progress();
    };
    const growth = await growthOf(ready.driver, play, () => ready.player.handshake()).catch(reasonOf);
    if (typeof growth === "string") {
      this.#keeper.broke(growth);
      return isFresh ? undefined : this.#grows(played, alarm, place, true);
    }
    if (!growth || !outcome) return undefined;
    const detail = `${alarm.detail}\n${Math.round(growth.perPlay)} octets a play, ${Math.round(growth.honest)} an honest one`;
    return { case: played, outcome, alarm: { ...alarm, detail } };
  }

  /** Whether the half-open IKE SAs that this conversation leaves stay. Takes minutes where time is real. */
  async lingers(played: FuzzCase, place: Place): Promise<Shown | undefined> {
    const { player, driver, world } = await this.#fresh(place);
    let outcome: Outcome | undefined;
    let times = 0;
    const begin = async () => {
      times += 1;
      outcome = await player.play(reseeded(played, times));
    };
    const alarm = await halfOpenAlarm(driver, world, begin, this.#progress);
    return alarm && outcome && { case: played, outcome, alarm };
  }

  async #takesLong(played: FuzzCase, alarm: Alarm, place: Place): Promise<Shown | undefined> {
    const ready = await this.#fresh(place);
    await ready.watch.afterCase(await ready.player.play(honestly(played)));
    const outcome = await ready.player.play(played);
    await ready.player.handshake();
    const alarms = await ready.watch.afterCase(outcome);
    this.#note(alarms);
    const again = find(alarms, alarm);
    return again && { case: played, outcome, alarm: again };
  }
}

/** With other nonces, SPIs and keys, so that no peer takes it for a retransmission. */
export const reseeded = (played: FuzzCase, times: number): FuzzCase => ({
  ...played,
  seed: `${played.seed}/${times}`,
});

/** The conversation without its lies. */
const honestly = (played: FuzzCase): FuzzCase => ({
  ...reseeded(played, 0),
  trace: withoutLies(played.trace),
});

/** As its trace says; the setup of a smaller one may be another. */
export function placeOf({ trace }: FuzzCase, { setup }: Place): Place {
  return { peer: trace.peer, setup: findSetup(trace.setup) ?? setup };
}

const MOST_BESIDE = 64;

/** What else of the same weight the log says: one fault may be noted in many places. */
function besideOf({ signature, severity }: Alarm, alarms: readonly Alarm[]): string[] | undefined {
  if (!signature.startsWith(REPORT)) return undefined;
  const alike = alarms.filter((other) => other.signature.startsWith(REPORT) && other.severity === severity);
  const others = new Set(alike.map((other) => other.signature));
  others.delete(signature);
  return [...others].slice(0, MOST_BESIDE);
}

/**
 * The alarm among these. The frames of a crash may differ from run to run; and what is known of a bypass hangs on what
 * else there was in the conversation.
 */
const find = (alarms: readonly Alarm[], alarm: Alarm): Alarm | undefined =>
  alarms.find(({ signature }) => signature === alarm.signature) ??
  alarms.find((other) => [isCrash, isTold].some((kind) => kind(other) && kind(alarm)));

const isCrash = ({ oracle }: Alarm): boolean => oracle === "crash";
const isTold = (alarm: Alarm): boolean => isBypass(alarm) && !isClaim(alarm);
