/** What goes where: results of a command to standard output, everything said beside it to standard error. */
import { printable } from "../../reports/text.ts";
import { EXIT } from "./exit.ts";

/**
 * Whoever reads may leave before the end, or the disk may be full: no reason to die in the middle of a run. A reader
 * that has left wants no more; that what was asked for could not be written is said.
 */
export function guardStreams(): void {
  process.stderr.on("error", () => {});
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return;
    process.stderr.write(`bakeoff: standard output cannot be written: ${error.message}\n`);
    process.exitCode = EXIT.lab;
  });
}

/** What a peer may have had a hand in, as one line that no terminal obeys. */
export const oneLine = (text: string): string => printable(text.trim()).replace(/\s*\n\s*/g, " / ");

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Columns as wide as their widest cell; the last one is not padded. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)),
    [],
  );
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join("  ");
  return rows.map((row) => `${line(row).trimEnd()}\n`).join("");
}

/** Whether colour may be used on this stream (see https://no-color.org). */
export const hasColor = (stream: { isTTY?: boolean }): boolean =>
  stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";

const CODES = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;

export type Paint = (style: keyof typeof CODES, text: string) => string;

export const painter =
  (color: boolean): Paint =>
  (style, text) =>
    color ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;
