import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Cost } from "./hostile-stage.ts";

/** Plays a group of `hostile-memory-main.ts` in a process of its own. */
export async function playAlone<T extends Cost>(group: string): Promise<T[]> {
  const main = join(import.meta.dirname, "hostile-memory-main.ts");
  const args = [...process.execArgv, "--expose-gc", "--import", "tsx", main, group];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 24 });
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}
