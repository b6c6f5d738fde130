import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { z } from "zod";
import { rootfsPath } from "../../peers/install/cache.ts";
import {
  createLaneNetwork,
  type LaneNetwork,
  Registry,
  removeLaneNetwork,
} from "../../peers/runtime/index.ts";
import { ADDRESSES, inNamespace, killIn } from "../../peers/runtime/network.ts";
import { run } from "../../peers/runtime/process.ts";
import { requirePeer } from "../../peers/runtime/testing.ts";
import { RemoteListener } from "./testing-remote.ts";
import { type SessionEvent, type SessionView, sessionView } from "./types.ts";

const ROOT = new URL("../../peers/program/testing-root.sh", import.meta.url).pathname;
const registry = new Registry("crowd");

const ENDPOINTS = 40;
const STRONGSWANS = 10;
const LATEST_MS = 5_000;

/** Each "initiate" that waits takes a thread. */
const CONF = `charon-systemd {
  threads = 64
  load = random nonce openssl pem kdf hmac drbg gcm kernel-libipsec kernel-netlink socket-default vici updown
  plugins { kernel-libipsec { allow_peer_ts = yes } }
}`;

/** All dial at the same moment, and stay. */
const DIAL = `
chroot "$CHROOT" /usr/sbin/charon-systemd &
until chroot "$CHROOT" swanctl --stats >/dev/null 2>&1; do sleep 0.05; done
cp "$1" "$CHROOT/run/crowd.conf"
chroot "$CHROOT" swanctl --load-all --noprompt --file /run/crowd.conf >/dev/null 2>&1
for i in $(seq 0 $(($2 - 1))); do chroot "$CHROOT" swanctl --initiate --child "c$i" --timeout 20 >/dev/null & done
sleep 600`;

const connection = (
  { identity, peerIdentity, secret, proposals, networks }: SessionView,
  i: number,
): string => `
connections { s${i} { version = 2\n mobike = no\n proposals = ${proposals.ike.slice(0, 1).join()}
  local_addrs = ${ADDRESSES.peer}\n remote_addrs = ${ADDRESSES.tester}
  local { auth = psk\n id = ${identity} }\n remote { auth = psk\n id = ${peerIdentity} }
  children { c${i} { local_ts = ${networks.participant.join()}\n remote_ts = ${networks.ours.join()}
    esp_proposals = ${proposals.esp.slice(0, 1).join()} } } } }
secrets { ike-s${i} { id = ${identity}\n secret = "${secret}" } }
`;

describe("forty endpoints and ten IKE SAs of strongswan@6.1 at the listener at once (needs root)", function () {
  this.timeout(60_000);
  let folder: string;
  let network: LaneNetwork;
  let listener: RemoteListener;
  let daemon: ChildProcess;

  before(async function () {
    requirePeer(this, "strongswan@6.1:netns");
    folder = mkdtempSync(join(tmpdir(), "bakeoff-crowd-"));
    network = await createLaneNetwork(registry, "crowd", process.pid % 1000);
    listener = await RemoteListener.open(network.tester, ADDRESSES.tester, folder);
  });
  after(async () => {
    await listener?.close();
    daemon?.kill("SIGKILL");
    if (network) {
      await killIn(network.peer);
      await removeLaneNetwork(registry, network);
    }
    if (folder) rmSync(folder, { recursive: true });
  });

  function dialAll(views: readonly SessionView[]): ChildProcess {
    const file = join(folder, "swanctl.conf");
    writeFileSync(file, views.map(connection).join(""));
    writeFileSync(join(folder, "strongswan.conf"), CONF);
    const enter = [
      "unshare",
      "--mount",
      "--propagation",
      "private",
      "sh",
      ROOT,
      rootfsPath("strongswan", "6.1"),
    ];
    const shell = [join(folder, "strongswan.conf"), "sh", "-c", DIAL, "sh", file, String(views.length)];
    const [command = "", ...rest] = inNamespace(network.peer, [...enter, ...shell]);
    return spawn(command, rest, { stdio: ["ignore", "ignore", "inherit"] });
  }

  async function judged(view: SessionView): Promise<SessionEvent[]> {
    for (const end = Date.now() + 30_000; ; ) {
      const events = await listener.events(view);
      if (events.some(({ kind }) => kind === "verdict")) return events;
      if (Date.now() > end) throw new Error(`no verdict: ${JSON.stringify(events).slice(0, 2_000)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  it("each have their verdicts within 5 s of their last packet, and nobody else's", async () => {
    const swans: SessionView[] = [];
    for (let i = 0; i < STRONGSWANS; i++) swans.push(await listener.create());
    daemon = dialAll(swans);
    const crowd = await listener.ask({ ask: "crowd", count: ENDPOINTS }, z.array(sessionView));
    expect(crowd.length).to.equal(ENDPOINTS);
    const all = [...swans, ...crowd];
    for (const view of all) {
      const events = await judged(view);
      const verdict = events.findIndex(({ kind }) => kind === "verdict");
      const packet = events.slice(0, verdict).findLast(({ kind }) => kind === "message");
      expect((events[verdict]?.at ?? 0) - (packet?.at ?? 0)).to.be.below(LATEST_MS);
      expect(events.filter((event) => event.kind === "verdict" && event.verdict === "fail")).to.deep.equal(
        [],
      );
      const said = JSON.stringify(events);
      expect(all.filter(({ identity }) => said.includes(identity)).map(({ id }) => id)).to.deep.equal([
        view.id,
      ]);
    }
    const { stdout } = await run(["ip", "netns", "pids", network.peer]);
    expect(stdout.trim()).to.not.equal("");
  });
});
