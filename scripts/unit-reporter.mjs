/** mocha's dots, and the failures and times as JSON in the file that `UNIT_REPORT` names, for `scripts/unit.mjs`. */
import { writeFileSync } from "node:fs";
import mocha from "mocha";

export default class UnitReporter extends mocha.reporters.Dot {
  constructor(runner, options) {
    super(runner, options);
    const failed = new Set();
    /** Milliseconds of each file's tests. */
    const took = {};
    const fileOf = (test) => test.file ?? test.parent.file;
    runner.on("fail", (test) => failed.add(fileOf(test)));
    runner.on("test end", (test) => {
      took[fileOf(test)] = (took[fileOf(test)] ?? 0) + (test.duration ?? 0);
    });
    runner.on("end", () => {
      const { passes, failures, pending } = this.stats;
      writeFileSync(
        process.env.UNIT_REPORT,
        JSON.stringify({ passes, failures, pending, files: [...failed], took }),
      );
    });
  }
}
