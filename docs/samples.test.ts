/**
 * Runs the samples of the README and the guides, so that they stay true. A fence `sh` holds one command a line;
 * `sh root` needs root and installed peers. A line may end with `# exit N`. Fences without a language are prose.
 * What a guide does to the sources, in fences `sh checkout`, and `ts FILE` or
 * `yaml FILE` with a file in a folder, happens to a copy of them, from top to bottom.
 */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect } from "chai";
import { suiteFiles } from "../harness/run/suites.ts";
import { readExternal } from "../peers/external.ts";
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
    commands(body).map((each) => ({ ...each, needsRoot: marked !== undefined })),
  );
}

const commands = (body: string): Omit<Sample, "needsRoot">[] =>
  body
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [command = "", exit = "0"] = line.split(/\s+# exit /);
      return { command: command.replace(/\s+#.*$/, ""), exit: Number(exit) };
    });

interface Fence {
  language: string;
  /** The file whose content it is; for commands `checkout`. */
  name: string;
  body: string;
}

const namedFences = (guide: string): Fence[] =>
  [...readFileSync(join(root, guide), "utf8").matchAll(/^```(\w+) (\S+)\n([\s\S]*?)^```/gm)].map(
    ([, language = "", name = "", body = ""]) => ({ language, name, body }),
  );

/** The guide whose fences `yaml FILE` define peers. */
const DEFINITIONS = "docs/add-your-implementation.md";

const isOfSources = ({ name }: Fence): boolean => name === "checkout" || name.includes("/");

function run(command: string, cwd: string): number {
  const [npx, name, ...args] = command.split(" ");
  expect([npx, name], "samples are calls of the tool").to.deep.equal(["npx", "bakeoff"]);
  // As users have it; only where it was just built is that the same as the sources.
  const main =
    process.env.CI === "true"
      ? [join(root, "bin/bakeoff.js")]
      : ["--import", import.meta.resolve("tsx"), join(root, "harness/cli/main.ts")];
  return statusOf(process.execPath, [...main, ...args], cwd);
}

function statusOf(program: string, args: string[], cwd: string): number {
  try {
    execFileSync(program, args, { cwd, stdio: "pipe", timeout: 300_000 });
    return 0;
  } catch (error) {
    const status: unknown = Reflect.get(Object(error), "status");
    return typeof status === "number" ? status : -1;
  }
}

/** All that commands in the sources need, at a place of its own. */
function copiedSources(to: string): string {
  const isNeeded = (path: string): boolean => !/\/(fixtures|golden)$/.test(path);
  for (const part of ["harness", "fuzz", "peers", "pcaps", "reports", "package.json", "tsconfig.json"])
    cpSync(join(root, part), join(to, part), { recursive: true, filter: isNeeded });
  // Without the suites that are there, which take long to load.
  mkdirSync(join(to, "suites"));
  symlinkSync(join(root, "node_modules"), join(to, "node_modules"));
  return to;
}

const FROM_SOURCES: Record<string, string> = {
  "npx bakeoff ": "harness/cli/main.ts ",
  "npm run square -- ": "harness/run/square-main.ts ",
};

/** Writes a file, or runs commands. */
function perform({ name, body }: Fence, sources: string): void {
  if (name !== "checkout") {
    mkdirSync(dirname(join(sources, name)), { recursive: true });
    writeFileSync(join(sources, name), body);
    return;
  }
  for (const { command, exit } of commands(body)) {
    const begin = Object.keys(FROM_SOURCES).find((known) => command.startsWith(known));
    if (begin === undefined) throw new Error(`${command}: does not begin as a command of the sources`);
    const line = `exec "$0" --import tsx ${FROM_SOURCES[begin]}${command.slice(begin.length)}`;
    expect(statusOf("sh", ["-c", line, process.execPath], sources), command).to.equal(exit);
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

  for (const guide of guides) {
    const fences = namedFences(guide);
    const defined = guide === DEFINITIONS ? fences.filter(({ language }) => language === "yaml") : [];
    for (const { name, body } of defined)
      it(`${guide}: ${name} defines a peer`, () => {
        const file = join(folder, name);
        writeFileSync(file, body);
        expect(() => readExternal(file)).not.to.throw();
      });
    if (fences.some(({ name }) => name === "checkout"))
      it(`${guide}: what it does to the sources`, function () {
        this.timeout(300_000);
        const sources = copiedSources(join(folder, "checkout"));
        for (const fence of fences.filter(isOfSources)) perform(fence, sources);
      });
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
