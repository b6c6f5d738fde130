/**
 * Runtime `uml`: the peer runs in a user-mode Linux guest, a real kernel with real ESP that is an ordinary process.
 * The guest's only wire is the peer's end of the lane's veth pair; our endpoint is at the other end, in the tester's namespace.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Duplex } from "node:stream";
import type { Driver, RunningPeer } from "../contract.ts";
import { LabError, requireRoot } from "./errors.ts";
import { Machine } from "./machine.ts";
import { ADDRESSES, createLaneNetwork, type LaneNetwork, removeLaneNetwork } from "./network.ts";
import { must } from "./process.ts";
import type { Registry } from "./registry.ts";
import { GuestLine } from "./uml-guest.ts";

export interface UmlOptions {
  runId: string;
  lane: number;
  /** Namespaces made beforehand. The guest takes the peer's end of their wire for itself. */
  network?: LaneNetwork | undefined;
  /** Root file system of the peer. Shared by the lanes, never written. */
  rootfs: string;
  /** Root file system with Debian's `user-mode-linux`. */
  kernelRoot: string;
  registry: Registry;
  /** Memory of the guest in MiB; 256 when not set. */
  memoryMb?: number;
}

/** The guest's own hardware address, for documentation (RFC 9542). The host's end of the wire has another: it hears nothing. */
const PEER_MAC = "02:00:5e:00:53:02";
const BOOT_MS = 30_000;
/** The wire's ends as `createLaneNetwork` names them. */
const WIRE = { tester: "wire-t", peer: "wire-p" };

/** A guest; its methods survive a `reboot`. */
export class Guest extends Machine {
  readonly network: LaneNetwork;
  readonly #options: UmlOptions;
  #process: ChildProcess | undefined;
  #line: GuestLine | undefined;

  private constructor(options: UmlOptions, network: LaneNetwork) {
    super();
    this.#options = options;
    this.network = network;
  }

  /**
   * Makes the namespaces, where none were given, and boots a guest at the peer's end of the wire.
   * @throws LabError when something is missing or the guest does not come up
   */
  static async boot(options: UmlOptions): Promise<Guest> {
    requireRoot("the uml runtime");
    const kernel = join(options.kernelRoot, "usr/bin/linux.uml");
    for (const path of [kernel, join(options.rootfs, "usr")]) {
      if (!existsSync(path))
        throw new LabError("not-installed", `no ${path}`, "run: npx bakeoff peers install");
    }
    const { registry, runId, lane } = options;
    const guest = new Guest(options, options.network ?? (await createLaneNetwork(registry, runId, lane)));
    try {
      await guest.#takeWire();
      await guest.#start();
    } catch (error) {
      await guest.stop();
      throw error;
    }
    return guest;
  }

  /** Ends the kernel as a power cut would and boots it again, with the root file system as installed. */
  async reboot(): Promise<void> {
    await this.#kill();
    await this.#start();
  }

