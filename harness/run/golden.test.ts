import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parseCapture } from "../../pcaps/read/index.ts";
import { LabError } from "../../peers/runtime/errors.ts";
import type { Results } from "../../reports/results.ts";
import { compareGolden, type Golden, goldenFolder } from "./golden.ts";
import { report } from "./report.ts";
import { run } from "./run.ts";
import { UsageError } from "./usage-error.ts";

const observer = {
  ...{ planned: () => {}, testStarted: () => {}, told: () => {}, testFinished: () => {} },
  ...{ tryingAgain: () => {}, triedAgain: () => {}, writing: () => {} },
};

const TEST = "rfc7296/1.2/sets-up-ike-and-child-sa";

describe("golden captures", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-golden-test-"));
    writeFileSync(join(folder, "tests.yaml"), `rfc7296: [${TEST}]\n`);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const capture = () => join(folder, "builtin@current_memory/rfc7296/capture.pcap");

  /** Runs what a golden capture is of, or may be taken of. */
  async function play(
    seed: string,
    update: boolean,
  ): Promise<{ out: string; results: Results; golden: Golden[] }> {
    const out = join(folder, `out-${seed}`);
    const options = {
      ...{ documents: [], peers: ["builtin"], role: "both" as const, jobs: 1, seed, out },
      ...{ formats: [], resume: false, testLimitMs: 60_000, runLimitMs: 60_000 },
      golden: { folder, update },
    };
    return { out, ...(await run(options, observer, new AbortController().signal)) };
  }

  it("cannot be compared where there are none", async () => {
    const error: unknown = await play("0", false).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(UsageError);
    expect(String(error)).to.include("no golden captures");
  });

  it("are taken, stay as they are while nothing changes, and tell what does", async () => {
    const first = await play("1", true);
    expect(first.golden[0]).to.include({ test: TEST, state: "new", written: true });
    const before = readFileSync(capture());
    const failed = {
      ...first.results,
      tests: first.results.tests.map((t) => ({ ...t, verdict: "fail" as const })),
    };
    const empty = join(folder, "other");
    mkdirSync(empty);
    writeFileSync(join(empty, "tests.yaml"), `rfc7296: [${TEST}]\n`);
    expect(compareGolden(first.out, failed, { folder: empty, update: true }), "not passed").to.deep.equal([]);

    const second = await play("2", false);
    expect(first.results.golden).to.deep.equal([
      { ...second.results.golden?.[0], state: "new", written: true },
    ]);
    for (const update of [false, true]) {
      const [same] = compareGolden(second.out, second.results, { folder, update });
      expect(same).to.include({ state: "same" }).and.not.have.property("written");
    }
    expect(readFileSync(capture())).to.deep.equal(before);

    const one = join(second.out, second.results.tests[0]!.evidence.capture!);
    dropLastPackets(one);
    const [other] = compareGolden(second.out, second.results, { folder, update: false });
    expect(other?.state).to.equal("different");
    expect(other?.comparison.differences[0]?.kind).to.equal("missing");
    const [renewed] = compareGolden(second.out, second.results, { folder, update: true });
    expect(renewed).to.include({ state: "different", written: true });
    expect(readFileSync(capture())).to.deep.equal(readFileSync(one));

    rmSync(capture());
    mkdirSync(capture());
    expect(() => compareGolden(second.out, second.results, { folder, update: true })).to.throw(LabError);
    rmSync(one);
    expect(report(second.out, [], []).results.golden).to.deep.equal(second.results.golden);
    const { evidence: _, ...bare } = second.results.tests[0]!;
    const lost = { ...second.results, tests: [{ ...bare, evidence: {} }] };
    expect(compareGolden(second.out, lost, { folder, update: false })[0]?.state).to.equal("lost");
  });

  it("of real peers are whole and small", () => {
    for (const peer of readdirSync(goldenFolder, { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    ))
      for (const document of readdirSync(join(goldenFolder, peer.name))) {
        const one = join(goldenFolder, peer.name, document);
        expect(existsSync(join(one, "keys/keys.json")), one).to.equal(true);
        expect(statSync(join(one, "capture.pcap")).size, one).to.be.within(1, 64 * 1024);
      }
  });
});

/** Cuts a capture behind its first two packets. */
function dropLastPackets(path: string): void {
  const bytes = readFileSync(path);
  const third = [...parseCapture(bytes)].find((item) => item.kind === "packet" && item.number === 3);
  writeFileSync(path, bytes.subarray(0, third?.offset));
}
