/**
 * Runs the samples of the README and the guides, so that they stay true. A fence `sh` holds one command a line;
 * `sh root` needs root and installed peers. A line may end with `# exit N`. Fences without a language are prose.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { suiteFiles } from "../harness/run/suites.ts";
import { isInstalled } from "../peers/install/cache.ts";

const root = resolve(import.meta.dirname, "..");
const guides = ["README.md", ...readdirSync(import.meta.dirname).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith(".md"),
);

interface Sample {
  command: string;
  needsRoot: boolean;
  exit: number;
}

function samples(file: string): Sample[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(/^```sh( root)?\n([\s\S]*?)^```/gm)].flatMap(([, marked, body = ""]) =>
    body
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [command = "", exit = "0"] = line.split(/\s+# exit /);
        return {
          command: command.replace(/\s+#.*$/, ""),
          needsRoot: marked !== undefined,
          exit: Number(exit),
        };
      }),
  );
}

function run(command: string, cwd: string): number {
  const [npx, name, ...args] = command.split(" ");
  expect([npx, name], "samples are calls of the tool").to.deep.equal(["npx", "bakeoff"]);
  // As users have it; only where it was just built is that the same as the sources.
  const main =
    process.env.CI === "true"
      ? [join(root, "bin/bakeoff.js")]
      : ["--import", import.meta.resolve("tsx"), join(root, "harness/cli/main.ts")];
  try {
    execFileSync(process.execPath, [...main, ...args], { cwd, stdio: "pipe", timeout: 300_000 });
    return 0;
  } catch (error) {
    const status: unknown = Reflect.get(Object(error), "status");
    return typeof status === "number" ? status : -1;
  }
}

describe("samples in the documents", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-samples-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const guide of guides) {
    for (const sample of samples(guide)) {
      it(`${guide}: ${sample.command}`, function () {
        this.timeout(300_000);
        const able = process.getuid?.() === 0 && isInstalled("strongswan", "6.1");
        if (sample.needsRoot && !able && process.env.BAKEOFF_REQUIRE_PEERS !== "1") this.skip();
        expect(run(sample.command, folder)).to.equal(sample.exit);
      });
    }
  }

  it("of tests stand in a suite", () => {
    const suites = suiteFiles().map((file) => readFileSync(file, "utf8"));
    for (const guide of guides) {
      for (const [, sample = ""] of readFileSync(join(root, guide), "utf8").matchAll(
        /^```ts\n([\s\S]*?)^```/gm,
      )) {
        expect(
          suites.some((suite) => suite.includes(sample)),
          `${guide}: ${sample}`,
        ).to.equal(true);
      }
    }
  });

  it("are at most two screens each", () => {
    for (const guide of guides) {
      expect(readFileSync(join(root, guide), "utf8").split("\n").length, guide).to.be.at.most(110);
    }
  });
});
