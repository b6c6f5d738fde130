/** What is left of a user's driver that is stopped before it has answered. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { startTime } from "../../peers/runtime/process.ts";
import { checkDriver } from "./driver-check.ts";
import { orderOf, startedBy } from "./external.ts";
import { laneProcess } from "./lane-process.ts";

/** Starts a daemon, names it, and answers hello or nothing. */
const DRIVER = `daemon=$(sleep 600 > /dev/null & echo $!)
echo $daemon > daemon.new && mv daemon.new daemon
if [ "$1" = answers-hello ]; then
  read line && echo '{"id":0,"ok":true,"name":"mine","peer":{"port":9,"natPort":9}}'
fi
sleep 600`;

describe("a driver that does not answer when it is stopped", function () {
  if (process.platform !== "linux") return;
  this.timeout(60_000);
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-stop-"));
    writeFileSync(join(folder, "driver.sh"), DRIVER);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function external(...argument: string[]) {
    const file = join(folder, "mine.yaml");
    const program = JSON.stringify(["sh", "driver.sh", ...argument]);
    writeFileSync(file, `name: mine\nprogram: ${program}\nnetwork: loopback\n`);
    return startedBy(file);
  }

  async function daemon(): Promise<number> {
    for (;;) {
      try {
        return Number(readFileSync(join(folder, "daemon"), "utf8"));
      } catch {
        await pause(50);
      }
    }
  }

  async function expectGone(pid: number): Promise<void> {
    for (let tries = 0; tries < 20 && startTime(pid) !== undefined; tries++) await pause(50);
    expect(startTime(pid)).to.equal(undefined);
  }

  for (const argument of ["hangs-in-hello", "answers-hello"])
    it(`leaves nothing of a check: ${argument}`, async () => {
      const stop = new AbortController();
      const checking = checkDriver(external(argument), () => {}, stop.signal).catch(() => {});
      const pid = await daemon();
      expect(startTime(pid)).to.be.a("string");
      await pause(500);
      stop.abort();
      await checking;
      await expectGone(pid);
    });

  it("leaves nothing of a lane, and is no failure of it", async () => {
    const stop = new AbortController();
    const order = {
      ...{ kind: "order" as const, peer: "mine", id: "mine", ...orderOf(external("hangs-in-hello")) },
      ...{ tests: [], files: [], seed: "1", testLimitMs: 30_000, runId: "test", lane: 0 },
    };
    const said: string[] = [];
    const lane = laneProcess(order, { signal: stop.signal, onMessage: ({ kind }) => said.push(kind) });
    const pid = await daemon();
    stop.abort();
    expect((await lane).how).to.equal("stopped");
    expect(said).to.deep.equal([]);
    await expectGone(pid);
  });
});
