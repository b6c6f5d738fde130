/** OpenIKED in a guest: iked as a process, driven with `ikectl`, the kernel's expiry of SAs, and iked's clock. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pki } from "../../harness/pki/pki.ts";
import { materialFor } from "../../harness/script/policy.ts";
import type { Driver, PeerConfig, PeerResources, PeerStatus, RunningPeer } from "../contract.ts";
import { KERNEL, rootfsPath } from "../install/cache.ts";
import { resourcesInGuest } from "../runtime/daemon-resources.ts";
import { LabError } from "../runtime/errors.ts";
import { ownPrefixes, sendPings } from "../runtime/guest-network.ts";
import type { StartContext } from "../runtime/host.ts";
import type { Machine } from "../runtime/machine.ts";
import { type GuestDaemon, startUmlPeer } from "../runtime/uml.ts";
import { endingOf, type GuestProcess } from "../runtime/uml-guest.ts";
import { credentialFiles, type GuestFile } from "./auth.ts";
import { IKE_LIFETIME, ikedConf, POLICY, SETUP } from "./config.ts";
import { DaemonLog, lostChild } from "./log.ts";
import { clockCommand, startScript } from "./start.ts";
import { parseIkeSas, parseSas } from "./status.ts";

const EXPIRE = "/run/expire.pl";
/** What iked says last when it starts with the setting `passive`. */
const READY = /config_getmode: mode active -> passive/;
const START_MS = 20_000;
const VERB_MS = 5_000;
const STATUS_MS = 2_000;
const SHOW = ["ikectl", "show", "sa"];
/** iked begins to initiate this many seconds after it was told to be active. */
const INITIATE_AFTER = 3;

/** The driver, and the daemon it drives. */
export class OpenikedDriver implements Driver {
  readonly #guest: Machine;
  readonly #log = new DaemonLog();
  readonly #strangersKey = randomBytes(16).toString("hex");
  #iked: GuestProcess | undefined;
  #exit: string | undefined;
  #config: PeerConfig | undefined;
  #conf = SETUP;
  #files: GuestFile[] = [];
  /** Seconds by which iked's clock is ahead. */
  #ahead = 0;

  constructor(guest: Machine) {
    this.#guest = guest;
  }

  /** Starts iked. @throws LabError `start-failed` with the end of its log */
  async start(): Promise<void> {
    await this.#guest.write(EXPIRE, await readFile(join(import.meta.dirname, "expire.pl"), "utf8"));
    await this.#launch(this.#config);
  }

  /** Kills iked, however it is, and starts it again. */
  async restart(): Promise<void> {
    await this.#kill();
    await this.start();
  }

  async configure(config: PeerConfig): Promise<void> {
    const before = this.#config ? ownPrefixes(this.#config) : [];
    this.#conf = ikedConf(config, this.#strangersKey);
    this.#files = credentialFiles(await materialFor(config, "peer", pki));
    this.#config = config;
    await this.#kill();
    await this.#launch(config, before);
  }

  /** In the 0.2 s that a fresh iked takes, nothing else is as sure to have it forget, and without a word. */
  async reset(): Promise<void> {
    await this.#kill();
    await this.#launch(this.#config);
  }

  async initiate(): Promise<void> {
    const begun = this.#log.next(new RegExp(`ikev2_init_ike_sa: (initiating )?"${POLICY}"`), VERB_MS);
    void this.#hastenRetry();
    await this.#guest.must(["ikectl", "active"], { timeoutMs: VERB_MS });
    let done = false;
    const line = begun.finally(() => {
      done = true;
    });
    // The order to be active may reach the process that keeps the time later than what wakes it. No second step in
    // haste: it would be time to retransmit.
    while (!done) {
      await this.#advance(INITIATE_AFTER);
      await Promise.race([line, pause(200)]);
    }
    const said = await line;
    if (!said?.includes("initiating")) throw new LabError("control", `iked does not initiate: ${said}`);
  }

  async rekeyIke(): Promise<void> {
    await this.#established();
    const begun = this.#log.next(/ikev2_ike_sa_rekey: IKE SA/, VERB_MS);
    await this.#advance(IKE_LIFETIME);
    if (!(await begun)) throw new LabError("control", "iked does not rekey its IKE SA when its time is over");
  }

  rekeyChild(): Promise<void> {
    return this.#expire("soft");
  }

  async delete(what: "ike" | "child"): Promise<void> {
    if (what === "child") return this.#expire("hard");
    const { remoteId } = await this.#established();
    await this.#guest.must(["ikectl", "reset", "id", remoteId], { timeoutMs: VERB_MS });
  }

