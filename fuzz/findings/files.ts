/** Writes files whole or not at all, and knows a full disk when it meets one. */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** There is no room left. `kept` names the finding that could still be written; the campaign must end. */
export class DiskFull extends Error {
  readonly path: string;
  readonly kept: string | undefined;
  constructor(path: string, kept?: string) {
    const said =
      kept === undefined ? "nothing more can be kept" : `finding ${kept} is kept, nothing more can be`;
    super(`${path}: the disk is full: ${said}`);
    this.name = "DiskFull";
    this.path = path;
    this.kept = kept;
  }
}

const FULL = ["ENOSPC", "EDQUOT"];

/** True for what the file system throws when it has no room. */
export const isNoRoom = (error: unknown): boolean =>
  error instanceof Error && "code" in error && FULL.includes(String(error.code));

/** True for what the file system throws. */
export const isOfFiles = (error: unknown): error is Error =>
  error instanceof Error && "code" in error && "syscall" in error;

export interface FileModes {
  file: number;
  folder: number;
}
export const OPEN: FileModes = { file: 0o644, folder: 0o755 };
/** For the eyes of who runs the campaign alone. */
export const CLOSED: FileModes = { file: 0o600, folder: 0o700 };

/** Writes a file that appears whole, and is on the disk when this returns. Throws what the file system throws. */
export function writeWhole(path: string, text: string | Uint8Array, modes: FileModes): void {
  mkdirSync(dirname(path), { recursive: true, mode: modes.folder });
  const part = `${path}.part`;
  rmSync(part, { force: true });
  try {
    const file = openSync(part, "wx", modes.file);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}
