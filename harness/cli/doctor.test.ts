import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Check, formatDoctor, runDoctor } from "./doctor.ts";

const COMMANDS = ["unshare", "mmdebstrap", "docker", "tshark"];

function byId(checks: Check[]): Map<string, Check> {
  return new Map(checks.map((check) => [check.id, check]));
}

describe("doctor", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-doctor-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function fake(script: string): NodeJS.ProcessEnv {
    for (const name of COMMANDS) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    return { PATH: `${folder}:/usr/bin:/bin` };
  }

  it("says of everything what it costs and how to get it", async () => {
    const checks = await runDoctor();
    const ids = ["node", "root", "raw-socket", "namespaces", "kernel-esp", "tun", "user-mode-linux", "peers"];
    expect(checks.map(({ id }) => id)).to.deep.equal([
      ...ids,
      "mmdebstrap",
      "docker",
      "tshark",
      "scapy",
      "chromium",
    ]);
    for (const check of checks) {
      for (const text of [check.detail, check.costs, check.fix]) expect(text, check.id).to.match(/\S/);
      expect(check.detail, check.id).to.not.include("\n");
    }
    expect(byId(checks).get("node")?.ok).to.equal(true);
  });

  it("finds nothing where there is nothing, and says so", async () => {
    const checks = byId(await runDoctor({ env: { PATH: folder } }));
    for (const id of ["namespaces", "kernel-esp", "tun", "mmdebstrap", "docker", "tshark"]) {
      expect(checks.get(id), id).to.include({ ok: false });
      expect(checks.get(id)?.detail, id).to.match(/^\w+ is not installed$/);
    }
  });

  it("waits for no command that hangs", async () => {
    const env = fake("exec sleep 30");
    const started = performance.now();
    const checks = byId(await runDoctor({ env, timeoutMs: 500 }));
    expect(performance.now() - started).to.be.below(5000);
    expect(checks.get("tshark")).to.include({ ok: false, detail: "tshark did not end within 500 ms" });
  });

  it("passes on what a command says when it fails", async () => {
    const checks = byId(await runDoctor({ env: fake("echo first >&2; echo no engine here >&2; exit 1") }));
    expect(checks.get("docker")).to.include({ ok: false, detail: "no engine here" });
  });

  it("prints the way out only of what is missing", () => {
    const base = { detail: "found", costs: "much", fix: "do-this" };
    const text = formatDoctor(
      [
        { id: "a", ok: true, ...base },
        { id: "long-name", ok: false, ...base },
      ],
      false,
    );
    expect(text.split("\n")).to.deep.equal([
      "ok       a          found",
      "missing  long-name  found",
      "           without it: much",
      "           to get it:  do-this",
      "",
    ]);
    expect(formatDoctor([{ id: "a", ok: true, ...base }], true)).to.include("\x1b[32mok");
  });
});
