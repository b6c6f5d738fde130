/** Plays single conversations on a fresh peer, to see whether an alarm comes again. */
import type { PeerRole } from "../../peers/contract.ts";
import type { Alarm } from "../alarm.ts";
import { growthOf } from "../oracles/growth.ts";
import type { Outcome } from "../outcome.ts";
import type { Setup } from "../setups.ts";
import type { FuzzCase } from "../trace.ts";
import type { Keeper, Ready } from "./keeper.ts";

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

  /** Plays these one after another on a fresh peer, and gives all alarms with the last outcome. */
  async play(cases: readonly FuzzCase[], place: Place): Promise<{ outcome?: Outcome; alarms: Alarm[] }> {
    const ready = await this.#fresh(place);
    const alarms: Alarm[] = [];
    let outcome: Outcome | undefined;
    for (const next of cases) {
      outcome = await ready.player.play(next);
      this.#progress();
      const seen = await ready.watch.afterCase(outcome);
      const said = this.#judge(outcome, place);
      const deaf = said.some(isDoubtful) && !seen.some(isFatal) && (await this.isDeaf(ready));
      alarms.push(...seen, ...said.filter((alarm) => deaf || !isDoubtful(alarm)));
      if (alarms.some(isFatal)) break;
    }
    if (!alarms.some(isFatal)) alarms.push(...(await ready.watch.afterBatch()));
    this.#note(alarms);
    return { ...(outcome && { outcome }), alarms };
  }

  /** Whether this conversation alone raises the alarm, on a fresh peer. */
  async shows(played: FuzzCase, alarm: Alarm, place: Place): Promise<Shown | undefined> {
    if (alarm.signature.startsWith(GROWTH)) return this.#grows(played, alarm, place);
    if (alarm.signature === LONG) return this.#takesLong(played, alarm, place);
    return this.showsAfter([played], alarm, place);
  }

  /** Whether the last of these raises the alarm after the others. */
  async showsAfter(cases: readonly FuzzCase[], alarm: Alarm, place: Place): Promise<Shown | undefined> {
    const { outcome, alarms } = await this.play(cases, place);
    const again = alarms.find((other) => isSame(other, alarm));
    if (!outcome || !again) return undefined;
    return { case: outcome.case, outcome, alarm: again };
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

  async #grows(played: FuzzCase, alarm: Alarm, place: Place): Promise<Shown | undefined> {
    const ready = await this.#fresh(place);
    let outcome: Outcome | undefined;
    let times = 0;
    const play = async () => {
      times += 1;
      outcome = await ready.player.play(reseeded(played, times));
      this.#progress();
    };
    const growth = await growthOf(ready.driver, play, () => ready.player.handshake());
    if (!growth || !outcome) return undefined;
    const detail = `${alarm.detail}\n${Math.round(growth.perPlay)} octets a play, ${Math.round(growth.honest)} an honest one`;
    return { case: played, outcome, alarm: { ...alarm, detail } };
  }

  async #takesLong(played: FuzzCase, alarm: Alarm, place: Place): Promise<Shown | undefined> {
    const ready = await this.#fresh(place);
    await ready.watch.afterCase(await ready.player.play(honestly(played)));
    const outcome = await ready.player.play(played);
    await ready.player.handshake();
    const alarms = await ready.watch.afterCase(outcome);
    this.#note(alarms);
    const again = alarms.find((other) => isSame(other, alarm));
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
  trace: { ...played.trace, steps: played.trace.steps.map(({ changes: _, ...step }) => step) },
});

/** The frames of a crash may differ from run to run. */
const isSame = (one: Alarm, other: Alarm): boolean =>
  one.signature === other.signature || (one.oracle === "crash" && other.oracle === "crash");
