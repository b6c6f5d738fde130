/** Peers that are up on their own, outside of a run: started, asked and ended. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { type ChosenPeer, peerName } from "../../peers/definition.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import { cleanStale } from "../../peers/runtime/index.ts";
import { recordFolder } from "../../peers/runtime/registry.ts";
import {
  answerSchema,
  type KeeperAnswer,
  type KeptStatus,
  keptName,
  type Question,
  readySchema,
  socketPath,
} from "./keeper-protocol.ts";
import { checkLab, needsNetwork } from "./lab.ts";
import { nodeCommand } from "./lane-process.ts";
import { UsageError } from "./usage-error.ts";

const ANSWER_MS = 15_000;

/** Names of the peers that have a keeper, or had one that was killed. */
export const keptPeers = (): string[] =>
  readdirSync(recordFolder())
    .flatMap((file) => keptName(file) ?? [])
    .sort();

/**
 * Starts a peer and leaves it running; one that is up already is left alone.
 * @throws UsageError for a peer without a process of its own, LabError when it does not come up
 */
export async function keep(peer: ChosenPeer): Promise<KeptStatus> {
  const name = peerName(peer);
  if (!needsNetwork(peer)) throw new UsageError(`${name}: every run starts its own; it cannot be kept up`);
  await checkLab([peer]);
  const there = await ask(name, "status");
  if (there && "status" in there) return there.status;
  await cleanStale();
  return start(name);
}

function start(name: string): Promise<KeptStatus> {
  const [file = "", ...args] = [...nodeCommand(import.meta.dirname, "keeper-main"), name];
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "ignore", "ipc"], detached: true });
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new LabError("start-failed", `${name} did not come up: ${why}`));
    child.once("message", (value) => {
      const said = readySchema.parse(value);
      if ("error" in said) return fail(said.error);
      child.removeAllListeners();
      child.disconnect();
      child.unref();
      resolve(said.ready);
    });
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code, signal) => fail(signal ?? `exit ${code}`));
  });
}

/** Asks a keeper; undefined if there is none, in which case what a killed one has left is taken away. */
export async function ask(name: string, question: Question): Promise<KeeperAnswer | undefined> {
  const path = socketPath(name);
  if (!existsSync(path)) return undefined;
  const text = await exchange(path, question);
  if (text !== undefined) return answerSchema.parse(JSON.parse(text));
  rmSync(path, { force: true });
  await cleanStale();
  return undefined;
}

/** Undefined when nobody listens. */
function exchange(path: string, question: Question): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = "";
    socket.setTimeout(ANSWER_MS, () => {
      socket.destroy();
      reject(new LabError("control", `the keeper of this peer does not answer: ${path}`));
    });
    socket.on("connect", () => socket.write(`${question}\n`));
    socket.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    socket.on("end", () => resolve(text));
    socket.on("error", () => resolve(undefined));
  });
}
