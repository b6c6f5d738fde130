import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const packageSchema = z.object({ name: z.string(), version: z.string() });

/** Name and version of this program, from the `package.json` above, in the source tree and in the built one alike. */
export function tool(): { name: string; version: string } {
  const candidates = ["../../package.json", "../../../package.json"].map((p) => join(import.meta.dirname, p));
  const file = candidates.find((path) => existsSync(path)) ?? candidates[0]!;
  const { name, version } = packageSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  return { name, version };
}
