import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { KERNEL, rootfsPath } from "../install/cache.ts";
import { pidsIn } from "./network.ts";
import { cleanStale, Registry } from "./registry.ts";
import { requirePeer } from "./testing.ts";
import { Guest } from "./uml.ts";

const runId = "umltest";
const base = 1000 + (process.pid % 1000) * 10;

function boot(lane: number): Promise<Guest> {
  const roots = { rootfs: rootfsPath("libreswan", "5.2"), kernelRoot: rootfsPath(KERNEL) };
  return Guest.boot({ runId, lane: base + lane, registry: new Registry(runId), ...roots });
}

/** Guests of this machine that are alive; a killed one stays in the process table until it is reaped. */
function alive(pids: number[]): number[] {
  return pids.filter((pid) => {
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : ") Z";
    return !/\) [ZX]/.test(stat);
  });
}

describe("user-mode Linux guests", function () {
  this.timeout(60_000);
  const guests: Guest[] = [];

  before(async function () {
    requirePeer(this, "libreswan@5.2");
    guests.push(...(await Promise.all([boot(0), boot(1)])));
  });

  after(async () => {
    await Promise.all(guests.map((guest) => guest.stop()));
    for (const { network } of guests) {
      expect(await pidsIn(network.tester)).to.deep.equal([]);
      expect(existsSync(`/run/netns/${network.tester}`)).to.equal(false);
      expect(existsSync(`/run/netns/${network.peer}`)).to.equal(false);
    }
  });

  it("share a root file system without meeting in it", async () => {
    await Promise.all(guests.map((guest, index) => guest.write("/etc/lane", `${index}`)));
    const read = await Promise.all(guests.map((guest) => guest.must(["cat", "/etc/lane"])));
    expect(read).to.deep.equal(["0", "1"]);
    expect(existsSync(join(rootfsPath("libreswan", "5.2"), "etc/lane"))).to.equal(false);
    expect(readdirSync(join(rootfsPath(KERNEL), "mnt"))).to.deep.equal([]);
  });

  it("carry whole input and output, and exit codes", async () => {
    const [guest] = guests;
    const stdin = "\r\n\x03\x04\x11\x13\x1c é".repeat(20_000);
    const echoed = await guest!.run(["cat"], { stdin });
    expect(echoed.stdout === stdin).to.equal(true);
    expect(await guest!.run(["/bin/sh", "-c", "echo no >&2; exit 7"])).to.deep.equal({
      exit: 7,
      stdout: "",
      stderr: "no\n",
    });
    expect((await guest!.run(["/bin/sh", "-c", "kill -9 $$"])).exit).to.equal(-9);
    expect((await guest!.run(["no-such-program"])).exit).to.equal(127);
  });

  it("answer commands side by side while one of them hangs", async () => {
    const [guest] = guests;
    const hangs = guest!.run(["sleep", "60"], { timeoutMs: 500 }).catch(String);
    expect((await Promise.all([1, 2, 3].map((n) => guest!.must(["echo", `${n}`])))).join("")).to.equal(
      "1\n2\n3\n",
    );
    expect(await hangs).to.contain("no end of");
  });

  it("tell all that a command has written, and that it ended", async () => {
    const [guest] = guests;
    let output = "";
    let exit: number | undefined;
    const onOutput = (data: Buffer) => {
      output += data.toString("utf8");
    };
    const { ended } = guest!.start(["/bin/sh", "-c", "seq 20000; touch /tmp/written; read line"], {
      onOutput,
    });
    void ended.then((result) => {
      exit = result.exit;
    });
    await guest!.must(["/bin/sh", "-c", "until [ -e /tmp/written ]; do sleep 0.01; done; sleep 0.1"]);
    await guest!.catchUp(5_000);
    expect(output.endsWith("\n20000\n")).to.equal(true);
    expect(exit).to.equal(1);
  });

  it("have a kernel with ESP, and the tester at the other end of the wire", async () => {
    const [guest] = guests;
    await guest!.must(["ping", "-c", "1", "-W", "1", "192.0.2.1"]);
    await guest!.must(["ping", "-c", "1", "-W", "1", "2001:db8::1"]);
    for (const aead of ["rfc4106(gcm(aes))", "rfc7539esp(chacha20,poly1305)"]) {
      const key = `0x${"00".repeat(36)}`;
      const state = [
        "src",
        "192.0.2.2",
        "dst",
        "192.0.2.1",
        "proto",
        "esp",
        "spi",
        "0x1001",
        "mode",
        "tunnel",
      ];
      await guest!.must(["ip", "xfrm", "state", "add", ...state, "aead", aead, key, "128"]);
      await guest!.must(["ip", "xfrm", "state", "flush"]);
    }
  });

  it("leave nothing behind a runner that is killed", async () => {
    const lane = base + 5;
    const script = `
      import { Guest } from ${JSON.stringify(join(import.meta.dirname, "uml.ts"))};
      import { Registry } from ${JSON.stringify(join(import.meta.dirname, "registry.ts"))};
      const roots = ${JSON.stringify({ rootfs: rootfsPath("libreswan", "5.2"), kernelRoot: rootfsPath(KERNEL) })};
      await Guest.boot({ runId: "${runId}", lane: ${lane}, registry: new Registry("${runId}-child"), ...roots });
      console.log("up");`;
    const runner = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
    await new Promise((resolve) => runner.stdout.once("data", resolve));
    const pids = await pidsIn(`bakeoff-${runId}-${lane}-p`);
    expect(alive(pids)).to.not.deep.equal([]);
    const gone = new Promise((resolve) => runner.once("exit", resolve));
    runner.kill("SIGKILL");
    await gone;
    for (let tries = 0; tries < 100 && alive(pids).length > 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(alive(pids)).to.deep.equal([]);
    await cleanStale();
    expect(existsSync(`/run/netns/bakeoff-${runId}-${lane}-t`)).to.equal(false);
  });
});
