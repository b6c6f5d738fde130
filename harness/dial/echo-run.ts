/** Sends ESP echo requests as `ping` does, and finds the largest size that passes. */
import type { EchoReply, EchoRequester, Probe } from "../extensions/esp-echo-requester.ts";

export interface EchoPlan {
  /** Octets of Data, one round of requests each; `sweep` looks for the largest that passes. */
  sizes: readonly number[] | "sweep";
  /** Requests of each size. */
  count: number;
  intervalMs: number;
  timeoutMs: number;
  /** All but size and data. */
  probe: Probe;
  /** No replies are asked for. */
  oneWay: boolean;
}

/** A request, and what came of it. */
export interface Request {
  sequence: number;
  size: number;
  atMs: number;
  /** All that came; those behind the first are duplicates. */
  replies: EchoReply[];
  /** Told as unanswered; a reply that comes later still counts. */
  overdue: boolean;
}

/** What is said as it happens. */
export interface EchoListener {
  sent?(request: Request): void;
  reply?(request: Request, reply: EchoReply): void;
  overdue?(request: Request): void;
}

/** Time, as a call has it. */
export interface Waiting {
  now(): number;
  readonly interrupted: boolean;
  until(condition: () => boolean, ms: number): Promise<boolean>;
}

/** The first size of a sweep, and the last: what the Data Length and an IP packet have room for. */
const [FIRST_SIZE, LAST_SIZE] = [64, 65_000];
/** Once replies have come, silence is judged sooner: so many times the longest round trip, and no less than so many ms. */
const [PATIENCE, LEAST_MS] = [10, 200];

export class EchoRun {
  readonly requests: Request[] = [];
  readonly #requester: Pick<EchoRequester, "probe">;
  readonly #plan: EchoPlan;
  readonly #waiting: Waiting;
  readonly #listener: EchoListener;

  constructor(
    requester: Pick<EchoRequester, "probe">,
    plan: EchoPlan,
    waiting: Waiting,
    listener: EchoListener = {},
  ) {
    this.#requester = requester;
    this.#plan = plan;
    this.#waiting = waiting;
    this.#listener = listener;
  }

  /** To be called with every reply, from the requester's `onReply`. */
  take(reply: EchoReply): void {
    // Numbers come again after 65,536 requests; the newest is meant.
    const request = this.requests.findLast(({ sequence }) => sequence === reply.sequence);
    if (!request) return;
    request.replies.push(reply);
    this.#listener.reply?.(request, reply);
  }

  /** Ends by itself, or soon after the user wants no more. */
  async run(): Promise<void> {
    const { sizes, count, intervalMs, timeoutMs } = this.#plan;
    if (sizes === "sweep") return this.#sweep();
    for (let i = 0; i < count * sizes.length && !this.#waiting.interrupted; i++) {
      if (i > 0) await this.#waiting.until(() => false, intervalMs);
      this.#judge(timeoutMs);
      if (!this.#waiting.interrupted) this.#send(sizes[Math.floor(i / count)] ?? 0);
    }
    await this.#waiting.until(() => this.#open().length === 0, timeoutMs);
    if (!this.#waiting.interrupted) this.#judge(0);
  }

  #send(size: number): Request {
    const data = new Uint8Array(size).map((_, index) => index);
    const atMs = this.#waiting.now();
    const sequence = this.#requester.probe({ ...this.#plan.probe, data });
    const request: Request = { sequence, size, atMs, replies: [], overdue: false };
    this.requests.push(request);
    this.#listener.sent?.(request);
    return request;
  }

  #open(): Request[] {
    if (this.#plan.oneWay) return [];
    return this.requests.filter(({ replies, overdue }) => replies.length === 0 && !overdue);
  }

  #judge(afterMs: number): void {
    for (const request of this.#open()) {
      if (this.#waiting.now() - request.atMs < afterMs) continue;
      request.overdue = true;
      this.#listener.overdue?.(request);
    }
  }

  async #sweep(): Promise<void> {
    let [passes, fails] = [0, LAST_SIZE + 1];
    for (
      let size = FIRST_SIZE;
      fails > LAST_SIZE && passes < LAST_SIZE;
      size = Math.min(2 * size, LAST_SIZE)
    ) {
      if (this.#waiting.interrupted) return;
      if (await this.#try(size)) passes = size;
      else fails = size;
    }
    // One that does not even take the first size is not worth the search.
    while (passes > 0 && fails - passes > 1 && !this.#waiting.interrupted) {
      const middle = (passes + fails) >> 1;
      if (await this.#try(middle)) passes = middle;
      else fails = middle;
    }
  }

  async #try(size: number): Promise<boolean> {
    for (let tries = 0; tries < this.#plan.count && !this.#waiting.interrupted; tries++) {
      const request = this.#send(size);
      if (await this.#waiting.until(() => request.replies.length > 0, this.#patience())) return true;
      this.#judge(0);
    }
    return false;
  }

  #patience(): number {
    const slowest = Math.max(...this.requests.flatMap(({ replies }) => replies.map(({ rttMs }) => rttMs)));
    const { timeoutMs } = this.#plan;
    return Number.isFinite(slowest) ? Math.min(timeoutMs, Math.max(LEAST_MS, PATIENCE * slowest)) : timeoutMs;
  }
}

export interface EchoSummary {
  requests: number;
  /** Requests that were answered. */
  answered: number;
  duplicates: number;
  /** Between 0 and 1; 0 where no replies were asked for. */
  loss: number;
  /** Milliseconds; not set without replies. */
  roundTrip?: { min: number; avg: number; max: number; mdev: number };
  /** Octets of Data; not set without replies. */
  largest?: number;
  /** The most octets of Data that a reply brought back; not set where all brought everything. */
  longestReply?: number;
}

export function summaryOf(requests: readonly Request[], oneWay: boolean): EchoSummary {
  const answered = requests.filter(({ replies }) => replies.length > 0);
  const firsts = answered.flatMap(({ replies }) => replies.slice(0, 1));
  const all = requests.reduce((sum, { replies }) => sum + replies.length, 0);
  const cut = firsts.some(({ data, sentOctets }) => data.length < sentOctets);
  return {
    ...{ requests: requests.length, answered: answered.length, duplicates: all - answered.length },
    loss: oneWay || requests.length === 0 ? 0 : 1 - answered.length / requests.length,
    ...(answered.length > 0 && {
      roundTrip: roundTrip(firsts.map(({ rttMs }) => rttMs)),
      largest: Math.max(...answered.map(({ size }) => size)),
    }),
    ...(cut && { longestReply: Math.max(...firsts.map(({ data }) => data.length)) }),
  };
}

/** `mdev` is the standard deviation, as ping has it. */
function roundTrip(times: readonly number[]): NonNullable<EchoSummary["roundTrip"]> {
  const avg = times.reduce((sum, time) => sum + time, 0) / times.length;
  const square = times.reduce((sum, time) => sum + (time - avg) ** 2, 0) / times.length;
  return { min: Math.min(...times), avg, max: Math.max(...times), mdev: Math.sqrt(square) };
}
