/** mocha's dots, and the failures as JSON in the file that `UNIT_REPORT` names, for `scripts/unit.mjs`. */
import { writeFileSync } from "node:fs";
import mocha from "mocha";

export default class UnitReporter extends mocha.reporters.Dot {
  constructor(runner, options) {
    super(runner, options);
    const failed = new Set();
    runner.on("fail", (test) => failed.add(test.file ?? test.parent.file));
    runner.on("end", () => {
      const { passes, failures, pending } = this.stats;
      writeFileSync(
        process.env.UNIT_REPORT,
        JSON.stringify({ passes, failures, pending, files: [...failed] }),
      );
    });
  }
}
