import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { z } from "zod";
import { isInstalled } from "../install/cache.ts";
import { must, run } from "../runtime/process.ts";
import { imageOf } from "./start.ts";
import { requireEngine, requireImage } from "./testing.ts";

const MAIN = new URL("../../harness/cli/main.ts", import.meta.url).pathname;
const TESTING = "ipsec-bakeoff/testing";

const resultsSchema = z.object({
  tests: z.array(z.object({ id: z.string(), peer: z.string(), verdict: z.string(), reason: z.string() })),
});

describe("peers in containers (needs root and a container engine)", function () {
  this.timeout(600_000);
  let folder: string;
  before(async function () {
    await requireEngine(this);
    await requireImage(imageOf("strongswan", "6.1"), "peers/strongswan/Dockerfile", "forky");
    await requireImage(TESTING, "peers/docker/testing/Dockerfile");
    folder = mkdtempSync(join(tmpdir(), "bakeoff-containers-"));
  });
  after(async () => {
    if (!folder) return;
    rmSync(folder, { recursive: true });
    const left = await must([
      "docker",
      "ps",
      "--all",
      "--filter",
      "name=^bakeoff-",
      "--format",
      "{{.Names}}",
    ]);
    expect(left.trim()).to.equal("");
  });

  const bakeoff = async (...argv: string[]) => {
    const command = [process.execPath, "--import", "tsx", MAIN, "run", ...argv];
    const out = join(folder, "out");
    const baseline = ["--baseline", "none", "--format", "json", "--out", out];
    const { exit, stderr } = await run([...command, ...baseline], { timeoutMs: 120_000 });
    // 3 where no test could be run at all.
    expect(exit, stderr).to.be.oneOf([0, 1, 3]);
    return resultsSchema.parse(JSON.parse(readFileSync(join(out, "results.json"), "utf8"))).tests;
  };
  const definition = (name: string, ...lines: string[]): string => {
    const file = join(folder, `${name}.yaml`);
    writeFileSync(file, [`name: ${name}`, ...lines, ""].join("\n"));
    return file;
  };

  it("have the verdicts that they have in namespaces, in both roles", async function () {
    if (!isInstalled("strongswan", "6.1")) this.skip();
    const peers = ["--peer", "strongswan:docker", "--peer", "strongswan:netns", "--jobs", "2"];
    const tests = await bakeoff("rfc7296/2.8", "--grep", "pfs", ...peers);
    const of = (runtime: string) =>
      tests.filter(({ peer }) => peer.endsWith(runtime)).map(({ id, verdict }) => `${verdict} ${id}`);
    expect(of("docker")).to.have.length.above(6);
    expect(of("docker")).to.have.members(of("netns"));
    expect(of("docker").filter((one) => !one.startsWith("pass"))).to.deep.equal([]);
  });

  it("of a user's image are driven by a driver in it", async () => {
    const file = definition("driven", `image: ${TESTING}`, "driver: [python3, /testing/swanctl.py]");
    const tests = await bakeoff("rfc7296/1.2", "--grep", "(sets-up|initiates)-ike", "--peer", file);
    expect(tests.map(({ verdict }) => verdict)).to.deep.equal(["pass", "pass"]);
  });

  it("of a user's image are told by their environment, and lack what they end with 127 for", async () => {
    const file = definition("told", `image: ${TESTING}`);
    const transport = "hosts-in-transport-mode-behind-a-nat-as-responder";
    const chosen = `(sets-up|initiates)-ike|${transport}`;
    const tests = await bakeoff("rfc7296/1.2", "rfc7296/2.23", "--grep", chosen, "--peer", file);
    expect(tests.map(({ verdict }) => verdict)).to.have.members(["pass", "pass", "unsupported"]);
    expect(tests.find(({ verdict }) => verdict === "unsupported")?.reason).to.include("no transport mode");
  });

  it("are set-up, not failures, where there is no such program in the image", async () => {
    const file = definition("wrong", `image: ${TESTING}`, "driver: [/no/such/program]");
    const tests = await bakeoff("rfc7296/1.2", "--grep", "sets-up-ike", "--peer", file);
    expect(tests.map(({ verdict }) => verdict)).to.deep.equal(["setup"]);
    expect(tests[0]?.reason).to.include("/no/such/program");
  });
});
