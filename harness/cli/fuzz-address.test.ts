import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { campaignSchema } from "../../fuzz/campaign/tally.ts";
import { BuiltinProcess } from "../../peers/builtin/process.ts";
import { ordinaryConfig } from "../run/config.ts";
import { nodeCommand } from "../run/lane-process.ts";
import { EXIT } from "./exit.ts";

const LOOPBACK = "127.0.0.1";
const ARGUMENTS = ["--cases", "20", "--time", "30s", "--json", "--local-port", "0"];
const OURS = ["--local-id", "tester.example"];

describe("bakeoff fuzz at an address", () => {
  let folder: string;
  let targets: string;
  let box: BuiltinProcess;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-address-"));
    targets = join(folder, "targets.yaml");
    writeFileSync(targets, `- { address: ${LOOPBACK}, owner: "this test" }\n`);
    box = new BuiltinProcess(
      { seed: "box", lie: undefined, variant: undefined, testerNatPort: 4500 },
      LOOPBACK,
    );
    await box.start();
    const config = ordinaryConfig({ host: LOOPBACK, port: 500 }, { host: LOOPBACK, port: 500 });
    await box.configure({ ...config, localTs: ["0.0.0.0/0"], remoteTs: ["0.0.0.0/0"] });
    writeFileSync(join(folder, "secret"), `${config.psk}\n`);
  });

  after(async () => {
    await box.stop();
    rmSync(folder, { recursive: true });
  });

  /** Output and exit status of the command, played with the peer. */
  async function fuzz(...more: string[]): Promise<{ status: number | null; out: string; err: string }> {
    const [plain, marked] = box.ends;
    const ports = ["--port", `${plain.port}`, "--nat-port", `${marked.port}`];
    const [node = "", ...args] = nodeCommand(import.meta.dirname, "main");
    const own = ["--psk-file", join(folder, "secret"), "--out", mkdtempSync(join(folder, "out-"))];
    const wanted = ["fuzz", "--peer", LOOPBACK, ...ARGUMENTS, ...OURS, ...own, ...ports, ...more];
    const child = spawn(node, [...args, ...wanted], { stdio: ["ignore", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { status, out, err };
  }

  it("plays with one that the file of targets lists, as responder", async () => {
    const { status, out, err } = await fuzz(
      "--targets",
      targets,
      "--remote-id",
      "peer.example",
      "--stage",
      "auth",
    );
    expect(status, err).to.equal(EXIT.ok);
    const { cases, stages } = campaignSchema.parse(JSON.parse(out));
    expect(cases).to.equal(20);
    expect(stages.auth?.reached).to.be.above(0);
  }).timeout(30_000);

  it("plays with no other, and in no other role", async () => {
    const unlisted = await fuzz();
    expect([unlisted.status, unlisted.err]).to.deep.equal([
      EXIT.usage,
      `bakeoff: --peer ${LOOPBACK}: an address is a target only where --targets FILE lists it\n`,
    ]);
    const role = await fuzz("--targets", targets, "--role", "initiator");
    expect(role.status).to.equal(EXIT.usage);
    expect(role.err).to.match(/is played with as responder only/);
  });
});
