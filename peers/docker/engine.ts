/** The container engine, by its command `docker`. */
import { LabError } from "../runtime/errors.ts";
import { type CommandResult, run } from "../runtime/process.ts";

const START = "start the engine: service docker start";
/** How long the engine may take to start, or to end, a container. */
const ENGINE_MS = 60_000;

/** Runs `docker` to its end. @throws LabError where there is none, or it is late */
const docker = (...args: string[]): Promise<CommandResult> =>
  run(["docker", ...args], { timeoutMs: ENGINE_MS });

/** Why no container can be run here; undefined where one can. */
export async function engineProblem(): Promise<LabError | undefined> {
  try {
    const { exit, stderr } = await docker("info", "--format", "{{.ServerVersion}}");
    if (exit === 0) return undefined;
    const said = stderr.trim().split("\n").at(-1) ?? "";
    return new LabError("missing-tool", `no container engine answers: ${said}`, START);
  } catch (error) {
    if (error instanceof LabError) return error;
    throw error;
  }
}

export async function hasImage(image: string): Promise<boolean> {
  return (await docker("image", "inspect", "--format", "{{.Id}}", image)).exit === 0;
}

/** What a daemon for IPsec needs: its own interfaces and sockets, a device for ESP in the daemon, and IPv6. */
export const PRIVILEGES: readonly string[] = [
  ...["--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW", "--device", "/dev/net/tun"],
  // The memory of a user-mode Linux kernel, for which it must be executable.
  ...["--tmpfs", "/opt/uml/tmp:exec"],
  ...["--sysctl", "net.ipv6.conf.all.disable_ipv6=0", "--sysctl", "net.ipv6.conf.default.disable_ipv6=0"],
];

/** Of `docker run`: a container of this name without a network, which goes when it ends. */
export const ownContainer = (name: string): string[] => [
  ...["--rm", "--init", "--name", name, "--network", "none", "--log-opt", "max-size=8m"],
  ...PRIVILEGES,
];

/** Starts a container with these arguments of `docker run`. @throws LabError in the engine's own words */
export async function startContainer(args: readonly string[]): Promise<void> {
  const { exit, stderr } = await docker("run", "--detach", ...args);
  if (exit !== 0) throw new LabError("start-failed", `docker run: ${lastWords(stderr)}`);
}

/** The first process of a container that runs; undefined where there is none. */
export async function pidOf(name: string): Promise<number | undefined> {
  const { exit, stdout } = await docker("inspect", "--format", "{{.State.Pid}}", name);
  const pid = exit === 0 ? Number(stdout.trim()) : 0;
  return pid > 0 ? pid : undefined;
}

/** Ends it at once, if it is there. */
export async function removeContainer(name: string): Promise<void> {
  await docker("rm", "--force", "--volumes", name);
}

const lastWords = (said: string): string => said.trim().split("\n").slice(0, 3).join(" / ").slice(0, 400);
