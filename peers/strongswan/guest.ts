/** strongSwan in a user-mode Linux guest: ESP in a real kernel. */
import type { RunningPeer } from "../contract.ts";
import { KERNEL, rootfsPath } from "../install/cache.ts";
import { resourcesInGuest } from "../runtime/daemon-resources.ts";
import type { DaemonHost, StartContext } from "../runtime/host.ts";
import type { Machine } from "../runtime/machine.ts";
import { type GuestDaemon, startUmlPeer } from "../runtime/uml.ts";
import { endingOf, type GuestProcess } from "../runtime/uml-guest.ts";
import type { DaemonSettings } from "./config.ts";
import { StrongswanDriver } from "./driver.ts";
import { CHARON } from "./start.ts";

const inLane = (name: string) => `/lane/${name}`;

/** charon as a process of the guest; its files are in the guest's memory. */
export function guestHost(guest: Machine): DaemonHost {
  let daemon: GuestProcess | undefined;
  let exit: string | undefined = "not started";
  const shell = (script: string, name: string, more = "") =>
    guest.must(["/bin/sh", "-c", script, inLane(name), more]);
  return {
    async boot() {
      const env = Object.entries(CHARON.env).map(([name, value]) => `${name}=${value}`);
      let output = "";
      const started = guest.start(["/usr/bin/env", ...env, ...CHARON.argv], {
        onOutput: (data) => {
          output = (output + data.toString("utf8")).slice(-4096);
        },
      });
      exit = undefined;
      daemon = started;
      const ended = (how: string) => {
        if (daemon === started) exit = `${how} ${output.trim().split("\n").slice(-3).join(" / ")}`.trim();
      };
      void started.ended.then(
        (result) => ended(endingOf(result.exit)),
        () => ended("the guest is gone"),
      );
    },
    async halt() {
      daemon?.kill();
      await daemon?.ended.catch(() => {});
      await guest.run([
        "/bin/sh",
        "-c",
        "ip xfrm state flush; ip xfrm policy flush; ip route flush table 220",
      ]);
    },
    exit: () => exit,
    resources: (programs) => resourcesInGuest(guest, programs),
    run: (argv, options) => guest.run(argv, options),
    connect: (name) => guest.connect(inLane(name)),
    async write(name, text) {
      if (text === undefined) await shell('rm -f "$0"', name);
      else await guest.write(inLane(name), text);
    },
    size: async (name) => Number(await shell('stat -c %s "$0" 2>/dev/null || echo 0', name)),
    read: (name, from) => shell('tail -c "+$1" "$0" 2>/dev/null || true', name, String(from + 1)),
  };
}

/** Starts it in a machine that runs; native ESP where the kernel does ESP. @throws LabError */
export async function startCharon(machine: Machine, esp: DaemonSettings["esp"]): Promise<GuestDaemon> {
  const settings = { esp, rawEsp: esp === "kernel", cookies: false };
  const driver = new StrongswanDriver(guestHost(machine), settings);
  await driver.start();
  return { driver, version: driver.version, restart: () => driver.restart() };
}

/**
 * Boots a guest with kernel ESP and starts strongSwan in it: tunnel and transport mode, ESN, native ESP.
 * @throws LabError; nothing is left then
 */
export function startInGuest(context: StartContext): Promise<RunningPeer> {
  const { runId, lane, network, registry } = context.options;
  const options = {
    runId,
    lane,
    network,
    rootfs: context.rootfs,
    kernelRoot: rootfsPath(KERNEL),
    registry,
  };
  return startUmlPeer(options, (guest) => startCharon(guest, "kernel"));
}
