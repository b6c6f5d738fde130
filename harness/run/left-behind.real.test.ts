/** Daemons with a session of their own, which outlive the driver that started them. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { chosenExternal, readExternal } from "../../peers/external.ts";
import { inNamespace, pidsIn } from "../../peers/runtime/network.ts";
import { openLab } from "./lab.ts";
import { driverIn } from "./open-program.ts";

/** Comes up where no daemon has the place, and ends at the first status. */
const DRIVER = `answer() { read line && echo "{\\"id\\":$1,\\"ok\\":true}"; }
if [ -n "$(ip netns pids "$NAMESPACE" | grep -Fx -f daemon)" ]; then exit 1; fi
setsid sleep 600 > /dev/null 2>&1 &
echo $! > daemon
answer 0
answer 1
exit 3`;

describe("what a driver leaves in its namespace (needs root)", function () {
  this.timeout(30_000);
  let folder = "";
  before(function () {
    if (process.geteuid?.() !== 0) this.skip();
    folder = mkdtempSync(join(tmpdir(), "bakeoff-left-"));
    writeFileSync(join(folder, "mine.yaml"), "name: mine\nprogram: [sh, driver.sh]\n");
    writeFileSync(join(folder, "driver.sh"), DRIVER);
    writeFileSync(join(folder, "daemon"), "");
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  const alive = async (namespace: string, pid: number) => (await pidsIn(namespace)).includes(pid);
  const daemon = () => Number(readFileSync(join(folder, "daemon"), "utf8"));

  it("is gone before the next one starts, and with the namespace", async () => {
    const lab = await openLab(`left${process.pid}`);
    const chosen = chosenExternal(readExternal(join(folder, "mine.yaml")));
    let last = 0;
    await lab.withNetwork(chosen, 0, async (network) => {
      const namespace = network?.peer ?? "";
      const argv = ["env", `NAMESPACE=${namespace}`, "sh", "driver.sh"];
      const driver = driverIn(namespace, { argv, folder });
      await driver.start();
      const first = daemon();
      await driver.status();
      while (!driver.ended()) await pause(20);
      expect(await alive(namespace, first)).to.equal(true);
      await driver.status().catch(() => {});
      await driver.status();
      expect(await alive(namespace, first)).to.equal(false);
      await driver.stop();
      const [file = "", ...args] = inNamespace(namespace, ["setsid", "sleep", "600"]);
      const left = spawn(file, args, { stdio: "ignore" });
      left.unref();
      last = left.pid ?? 0;
      while (!(await alive(namespace, last))) await pause(20);
    });
    await lab.close();
    await pause(50);
    expect(() => process.kill(last, 0)).to.throw("ESRCH");
  });
});
