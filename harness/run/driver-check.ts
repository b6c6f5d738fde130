/** Proves a driver against the contract, in the namespaces or on the loopback where its peer lives. */
import { z } from "zod";
import { DriverUnsupported } from "../../peers/contract.ts";
import { ContractDriver } from "../../peers/contract-driver.ts";
import { peerName } from "../../peers/definition.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import { Script } from "../script/script.ts";
import { Unsupported } from "../script/verdicts.ts";
import { type DriverCheck, type DriverLab, driverChecks } from "./driver-checks.ts";
import type { External } from "./external.ts";
import { orderOf } from "./external.ts";
import { checkLab, openLab } from "./lab.ts";
import { nodeCommand, watchedProcess } from "./lane-process.ts";
import { HEARTBEAT_MS, type LaneOrder, type PeerOrder } from "./lane-protocol.ts";
import { untilAborted } from "./lane-run.ts";
import type { LivePeer } from "./live-peer.ts";
import { openPeer } from "./open-peer.ts";

export const checkedSchema = z.strictObject({
  name: z.string(),
  outcome: z.enum(["ok", "unsupported", "failed"]),
  /** Why, where it is not ok. */
  reason: z.string(),
});
export type Checked = z.infer<typeof checkedSchema>;

export const fromCheckSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("alive") }),
  z.strictObject({ kind: z.literal("checked"), checked: checkedSchema }),
  z.strictObject({ kind: z.literal("lab-failed"), reason: z.string() }),
  z.strictObject({ kind: z.literal("done") }),
]);
export type FromCheck = z.infer<typeof fromCheckSchema>;

/** A check that stands still has failed, and with it all that come after. */
const STUCK_MS = 60 * HEARTBEAT_MS;

/**
 * Runs every check; `told` gets each as it ends.
 * @throws LabError where the lab cannot be had or the driver not be started
 */
export async function checkDriver(
  external: External,
  told: (checked: Checked) => void,
  signal: AbortSignal,
): Promise<Checked[]> {
  await checkLab([external.chosen]);
  const all: Checked[] = [];
  let problem: string | undefined;
  let done = false;
  const lab = await openLab(`check${process.pid}`);
  try {
    await lab.withNetwork(external.chosen, 0, async (network) => {
      const id = peerName(external.chosen);
      const process_ = watchedProcess(nodeCommand(import.meta.dirname, "driver-check-main"), network, {
        ...{ signal, stuckMs: STUCK_MS },
        onMessage(value) {
          const message = fromCheckSchema.parse(value);
          if (message.kind === "done") done = true;
          if (message.kind === "lab-failed") problem = message.reason;
          if (message.kind !== "checked") return;
          all.push(message.checked);
          told(message.checked);
        },
      });
      const order: LaneOrder = {
        ...{ kind: "order", peer: id, id, ...orderOf(external) },
        ...{ tests: [], files: [], seed: "1", testLimitMs: 0 },
        ...{ runId: lab.runId, lane: 0, ...(network && { network }) },
      };
      process_.send(order);
      const { detail } = await process_.ended;
      if (!done) problem ??= `the checks came to no end: ${detail}`;
    });
  } finally {
    await lab.close();
  }
  signal.throwIfAborted();
  if (problem !== undefined) throw new LabError("start-failed", problem);
  return all;
}

/** In the process of the check. @throws LabError, DriverFault where the driver does not come up */
export async function runChecks(
  order: PeerOrder,
  say: (checked: Checked) => void,
  signal: AbortSignal,
  checks: readonly DriverCheck[] = driverChecks,
): Promise<void> {
  const peer = await openPeer(order, undefined, signal);
  try {
    const driver = peer.driver();
    if (!(driver instanceof ContractDriver)) throw new Error("no driver of a user's");
    const checkAll = async () => {
      for (const check of checks) {
        const checked = await checkedBy(check, driver, peer);
        if (signal.aborted) return;
        say(checked);
      }
    };
    await untilAborted(checkAll(), signal);
  } finally {
    await peer.stop();
  }
}

async function checkedBy(check: DriverCheck, driver: ContractDriver, peer: LivePeer): Promise<Checked> {
  const scripts: Script[] = [];
  const lab: DriverLab = {
    driver,
    async script(wishes = {}, spoil = () => {}) {
      for (const script of scripts.splice(0)) script.host.stop();
      const arena = await peer.arena(check.name, wishes);
      spoil(arena);
      const script = new Script(arena);
      scripts.push(script);
      return script;
    },
  };
  try {
    await check.run(lab);
    return { name: check.name, outcome: "ok", reason: "" };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const without = error instanceof DriverUnsupported || error instanceof Unsupported;
    return { name: check.name, outcome: without && !check.needed ? "unsupported" : "failed", reason };
  } finally {
    for (const script of scripts) script.host.stop();
  }
}
