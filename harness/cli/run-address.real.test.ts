import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Driver, DriverUnsupported, type RunningPeer } from "../../peers/contract.ts";
import { Registry, startPeer } from "../../peers/runtime/index.ts";
import { inNamespace } from "../../peers/runtime/network.ts";
import { run } from "../../peers/runtime/process.ts";
import { requirePeer, tunnelConfig } from "../../peers/runtime/testing.ts";
import { askSchema } from "../../peers/verbs.ts";
import { outcomeOf, resultsSchema, type TestResult } from "../../reports/results.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;
const HOOK = new URL("./testing-hook.ts", import.meta.url).pathname;

const IKE = ["aes256-sha256-x25519-ecp256-modp2048", "aes256gcm16-prfsha256-x25519-ecp256"];
const ESP = ["aes256gcm16", "aes128-sha256", "chacha20poly1305", "aes128-sha512"];
const config = { ...tunnelConfig(IKE, ESP), unique: "replace" as const };

/** What a box's own web server would do with a verb. */
async function act(driver: Driver, ask: unknown): Promise<void> {
  const request = askSchema.parse(ask);
  switch (request.verb) {
    case "initiate":
      return driver.initiate();
    case "rekey-ike":
      return driver.rekeyIke();
    case "rekey-child":
      return driver.rekeyChild();
    case "delete":
      return driver.delete(request.what);
    case "reset":
      return driver.reset();
    case "hello":
      return;
    default:
      throw new DriverUnsupported(`no ${request.verb} here`);
  }
}

describe("bakeoff run at the address of strongswan@6.1 (needs root)", function () {
  this.timeout(180_000);
  let folder: string;
  let peer: RunningPeer;
  let hook: ChildProcess;
  let url: string;

  before(async function () {
    const { definition, version, runtime } = requirePeer(this, "strongswan@6.1:netns");
    const options = { runId: "run-box", lane: process.pid % 1000, registry: new Registry("run-box") };
    folder = mkdtempSync(join(tmpdir(), "bakeoff-run-box-"));
    peer = await startPeer(definition, version, runtime, options);
    await peer.driver.configure(config);
    url = await startHook();
  });
  after(async () => {
    hook?.kill();
    await peer?.stop();
    if (folder) rmSync(folder, { recursive: true });
  });

  /** In the tester's namespace; its URL. */
  function startHook(): Promise<string> {
    const argv = inNamespace(peer.testerNamespace ?? "", [process.execPath, "--import", "tsx", HOOK]);
    hook = spawn(argv[0] ?? "", argv.slice(1), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    return new Promise((resolve) => {
      hook.on("message", (value: { port: number } | { id: number; ask: string }) => {
        if ("port" in value) return resolve(`http://127.0.0.1:${value.port}/`);
        const answer = (status: number, body = "") => hook.send({ id: value.id, status, body });
        act(peer.driver, JSON.parse(value.ask)).then(
          () => answer(200),
          (error: Error) => answer(error instanceof DriverUnsupported ? 501 : 500, error.message),
        );
      });
    });
  }

  async function tested(...more: string[]): Promise<TestResult[]> {
    const argv = [
      ...[
        process.execPath,
        "--import",
        "tsx",
        MAIN,
        "run",
        "--peer",
        peer.peer,
        "--json",
        "--baseline",
        "none",
      ],
      ...["--psk", config.psk, "--id", config.remoteId, "--remote-id", config.localId],
      ...["--local-ts", "203.0.113.0/28", "--remote-ts", "203.0.113.16/28", "--format", "json"],
      ...["--out", join(folder, `out-${more.length}`), ...more],
    ];
    const { stdout, stderr } = await run(inNamespace(peer.testerNamespace ?? "", argv), {
      timeoutMs: 170_000,
    });
    expect(stdout, stderr).to.match(/^\{/);
    return resultsSchema.parse(JSON.parse(stdout)).tests;
  }

  const count = (tests: readonly TestResult[], outcome: ReturnType<typeof outcomeOf>): number =>
    tests.filter(({ verdict }) => outcomeOf(verdict) === outcome).length;

  it("judges a responder that nobody tells anything", async () => {
    const tests = await tested(
      "rfc7296/1.2",
      "rfc7296/2.3",
      "rfc7296/2.8",
      "rfc7296/3.10",
      "--role",
      "responder",
    );
    expect(count(tests, "passed")).to.be.above(10);
    // What this version of strongSwan is known not to pass is in its baseline.
    expect(tests.filter(({ verdict }) => outcomeOf(verdict) === "failed").map(({ id }) => id)).to.deep.equal([
      "rfc7296/3.10/ignores-protocol-id-200-of-notifies-without-spi-as-responder",
    ]);
    const other = tests.find(({ verdict }) => verdict === "unsupported");
    expect(other?.reason).to.match(/^nobody can /);
  });

  it("judges an initiator that an HTTP hook makes begin, rekey and forget", async () => {
    const tests = await tested("rfc7296/1.2", "rfc7296/2.8", "--role", "initiator", "--hook", url);
    expect(count(tests, "passed")).to.be.above(5);
    expect(tests.filter(({ verdict }) => verdict === "setup").map(({ reason }) => reason)).to.deep.equal([]);
  });

  const inPeer = (...argv: string[]) =>
    run(inNamespace(peer.testerNamespace?.replace(/-t$/, "-p") ?? "", argv)).then(({ exit, stderr }) =>
      expect(exit, stderr).to.equal(0),
    );

  // An address where nobody is, and a wrong secret: preflight.test.ts.
  it("tells broken set-ups apart", async () => {
    const reason = async (...more: string[]) =>
      (await tested("rfc7296/2.10", "--grep", "sends-fresh", "--role", "responder", ...more))[0]?.reason;
    expect(await reason("--remote-id", "somebody.example")).to.match(
      /: wrong identity: the peer calls itself "peer.example"/,
    );
    // In front of the rule for local addresses, which has to move for that.
    const filter = ["pref", "1", "ipproto", "udp", "dport", "4500", "blackhole"];
    await inPeer("ip", "rule", "add", "pref", "10", "table", "local");
    await inPeer("ip", "rule", "delete", "pref", "0");
    await inPeer("ip", "rule", "add", ...filter);
    expect(await reason()).to.match(/: UDP port 4500 is filtered/);
    await inPeer("ip", "rule", "delete", ...filter);
    await inPeer("ip", "link", "set", "wire-p", "mtu", "1000");
    expect(await reason()).to.match(/: MTU too small on the way/);
  });
});
