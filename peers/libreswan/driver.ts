/** libreswan in a guest: pluto as a process, driven with `whack` and `addconn`. */
import { createHash } from "node:crypto";
import { pki } from "../../harness/pki/pki.ts";
import { type Material, materialFor } from "../../harness/script/policy.ts";
import {
  type Driver,
  DriverUnsupported,
  type PeerConfig,
  type PeerResources,
  type PeerStatus,
  type RunningPeer,
} from "../contract.ts";
import { KERNEL, rootfsPath } from "../install/cache.ts";
import { resourcesInGuest } from "../runtime/daemon-resources.ts";
import { LabError } from "../runtime/errors.ts";
import { ownPrefixes, sendPings } from "../runtime/guest-network.ts";
import type { StartContext } from "../runtime/host.ts";
import type { Machine } from "../runtime/machine.ts";
import { type GuestDaemon, startUmlPeer } from "../runtime/uml.ts";
import { endingOf, type GuestProcess } from "../runtime/uml-guest.ts";
import { impairments, importCommands, NEW_DATABASE } from "./auth.ts";
import { CONNECTION, ipsecConf, ipsecSecrets, SETUP } from "./config.ts";
import { parseSas } from "./status.ts";

const CONF = "/etc/ipsec.conf";
const SECRETS = "/etc/ipsec.secrets";
const LIBEXEC = "/usr/libexec/ipsec";
const WHACK = `${LIBEXEC}/whack`;
/** Enough for the log of a test that went wild; the older part is dropped. */
const LOG_LIMIT = 4 * 1024 * 1024;
const VERB_MS = 5_000;
const STATUS_MS = 2_000;

/** Drops every SA without a word to the other side. Impairments go with no other order. */
const FORGET = `
${WHACK} --impair send_no_delete
${WHACK} --delete --name ${CONNECTION}
${WHACK} --no-impair send_no_delete
ip xfrm state flush`;

const LOAD = `${LIBEXEC}/addconn --config ${CONF} ${CONNECTION}`;

const WAIT_UNTIL_LISTENING = `
for attempt in $(seq 100); do
  ${WHACK} --briefstatus >/dev/null 2>&1 && break
  sleep 0.05
done
${WHACK} --impair revival && ${WHACK} --listen`;

/** Shell command that makes a file, readable by root alone, without another process. */
const written = (path: string, text: string): string =>
  `printf %s '${text.replaceAll("'", "'\\''")}' >${path}`;

/** Routing protocol number that marks the lane's own routes, so that the next configuration can find them. */
const ROUTE_MARK = 250;

/** The driver, and the daemon it drives. */
export class LibreswanDriver implements Driver {
  readonly #guest: Machine;
  #pluto: GuestProcess | undefined;
  #exit: string | undefined;
  #config: PeerConfig | undefined;
  #log = "";
  /** What is in the NSS database; undefined for nothing. */
  #imported: string | undefined;
  /** Orders that pluto has: with the key of each, what it was told last. */
  #told = new Map<string, string>();

  constructor(guest: Machine) {
    this.#guest = guest;
  }

