/** The process of `bakeoff driver-check`, in the tester's namespace if there is one. */
import type { z } from "zod";
import { type fromCheckSchema, runChecks } from "./driver-check.ts";
import { HEARTBEAT_MS, toLaneSchema } from "./lane-protocol.ts";

function say(message: z.infer<typeof fromCheckSchema>): Promise<void> {
  return new Promise((resolve) => {
    if (process.send && process.connected) process.send(message, () => resolve());
    else resolve();
  });
}

process.on("message", (value) => {
  const message = toLaneSchema.parse(value);
  if (message.kind === "stop") process.exit(1);
  void runChecks(message, (checked) => void say({ kind: "checked", checked }))
    .then(() => say({ kind: "done" }))
    .catch((error: unknown) =>
      say({ kind: "lab-failed", reason: error instanceof Error ? error.message : String(error) }),
    )
    .then(() => process.exit(0));
});
process.on("disconnect", () => process.exit(1));
setInterval(() => void say({ kind: "alive" }), HEARTBEAT_MS).unref();
