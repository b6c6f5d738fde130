/** Containers of a user's image at the peer's end of a lane's wire, one after another. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { LabError } from "../runtime/errors.ts";
import type { LaneNetwork } from "../runtime/network.ts";
import { must, startTime } from "../runtime/process.ts";
import { hasImage, ownContainer, pidOf, removeContainer } from "./engine.ts";
import { layBridge, plugIn } from "./wire.ts";

/** Who made a container: pid and start time. */
const OWNER = "ipsec-bakeoff.owner";
const PULL_MS = 600_000;
/** How long the engine may take until a container has a process. */
const BEGIN_MS = 20_000;
const GONE_TRIES = 100;

/** The place of a lane's containers. */
export interface Berth {
  image: string;
  name: string;
  network: LaneNetwork;
}

/** Brings the image and the wire, and removes containers whose runner was killed. @throws LabError */
export async function prepareBerth({ image, network }: Berth): Promise<void> {
  if (!(await hasImage(image)))
    await must(["docker", "pull", "--quiet", image], { timeoutMs: PULL_MS }).catch((error: unknown) => {
      throw new LabError("not-installed", `no image ${image}: ${String(error)}`);
    });
  await removeOrphans();
  await layBridge(network);
}

/** `docker run` as a command, for a container that is the only one of the berth. */
export const runCommand = ({ name }: Berth, ...more: string[]): string[] => [
  ...["docker", "run", ...ownContainer(name)],
  ...["--label", `${OWNER}=${process.pid}-${startTime(process.pid)}`, ...more],
];

/** Connects the container to the wire as soon as it has a process. @throws LabError where it has none in time */
export async function plugInWhenBegun({ name, network }: Berth, gone: () => boolean): Promise<boolean> {
  for (const end = performance.now() + BEGIN_MS; performance.now() < end && !gone(); await pause(20)) {
    const pid = await pidOf(name);
    if (pid === undefined) continue;
    try {
      await plugIn(network, pid);
      return true;
    } catch (error) {
      // What the engine could not start has gone with its process, and says so in a moment.
      for (let tries = 0; tries < GONE_TRIES && !gone(); tries++) await pause(20);
      if (!gone()) throw error;
    }
  }
  if (gone()) return false;
  throw new LabError("start-failed", `the engine did not start the container in ${BEGIN_MS / 1000} s`);
}

async function removeOrphans(): Promise<void> {
  const format = `{{.Names}} {{.Label "${OWNER}"}}`;
  const list = await must(["docker", "ps", "--all", "--filter", `label=${OWNER}`, "--format", format]);
  for (const line of list.split("\n").filter(Boolean)) {
    const [name = "", owner = ""] = line.split(" ");
    const [pid, started] = owner.split("-");
    if (startTime(Number(pid)) !== started) await removeContainer(name);
  }
}

/** A container that writes its log to us. */
export interface Attached {
  /** Exit code; undefined while it runs. */
  exit(): number | undefined;
  /** The end of what it, or the engine, wrote. */
  lastWords(): string;
}

/** Starts `docker run` and stays attached to it. */
export function attach(argv: string[], env: Record<string, string>, said: (text: string) => void): Attached {
  const [file = "", ...args] = ["setpriv", "--pdeathsig", "KILL", "--", ...argv];
  const child: ChildProcessWithoutNullStreams = spawn(file, args, {
    env: { ...process.env, ...env },
    stdio: "pipe",
  });
  child.stdin.end();
  let code: number | undefined;
  let words = "";
  const take = (text: string) => {
    words = (words + text).slice(-1_024);
    said(text);
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", take);
  child.on("error", (error) => {
    take(error.message);
    code ??= 125;
  });
  child.on("close", (exit) => {
    code ??= exit ?? 137;
  });
  return { exit: () => code, lastWords: () => words.trim().split("\n").at(-1)?.slice(0, 300) ?? "" };
}
