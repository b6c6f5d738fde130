/**
 * A container that is told by its environment and the files of /bakeoff which test it is for: started anew for each, as
 * in the QUIC interop runner. Exit code 127 says that it does not support what it was asked for.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { must } from "../runtime/process.ts";
import { laneFolderBase, PREFIX, removeFolder } from "../runtime/registry.ts";
import { type AnyAsk, type Ask, askSchema, type Channel, type Reply } from "../verbs.ts";
import { pidOf, removeContainer } from "./engine.ts";
import { type Attached, attach, type Berth, plugInWhenBegun, runCommand } from "./image.ts";

/** What an image answers with that lacks something. */
const UNSUPPORTED = 127;
/** The engine itself, which has failed. */
const ENGINE_FAILED = 125;
const LISTENS_MS = 8_000;
/** One that does not say that it is ready, by a file, is given so long to be configured once it listens. */
const SETTLES_MS = 1_000;
/** Begins when there is a network; then the image's own program takes its place. */
const GATE = 'until [ -e /bakeoff/begin ]; do sleep 0.05; done; exec "$@"';

const STOPPED: Reply = { error: "it was stopped" };

type Configure = Extract<Ask, { verb: "configure" }>;
type Role = "initiator" | "responder";

/** The verbs, as far as starting and stopping a container goes. */
export class ToldContainer implements Channel {
  readonly usable = true;
  readonly #berth: Berth;
  readonly #said: (text: string) => void;
  readonly #folder = mkdtempSync(join(laneFolderBase(), PREFIX));
  #configured: Configure | undefined;
  #container: Attached | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** No container is started any more. */
  #closed = false;

  constructor(berth: Berth, said: (text: string) => void) {
    this.#berth = berth;
    this.#said = said;
  }

  ask(ask: AnyAsk): Promise<Reply> {
    const reply = this.#turn.then(() => this.#ask(ask));
    this.#turn = reply.catch(() => undefined);
    return reply;
  }

  async #ask(given: AnyAsk): Promise<Reply> {
    const { success, data: ask } = askSchema.safeParse(given);
    if (!success) return { unsupported: `no verb ${given.verb}` };
    switch (ask.verb) {
      case "hello":
        // Its kernel may do ESP as well as its daemon.
        return { ok: true, name: this.#berth.image, esp: "raw" };
      case "configure":
        this.#configured = ask;
        return this.#begin("responder");
      case "initiate":
        return this.#begin("initiator");
      case "reset":
        return this.#begin("responder");
      case "status":
        return this.#status();
      case "bye":
        await this.#end();
        return { ok: true };
      default:
        return { unsupported: `a container without a driver can be told no ${ask.verb}` };
    }
  }

  /** After what the engine is at: it could start a container that was removed before it was there. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#turn;
    await this.#end();
    removeFolder(this.#folder);
  }

  async #end(): Promise<void> {
    this.#container = undefined;
    await removeContainer(this.#berth.name);
  }

  /** Starts a container for this role, and waits until it is ready or ends. */
  async #begin(role: Role): Promise<Reply> {
    const asked = this.#configured;
    if (!asked) return { error: "nothing was configured" };
    await this.#end();
    this.#writeFiles(asked);
    const env = environmentOf(asked, role);
    const names = Object.keys(env).flatMap((name) => ["--env", name]);
    const mount = ["--volume", `${this.#folder}:/bakeoff`];
    const argv = runCommand(this.#berth, ...names, ...mount, "--entrypoint", "/bin/sh", this.#berth.image);
    const program = await this.#ownProgram();
    if (this.#closed) return STOPPED;
    const container = attach([...argv, "-c", GATE, "sh", ...program], env, this.#said);
    const begun = await plugInWhenBegun(this.#berth, () => container.exit() !== undefined);
    if (begun) writeFileSync(join(this.#folder, "begin"), "");
    const reply = await this.#untilItListens(container);
    // The end of one that never was ready is no crash.
    if ("ok" in reply) this.#container = container;
    return reply;
  }

  async #untilItListens(container: Attached): Promise<Reply> {
    const pid = await pidOf(this.#berth.name);
    let since: number | undefined;
    for (const end = performance.now() + LISTENS_MS; performance.now() < end; await pause(20)) {
      if (this.#closed) return STOPPED;
      const code = container.exit();
      if (code !== undefined) return endOf(code, container.lastWords());
      if (existsSync(join(this.#folder, "ready"))) return { ok: true };
      if (pid !== undefined && (await listens(pid))) since ??= performance.now();
      if (performance.now() - (since ?? end) > SETTLES_MS) return { ok: true };
    }
    return { error: `nobody in the container listens at UDP port 500 after ${LISTENS_MS / 1000} s` };
  }

  #status(): Reply {
    const code = this.#container?.exit();
    if (code === undefined || code === 0) return { ok: true, alive: true };
    if (code === UNSUPPORTED) return endOf(code, this.#container?.lastWords() ?? "");
    return { ok: true, alive: false, exit: `exit ${code}` };
  }

  /** What the image would run by itself. */
  async #ownProgram(): Promise<string[]> {
    const format =
      "{{range .Config.Entrypoint}}{{println .}}{{end}}{{range .Config.Cmd}}{{println .}}{{end}}";
    const said = await must(["docker", "image", "inspect", "--format", format, this.#berth.image]);
    return said.split("\n").filter(Boolean);
  }

  #writeFiles({ verb: _, ...asked }: Configure): void {
    const write = (name: string, text: string) => writeFileSync(join(this.#folder, name), text);
    for (const name of ["begin", "ready", "certificates.pem", "key.pem", "trust.pem"])
      rmSync(join(this.#folder, name), { force: true });
    write("config.json", JSON.stringify(asked, undefined, 2));
    const { certificates = [], key, trust = [] } = asked.credentials ?? {};
    if (certificates.length > 0) write("certificates.pem", certificates.join(""));
    if (key !== undefined) write("key.pem", key);
    if (trust.length > 0) write("trust.pem", trust.join(""));
  }
}

/** What a container's environment says of the test; lists are separated by spaces. */
export function environmentOf({ config, hosts, test }: Configure, role: Role): Record<string, string> {
  return {
    ...{ ROLE: role, TESTCASE: test ?? "", MODE: config.mode, PSK: config.psk },
    ...{ LOCAL_ADDRESS: config.local.host, REMOTE_ADDRESS: config.remote.host },
    ...{ LOCAL_ID: config.localId, REMOTE_ID: config.remoteId },
    ...{ IKE_PROPOSALS: config.ikeProposals.join(" "), ESP_PROPOSALS: config.espProposals.join(" ") },
    ...{ LOCAL_TS: config.localTs.join(" "), REMOTE_TS: config.remoteTs.join(" ") },
    ...{ HOST: hosts.peer, REMOTE_HOST: hosts.tester },
  };
}

/** What the early end of a container says. */
export function endOf(code: number, words: string): Reply {
  const missing = /executable file not found|no such file or directory: unknown/.test(words);
  if (code === UNSUPPORTED && !missing)
    return { unsupported: words || `the container ended with ${UNSUPPORTED}` };
  const who =
    code === ENGINE_FAILED || missing ? "the engine could not start the container" : "the container ended";
  return { error: `${who}: exit ${code}${words && `: ${words}`}` };
}

/** Whether anybody in the network of this process has UDP port 500. */
async function listens(pid: number): Promise<boolean> {
  const tables = await Promise.all(
    ["udp", "udp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "latin1").catch(() => "")),
  );
  return tables.some((table) => /^\s*\d+: [0-9A-F]+:01F4 /m.test(table));
}
