import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { LabError } from "./errors.ts";
import { createNamespace } from "./network.ts";
import { run, startTime, supervise } from "./process.ts";
import { cleanStale, PREFIX, Registry } from "./registry.ts";

describe("registry", () => {
  let folder: string;
  let records: string;
  const before = process.env.XDG_RUNTIME_DIR;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "registry-test-"));
    process.env.XDG_RUNTIME_DIR = folder;
    records = join(folder, `ipsec-bakeoff-${process.getuid?.()}`);
  });

  afterEach(() => {
    if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
    else process.env.XDG_RUNTIME_DIR = before;
    rmSync(folder, { recursive: true });
  });

  const lane = () => mkdtempSync(join(folder, PREFIX));
  const leave = (
    owner: { pid: number; started: string },
    more: { processes?: object[]; folders?: string[] },
  ) => {
    mkdirSync(records, { recursive: true, mode: 0o700 });
    const record = { owner, namespaces: [], processes: [], folders: [], ...more };
    writeFileSync(join(records, "run-1.json"), JSON.stringify(record));
  };
  const dead = { pid: 1, started: "another process had this number" };

  it("keeps a file while there is something to clean", () => {
    const registry = new Registry("run");
    expect(readdirSync(records)).to.deep.equal([]);
    expect(registry.addNamespace(`${PREFIX}x-0-t`)).to.equal(true);
    expect(registry.addNamespace(`${PREFIX}x-0-t`)).to.equal(false);
    expect(readdirSync(records)).to.deep.equal([`run-${process.pid}.json`]);
    registry.remove({ namespace: `${PREFIX}x-0-t` });
    expect(readdirSync(records)).to.deep.equal([]);
  });

  it("leaves a living run alone and cleans a dead one's folders and processes", async () => {
    const own = lane();
    const registry = new Registry("run");
    registry.addFolder(own);
    const left = lane();
    const child = supervise(["sleep", "30"], {});
    const processes = [
      { pid: child.pid, started: startTime(child.pid) },
      { pid: process.pid, started: "not this one" },
    ];
    leave(dead, { processes, folders: [left] });
    expect(await cleanStale()).to.deep.equal([`process ${child.pid}`, `folder ${left}`]);
    expect(await child.ended).to.equal("SIGKILL");
    expect(readdirSync(folder)).to.include(own.split("/").at(-1)).and.not.include(left.split("/").at(-1));
    registry.remove({ folder: own });
  });

  it("unnames its namespaces without waiting", async function () {
    if (process.getuid?.() !== 0) this.skip();
    const registry = new Registry("run");
    const name = `${PREFIX}unname-${process.pid}`;
    await createNamespace(registry, name);
    registry.unnameAll();
    expect((await run(["ip", "netns", "list"])).stdout).not.to.include(name);
    expect(readdirSync(records)).to.deep.equal([]);
  });

  it("deletes nothing that this program did not name, and drops what it cannot read", async () => {
    const foreign = mkdtempSync(join(folder, "foreign-"));
    leave(dead, { folders: [foreign] });
    writeFileSync(join(records, "torn.json"), '{"owner":');
    expect(await cleanStale()).to.deep.equal([]);
    expect(readdirSync(folder)).to.include(foreign.split("/").at(-1));
    expect(readdirSync(records)).to.deep.equal([]);
  });

  it("believes only a folder of its own", () => {
    mkdirSync(records, { mode: 0o700 });
    chmodSync(records, 0o777);
    expect(() => new Registry("run")).to.throw(LabError, "not a folder of this user alone");
  });
});
