import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { DiffRules } from "../../pcaps/diff/rules.ts";
import { sampleResults } from "../sample.ts";
import { picturesOf } from "./ladders.ts";
import { siteOf } from "./model.ts";

describe("ladders of a site", () => {
  it("are drawn of files in the result folder, and of nothing that is linked there or never ends", () => {
    const folder = mkdtempSync(join(tmpdir(), "bakeoff-ladders-"));
    try {
      const [run, line] = [join(folder, "run"), '{"at":1,"event":"keepalive"}\n'];
      mkdirSync(run);
      for (const path of [join(run, "own"), join(folder, "others")]) writeFileSync(path, line);
      symlinkSync(join(folder, "others"), join(run, "linked"));
      symlinkSync("/dev/zero", join(run, "endless"));
      execFileSync("mkfifo", [join(run, "pipe")]);
      const drawn = ["own", "linked", "endless", "pipe", "missing"].filter((events) => {
        const results = sampleResults();
        const tests = [{ ...results.tests[0]!, evidence: { events } }];
        const [entry] = siteOf([{ folder: run, results: { ...results, tests } }], {}).entries;
        return entry && picturesOf(entry, undefined, new DiffRules());
      });
      expect(drawn).to.deep.equal(["own"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
