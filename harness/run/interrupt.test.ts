/** What is left of a run that is ended from outside. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { parseResults } from "../../reports/results.ts";
import { report } from "./report.ts";

const MAIN = join(import.meta.dirname, "../cli/main.ts");

interface Started {
  child: ChildProcess;
  /** In the environment of all its processes. */
  marker: string;
  ended: Promise<number | null>;
  said: () => string;
}

function start(out: string): Started {
  const marker = `BAKEOFF_TEST_${randomBytes(8).toString("hex")}`;
  const argv = ["run", "--peer", "builtin:process", "--out", out];
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...argv], {
    env: { ...process.env, [marker]: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { child, marker, ended, said: () => text };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 30_000; !condition(); await pause(50))
    if (performance.now() > end) throw new Error(`${what} did not come`);
}

function living(marker: string): string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, "utf8").includes(marker);
    } catch {
      return false;
    }
  });
}

describe("a run that is ended from outside", function () {
  if (process.platform !== "linux") return;
  this.timeout(120_000);
  let out = "";
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), "bakeoff-interrupt-test-"));
  });
  afterEach(() => rmSync(out, { recursive: true, force: true }));

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`writes its reports and leaves no process behind after ${signal}`, async () => {
      const started = start(out);
      await until(() => started.said().includes("[2/"), "the second verdict");
      expect(living(started.marker)).to.have.length.of.at.least(3);
      started.child.kill(signal);
      expect(await started.ended).to.equal(1);
      expect(living(started.marker)).to.deep.equal([]);
      const results = parseResults(readFileSync(join(out, "results.json"), "utf8"));
      if ("error" in results) throw new Error(results.reason);
      expect(results.interrupted).to.equal(signal);
      expect(results.tests.length).to.be.at.least(2);
      // A peer that is being stopped has not crashed.
      expect([...new Set(results.tests.map(({ verdict }) => verdict))]).to.deep.equal(["pass"]);
    });
  }

  it("ends at once on the second Ctrl-C", async () => {
    const started = start(out);
    await until(() => started.said().includes("[2/"), "the second verdict");
    started.child.kill("SIGINT");
    started.child.kill("SIGTERM");
    expect(await started.ended).to.be.oneOf([1, 130, 143]);
    await until(() => living(started.marker).length === 0, "the end of its processes");
  });

  it("leaves a journal and no process behind when it is killed", async () => {
    const started = start(out);
    await until(() => started.said().includes("[2/"), "the second verdict");
    started.child.kill("SIGKILL");
    await until(() => living(started.marker).length === 0, "the end of its processes");
    const { results } = report(out, ["json"], []);
    expect(results.interrupted).to.match(/killed/);
    expect(results.tests.length).to.be.at.least(2);
  });
});
