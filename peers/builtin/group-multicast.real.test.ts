import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { expect } from "chai";
import type { PeerConfig } from "../contract.ts";
import { createNamespace, inNamespace, removeNamespace } from "../runtime/network.ts";
import { must } from "../runtime/process.ts";
import { PREFIX, Registry } from "../runtime/registry.ts";
import type { NodeAnswer, NodeCommand } from "./group-node.ts";

const GROUP = "keyid:67727031";
const REKEY_GROUP = "udp 239.1.1.1:848";
const CONTROLLER = "192.0.2.100";
const RECEIVERS = ["a", "b", "c"] as const;
const ADDRESSES = { gcks: CONTROLLER, sender: "192.0.2.10", a: "192.0.2.1", b: "192.0.2.2", c: "192.0.2.3" };
type NodeName = keyof typeof ADDRESSES;
const NODES = Object.keys(ADDRESSES).filter((name): name is NodeName => name in ADDRESSES);

const MEMBERS = [...RECEIVERS, "sender"].map((name) => `${name}.example`);

function configOf(name: NodeName): PeerConfig {
  const controls = name === "gcks";
  return {
    local: { host: ADDRESSES[name], port: 500 },
    remote: { host: controls ? ADDRESSES.sender : CONTROLLER, port: 500 },
    ...{ localId: `${name}.example`, remoteId: controls ? "sender.example" : "gcks.example" },
    ...{ psk: "only for this test", mode: "tunnel", localTs: [], remoteTs: [] },
    ...{ ikeProposals: ["aes256gcm16-prfsha256-x25519"], espProposals: ["aes128gcm16"] },
    groups: [
      {
        ...{ id: GROUP, rekey: "ed25519", data: ["aes128gcm16-unspec32"], keyTree: 2 },
        ...(controls && { members: MEMBERS }),
      },
    ],
  };
}

/** A builtin peer in a namespace of its own. */
class Node {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: ((answer: NodeAnswer) => void)[] = [];
  readonly ready: Promise<NodeAnswer>;

  constructor(namespace: string, name: NodeName) {
    const main = join(import.meta.dirname, "group-node.ts");
    const [file = "", ...argv] = inNamespace(namespace, [
      ...["setpriv", "--pdeathsig", "KILL", "--", process.execPath, "--import", "tsx", main, ADDRESSES[name]],
    ]);
    this.#child = spawn(file, argv, { stdio: ["pipe", "pipe", "inherit"] });
    this.ready = this.#next(30_000);
    this.#child.once("close", () => {
      for (const answer of this.#answers.splice(0)) answer({ error: `the node ${name} ended` });
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) =>
      this.#answers.shift()?.(JSON.parse(line)),
    );
  }

  #next(ms: number): Promise<NodeAnswer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer of a node in ${ms} ms`)), ms);
      this.#answers.push((answer) => {
        clearTimeout(timer);
        if (answer.error) reject(new Error(answer.error));
        else resolve(answer);
      });
    });
  }

  tell(command: NodeCommand): Promise<NodeAnswer> {
    const answer = this.#next(5000);
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    return answer;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGKILL");
    await gone;
  }
}

const RUN = "mcast";
const lane = process.pid % 1000;
const namespaceOf = (name: string): string => `${PREFIX}${RUN}-${lane}-${name}`;
const hub = namespaceOf("hub");

/** A namespace for each node, with a wire to a bridge in one more. */
async function makeNetwork(registry: Registry): Promise<void> {
  await createNamespace(registry, hub);
  const bridge = ["link add bridge0 type bridge mcast_snooping 0", "link set bridge0 up"];
  await must(["ip", "-n", hub, "-batch", "-"], { stdin: bridge.join("\n") });
  for (const name of NODES) {
    const namespace = namespaceOf(name);
    await createNamespace(registry, namespace);
    const wire = `link add port-${name} type veth peer name wire netns ${namespace}`;
    const ports = [wire, `link set port-${name} master bridge0`, `link set port-${name} up`];
    await must(["ip", "-n", hub, "-batch", "-"], { stdin: ports.join("\n") });
    const own = [`addr add ${ADDRESSES[name]}/24 dev wire`, "link set wire up"];
    await must(["ip", "-n", namespace, "-batch", "-"], { stdin: own.join("\n") });
  }
}

const canBridge = (): boolean => {
  const probe = spawnSync("unshare", ["-n", "ip", "link", "add", "bridge0", "type", "bridge"], {
    stdio: "ignore",
  });
  return process.geteuid?.() === 0 && probe.status === 0;
};

describe("a group on real multicast (needs root)", function () {
  this.timeout(120_000);
  const nodes = new Map<NodeName, Node>();
  const registry = new Registry(RUN);
  const node = (name: NodeName): Node => {
    const found = nodes.get(name);
    if (!found) throw new Error(name);
    return found;
  };

  before(async function () {
    if (!canBridge()) return this.skip();
    await makeNetwork(registry);
    for (const name of NODES) nodes.set(name, new Node(namespaceOf(name), name));
    for (const name of NODES) {
      await node(name).ready;
      await node(name).tell({ verb: "configure", config: configOf(name) });
    }
  });

  after(async () => {
    for (const one of nodes.values()) await one.stop();
    for (const name of nodes.size > 0 ? [...NODES, "hub"] : [])
      await removeNamespace(registry, namespaceOf(name));
  });

  /** Waits up to 8 s until the report of a node is as wanted; gives it in any case. */
  async function until(name: NodeName, wanted: (report: Required<NodeAnswer>) => boolean) {
    const end = performance.now() + 8000;
    for (;;) {
      const report = {
        error: "",
        received: [],
        multicast: [],
        log: "",
        ...(await node(name).tell({ verb: "report" })),
      };
      if (wanted(report) || performance.now() > end) return report;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Sends once in a while until the receiver has it: who registered last may not be done yet. */
  async function send(text: string, to: NodeName): Promise<void> {
    for (let tries = 0; tries < 20; tries++) {
      await node("sender").tell({ verb: "send", group: GROUP, text });
      await new Promise((resolve) => setTimeout(resolve, 150));
      if ((await node(to).tell({ verb: "report" })).received?.includes(text)) return;
    }
  }

  const spis = ({ multicast }: NodeAnswer): Set<string> =>
    new Set(multicast?.filter((name) => name.startsWith("esp 239.2.2.2 ")));

  it("carries ESP from one sender to three receivers, and leaves the one behind that a rekey excludes", async () => {
    for (const name of [...RECEIVERS, "sender"] as const)
      await node(name).tell({ verb: "register", group: GROUP, sender: name === "sender" });
    await send("for three", "c");
    for (const name of RECEIVERS) {
      const report = await until(name, ({ received }) => received.includes("for three"));
      expect(report.received, `${name}: ${report.log}`).to.include("for three");
      expect(spis(report).size).to.equal(1);
    }
    await node("gcks").tell({ verb: "exclude", group: GROUP, member: "c.example" });
    for (const name of RECEIVERS) await until(name, ({ multicast }) => multicast.includes(REKEY_GROUP));
    await send("for two", "b");
    for (const name of ["a", "b"] as const) {
      const report = await until(name, ({ received }) => received.includes("for two"));
      expect(report.received, `${name}: ${report.log}`).to.include("for two");
    }
    // The packets of the new SA come to the host that was excluded as well.
    const report = await until("c", (seen) => spis(seen).size === 2);
    expect(spis(report).size, "SPIs that c sees").to.equal(2);
    expect(report.received).to.include("for three").and.not.include("for two");
    expect(report.multicast).to.include(REKEY_GROUP);
  });
});
