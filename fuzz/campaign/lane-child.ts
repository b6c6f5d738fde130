/** A lane of a campaign as the campaign sees it: a process that is started, told what to do, and watched. */
import type { z } from "zod";
import { nodeCommand, type WatchedProcess, watchedProcess } from "../../harness/run/lane-process.ts";
import type { PeerInfo } from "../../reports/results.ts";
import {
  type BatchOrder,
  type FromFuzzLane,
  type FuzzOrder,
  fromLaneSchema,
  type ReplayOrder,
} from "./protocol.ts";

export interface ChildOptions {
  signal: AbortSignal;
  /** Told everything but heartbeats, and what `ask` waits for. */
  onMessage(message: FromFuzzLane): void;
  /** A process that says nothing for so long is killed. */
  stuckMs?: number;
  /** Most of the memory that the process may take for its values, in MiB. */
  heapMiB?: number;
}

/** The process has ended before it did what it was told. `stuck`: it stood still and was killed. */
export interface LaneGone {
  gone: true;
  stuck: boolean;
  reason: string;
}

export type Answer<K extends FromFuzzLane["kind"]> = Extract<FromFuzzLane, { kind: K }>;

const HEAP_MIB = 1_024;
const STUCK_MS = 20_000;

export class LaneChild {
  readonly #process: WatchedProcess;
  #labFailed: string | undefined;
  readonly #waiting = new Set<(message: FromFuzzLane) => boolean>();
  /** Resolves when the process has ended. */
  readonly gone: Promise<LaneGone>;

  constructor(order: FuzzOrder, { signal, onMessage, stuckMs = STUCK_MS, heapMiB = HEAP_MIB }: ChildOptions) {
    const [node = "", ...args] = nodeCommand(import.meta.dirname, "lane-main");
    const command = [node, `--max-old-space-size=${heapMiB}`, ...args];
    this.#process = watchedProcess(command, order.network, {
      ...{ signal, stuckMs },
      onMessage: (value) => {
        const read = fromLaneSchema.safeParse(value);
        if (!read.success) return this.#nonsense(read.error);
        const message = read.data;
        if (message.kind === "alive") return;
        if (message.kind === "lab-failed") this.#labFailed = message.reason;
        onMessage(message);
        for (const wait of this.#waiting) if (wait(message)) this.#waiting.delete(wait);
      },
    });
    this.gone = this.#process.ended.then(({ stuck, detail }) => ({
      ...{ gone: true, stuck },
      reason: this.#labFailed ?? (stuck ? "stood still and was killed" : `its process ended: ${detail}`),
    }));
    this.#process.send(order);
  }

  /** The peer's own word for itself, once it runs. */
  async started(): Promise<{ peer: PeerInfo; epochMs: number } | LaneGone> {
    return this.#until((message) => (message.kind === "started" ? message : undefined));
  }

  /** Resolves when the batch is over; what comes of its cases goes to `onMessage`. */
  async batch(order: BatchOrder): Promise<Answer<"batch-ended" | "no-setup"> | LaneGone> {
    const ended = this.#until((message) =>
      (message.kind === "batch-ended" || message.kind === "no-setup") && message.batch === order.number
        ? message
        : undefined,
    );
    this.#process.send(order);
    return ended;
  }

  async replay(order: ReplayOrder): Promise<Answer<"replayed"> | LaneGone> {
    const ended = this.#until((message) =>
      message.kind === "replayed" && message.id === order.id ? message : undefined,
    );
    this.#process.send(order);
    return ended;
  }

  /** Has it begin no more cases. */
  finish(): void {
    this.#process.send({ kind: "finish" });
  }

  /** Ends it and its peer in good order. */
  async stop(): Promise<void> {
    this.#process.send({ kind: "stop" });
    const timer = setTimeout(() => this.#process.kill(), STUCK_MS);
    await this.gone;
    clearTimeout(timer);
  }

  kill(): void {
    this.#process.kill();
  }

  /** A process that says what nobody can say is of no more use. */
  #nonsense({ issues: [issue] }: z.ZodError): void {
    this.#labFailed ??= `its process said what is no message: ${issue?.path.join(".")}: ${issue?.message}`;
    this.kill();
  }

  #until<T>(pick: (message: FromFuzzLane) => T | undefined): Promise<T | LaneGone> {
    const said = new Promise<T>((resolve) => {
      this.#waiting.add((message) => {
        const found = pick(message);
        if (found === undefined) return false;
        resolve(found);
        return true;
      });
    });
    return Promise.race([said, this.gone]);
  }
}

export const isGone = (answer: object): answer is LaneGone => "gone" in answer;
