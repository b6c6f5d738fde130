/**
 * The runner's end of a guest's control line (`guest-agent.pl` is the other): commands and Unix sockets in the
 * guest, many at once over one stream. A frame is type (1 octet), channel (4 octets), length (4 octets), payload.
 */
import { constants } from "node:os";
import { Duplex } from "node:stream";
import { LabError } from "./errors.ts";
import type { CommandResult } from "./process.ts";

/** A command that goes on in the guest; `ended` resolves when it has. */
export interface GuestProcess {
  ended: Promise<CommandResult>;
  kill(): void;
}

export interface RunOptions {
  stdin?: string;
  /** After this the command's process group is killed and the call rejects; 10 s when not set. */
  timeoutMs?: number;
}

export interface StartOptions {
  stdin?: string;
  /** Takes the output as it comes; it is collected into the result when not set. */
  onOutput?: (data: Buffer) => void;
}

interface Channel {
  output(data: Buffer): void;
  error(data: Buffer): void;
  ended(status: string): void;
  failed(reason: Error): void;
}

const HEADER = 9;
/** Octets on the way to the agent at most: a terminal line holds 4,096, and one that fills up can stall for good. */
const WINDOW = 2048;

/** Multiplexer over the control line of one guest. */
export class GuestLine {
  readonly #stream: Duplex;
  readonly #channels = new Map<number, Channel>();
  #pending: Buffer = Buffer.alloc(0);
  #outgoing: Buffer = Buffer.alloc(0);
  #credit = WINDOW;
  #next = 1;
  #closed: Error | undefined;
  readonly #ready: Promise<void>;
  #announce: () => void = () => {};
  #refuse: (reason: Error) => void = () => {};

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#ready = new Promise((resolve, reject) => {
      this.#announce = resolve;
      this.#refuse = reject;
    });
    this.#ready.catch(() => {});
    stream.on("data", (data: Buffer) => this.#receive(data));
    stream.on("error", (error) => this.fail(new LabError("control", `control line: ${error.message}`)));
    stream.on("close", () => this.fail(new LabError("control", "the guest is gone")));
  }

  /** Resolves when the agent has announced itself; rejects when the guest ends before. */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Ends every channel with this error, and refuses new ones. */
  fail(reason: Error): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.#refuse(reason);
    for (const channel of this.#channels.values()) channel.failed(reason);
    this.#channels.clear();
  }

  /** Starts a command without bound in time. */
  start(argv: string[], options: StartOptions = {}): GuestProcess {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const { onOutput } = options;
    let id = 0;
    const ended = new Promise<CommandResult>((resolve, reject) => {
      id = this.#open("X", argv.join("\0"), {
        output: onOutput ?? ((data) => stdout.push(data)),
        error: onOutput ?? ((data) => stderr.push(data)),
        ended: (status) =>
          resolve({ exit: exitOf(Number(status)), stdout: text(stdout), stderr: text(stderr) }),
        failed: reject,
      });
    });
    // Whoever starts a daemon may never look at its end.
    ended.catch(() => {});
    if (options.stdin) this.#send("I", id, Buffer.from(options.stdin));
    this.#send("E", id, "");
    return { ended, kill: () => this.#send("K", id, "KILL") };
  }

  /** Runs a command to its end. @throws LabError `control` when that takes too long. */
  async run(argv: string[], options: RunOptions = {}): Promise<CommandResult> {
    const timeoutMs = options.timeoutMs ?? 10_000;
    const process = this.start(argv, options.stdin === undefined ? {} : { stdin: options.stdin });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        process.kill();
        reject(new LabError("control", `no end of "${argv.join(" ").slice(0, 120)}" in ${timeoutMs} ms`));
      }, timeoutMs);
    });
    return Promise.race([process.ended, late]).finally(() => clearTimeout(timer));
  }

  /**
   * Resolves when what commands had written by now, and the end of those that have ended, has come along.
   * @throws LabError `control` when that takes too long
   */
  async catchUp(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new LabError("control", `no word from the guest in ${timeoutMs} ms`)),
        timeoutMs,
      );
    });
    const said = new Promise<void>((resolve, reject) => {
      const ignored = () => {};
      this.#open("S", "", { output: ignored, error: ignored, ended: () => resolve(), failed: reject });
    });
    return Promise.race([said, late]).finally(() => clearTimeout(timer));
  }

  /** Connects to a Unix socket in the guest. Refusal shows as the stream's `error`. */
  connect(path: string): Duplex {
    let id = 0;
    const stream = new Duplex({
      read() {},
      write: (data: Buffer, _encoding, done) => {
        this.#send("I", id, data);
        done();
      },
      final: (done) => {
        this.#send("E", id, "");
        done();
      },
      destroy: (error, done) => {
        if (this.#channels.delete(id)) this.#send("K", id, "");
        done(error);
      },
    });
    id = this.#open("C", path, {
      output: (data) => stream.push(data),
      error: () => {},
      ended: () => stream.push(null),
      failed: (reason) => stream.destroy(reason),
    });
    return stream;
  }

  #open(type: string, payload: string, channel: Channel): number {
    const id = this.#next++;
    if (this.#closed) {
      channel.failed(this.#closed);
    } else {
      this.#channels.set(id, channel);
      this.#send(type, id, payload);
    }
    return id;
  }

  #send(type: string, id: number, payload: string | Buffer): void {
    if (this.#closed) return;
    const body = typeof payload === "string" ? Buffer.from(payload, "utf8") : payload;
    this.#outgoing = Buffer.concat([this.#outgoing, encodeHeader(type, id, body.length), body]);
    this.#flush();
  }

  #flush(): void {
    const size = Math.min(this.#credit, this.#outgoing.length);
    if (size === 0) return;
    this.#stream.write(this.#outgoing.subarray(0, size));
    this.#outgoing = this.#outgoing.subarray(size);
    this.#credit -= size;
  }

  #receive(data: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, data]);
    while (this.#pending.length >= HEADER) {
      const end = HEADER + this.#pending.readUInt32BE(5);
      if (this.#pending.length < end) return;
      const type = this.#pending.toString("latin1", 0, 1);
      this.#dispatch(type, this.#pending.readUInt32BE(1), this.#pending.subarray(HEADER, end));
      this.#pending = this.#pending.subarray(end);
    }
  }

  #dispatch(type: string, id: number, payload: Buffer): void {
    if (type === "H") this.#announce();
    if (type === "A") {
      this.#credit += Number(payload.toString("latin1"));
      this.#flush();
    }
    const channel = this.#channels.get(id);
    if (!channel) return;
    if (type === "O") channel.output(payload);
    if (type === "R") channel.error(payload);
    if (type === "Q" || type === "F" || type === "S") this.#channels.delete(id);
    if (type === "Q" || type === "S") channel.ended(payload.toString("latin1"));
    if (type === "F") channel.failed(new LabError("control", payload.toString("utf8")));
  }
}

function text(parts: Buffer[]): string {
  return Buffer.concat(parts).toString("utf8");
}

function encodeHeader(type: string, id: number, length: number): Buffer {
  const header = Buffer.alloc(HEADER);
  header.write(type, 0, "latin1");
  header.writeUInt32BE(id, 1);
  header.writeUInt32BE(length, 5);
  return header;
}

/** A wait status as `wait(2)` gives it: the code in the second octet, the signal in the low seven bits. */
function exitOf(status: number): number {
  const signal = status & 0x7f;
  return signal ? -signal : status >> 8;
}

/** How a command ended, in words: `exit 1`, `SIGSEGV`. */
export function endingOf(exit: number): string {
  if (exit >= 0) return `exit ${exit}`;
  const name = Object.entries(constants.signals).find(([, number]) => number === -exit)?.[0];
  return name ?? `signal ${-exit}`;
}
