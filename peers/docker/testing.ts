/** For tests beside the code that run containers. */

import { must } from "../runtime/process.ts";
import { engineProblem, hasImage } from "./engine.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const BUILD_MS = 600_000;

/** Skips the tests where no engine answers, which is said. To be called in a `before` hook. */
export async function requireEngine(context: Mocha.Context): Promise<void> {
  const problem = process.geteuid?.() === 0 ? await engineProblem() : new Error("it needs root");
  if (!problem) return;
  process.stderr.write(`    no containers here: ${problem.message}\n`);
  context.skip();
}

/** Builds an image of this repository where it is not there. */
export async function requireImage(tag: string, file: string, suite?: string): Promise<void> {
  if (await hasImage(tag)) return;
  const suited = suite ? ["--build-arg", `SUITE=${suite}`] : [];
  const argv = ["docker", "build", "--quiet", ...suited, "--tag", tag, "--file", `${ROOT}${file}`, ROOT];
  await must(argv, { timeoutMs: BUILD_MS });
}
