/** The steps of a conversation: which take place now, how they begin, and how they end. */
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import type { Step } from "../trace.ts";
import { begin, missingFor, provoke, reachedOf, type Scene } from "./acts.ts";
import { abandon, guarded, type LastIds } from "./leaving.ts";
import { end, type Running, running } from "./running.ts";

export interface CourseOptions {
  scene: Scene;
  steps: readonly Step[];
  /** Of honest requests, the Message ID. */
  lastId: LastIds;
  now(): number;
  /** What is about to be sent is out of turn. */
  outOfTurn(): void;
  /** What the driver was told is done, or failed. */
  told(): void;
}

/** Answers that a step tells of. */
const MOST_ANSWERS = 64;

export class Course {
  readonly #options: CourseOptions;
  readonly #begun: Running[] = [];
  /** Those that take place now. */
  #bout: Running[] = [];

  constructor(options: CourseOptions) {
    this.#options = options;
  }

  /** All that have begun, in order. */
  get begun(): readonly Running[] {
    return this.#begun;
  }

  /** Whether steps are left that have not begun. */
  get goesOn(): boolean {
    return this.#begun.length < this.#options.steps.length;
  }

  /** Takes the steps of another conversation for the first of this one. */
  goOn(steps: readonly Running[]): void {
    this.#begun.push(...steps);
  }

  #isOver(step: Running): boolean {
    return step.ended !== undefined && (step.holds?.() ?? true);
  }

  open(): Running[] {
    return this.#bout.filter((step) => !this.#isOver(step));
  }

  /** Whether our last request is all that a response can answer. */
  get isOneOfOurs(): boolean {
    const [step, ...more] = this.#bout;
    return step !== undefined && !step.peers && more.length === 0;
  }

  /** Ends what has come to its end as an honest one does. */
  reach(): void {
    for (const step of this.#bout) if (!step.peers && step.reached?.()) end(step, "done");
  }

  /** The step that a message of ours belongs to: requests to the newest of ours that is for their SA, responses to the peer's. */
  stepOf(message: OutgoingMessage | "esp"): Running | undefined {
    const open = this.open();
    if (message === "esp") return open.findLast(({ step: { act } }) => act === "esp" || act === "peer-esp");
    if (message.isResponse) return open.findLast((step) => step.peers);
    if (message.sa) this.#options.lastId.set(message.sa, message.header.messageId);
    const own = open.filter((step) => !step.peers);
    return own.findLast((step) => step.sa === message.sa) ?? own.at(-1);
  }

  /** What came several times in a row, as a repeat does, is told once. */
  answer(text: string, tookId: boolean): void {
    const step = this.#bout.find((s) => s.ended === undefined) ?? this.#bout.at(-1);
    if (!step) return;
    step.sinceSent++;
    step.tookId ||= tookId;
    if (step.answers.length < MOST_ANSWERS && step.answers.at(-1) !== text) step.answers.push(text);
  }

  /** The peer ended an SA, or said an error. */
  rebuked(reason: string): void {
    for (const step of this.open()) if (!step.step.act.startsWith("peer-delete")) step.rebuked ??= reason;
  }

  /** Begins the next step, and those that begin with it. */
  next(): void {
    const { steps } = this.#options;
    this.#bout = [];
    do {
      const step = steps[this.#begun.length];
      if (step) this.#begin(running(this.#begun.length, step));
    } while (steps[this.#begun.length]?.together);
  }

  #begin(step: Running): void {
    this.#begun.push(step);
    this.#bout.push(step);
    if (step.peers) return this.#provoke(step);
    const { scene, outOfTurn } = this.#options;
    const missing = guarded(() => begin(scene, step, outOfTurn));
    if (missing !== undefined) end(step, "not begun", missing);
    scene.ours.host.settle();
  }

  #provoke(step: Running): void {
    const { scene, now, told } = this.#options;
    const { act } = step.step;
    const missing = missingFor(scene, act);
    if (missing !== undefined) return end(step, "not begun", missing);
    step.reached = reachedOf(scene, act);
    step.underWay = true;
    step.told = now();
    const done = () => {
      step.underWay = false;
      told();
    };
    const failed = (error: unknown) => {
      end(step, "not begun", error instanceof Error ? error.message : String(error));
      done();
    };
    scene.arena.world.clock.outside(provoke(scene, act).then(done, failed));
  }

  /** The peer had its time: these steps end as they are. */
  judge(): void {
    const { scene, lastId } = this.#options;
    for (const step of this.open()) {
      step.holds = undefined;
      if (step.ended === "done") step.ended = "silence";
      if (step.rebuked !== undefined) end(step, "refused", step.rebuked);
      if (step.peers && step.reached?.()) end(step, "done");
      if (step.sinceSent > 0 && !step.peers) end(step, "refused", step.answers.at(-1));
      end(step, "silence");
      abandon(scene.ours.host, lastId, step.tookId);
    }
  }

  /** No end is in sight, as when the peer wants ever more rounds: nothing more begins. */
  stop(reason: string): void {
    for (const step of this.open()) {
      step.holds = undefined;
      end(step, "refused", reason);
    }
    const first = this.#begun.length;
    this.#begun.push(...this.#options.steps.slice(first).map((step, i) => running(first + i, step)));
    this.#bout = [];
  }
}
