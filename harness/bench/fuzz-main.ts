/** The closed loop of the benchmark of the fuzzer, in a process of its own: beside a peer that lives in namespaces. */
import { HEARTBEAT_MS } from "../run/lane-protocol.ts";
import { type LoopOrder, measureLoop } from "./fuzz-loop.ts";

/** What it says of its order. */
export type LoopAnswer =
  | { kind: "alive" }
  | { kind: "figures"; figures: Awaited<ReturnType<typeof measureLoop>> }
  | { kind: "failed"; reason: string };

const say = (answer: LoopAnswer): Promise<void> =>
  new Promise((resolve) => {
    if (process.send && process.connected) process.send(answer, () => resolve());
    else resolve();
  });

process.on("message", (order: LoopOrder & { kind?: string }) => {
  if (order.kind === "stop") process.exit(1);
  void measureLoop(order)
    .then((figures) => say({ kind: "figures", figures }))
    .catch((error: unknown) =>
      say({ kind: "failed", reason: error instanceof Error ? error.message : String(error) }),
    )
    .then(() => process.exit(0));
});
process.on("disconnect", () => process.exit(1));
setInterval(() => void say({ kind: "alive" }), HEARTBEAT_MS).unref();
