/** The octets of a capture, one after another: of a file, a pipe, or a buffer. */
import { closeSync, openSync, readSync } from "node:fs";

const CHUNK = 1 << 20;
/** What a pipe that nobody writes to is given before it is asked again. */
const PAUSE_MS = 10;

/**
 * A window over a file that moves on and never back. Views of it are good until the next call of `have`: the buffer
 * is used again.
 */
export class Octets {
  /** The window: `bytes` from `from` to `end`. */
  bytes: Uint8Array;
  /** Over `bytes`. */
  view: DataView;
  from = 0;
  end: number;
  /** Why reading failed, if it did; the file then ends where it failed. */
  failure: string | undefined;
  /** Place of `bytes[0]` in the file. */
  #base = 0;
  readonly #fd: number | undefined;
  #finished: boolean;

  /** Over a buffer, or over what is read from a file descriptor, which stays open. */
  constructor(source: Uint8Array | number) {
    const isFile = typeof source === "number";
    this.bytes = isFile ? new Uint8Array(CHUNK) : source;
    this.view = viewOf(this.bytes);
    this.end = isFile ? 0 : source.length;
    this.#fd = isFile ? source : undefined;
    this.#finished = !isFile;
  }

  /** Octets from the start of the file to the next one. */
  get offset(): number {
    return this.#base + this.from;
  }

  /** Octets in the window; where `have` said no, all that the file still has. */
  get left(): number {
    return this.end - this.from;
  }

  /** Sees to it that the next `size` octets are in the window; false when the file ends before. */
  have(size: number): boolean {
    if (this.end - this.from >= size) return true;
    while (!this.#finished && this.end - this.from < size) this.#fill();
    return this.end - this.from >= size;
  }

  /** Room grows with what has come, not with what is announced. */
  #fill(): void {
    if (this.from > 0) {
      this.bytes.copyWithin(0, this.from, this.end);
      this.#base += this.from;
      this.end -= this.from;
      this.from = 0;
    }
    if (this.end === this.bytes.length) {
      const room = new Uint8Array(2 * this.bytes.length);
      room.set(this.bytes);
      this.bytes = room;
      this.view = viewOf(room);
    }
    const read = this.#read();
    this.end += read;
    if (read === 0) this.#finished = true;
  }

  #read(): number {
    for (;;) {
      try {
        return readSync(this.#fd ?? 0, this.bytes, this.end, this.bytes.length - this.end, null);
      } catch (error) {
        // A pipe on standard input may be one that does not wait.
        if (codeOf(error) !== "EAGAIN") {
          if (codeOf(error) !== "EOF") this.failure = reasonOf(error);
          return 0;
        }
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      }
    }
  }
}

/** A file that can be read, or why not. `-` is standard input. */
export function openOctets(path: string): { octets: Octets; close(): void } | { failure: string } {
  if (path === "-") return { octets: new Octets(0), close: () => {} };
  try {
    const fd = openSync(path, "r");
    return { octets: new Octets(fd), close: () => closeSync(fd) };
  } catch (error) {
    return { failure: reasonOf(error) };
  }
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