  sendTraffic(options: Parameters<Driver["sendTraffic"]>[0]): Promise<void> {
    return sendPings(this.#guest, options);
  }

  /** All of its processes together. */
  resources(): Promise<PeerResources> {
    return resourcesInGuest(this.#guest, ["iked"]);
  }

  async status(): Promise<PeerStatus> {
    const gone: PeerStatus = { alive: false, ikeSas: [], childSas: [] };
    if (this.#exit) return { ...gone, exit: this.#exit };
    const shown = await this.#guest.run(SHOW, { timeoutMs: STATUS_MS }).catch(() => undefined);
    if (shown?.exit !== 0) return this.#exit ? { ...gone, exit: this.#exit } : gone;
    const xfrm = await this.#guest.must(["ip", "-s", "xfrm", "state"], { timeoutMs: VERB_MS });
    return { alive: true, ...parseSas(shown.stdout, xfrm) };
  }

  ended(): boolean {
    return this.#exit !== undefined;
  }

  async exit(): Promise<string | undefined> {
    // iked answers when it is through with what came before.
    if (!this.#exit) await this.#guest.run(SHOW, { timeoutMs: STATUS_MS }).catch(() => {});
    await this.#catchUp();
    return this.#exit;
  }

  async logs(): Promise<string> {
    await this.#catchUp();
    return this.#log.text;
  }

  async markLog(): Promise<void> {
    await this.#catchUp();
    this.#log.clear();
  }

  /** @param before prefixes that a configuration before had made the peer's own */
  async #launch(config: PeerConfig | undefined, before: string[] = []): Promise<void> {
    const own = config ? ownPrefixes(config) : [];
    const commands = [
      ...before.map((prefix) => `route delete local ${prefix} dev lo table local`),
      ...own.map((prefix) => `route replace local ${prefix} dev lo table local`),
    ];
    const ready = this.#log.next(READY, START_MS);
    this.#exit = undefined;
    this.#ahead = 0;
    let output = "";
    const iked = this.#guest.start(["/bin/sh", "-s"], {
      stdin: startScript(this.#conf, this.#files, commands),
      onOutput: (data) => {
        const text = data.toString("utf8");
        output = (output + text).slice(-4096);
        this.#log.append(text);
      },
    });
    this.#iked = iked;
    const ended = (text: string) => {
      if (this.#iked === iked) this.#exit = lostChild(output) ?? text;
    };
    const end = iked.ended.then(
      (result) => ended(endingOf(result.exit)),
      () => ended("the guest is gone"),
    );
    await Promise.race([ready, end]);
    if (this.#exit || !(await ready)) {
      throw new LabError("start-failed", `iked does not start: ${this.#exit ?? ""} ${output.slice(-600)}`);
    }
  }

  /** After INVALID_KE_PAYLOAD iked waits as long before its second attempt as before its first. */
  async #hastenRetry(): Promise<void> {
    const iked = this.#iked;
    const retries = await this.#log.next(/reinitiating with new DH group/, VERB_MS);
    // No failure of this is one of the test.
    if (retries && this.#iked === iked) await this.#advance(INITIATE_AFTER).catch(() => {});
  }

  async #kill(): Promise<void> {
    const iked = this.#iked;
    this.#iked = undefined;
    iked?.kill();
    await iked?.ended.catch(() => {});
  }

  /** Moves iked's clock, and wakes it so that it looks. */
  async #advance(seconds: number): Promise<void> {
    this.#ahead += seconds;
    await this.#shell(`${clockCommand(this.#ahead)}; exec ikectl show sa >/dev/null`);
  }

  /** The newest established IKE SA. @throws LabError where there is none */
  async #established(): Promise<{ remoteId: string }> {
    const said = await this.#guest.must(SHOW, { timeoutMs: STATUS_MS });
    const sa = parseIkeSas(said).findLast(({ state }) => state === "ESTABLISHED");
    if (!sa) throw new LabError("control", "iked has no established IKE SA");
    return sa;
  }

  /** Has the kernel tell iked that the newest Child SA is over its soft or hard lifetime. */
  async #expire(limit: "soft" | "hard"): Promise<void> {
    const child = (await this.status()).childSas.at(-1);
    if (!child || !this.#config) throw new LabError("control", "iked has no established Child SA");
    const argv = ["perl", EXPIRE, limit, this.#config.remote.host, child.spiOut];
    await this.#guest.must(argv, { timeoutMs: VERB_MS });
  }

  /** What iked has written by now has come along then, and that it ended. */
  async #catchUp(): Promise<void> {
    await this.#guest.catchUp(VERB_MS).catch(() => {});
  }

  async #shell(script: string): Promise<void> {
    await this.#guest.must(["/bin/sh", "-c", script], { timeoutMs: VERB_MS });
  }
}

/** Starts it in a machine that runs. @throws LabError */
export async function startIked(guest: Machine): Promise<GuestDaemon> {
  const driver = new OpenikedDriver(guest);
  await driver.start();
  const { stdout, stderr } = await guest.run(["iked", "-V"]);
  return { driver, version: `${stdout}${stderr}`.trim(), restart: () => driver.restart() };
}

/**
 * Boots a guest and starts OpenIKED in it.
 * @throws LabError; nothing is left then
 */
export function startOpeniked(context: StartContext): Promise<RunningPeer> {
  const { runId, lane, network, registry } = context.options;
  const roots = { rootfs: context.rootfs, kernelRoot: rootfsPath(KERNEL) };
  return startUmlPeer({ runId, lane, network, registry, ...roots }, startIked);
}
