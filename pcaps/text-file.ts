/** Reads files of text that somebody else may have laid there: no more of them than a reader can take. */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";

const CHUNK = 64 * 1024;

export interface TextFileOptions {
  /** Octets. */
  most: number;
  /** Pipes and devices too, as a shell makes them: who names one waits for it. */
  pipes?: boolean;
}

/** The text of a file, or why there is none, without the path. Never throws. */
export function readTextFile(
  path: string,
  { most, pipes = false }: TextFileOptions,
): string | { reason: string } {
  let file: number | undefined;
  try {
    // Before it is opened, for to open a pipe is to wait.
    if (!pipes && !statSync(path).isFile()) return { reason: "is no file" };
    file = openSync(path, "r");
    return textOf(file, most);
  } catch (error) {
    return { reason: fileReason(error) };
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function textOf(file: number, most: number): string | { reason: string } {
  const { size } = fstatSync(file);
  if (size > most) return { reason: `${size} octets; at most ${most} are read` };
  const pieces: Buffer[] = [];
  for (let length = 0; length <= most; ) {
    const piece = Buffer.alloc(Math.max(CHUNK, size - length + 1));
    const octets = readSync(file, piece);
    if (octets === 0) return Buffer.concat(pieces).toString("utf8");
    length += octets;
    pieces.push(octets < CHUNK ? Buffer.from(piece.subarray(0, octets)) : piece.subarray(0, octets));
  }
  return { reason: `at most ${most} octets are read` };
}

/** The file system's reason, without the path, which stands beside it. */
export function fileReason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/, \w+(?: '.*')?$/, "");
}