  /** Starts pluto. @throws LabError `start-failed` with the end of its log */
  async start(): Promise<void> {
    await this.#guest.write(CONF, this.#config ? ipsecConf(this.#config) : SETUP);
    await this.#shell(`${NEW_DATABASE}; rm -f /run/pluto/pluto.*`);
    this.#imported = undefined;
    this.#told.clear();
    this.#exit = undefined;
    const pluto = this.#guest.start([`${LIBEXEC}/pluto`, "--nofork", "--stderrlog", "--config", CONF], {
      onOutput: (data) => {
        this.#log = (this.#log + data.toString("utf8")).slice(-LOG_LIMIT);
      },
    });
    this.#pluto = pluto;
    const ended = (text: string) => {
      if (this.#pluto === pluto) this.#exit = text;
    };
    pluto.ended.then(
      (result) => ended(endingOf(result.exit)),
      () => ended("the guest is gone"),
    );
    const ready = await this.#guest.run(["/bin/sh", "-c", WAIT_UNTIL_LISTENING], { timeoutMs: 20_000 });
    if (ready.exit !== 0) {
      throw new LabError("start-failed", `pluto does not answer: ${this.#log.slice(-600)}`);
    }
    if (this.#config) await this.configure(this.#config);
  }

  /** Kills pluto, however it is, and starts it again. */
  async restart(): Promise<void> {
    this.#pluto?.kill();
    await this.#pluto?.ended.catch(() => {});
    await this.#guest.run(["/bin/sh", "-c", "ip xfrm state flush; ip xfrm policy flush"]);
    await this.start();
  }

  async configure(config: PeerConfig): Promise<void> {
    if (config.childless === "never")
      throw new DriverUnsupported("libreswan accepts a childless IKE_AUTH whatever it is told");
    if (config.childless === "force")
      throw new DriverUnsupported("libreswan begins without a Child SA only for labeled IPsec");
    const conf = ipsecConf(config);
    // What pluto does about older IKE SAs counts when it starts.
    const anew = config.unique !== this.#config?.unique;
    const material = await materialFor(config, "peer", pki);
    this.#config = config;
    if (anew) return this.restart();
    const secrets = ipsecSecrets(config);
    const routes = ownPrefixes(config).map(
      (selector) => `ip route replace local ${selector} dev lo proto ${ROUTE_MARK} table local`,
    );
    const cookies = config.cookies === "always" ? "--ddos-busy" : "--ddos-unlimited";
    const clear = `ip route flush table local proto ${ROUTE_MARK}; ip -6 route flush table local proto ${ROUTE_MARK}`;
    await this.#load(
      [
        `umask 077; ${written(CONF, conf)}`,
        ...this.#tell("routes", [clear, ...routes]),
        ...this.#tell("secrets", [written(SECRETS, secrets), `${WHACK} --rereadsecrets`]),
        ...this.#tell("cookies", [`${WHACK} ${cookies}`]),
        FORGET,
        ...this.#tell(
          "impairments",
          impairments(config).map((impairment) => `${WHACK} ${impairment}`),
        ),
        ...this.#imports(material),
        LOAD,
      ].join("\n"),
    );
  }

  /** What pluto does not take is not given to it again when it is started anew. @throws DriverUnsupported in its own words */
  async #load(script: string): Promise<void> {
    try {
      await this.#shell(script);
    } catch (error) {
      this.#config = undefined;
      const [, why] = /failed to add connection: (.*)/.exec(String(error)) ?? [];
      if (why === undefined) throw error;
      throw new DriverUnsupported(`libreswan takes no such connection: ${why.trim()}`);
    }
  }

  /** These commands; none where they were the last of their kind. */
  #tell(kind: string, commands: string[]): string[] {
    const text = commands.join("\n");
    if (this.#told.get(kind) === text) return [];
    this.#told.set(kind, text);
    return commands;
  }

  /** Commands that bring these credentials into the NSS database; none where they are in it. */
  #imports(material: Material): string[] {
    const { own, trust } = material;
    const all = [...(own?.chain ?? []), ...trust];
    if (all.length === 0) return [];
    const hash = createHash("sha256");
    for (const certificate of all) hash.update(certificate);
    const wanted = hash.digest("hex");
    if (wanted === this.#imported) return [];
    this.#imported = wanted;
    return [...importCommands(material), `${WHACK} --rereadcerts`];
  }

  initiate(): Promise<void> {
    return this.#whack("--initiate");
  }

  rekeyIke(): Promise<void> {
    return this.#whack("--rekey-ike");
  }

  rekeyChild(): Promise<void> {
    return this.#whack("--rekey-child");
  }

  delete(what: "ike" | "child"): Promise<void> {
    return this.#whack(`--delete-${what}`);
  }

  sendTraffic(options: Parameters<Driver["sendTraffic"]>[0]): Promise<void> {
    return sendPings(this.#guest, options);
  }

  resources(): Promise<PeerResources> {
    return resourcesInGuest(this.#guest, ["pluto"]);
  }

  async status(): Promise<PeerStatus> {
    const gone: PeerStatus = { alive: false, ikeSas: [], childSas: [] };
    if (this.#exit) return { ...gone, exit: this.#exit };
    const states = await this.#ask("--showstates");
    if (states === undefined) return this.#exit ? { ...gone, exit: this.#exit } : gone;
    if (states === "") return { alive: true, ikeSas: [], childSas: [] };
    const xfrm = await this.#guest.must(["ip", "-s", "xfrm", "state"], { timeoutMs: VERB_MS });
    return { alive: true, ...parseSas(states, xfrm) };
  }

  /** Pluto answers when it is through with what came before. Undefined where it does not. */
  async #ask(question: string): Promise<string | undefined> {
    const result = await this.#guest.run([WHACK, question], { timeoutMs: STATUS_MS }).catch(() => undefined);
    return result?.exit === 0 ? result.stdout : undefined;
  }

  reset(): Promise<void> {
    return this.#shell(`${FORGET}\n${LOAD}`);
  }

  ended(): boolean {
    return this.#exit !== undefined;
  }

  async exit(): Promise<string | undefined> {
    if (!this.#exit) await this.#ask("--briefstatus");
    await this.#catchUp();
    return this.#exit;
  }

  async logs(): Promise<string> {
    await this.#catchUp();
    return this.#log;
  }

  async markLog(): Promise<void> {
    await this.#catchUp();
    this.#log = "";
  }

  /** What pluto has written by now has come along then, and that it ended. */
  async #catchUp(): Promise<void> {
    await this.#guest.catchUp(VERB_MS).catch(() => {});
  }

  async #whack(verb: string): Promise<void> {
    const argv = [WHACK, verb, "--name", CONNECTION, "--asynchronous"];
    const said = await this.#guest.must(argv, { timeoutMs: VERB_MS });
    // whack ends with 0 when there is nothing to rekey or delete.
    const refusal = /^.*does not have an established .*$/m.exec(said);
    if (refusal) throw new LabError("control", refusal[0]);
  }

  async #shell(script: string): Promise<void> {
    await this.#guest.must(["/bin/sh", "-c", script], { timeoutMs: VERB_MS });
  }
}

/** Starts it in a machine that runs. @throws LabError */
export async function startPluto(guest: Machine): Promise<GuestDaemon> {
  const driver = new LibreswanDriver(guest);
  await driver.start();
  const version = (await guest.must(["ipsec", "--version"])).trim().replace(/^Libreswan/, "libreswan");
  return { driver, version, restart: () => driver.restart() };
}

/**
 * Boots a guest and starts libreswan in it.
 * @throws LabError; nothing is left then
 */
export function startLibreswan(context: StartContext): Promise<RunningPeer> {
  const { runId, lane, network, registry } = context.options;
  const roots = { rootfs: context.rootfs, kernelRoot: rootfsPath(KERNEL) };
  return startUmlPeer({ runId, lane, network, registry, ...roots }, startPluto);
}
