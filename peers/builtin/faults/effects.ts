/** What a planted fault does to the daemon that has it. */
import { writeSync } from "node:fs";

export type DeathSignal = "SIGSEGV" | "SIGABRT";

export interface Effects {
  /** The daemon ends by the signal; `where` is the function at the top of its stack. */
  crash(where: string, signal?: DeathSignal): void;
  /** It answers nobody any more, and waits. */
  hang(): void;
  /** It answers nobody any more, and keeps a CPU busy. */
  loop(): void;
  /** It keeps so many octets that it has no more use for. */
  leak(octets: number): void;
}

/** What a daemon writes to its standard error as it dies. */
const lastWords = (where: string, signal: DeathSignal): string =>
  `thread 1 received ${signal}\n  #0 ${where}\n  #1 process_message\n  #2 main\n`;

/** Buffers that are never let go of, up to `most` octets in all; written to, so that they are resident. */
export function leaker(most: number, full: () => void = () => {}): Effects["leak"] {
  const kept: Buffer[] = [];
  let octets = 0;
  return (more) => {
    if (octets + more > most) return full();
    octets += more;
    kept.push(Buffer.alloc(more, 0x5a));
  };
}

const MOST_LEAKED = 2 ** 30;
const CHECK_MS = 500;

/**
 * Real ones, for a process of its own: a signal, a wait and a busy loop that block all of it, memory up to an end by SIGABRT. They end with
 * the parent, which a blocked process would outlive otherwise.
 */
export function realEffects(): Effects {
  const parent = process.ppid;
  const orphaned = (): boolean => process.ppid !== parent;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const hang = (): never => {
    while (!orphaned()) Atomics.wait(cell, 0, 0, CHECK_MS);
    process.exit(1);
  };
  const crash: Effects["crash"] = (where, signal = "SIGSEGV") => {
    writeSync(2, lastWords(where, signal));
    process.kill(process.pid, signal);
    // Nothing is done between the signal and the end.
    hang();
  };
  return {
    crash,
    hang,
    loop() {
      while (!orphaned());
      process.exit(1);
    },
    leak: leaker(MOST_LEAKED, () => crash("out_of_memory", "SIGABRT")),
  };
}
