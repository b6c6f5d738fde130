import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { rowsOf } from "./pcap.ts";
import { filesIn } from "./pcap-files.ts";
import { step } from "./pcap-steps.ts";

const PACKETS = 1203;

describe("the benchmark of captures", () => {
  let folder: string;
  let [a, b] = ["", ""];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-bench-test-"));
    [a, b] = [join(folder, "a"), join(folder, "b")];
    for (const each of [a, b]) {
      mkdirSync(each);
      await step(["write", each, String(PACKETS), each === a ? "one" : "another"]);
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  it("reads, opens and compares all that it wrote", async () => {
    expect(await step(["read", a])).to.deep.equal({ packets: PACKETS, opened: 0, problems: 0 });
    // The two IKE_SA_INIT messages of both IKE SAs are in clear.
    expect(await step(["open", a])).to.deep.equal({ packets: PACKETS, opened: PACKETS - 4, problems: 0 });
    expect(await step(["diff", a, b])).to.deep.equal({ packets: 0, opened: 0, problems: 0 });
    expect(readFileSync(filesIn(a).capture).equals(readFileSync(filesIn(b).capture))).to.equal(false);
  });

  it("holds its figures against tshark and against what memory may be taken", () => {
    const figures = { packets: 1000, opened: 1000, problems: 0, peakMb: 50, seconds: 2 };
    const steps = { read: figures, opened: figures, diff: { ...figures, packets: 0 } };
    const rows = rowsOf(1000, { ...steps, tshark: 20 });
    expect(rows.map(({ what, value, share }) => [what, value, share])).to.deep.equal([
      ["read and decode", 500, 10],
      ["read and decode, memory", 50, 0.25],
      ["read and decrypt", 500, 10],
      ["read and decrypt, memory", 50, 0.25],
      ["compare two", 1000, undefined],
      ["compare two, memory", 50, 0.125],
    ]);
    expect(rowsOf(1000, { ...steps, tshark: undefined })[0]).not.to.have.property("share");
    expect(() => rowsOf(1001, { ...steps, tshark: 20 })).to.throw("1000 of 1001 packets were seen");
  });
});
