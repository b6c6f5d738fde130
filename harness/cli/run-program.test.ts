import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { campaignSchema } from "../../fuzz/campaign/tally.ts";
import { resultsSchema, type TestResult } from "../../reports/results.ts";
import { EXIT } from "./exit.ts";
import { bakeoff } from "./program.ts";

const DRIVER = new URL("../../peers/program/testing-driver.ts", import.meta.url).pathname;

describe("a run against a user's program", function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-program-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** File that defines the driver, or a mutant of it. */
  function definition(...mutant: string[]): string {
    const program = [process.execPath, "--import", import.meta.resolve("tsx"), DRIVER, ...mutant];
    const file = join(folder, "mine.yaml");
    writeFileSync(file, `name: mine\nprogram: ${JSON.stringify(program)}\nnetwork: loopback\n`);
    return file;
  }

  /** Exit status and results of a run against the driver, or a mutant of it. */
  async function tested(argv: string[], ...mutant: string[]): Promise<{ exit: number; tests: TestResult[] }> {
    const out = join(folder, "out");
    const wanted = ["--peer", definition(...mutant), "--baseline", "none", "--format", "json", "--out", out];
    const exit = await bakeoff(["run", ...argv, ...wanted]);
    return {
      exit,
      tests: resultsSchema.parse(JSON.parse(readFileSync(join(out, "results.json"), "utf8"))).tests,
    };
  }

  it("judges it in both roles", async () => {
    const { exit, tests } = await tested(["rfc7296/1.2", "--grep", "sets-up|initiates-ike"]);
    expect(tests.map(({ verdict, reason }) => [verdict, reason])).to.deep.equal(
      tests.map(() => ["pass", "as required"]),
    );
    expect(new Set(tests.map(({ role }) => role))).to.deep.equal(new Set(["initiator", "responder"]));
    expect(exit).to.equal(EXIT.ok);
  });

  it("fuzzes it", async () => {
    const out = join(folder, "fuzzed");
    const wanted = ["--setup", "psk", "--stage", "init", "--cases", "16", "--time", "40s", "--out", out];
    expect(await bakeoff(["fuzz", "--peer", definition(), ...wanted])).to.equal(EXIT.ok);
    const { cases, peers } = campaignSchema.parse(
      JSON.parse(readFileSync(join(out, "campaign.json"), "utf8")),
    );
    expect(cases).to.equal(16);
    expect(peers.map(({ info }) => info?.fullVersion)).to.deep.equal(["builtin current"]);
  });

  it("makes setup of the test in which the driver ends, and goes on with the next", async () => {
    const { exit, tests } = await tested(["rfc7296/1.2", "--grep", "sets-up|initiates-ike"], "dies");
    const by = (role: string) => tests.filter((test) => test.role === role);
    for (const { verdict, reason } of by("initiator")) {
      expect(verdict).to.equal("setup");
      expect(reason).to.match(/the driver ended: exit 3/);
    }
    expect(by("responder").map(({ verdict }) => verdict)).to.deep.equal(by("responder").map(() => "pass"));
    expect(exit).to.equal(EXIT.lab);
  });

  it("makes setup of all tests where the driver does not come up, with the line in question", async () => {
    const { exit, tests } = await tested(["rfc7296/1.2", "--grep", "sets-up"], "greets");
    for (const { verdict, reason } of tests) {
      expect(verdict).to.equal("setup");
      expect(reason).to.equal('the driver answered hello with what is no JSON: "builtin peer, ready"');
    }
    expect(exit).to.equal(EXIT.lab);
  });
});
