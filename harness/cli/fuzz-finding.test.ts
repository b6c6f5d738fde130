import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { findingId, type StoredFinding } from "../../fuzz/findings/finding.ts";
import { FindingStore } from "../../fuzz/findings/store.ts";
import {
  sampleAlarm,
  sampleCase,
  sampleFinding,
  sampleOutcome,
  samplePeer,
} from "../../fuzz/findings/testing.ts";
import { readSarif } from "../../reports/testing.ts";
import { bakeoff } from "./program.ts";

/** The status of a command and what it says on standard error. */
async function call(...argv: string[]): Promise<{ status: number; said: string }> {
  const { write } = process.stderr;
  let said = "";
  process.stderr.write = (text: string | Uint8Array): boolean => {
    said += String(text);
    return true;
  };
  try {
    return { status: await bakeoff(["fuzz", ...argv]), said };
  } finally {
    process.stderr.write = write;
  }
}

describe("the commands on findings", () => {
  let folder: string;
  const file = (finding: StoredFinding, name = "finding.json") => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(finding));
    return path;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-finding-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("export each format, and nothing under embargo unless they are told to", async () => {
    const open = file(sampleFinding);
    const secret = file({ ...sampleFinding, embargo: true, title: "secret" }, "secret.json");
    for (const as of ["test", "sarif", "markdown", "pcap"]) {
      const { status, said } = await call("export", secret, "--as", as, "--out", join(folder, "out"));
      expect([status, said.includes("under embargo"), said.includes("secret crash")], as).to.deep.equal([
        2,
        true,
        false,
      ]);
    }
    expect((await call("export", open, "--as", "sarif", "--out", join(folder, "one.sarif"))).status).to.equal(
      0,
    );
    expect(readSarif(readFileSync(join(folder, "one.sarif"), "utf8")).results).to.have.length(1);
    const page = join(folder, "secret.md");
    expect((await call("export", secret, "--as", "markdown", "--embargoed", "--out", page)).status).to.equal(
      0,
    );
    expect(statSync(page).mode & 0o777).to.equal(0o600);
    expect(await call("export", open, "--as", "test", "--out", join(folder, "tests"))).to.have.property(
      "status",
      0,
    );
  });

  it("refuse what is no finding, no peer of the lab, or no number, in one line", async () => {
    const open = file(sampleFinding);
    mkdirSync(join(folder, "empty"));
    const wrong: [argv: string[], said: string][] = [
      [["replay", join(folder, "empty")], "finding.json: ENOENT"],
      [["replay", file({ ...sampleFinding, id: "../x" }, "bad.json")], "id: "],
      [["replay", open, "--peer", "192.0.2.1"], "not on an address"],
      [["replay", open, "--peer", "strongswam"], "nearest: strongswan"],
      [["replay", open, "--lie", "omits-nonces"], "nearest: omits-nonce"],
      [["replay", open, "--times", "0"], "--times 0"],
      [["minimize", open, "--time", "soon"], "--time soon"],
      [["export", open, "--as", "sarf"], "nearest: sarif"],
      [["export", open, "--as", "pcap"], "--out: is missing"],
      [["release", open], "is under no embargo"],
    ];
    for (const [argv, expected] of wrong) {
      const { status, said } = await call(...argv);
      expect([status, said.trim().split("\n").length], argv.join(" ")).to.deep.equal([2, 1]);
      expect(said).to.include(expected);
    }
  });

  it("release a finding of a campaign", async () => {
    const store = FindingStore.open(folder, { tool: "0.1.0" });
    const crash = { ...sampleAlarm, oracle: "crash" as const };
    store.add(crash, sampleCase, sampleOutcome, samplePeer);
    store.close();
    const id = findingId(samplePeer.name, crash.signature);
    expect((await call("release", store.folderOf({ id, embargo: true }))).status).to.equal(0);
    expect(statSync(join(store.folderOf({ id, embargo: false }), "capture.pcap")).mode & 0o777).to.equal(
      0o644,
    );
  });
});
