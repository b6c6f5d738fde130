/** What a page tells a user of strongSwan to configure, given to strongSwan as it stands there. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { rootfsPath } from "../../../peers/install/cache.ts";
import {
  createLaneNetwork,
  type LaneNetwork,
  Registry,
  removeLaneNetwork,
} from "../../../peers/runtime/index.ts";
import { ADDRESSES, inNamespace } from "../../../peers/runtime/network.ts";
import { requirePeer } from "../../../peers/runtime/testing.ts";

const root = join(import.meta.dirname, "../../..");

/** Asks for a session as a program does, and prints its page. */
const ASK = `const form = new URLSearchParams({ name: "strongSwan" });
const page = await fetch(process.argv[1] + "sessions", { method: "POST", body: form });
console.log(await page.text());`;

const DAEMON = `charon-systemd {
  load = random nonce openssl kdf hmac gcm pem pubkey constraints kernel-libipsec kernel-netlink socket-default vici updown
  plugins {
    kernel-libipsec { allow_peer_ts = yes }
    kernel-netlink { fwmark = !0x42 }
    socket-default { fwmark = 0x42 }
  }
}
`;

/** The commands of the page, and a packet through the tunnel. */
const DIAL = `/usr/sbin/charon-systemd >/lane/charon.log 2>&1 &
until swanctl --stats >/dev/null 2>&1; do sleep 0.1; done
ip addr add 203.0.113.17/28 dev lo
swanctl --load-all --file /lane/swanctl.conf --noprompt && swanctl --initiate --child bakeoff --timeout 8 &&
ping -c 1 -W 3 -I 203.0.113.17 203.0.113.1
`;

describe("the configuration on a page of the live responder", function () {
  this.timeout(30_000);
  let folder = "";
  let registry: Registry;
  let network: LaneNetwork | undefined;
  let listener: ChildProcess | undefined;

  before(async function () {
    requirePeer(this, "strongswan@6.1");
    folder = mkdtempSync(join(tmpdir(), "bakeoff-snippets-"));
    registry = new Registry("snippets");
    network = await createLaneNetwork(registry, "snippets", process.pid % 1000);
  });
  after(async () => {
    if (listener) {
      listener.kill("SIGTERM");
      if (listener.exitCode === null) await once(listener, "close");
    }
    if (network) await removeLaneNetwork(registry, network);
    if (folder !== "") rmSync(folder, { recursive: true });
  });

  const spawned = ([program = "", ...args]: string[]): ChildProcess =>
    spawn(program, args, { cwd: root, stdio: ["ignore", "ignore", "pipe"] });

  /** Where its pages are. */
  async function listen(namespace: string): Promise<string> {
    const ports = ["--ike-port", "1500", "--nat-port", "14500", "--web-port", "0"];
    const main = ["--import", "tsx", join(root, "harness/cli/main.ts")];
    const where = ["listen", "--address", ADDRESSES.tester, ...ports, "--out", join(folder, "out")];
    listener = spawned(inNamespace(namespace, [process.execPath, ...main, ...where]));
    const said: string[] = [];
    if (listener.stderr)
      for await (const line of createInterface(listener.stderr)) {
        const [url] = /http:\S+/.exec(line) ?? [];
        if (url !== undefined) return url;
        said.push(line);
      }
    throw new Error(said.join(" | "));
  }

  const inside = (namespace: string, argv: string[]): string => {
    const [program = "", ...args] = inNamespace(namespace, argv);
    return execFileSync(program, args, { encoding: "utf8", cwd: root, timeout: 20_000, stdio: "pipe" });
  };

  it("makes strongSwan dial ports of ours that are not the usual, with traffic", async () => {
    const { tester = "", peer = "" } = network ?? {};
    const url = await listen(tester);
    const page = inside(tester, [process.execPath, "--input-type=module", "-e", ASK, url]);
    const [, snippet = ""] = /<pre[^>]*swanctl.conf[^>]*>([^<]*)<\/pre>/.exec(page) ?? [];
    expect(snippet).to.include("remote_port = 14500");
    const lane = join(folder, "lane");
    mkdirSync(join(lane, "root"), { recursive: true });
    writeFileSync(join(lane, "swanctl.conf"), snippet);
    writeFileSync(join(lane, "strongswan.conf"), DAEMON);
    const apart = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];
    const script = ["sh", join(root, "peers/runtime/netns-daemon.sh"), rootfsPath("strongswan", "6.1"), lane];
    const settings = ["env", "STRONGSWAN_CONF=/lane/strongswan.conf"];
    const said = inside(peer, [...settings, ...apart, ...script, "sh", "-c", DIAL]);
    expect(said).to.include("initiate completed successfully").and.include("1 received");
  });
});
