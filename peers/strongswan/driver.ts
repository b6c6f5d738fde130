/** Drives strongSwan through vici, wherever it runs. */
import { pki } from "../../harness/pki/pki.ts";
import { type Material, materialFor } from "../../harness/script/policy.ts";
import {
  type Driver,
  DriverUnsupported,
  type PeerConfig,
  type PeerResources,
  type PeerRole,
  type PeerStatus,
} from "../contract.ts";
import { LabError } from "../runtime/errors.ts";
import type { DaemonHost } from "../runtime/host.ts";
import { credentialCommands, usesOldMethods } from "./auth.ts";
import {
  addressPools,
  CONNECTION,
  connection,
  type DaemonSettings,
  daemonConfig,
  HALF_OPEN_SPI,
  primer,
  unsupported,
} from "./config.ts";
import { namesKems, ppkCommands, unsupportedKems, usablePpks } from "./post-quantum.ts";
import { childStatus, ikeStatus } from "./status.ts";
import { dropPacketsTo, ownAddresses, sendHalfOpenInit } from "./surroundings.ts";
import { ViciClient, ViciError } from "./vici.ts";
import { text, type ViciFields, type ViciMessage } from "./vici-codec.ts";

/** How long a daemon may take until it answers, ms. */
const START_MS = 15_000;
/** How long IKE SAs may take to go when they are forgotten, ms. */
const RESET_MS = 5_000;
const LOG = "charon.log";
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export class StrongswanDriver implements Driver {
  /** As the daemon states it, `strongSwan 6.1.0`; empty before `start`. */
  version = "";
  readonly #host: DaemonHost;
  readonly #settings: DaemonSettings;
  #vici: ViciClient | undefined;
  #logMark = 0;
  #config: PeerConfig | undefined;
  #material: Material = { trust: [] };
  /** The role that the loaded connection is for. */
  #role: PeerRole = "responder";
  /** The prefixes that are the peer's own now; undefined when nobody knows. */
  #owned: string | undefined;

  constructor(host: DaemonHost, settings: DaemonSettings) {
    this.#host = host;
    this.#settings = { ...settings };
  }

  /**
   * Starts the daemon, ending one that runs, and waits until it answers. No connection is loaded then.
   * @throws LabError `start-failed`
   */
  async start(): Promise<void> {
    this.#vici?.close();
    this.#vici = undefined;
    this.#owned = undefined;
    await this.#host.halt();
    await this.#host.write("charon.vici");
    await this.#host.write("strongswan.conf", daemonConfig(this.#settings));
    await this.#host.boot();
    for (const end = performance.now() + START_MS; ; ) {
      const exit = this.#host.exit();
      if (exit) throw new LabError("start-failed", `strongSwan ended at its start: ${exit}`);
      try {
        this.version = `strongSwan ${text(await this.#request("version"), "version")}`;
        return;
      } catch (error) {
        if (performance.now() > end) throw new LabError("start-failed", `strongSwan: ${String(error)}`);
        await pause(10);
      }
    }
  }

  /** Starts the daemon anew with the configuration it had. */
  async restart(): Promise<void> {
    await this.start();
    if (this.#config) await this.configure(this.#config);
  }

  /** `cookies` counts when the daemon starts, and needs a fresh half-open IKE SA: the daemon starts anew for it. */
  async configure(config: PeerConfig): Promise<void> {
    const missing = unsupported(config, this.#settings) ?? (await this.#lackingKems(config));
    if (missing) throw new DriverUnsupported(missing);
    const cookies = config.cookies === "always";
    const anew = cookies || this.#settings.cookies;
    this.#settings.cookies = cookies;
    await this.#signatures(usesOldMethods(config), anew);
    await (anew ? this.start() : this.reset());
    await this.#request("unload-conn", { name: CONNECTION }).catch(ignoreRefusal);
    await this.#request("clear-creds");
    const owned = config.localTs.join(" ");
    if (owned !== this.#owned) await ownAddresses(this.#host, config.localTs);
    this.#owned = owned;
    const material = await materialFor(config, "peer", pki);
    const secrets = [...credentialCommands(CONNECTION, config, material), ...ppkCommands(CONNECTION, config)];
    for (const command of secrets) await this.#request(...command);
    for (const [name, pool] of Object.entries(addressPools(config)))
      await this.#request("load-pool", { [name]: pool });
    await this.#load(config, material, "responder");
    this.#config = config;
    this.#material = material;
    if (cookies) await this.#holdHalfOpen();
  }

  async initiate(): Promise<void> {
    await this.#play("initiator");
    await this.#request("initiate", { child: CONNECTION, ike: CONNECTION, timeout: -1, "init-limits": "no" });
  }

  async rekeyIke(): Promise<void> {
    await this.#request("rekey", { ike: CONNECTION });
  }

  async rekeyChild(): Promise<void> {
    await this.#request("rekey", { child: CONNECTION });
  }

  async delete(what: "ike" | "child"): Promise<void> {
    await this.#request("terminate", { [what]: CONNECTION, timeout: -1 });
  }

  async sendTraffic(options: { from: string; to: string; count: number; size?: number }): Promise<void> {
    const { from, to, count, size = 56 } = options;
    const rate = ["-n", "-q", "-i", "0.01", "-W", "0.1"];
    const ping = ["ping", ...rate, "-c", `${count}`, "-s", `${size}`, "-I", from, to];
    const { exit, stderr } = await this.#host.run(ping, { timeoutMs: 5000 + count * 20 });
    // 1 says that answers are missing, which is not for the driver to judge.
    if (exit !== 0 && exit !== 1) throw new LabError("control", `ping: ${stderr.trim()}`);
  }

  ended(): boolean {
    return this.#host.exit() !== undefined;
  }

  resources(): Promise<PeerResources> {
    return this.#host.resources(["charon-systemd"]);
  }

  async status(): Promise<PeerStatus> {
    const exit = this.#host.exit();
    if (exit) return { alive: false, ikeSas: [], childSas: [], exit };
    try {
      const sas = await this.#ikeSas();
      return { alive: true, ikeSas: sas.map(ikeStatus), childSas: sas.flatMap(childStatus) };
    } catch (error) {
      if (!(error instanceof ViciError)) throw error;
      await pause(50); // A daemon that died just now: its end is reported a moment after its socket's.
      const died = this.#host.exit();
      return { alive: false, ikeSas: [], childSas: [], ...(died && { exit: died }) };
    }
  }

  /** Deletes that this makes the daemon send are dropped before they reach the wire. */
  async reset(): Promise<void> {
    // Certificates that came from the tester must be sent again.
    await this.#request("flush-certs");
    await this.#play("responder");
    const sas = await this.#ikeSas();
    if (sas.length === 0) return;
    const remote = this.#config?.remote.host;
    if (remote) await dropPacketsTo(this.#host, remote, "add");
    try {
      const end = performance.now() + RESET_MS;
      for (let left = sas; left.length > 0; left = await this.#ikeSas()) {
        for (const sa of left) {
          const id = text(sa, "uniqueid");
          await this.#request("terminate", { "ike-id": id, force: "yes", timeout: -1 }).catch(ignoreRefusal);
        }
        if (performance.now() > end)
          throw new LabError("control", `${left.length} IKE SAs stay after terminate`);
        await pause(5);
      }
    } finally {
      if (remote) await dropPacketsTo(this.#host, remote, "delete");
    }
  }

  async markLog(): Promise<void> {
    this.#logMark = await this.#host.size(LOG);
  }

  /** Without the lines about this driver's own requests. */
  async logs(): Promise<string> {
    const lines = await this.#host.read(LOG, this.#logMark);
    return lines.replace(/^.*\[CFG\] vici client \d+ .*\n/gm, "");
  }

  /** RFC 7427 is a matter of the daemon's file, which it reads again on command. */
  async #signatures(oldMethods: boolean, starting: boolean): Promise<void> {
    if (oldMethods === (this.#settings.oldMethods ?? false)) return;
    this.#settings.oldMethods = oldMethods;
    if (starting) return;
    await this.#host.write("strongswan.conf", daemonConfig(this.#settings));
    await this.#request("reload-settings");
  }

  async #lackingKems(config: PeerConfig): Promise<string | undefined> {
    return namesKems(config) ? unsupportedKems(config, await this.#request("get-algorithms")) : undefined;
  }

  /** The connection for this role; it is the same for both where there are no PPKs. */
  async #play(role: PeerRole): Promise<void> {
    const config = this.#config;
    if (config && role !== this.#role && usablePpks(config).length > 0)
      await this.#load(config, this.#material, role);
  }

  /** Loads the connection, in place of one that is loaded. */
  async #load(config: PeerConfig, material: Material, role: PeerRole): Promise<void> {
    try {
      await this.#request("load-conn", { [CONNECTION]: connection(config, material, role) });
    } catch (error) {
      if (error instanceof ViciError && error.problem === "refused" && /proposals/.test(error.message))
        throw new DriverUnsupported(`strongSwan takes no such proposal: ${error.message}`);
      throw error;
    }
    this.#role = role;
  }

  #client(): ViciClient {
    if (!this.#vici?.usable) this.#vici = new ViciClient(this.#host.connect("charon.vici"));
    return this.#vici;
  }

  #request(command: string, fields: ViciFields = {}): Promise<ViciMessage> {
    return this.#client().request(command, fields);
  }

  /** Every IKE SA but the one of `#holdHalfOpen`; an event holds one, under the name of its connection. */
  async #ikeSas(): Promise<ViciMessage[]> {
    const sas = await this.#allIkeSas();
    return sas.filter((sa) => text(sa, "initiator-spi") !== HALF_OPEN_SPI);
  }

  async #allIkeSas(): Promise<ViciMessage[]> {
    const events = await this.#client().stream("list-sas", "list-sa");
    return events.flatMap((event) => [...event.values()].filter((value) => value instanceof Map));
  }

  /** The threshold counts IKE SAs that are half open already: one from the daemon's own host keeps it reached. */
  async #holdHalfOpen(): Promise<void> {
    await this.#request("load-conn", { primer: primer() });
    await sendHalfOpenInit(this.#host);
    for (let tries = 0; tries < 100; tries++) {
      if ((await this.#allIkeSas()).length > 0) return;
      await pause(10);
    }
    throw new LabError("control", "cookies: no half-open IKE SA came about");
  }
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof ViciError) || error.problem !== "refused") throw error;
}
