import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { AgentMachine } from "./agent.ts";

const AGENT = new URL("../runtime/guest-agent.pl", import.meta.url).pathname;

/** In a process namespace of its own, as in a container: it kills all others when its line ends. */
describe("the agent of a container (needs root)", function () {
  this.timeout(20_000);
  let folder: string;
  let agent: ChildProcess;
  const machine = new AgentMachine();
  const start = (...how: string[]) => {
    const alone = ["--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];
    agent = spawn("unshare", [...alone, "perl", AGENT, ...how, "listen", join(folder, "agent.sock")]);
  };
  beforeEach(function () {
    if (process.geteuid?.() !== 0) this.skip();
    folder = mkdtempSync(join(tmpdir(), "bakeoff-agent-"));
  });
  afterEach(() => {
    machine.hangUp();
    agent?.kill("SIGKILL");
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it("runs commands, and serves the next runner when one has gone, with nothing left of it", async () => {
    start();
    await machine.connectTo(join(folder, "agent.sock"));
    expect(await machine.must(["echo", "one"])).to.equal("one\n");
    const sleeper = machine.start(["sleep", "1000"]);
    await machine.catchUp(2_000);
    await machine.connectTo(join(folder, "agent.sock"));
    expect(await sleeper.ended.catch(String)).to.match(/gone/);
    const left = await machine.must(["sh", "-c", "cat /proc/[0-9]*/comm"]);
    expect(left.split("\n")).to.include("perl").and.not.include("sleep");
  });

  it("ends with its first runner where it is told so", async () => {
    start("once");
    await machine.connectTo(join(folder, "agent.sock"));
    const ended = new Promise((resolve) => agent.once("exit", resolve));
    machine.hangUp();
    expect(await ended).to.equal(0);
  });
});
