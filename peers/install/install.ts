/** Makes the root file systems of the peers with mmdebstrap from the machine's own apt sources. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PeerDefinition, PeerVersion } from "../contract.ts";
import { runtimesOf } from "../definition.ts";
import { LabError, requireRoot } from "../runtime/errors.ts";
import { run, startTime } from "../runtime/process.ts";
import { KERNEL, readStamp, rootfsPath, STAMP, type Stamp } from "./cache.ts";
import { type AptSource, readSources } from "./sources.ts";

/** Suite and package of the user-mode Linux kernel; it runs chrooted here as it needs this suite's libc. */
const KERNEL_SUITE = "forky";
const KERNEL_PACKAGES = ["user-mode-linux", "kmod"];

/** Mount points a lane needs in a root that it sees read-only. */
const MOUNT_POINTS = ["lane", "usr/lib/modules"];

export interface InstallOptions {
  /** Makes it anew although it is there. */
  again?: boolean;
  /** A line of progress; standard error when not set. */
  progress?: (line: string) => void;
  /** Hard end of one root; 900 s when not set. */
  timeoutMs?: number;
}

interface RootPlan {
  label: string;
  root: string;
  suite: string;
  packages: string[];
}

/** Removes a tree without following a mount that may be in it. */
async function removeTree(path: string): Promise<void> {
  await run(["rm", "-rf", "--one-file-system", "--", path], { timeoutMs: 60_000 });
}

/** Removes what earlier installations left unfinished; `.building-<pid>-<start>-<name>` says whose it is. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const entry of readdirSync(folder)) {
    const [, pid, started] = /^\.building-(\d+)-(\d+)-/.exec(entry) ?? [];
    if (pid && startTime(Number(pid)) !== started) await removeTree(join(folder, entry));
  }
}

/** Installed versions of these packages, out of dpkg's own list. */
export function packageVersions(status: string, packages: string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const stanza of status.split("\n\n")) {
    const name = /^Package: (.+)$/m.exec(stanza)?.[1];
    const version = /^Version: (.+)$/m.exec(stanza)?.[1];
    if (name && version && packages.includes(name)) found[name] = version;
  }
  return found;
}

/** A source of this very suite is best; any Debian mirror holds the others too. */
function chooseMirror(suite: string): AptSource {
  const sources = readSources();
  const source = sources.find((candidate) => candidate.suites.includes(suite)) ?? sources[0];
  if (source) return source;
  throw new LabError(
    "install-failed",
    "no Debian mirror in /etc/apt/sources.list or /etc/apt/sources.list.d",
    "add a source of Debian with the component main",
  );
}

async function debootstrap(plan: RootPlan, folder: string, options: InstallOptions): Promise<void> {
  const mirror = chooseMirror(plan.suite);
  const say = (line: string) => options.progress?.(`${plan.label}: ${line}`);
  const lines: string[] = [];
  const argv = [
    "mmdebstrap",
    "--variant=apt",
    // A frozen mirror lets a testing release expire.
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--aptopt=APT::Sandbox::User "root"',
    `--include=${plan.packages.join(",")}`,
    plan.suite,
    folder,
    mirror.uri,
  ];
  const result = await run(argv, {
    timeoutMs: options.timeoutMs ?? 900_000,
    env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
    onErrorLine: (line) => {
      lines.push(line);
      if (line.startsWith("I: ")) say(line.slice(3));
    },
  });
  if (result.exit === 0) return;
  const cause = lines
    .filter((line) => /^[EW]: |rror|NO_PUBKEY/.test(line))
    .slice(-3)
    .join(" / ");
  const keys = /NO_PUBKEY|not signed/.test(cause);
  throw new LabError(
    "install-failed",
    `mmdebstrap ${plan.suite} ended with ${result.exit}: ${cause || lines.slice(-2).join(" / ")}`,
    keys ? "install a newer debian-archive-keyring" : undefined,
  );
}

function finish(plan: RootPlan, folder: string, seconds: number): Stamp {
  for (const point of MOUNT_POINTS) mkdirSync(join(folder, point), { recursive: true });
  const status = readFileSync(join(folder, "var/lib/dpkg/status"), "utf8");
  const stamp: Stamp = {
    format: 1,
    suite: plan.suite,
    packages: packageVersions(status, plan.packages),
    installed: new Date().toISOString(),
    seconds: Math.round(seconds * 10) / 10,
  };
  writeFileSync(join(folder, STAMP), `${JSON.stringify(stamp, null, 2)}\n`);
  return stamp;
}

/** Builds aside and renames: a root is there in whole or not at all. */
async function build(plan: RootPlan, options: InstallOptions): Promise<Stamp> {
  const there = readStamp(plan.root);
  if (there && !options.again) {
    options.progress?.(`${plan.label}: already installed`);
    return there;
  }
  requireRoot(`installing ${plan.label}`);
  const parent = dirname(plan.root);
  mkdirSync(parent, { recursive: true });
  await removeUnfinished(parent);
  const folder = join(
    parent,
    `.building-${process.pid}-${startTime(process.pid)}-${plan.label.replace(/\W/g, "-")}`,
  );
  const began = performance.now();
  try {
    await debootstrap(plan, folder, options);
    const stamp = finish(plan, folder, (performance.now() - began) / 1000);
    await removeTree(plan.root);
    renameSync(folder, plan.root);
    options.progress?.(`${plan.label}: installed in ${stamp.seconds} s`);
    return stamp;
  } catch (error) {
    await removeTree(folder);
    const other = readStamp(plan.root);
    // Another process may have finished the same root in between.
    if (other && !(error instanceof LabError)) return other;
    throw error;
  }
}

function withDefaults(options: InstallOptions): InstallOptions {
  return { progress: (line) => void process.stderr.write(`${line}\n`), ...options };
}

/** Makes the root with the user-mode Linux kernel and its modules. */
export function installKernel(options: InstallOptions = {}): Promise<Stamp> {
  const plan = {
    label: "user-mode-linux",
    root: rootfsPath(KERNEL),
    suite: KERNEL_SUITE,
    packages: KERNEL_PACKAGES,
  };
  return build(plan, withDefaults(options));
}

/**
 * Makes the root file system of one version of a peer, and the kernel's where the peer can run in a guest.
 * Does nothing when they are there. A peer without packages needs none: the answer is undefined.
 * @throws LabError `no-root`, `missing-tool` (mmdebstrap) or `install-failed`
 */
export async function installPeer(
  definition: PeerDefinition,
  version: PeerVersion,
  options: InstallOptions = {},
): Promise<Stamp | undefined> {
  if (!definition.packages || !version.suite) return undefined;
  const plan: RootPlan = {
    label: `${definition.name} ${version.version}`,
    root: rootfsPath(definition.name, version.version),
    suite: version.suite,
    packages: definition.packages,
  };
  const stamp = await build(plan, withDefaults(options));
  if (runtimesOf(definition, version).includes("uml")) await installKernel({ ...options, again: false });
  return stamp;
}
