import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { cleanStale } from "./index.ts";
import { namespaceNames } from "./network.ts";
import { startTime } from "./process.ts";
import { ownTemporaryFolder, requirePeer } from "./testing.ts";

const RUN = "killtest";
const lane = process.pid % 1000;

/** A runner of its own that starts a peer, says so, and waits. */
const RUNNER = `
import { findPeer } from "${join(import.meta.dirname, "../definition.ts")}";
import { startPeer } from "${join(import.meta.dirname, "index.ts")}";
const { definition, version, runtime } = findPeer(process.argv[1]);
await startPeer(definition, version, runtime, { runId: "${RUN}", lane: ${lane} });
console.log("up");
setInterval(() => {}, 1000);
`;

function startRunner(spec: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", RUNNER, spec], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.stdout.once("data", () => resolve(child));
    child.once("exit", (code) => reject(new Error(`runner ended with ${code}`)));
  });
}

function pidsOf(namespace: string): string[] {
  return execFileSync("ip", ["netns", "pids", namespace], { encoding: "utf8" }).split("\n").filter(Boolean);
}

describe("a runner that is killed", function () {
  this.timeout(60_000);
  let temporary: ReturnType<typeof ownTemporaryFolder>;
  before(() => {
    temporary = ownTemporaryFolder();
  });
  after(() => temporary.remove());

  it("takes its daemon along, and the next run removes the rest", async function () {
    requirePeer(this, "strongswan@6.1:netns");
    const names = namespaceNames(RUN, lane);
    const runner = await startRunner("strongswan@6.1:netns");
    const daemons = pidsOf(names.peer);
    expect(daemons).to.have.length.above(1);
    expect(await cleanStale()).to.not.include(`namespace ${names.peer}`);
    runner.removeAllListeners("exit");
    const ended = new Promise((resolve) => runner.once("exit", resolve));
    runner.kill("SIGKILL");
    await ended;
    const living = () => daemons.filter((pid) => startTime(Number(pid)) !== undefined);
    for (let tries = 0; tries < 100 && living().length > 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect([...living(), ...pidsOf(names.peer)]).to.deep.equal([]);
    const done = await cleanStale();
    expect(done).to.include.members([`namespace ${names.tester}`, `namespace ${names.peer}`]);
    expect(existsSync(`/run/netns/${names.peer}`)).to.equal(false);
    expect(temporary.left()).to.deep.equal([]);
  });
});
