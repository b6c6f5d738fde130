/** What iked writes: kept for the report, and listened to for what it says next. */
import { endingOf } from "../runtime/uml-guest.ts";

/** Enough for the log of a test that went wild; the older part is dropped. */
const LOG_LIMIT = 4 * 1024 * 1024;

interface Listener {
  pattern: RegExp;
  heard: string;
  found(line: string): void;
}

export class DaemonLog {
  readonly #listeners = new Set<Listener>();
  #text = "";

  get text(): string {
    return this.#text;
  }

  clear(): void {
    this.#text = "";
  }

  append(text: string): void {
    this.#text = (this.#text + text).slice(-LOG_LIMIT);
    for (const listener of this.#listeners) {
      listener.heard += text;
      const line = listener.heard.split("\n").find((candidate) => listener.pattern.test(candidate));
      if (line !== undefined) listener.found(line);
      // What is left may be the beginning of the line.
      listener.heard = listener.heard.slice(listener.heard.lastIndexOf("\n") + 1);
    }
  }

  /** The next line of this pattern, or what has come of it so far; undefined when there is none in this time. */
  next(pattern: RegExp, timeoutMs: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const settle = (line?: string) => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve(line);
      };
      const timer = setTimeout(settle, timeoutMs);
      timer.unref();
      const listener = { pattern, heard: "", found: settle };
      this.#listeners.add(listener);
    });
  }
}

/** iked's processes beside the parent. */
const CHILDREN = ["ca", "control", "ikev2"];

/**
 * How the process of iked ended that took the others with it, `SIGSEGV of the ikev2 process`; undefined where none did.
 * Its parent knows it by number only, but the others say that they exit.
 */
export function lostChild(output: string): string | undefined {
  const match = /lost child: pid \d+ (?:terminated; signal (\d+)|exited abnormally)/.exec(output);
  if (!match) return undefined;
  const name = CHILDREN.find((child) => !output.includes(`${child} exiting, pid`));
  return `${match[1] ? endingOf(-Number(match[1])) : "abnormal exit"} of the ${name ?? "unknown"} process`;
}
