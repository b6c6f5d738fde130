import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { z } from "zod";
import { readExternal } from "../../peers/external.ts";
import { PROGRAM } from "./testing.ts";

const root = join(import.meta.dirname, "../..");
const text = readFileSync(join(root, "action.yml"), "utf8");
const step = z.object({
  ...{ id: z.string().optional(), run: z.string().optional(), uses: z.string().optional() },
  env: z.record(z.string(), z.string()).default({}),
});
const action = z
  .object({
    inputs: z.record(z.string(), z.object({ default: z.string() })),
    outputs: z.record(z.string(), z.object({ value: z.string() })),
    runs: z.object({ steps: z.array(step) }),
  })
  .parse(parse(text));

interface Ran {
  status: number | null;
  err: string;
  outputs: Map<string, string>;
  summary: string;
}

/** Runs the action's own step as a runner does: inputs by its `env`, or their defaults. */
async function act(folder: string, inputs: Record<string, string>, main = PROGRAM.main): Promise<Ran> {
  const { run = "", env = {} } = action.runs.steps.find(({ id }) => id === "run") ?? {};
  const given = Object.entries(env).map(([name, value]) => {
    const [, input = ""] = /^\$\{\{ inputs\.([a-z]+) \}\}$/.exec(value) ?? [];
    return [name, inputs[input] ?? action.inputs[input]?.default ?? "no such input"] as const;
  });
  const files = { GITHUB_OUTPUT: join(folder, "output"), GITHUB_STEP_SUMMARY: join(folder, "summary") };
  for (const file of Object.values(files)) writeFileSync(file, "");
  const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", run], {
    cwd: folder,
    env: {
      ...{ PATH: process.env.PATH, HOME: folder, RUNNER_TEMP: folder, GITHUB_ACTION_PATH: root },
      ...{ BAKEOFF_MAIN: main, NODE_OPTIONS: PROGRAM.options.join(" ") },
      ...{ ...files, ...Object.fromEntries(given) },
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let err = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => {
    err += part;
  });
  const [status] = z.tuple([z.number().nullable(), z.unknown()]).parse(await once(child, "close"));
  const lines = readFileSync(files.GITHUB_OUTPUT, "utf8").split("\n").filter(Boolean);
  const outputs = new Map(lines.map((line) => [line.split("=")[0] ?? "", line.replace(/^[^=]*=/, "")]));
  return { status, err, outputs, summary: readFileSync(files.GITHUB_STEP_SUMMARY, "utf8") };
}

const TEST = "rfc7296/1.2/sends-a-nonce";

describe("the action", function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-action-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("names a regression in the summary and ends with 1, and reads no input as shell", async () => {
    const out = "a report; touch $(touch pwned) `touch pwned`";
    const known = join(folder, "known.yaml");
    writeFileSync(known, "[]\n");
    const options = "--lie\nomits-nonce\n--seed\n$(touch pwned) x";
    const inputs = { peer: "builtin", documents: `${TEST}\n rfc5998/3`, out, options, baseline: known };
    const { status, outputs, summary, err } = await act(folder, inputs);
    expect(status, err).to.equal(1);
    expect(outputs.get("status")).to.equal("1");
    expect(summary).to.include("Not as the baseline says").and.include(TEST);
    expect(summary).to.include("seed `$(touch pwned) x`");
    for (const name of Object.keys(action.outputs)) expect([...outputs.keys()]).to.include(name);
    for (const [name, path] of outputs)
      if (name !== "status") expect(existsSync(join(folder, path)), name).to.equal(true);
    expect(readFileSync(join(folder, outputs.get("junit") ?? ""), "utf8")).to.include(TEST);
    expect(readFileSync(join(folder, outputs.get("sarif") ?? ""), "utf8")).to.include(TEST);
    expect(readdirSync(folder)).to.have.members([out, "known.yaml", "output", "summary"]);
  });

  it("ends with 0 where all is as the baseline says", async () => {
    const { status, outputs, summary, err } = await act(folder, { peer: "builtin", documents: TEST });
    expect(status, err).to.equal(0);
    expect(Object.fromEntries(outputs)).to.include({ status: "0", site: "bakeoff-report/site" });
    expect(summary).to.include("Bake-off: 1 test, 1 pass");
  });

  it("makes a definition of the image, whatever is in its name", async () => {
    const main = join(folder, "main.mjs");
    writeFileSync(
      main,
      "import fs from 'node:fs'; fs.writeFileSync('argv', JSON.stringify(process.argv));\n",
    );
    const inputs = { image: 'x", "y', name: "mine", driver: "a\nb c", documents: "* --lie" };
    await act(folder, inputs, main);
    const argv = z.array(z.string()).parse(JSON.parse(readFileSync(join(folder, "argv"), "utf8")));
    expect(argv.slice(-3)).to.deep.equal(["--", "*", "--lie"]);
    const definition = readExternal(argv[argv.indexOf("--peer") + 1] ?? "");
    expect(definition).to.deep.include({ name: "mine", image: 'x", "y', driver: ["a", "b c"] });
  });

  it("refuses neither and both of image and peer", async () => {
    for (const [inputs, message] of [
      [{}, "::error::image or peer: is missing\n"],
      [{ image: "x", peer: "builtin" }, "::error::one of image and peer\n"],
      [{ peer: "builtin", out: "a\nb=c" }, "::error::out: has a line break in it\n"],
    ] as const)
      expect(await act(folder, inputs)).to.deep.include({ status: 2, err: message });
  });

  it("has every input in the environment of its step, and none in a script", () => {
    const { env = {} } = action.runs.steps.find(({ id }) => id === "run") ?? {};
    expect(Object.values(env)).to.have.members(
      Object.keys(action.inputs).map((name) => `\${{ inputs.${name} }}`),
    );
    const script = readFileSync(join(root, "templates/github/action.sh"), "utf8");
    for (const name of Object.keys(env)) expect(script).to.include(name);
    for (const { run = "" } of action.runs.steps) expect(run).to.not.include("${{");
    for (const [name, { value }] of Object.entries(action.outputs)) {
      expect(value).to.equal(`\${{ steps.run.outputs.${name} }}`);
    }
  });
});