  /** Ends the guest and removes what was made for it. */
  async stop(): Promise<void> {
    await this.#kill();
    if (!this.#options.network) await removeLaneNetwork(this.#options.registry, this.network);
  }

  protected living(): GuestLine {
    if (!this.#line) throw new LabError("control", "the guest does not run");
    return this.#line;
  }

  /** Leaves the peer's end of the wire to the guest, which reads and writes frames on it. */
  async #takeWire(): Promise<void> {
    const { tester, peer } = this.network;
    await must(["ip", "-n", peer, "address", "flush", "dev", WIRE.peer]);
    const setUp = [
      // A frame must fit the guest's device: no segments to be cut up later.
      `link set ${WIRE.tester} gso_max_segs 1`,
      // No packet of a test may wait for, or be lost to, address resolution.
      `neighbour replace ${ADDRESSES.peer} lladdr ${PEER_MAC} dev ${WIRE.tester} nud permanent`,
      `neighbour replace ${ADDRESSES.peer6} lladdr ${PEER_MAC} dev ${WIRE.tester} nud permanent`,
    ];
    await must(["ip", "-n", tester, "-batch", "-"], { stdin: setUp.join("\n") });
  }

  async #start(): Promise<void> {
    const { registry } = this.#options;
    const child = spawn("ip", this.#launch(), { stdio: ["ignore", "pipe", "pipe", "pipe"] });
    this.#process = child;
    if (child.pid) registry.addProcess(child.pid);
    let output = "";
    const keep = (data: Buffer) => {
      output = (output + data.toString("latin1")).slice(-4096);
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    const wire = child.stdio[3];
    if (!(wire instanceof Duplex)) throw new LabError("start-failed", "no control line to the guest");
    const line = new GuestLine(wire);
    this.#line = line;
    child.on("error", (error) => line.fail(new LabError("missing-tool", `cannot run ip: ${error.message}`)));
    child.on("exit", () => line.fail(new LabError("control", "the guest has ended")));
    await bounded(line.ready(), BOOT_MS, () => output);
    await this.#setAddresses();
  }

  /** The launching script becomes the kernel: one process all along, which dies with this one. */
  #launch(): string[] {
    const { kernelRoot, rootfs, memoryMb } = this.#options;
    const scripts = import.meta.dirname;
    const privately = ["unshare", "--mount", "--propagation", "private", "setpriv", "--pdeathsig", "KILL"];
    const script = ["sh", join(scripts, "guest-launch.sh"), kernelRoot, rootfs, scripts, WIRE.peer];
    return [
      ...["netns", "exec", this.network.peer, ...privately, "--", ...script],
      ...[String(memoryMb ?? 256), PEER_MAC],
    ];
  }

  async #setAddresses(): Promise<void> {
    const { tester, tester6, peer, peer6 } = ADDRESSES;
    const link = await must(["ip", "-n", this.network.tester, "-o", "link", "show", "dev", WIRE.tester]);
    const mac = /link\/ether (\S+)/.exec(link)?.[1];
    const setUp = [
      `link set vec0 up`,
      `address add ${peer}/24 dev vec0`,
      `address add ${peer6}/64 dev vec0 nodad`,
      `neighbour replace ${tester} lladdr ${mac} dev vec0 nud permanent`,
      `neighbour replace ${tester6} lladdr ${mac} dev vec0 nud permanent`,
      // What has no Security Association goes out in clear, where the capture shows it.
      `route add default via ${tester}`,
      `-6 route add default via ${tester6}`,
    ];
    await this.must(["/bin/sh", "-c", setUp.map((line) => `ip ${line}`).join(" && ")]);
  }

  async #kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    this.#line = undefined;
    if (!child?.pid) return;
    if (child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
    }
    child.stdio[3]?.destroy();
    this.#options.registry.remove({ pid: child.pid });
  }
}

async function bounded(ready: Promise<void>, timeoutMs: number, output: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not up in ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([ready, late]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const said = output().trim().split("\n").slice(-5).join(" / ");
    throw new LabError("start-failed", `user-mode Linux did not boot: ${why}: ${said}`);
  } finally {
    clearTimeout(timer);
  }
}

/** A daemon that runs in a guest, and its driver. */
export interface GuestDaemon {
  driver: Driver;
  /** As the daemon states it. */
  version: string;
  /** Kills the daemon in the guest and starts it again, with the configuration it had. */
  restart(): Promise<void>;
}

/**
 * Boots a guest and starts a daemon in it.
 * @throws LabError when the guest or the daemon does not come up
 */
export async function startUmlPeer(
  options: UmlOptions,
  startDaemon: (guest: Machine) => Promise<GuestDaemon>,
): Promise<RunningPeer> {
  const guest = await Guest.boot(options);
  let daemon: GuestDaemon;
  try {
    daemon = await startDaemon(guest);
  } catch (error) {
    await guest.stop();
    throw error;
  }
  return {
    driver: daemon.driver,
    version: daemon.version,
    testerNamespace: guest.network.tester,
    ...ADDRESSES,
    rawEsp: true,
    restart: () => restart(guest, daemon),
    stop: () => guest.stop(),
  };
}

/** A guest whose kernel still answers keeps running; otherwise it is booted again first. */
async function restart(guest: Guest, daemon: GuestDaemon): Promise<void> {
  try {
    await guest.run(["true"], { timeoutMs: 2_000 });
  } catch {
    await guest.reboot();
  }
  await daemon.restart();
}
