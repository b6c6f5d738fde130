import { expect } from "chai";
import { type Checked, runChecks } from "./driver-check.ts";
import { type DriverCheck, driverChecks } from "./driver-checks.ts";

const folder = new URL("../../peers/program/", import.meta.url).pathname;

async function checked(checks: readonly DriverCheck[], ...argument: string[]): Promise<Checked[]> {
  const all: Checked[] = [];
  const argv = ["node", "--import", "tsx", "testing-driver.ts", ...argument];
  const external = { name: "contract", version: "current", runtime: "process" };
  const order = { peer: "contract", id: "contract", seed: "1", runId: "check", lane: 0, external };
  await runChecks(
    { ...order, lie: undefined, variant: undefined, network: undefined, program: { argv, folder } },
    (one) => all.push(one),
    new AbortController().signal,
    checks,
  );
  return all;
}

/** What each mutant fails at; of those that never get so far, the words of the fault. */
const MUTANTS: Record<string, string | RegExp> = {
  nameless: "hello names the implementation",
  "takes-any-verb": "a verb that it does not know is unsupported",
  "takes-any-setting": "a setting that it does not know is unsupported",
  "keeps-configuration": "a configuration takes the place of the one before",
  blind: "status names the SAs that are up",
  "keeps-sas": "reset forgets the SAs, and says nothing of it to the other end",
  "resets-aloud": "reset forgets the SAs, and says nothing of it to the other end",
  idle: "initiate has the peer begin, and both SAs come up",
  "idle-child": "rekey-child rekeys the Child SA",
  "deletes-all": "delete child deletes the Child SA and no more",
  dies: "initiate has the peer begin, and both SAs come up",
  stays: "bye ends it",
  greets: /answered hello with what is no JSON: "builtin peer, ready"/,
  numberless: /answered hello, request 0, with a reply to "undefined"/,
};

describe("driver-check", function () {
  this.timeout(60_000);

  it("passes a driver that keeps the contract", async () => {
    const all = await checked(driverChecks);
    expect(all.filter(({ outcome }) => outcome !== "ok")).to.deep.equal([]);
    expect(all.map(({ name }) => name)).to.deep.equal(driverChecks.map(({ name }) => name));
  });

  for (const [mutant, caught] of Object.entries(MUTANTS))
    it(`fails one that ${mutant}`, async () => {
      if (caught instanceof RegExp) {
        const error: unknown = await checked([], mutant).catch((failed: unknown) => failed);
        expect(error instanceof Error ? error.message : "").to.match(caught);
        return;
      }
      const its = driverChecks.filter(({ name }) => name === caught);
      const outcomes = (await checked(its, mutant)).map(({ outcome }) => outcome);
      expect(outcomes).to.deep.equal(["failed"]);
    });
});
