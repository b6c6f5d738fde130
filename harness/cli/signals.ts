/** Ctrl-C and its kin: the first ends the run in good order, the second at once. */
import { constants } from "node:os";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** `signal` is aborted by the first signal that comes, with its name as the reason. */
export function onSignals(
  stream: NodeJS.WriteStream,
  what = "ending the run",
): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const handler = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
    stream.write(`\n${name}: ${what}; once more ends it at once\n`);
    controller.abort(name);
  };
  for (const name of SIGNALS) process.on(name, handler);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of SIGNALS) process.off(name, handler);
    },
  };
}
