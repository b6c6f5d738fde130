import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { EdgeFolder, readSancov } from "./sancov.ts";

function sancov(...counters: bigint[]): Uint8Array {
  const octets = new DataView(new ArrayBuffer(8 + 8 * counters.length));
  octets.setBigUint64(0, 0xc0bfffffffffff64n, true);
  counters.forEach((counter, i) => void octets.setBigUint64(8 + 8 * i, counter, true));
  return new Uint8Array(octets.buffer);
}

describe("sancov files", () => {
  it("hold the counters of a program", () => {
    expect(readSancov(sancov(0x401000n, 0x7fff_1234_5678n))).to.deep.equal([0x401000, 0x7fff_1234_5678]);
    const narrow = sancov(0x0000_0002_0000_0001n);
    narrow[0] = 0x32;
    expect(readSancov(narrow)).to.deep.equal([1, 2]);
    expect(readSancov(sancov())).to.deep.equal([]);
  });

  it("are refused with a reason, whatever the octets", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => {
        const read = readSancov(octets);
        expect(Array.isArray(read) || read.reason.length > 0).to.equal(true);
      }),
    );
    expect(readSancov(sancov(1n).subarray(0, 12))).to.have.property("reason");
    expect(readSancov(sancov(2n ** 63n))).to.deep.equal([]);
  });

  it("are read out of a folder, and hostile ones are named", () => {
    const folder = mkdtempSync(join(tmpdir(), "bakeoff-sancov-"));
    try {
      writeFileSync(join(folder, "a.1.sancov"), sancov(5n, 6n));
      writeFileSync(join(folder, "b.1.sancov"), sancov(6n, 7n));
      writeFileSync(join(folder, "bad.sancov"), "no such thing");
      writeFileSync(join(folder, "huge.sancov"), "");
      truncateSync(join(folder, "huge.sancov"), 2 ** 30);
      mkdirSync(join(folder, "folder.sancov"));
      symlinkSync(join(folder, "a.1.sancov"), join(folder, "link.sancov"));
      execFileSync("mkfifo", [join(folder, "pipe.sancov")]);
      const peer = new EdgeFolder(folder);
      const { edges, skipped } = peer.fresh();
      expect([...edges].sort()).to.deep.equal([5, 6, 7]);
      const names = ["bad", "folder", "huge", "link", "pipe"].map((name) => `${name}.sancov`);
      expect(skipped.map(({ file }) => file)).to.deep.equal(names);
      expect(peer.fresh()).to.deep.equal({ edges: new Set(), skipped: [] });
      writeFileSync(join(folder, "b.1.sancov"), sancov(6n, 7n, 8n));
      expect([...peer.fresh().edges]).to.deep.equal([6, 7, 8]);
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(new EdgeFolder(folder).fresh().skipped).to.have.length(1);
  });
});
