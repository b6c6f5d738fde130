import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { z } from "zod";
import { checkedSchema } from "../../harness/run/driver-check.ts";
import { rootfsPath } from "../install/cache.ts";
import { run } from "../runtime/process.ts";
import { requirePeer } from "../runtime/testing.ts";

const MAIN = new URL("../../harness/cli/main.ts", import.meta.url).pathname;
const DRIVER = new URL("../../docs/drivers/swanctl.py", import.meta.url).pathname;
const ROOT = new URL("testing-root.sh", import.meta.url).pathname;

const CONF = `charon-systemd {
  load = random nonce openssl pem kdf hmac drbg gcm kernel-libipsec kernel-netlink socket-default vici updown
  plugins { kernel-libipsec { allow_peer_ts = yes } }
}`;

describe("the sample driver, for strongSwan by its shell command (needs root)", function () {
  this.timeout(90_000);
  let folder: string;
  before(function () {
    requirePeer(this, "strongswan@6.1");
    folder = mkdtempSync(join(tmpdir(), "bakeoff-swanctl-"));
    const enter = ["unshare", "--mount", "--propagation", "private", "sh", ROOT];
    const argv = [
      ...enter,
      rootfsPath("strongswan", "6.1"),
      join(folder, "strongswan.conf"),
      "python3",
      DRIVER,
    ];
    writeFileSync(join(folder, "strongswan.conf"), CONF);
    writeFileSync(
      join(folder, "mine.yaml"),
      `name: mine\nversion: "6.1"\nprogram: ${JSON.stringify(argv)}\n`,
    );
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  const bakeoff = (...argv: string[]) =>
    run([process.execPath, "--import", "tsx", MAIN, ...argv], { timeoutMs: 80_000 });

  it("keeps the contract", async () => {
    const { stdout, stderr, exit } = await bakeoff("driver-check", join(folder, "mine.yaml"), "--json");
    const checks = z.array(checkedSchema).parse(JSON.parse(stdout));
    expect(exit, stderr).to.equal(0);
    expect(checks.filter(({ outcome }) => outcome !== "ok").map(({ name }) => name)).to.deep.equal([
      "send-traffic sends through the tunnel",
    ]);
  });

  it("has suites run against it in both roles", async () => {
    const out = join(folder, "out");
    const argv = [
      "run",
      "rfc7296/1.2",
      "--grep",
      "sets-up|initiates-ike",
      "--peer",
      join(folder, "mine.yaml"),
    ];
    const { exit, stderr } = await bakeoff(...argv, "--baseline", "none", "--format", "json", "--out", out);
    expect(exit, stderr).to.equal(0);
    expect(stderr).to.match(/^2 tests: 2 pass$/m);
  });
});
