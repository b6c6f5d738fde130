import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { ordinaryConfig } from "../../harness/run/config.ts";
import { endOf, environmentOf, ToldContainer } from "./told.ts";

const config = ordinaryConfig({ host: "192.0.2.2", port: 500 }, { host: "192.0.2.1", port: 500 });
const hosts = { tester: "203.0.113.1", peer: "203.0.113.17" };

describe("a container that is told by its environment", () => {
  it("is told everything that an ordinary configuration has", () => {
    const told = environmentOf({ verb: "configure", config, hosts, test: "rfc7296/1.2/x" }, "initiator");
    expect(told).to.deep.include({
      ...{ ROLE: "initiator", TESTCASE: "rfc7296/1.2/x", MODE: "tunnel", HOST: "203.0.113.17" },
      ...{ LOCAL_ADDRESS: "192.0.2.2", REMOTE_ADDRESS: "192.0.2.1" },
      ...{ LOCAL_ID: "peer.example", REMOTE_ID: "tester.example" },
      ...{ LOCAL_TS: "203.0.113.16/28", REMOTE_TS: "203.0.113.0/28" },
      IKE_PROPOSALS: "aes256-sha256-x25519-ecp256-modp2048 aes256gcm16-prfsha256-x25519-ecp256",
    });
  });

  it("says by 127 that it does not support a test, and by any other early end that it could not begin", () => {
    expect(endOf(127, "no transport mode")).to.deep.equal({ unsupported: "no transport mode" });
    expect(endOf(127, "")).to.deep.equal({ unsupported: "the container ended with 127" });
    expect(endOf(0, "")).to.deep.equal({ error: "the container ended: exit 0" });
    expect(endOf(1, "no such file")).to.deep.equal({ error: "the container ended: exit 1: no such file" });
  });

  it("is no implementation that lacks something where the engine finds no program in it", () => {
    const said = 'exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown';
    expect(endOf(127, said))
      .to.have.property("error")
      .that.matches(/^the engine could not start/);
    expect(endOf(125, "x")).to.deep.equal({ error: "the engine could not start the container: exit 125: x" });
  });
});

/** An engine that takes its time, whose containers all end at once. */
const ENGINE = `cd "$(dirname "$0")"
echo "$1 begins" >> log
case $1 in
  image) sleep 0.3; echo program ;;
  run) sleep 0.3; echo "no licence" >&2; echo "run ends" >> log; exit "$(cat exit)" ;;
esac`;

describe("a container without a driver, at an engine", function () {
  if (process.platform !== "linux") return;
  this.timeout(20_000);
  const path = process.env.PATH;
  let folder = "";
  let container: ToldContainer;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-engine-"));
    writeFileSync(join(folder, "docker"), `#!/bin/sh\n${ENGINE}`);
    writeFileSync(join(folder, "log"), "");
    chmodSync(join(folder, "docker"), 0o755);
    process.env.PATH = `${folder}:${path}`;
    const network = { tester: "", peer: "" };
    container = new ToldContainer({ image: "mine", name: "bakeoff-told", network }, () => {});
  });
  afterEach(async () => {
    await container.close();
    process.env.PATH = path;
    rmSync(folder, { recursive: true });
  });
  const log = (): string => readFileSync(join(folder, "log"), "utf8");
  const until = async (line: string) => {
    while (!log().includes(line)) await pause(10);
  };
  const configure = () => container.ask({ verb: "configure", config, hosts });

  for (const [exit, error] of [
    [1, "the container ended: exit 1: no licence"],
    [125, "the engine could not start the container: exit 125: no licence"],
  ] as const)
    it(`has not crashed where it never was ready: exit ${exit}`, async () => {
      writeFileSync(join(folder, "exit"), String(exit));
      expect(await configure()).to.deep.equal({ error });
      expect(await container.ask({ verb: "status" })).to.deep.equal({ ok: true, alive: true });
    });

  it("is not started any more once it is closed", async () => {
    const reply = configure();
    await until("image begins");
    await container.close();
    expect(await reply).to.deep.equal({ error: "it was stopped" });
    expect(log()).to.not.include("run begins");
  });

  it("is removed after the engine has started it", async () => {
    writeFileSync(join(folder, "exit"), "1");
    void configure();
    await until("run begins");
    await container.close();
    expect(log().slice(log().indexOf("run begins"))).to.match(/run ends\n(.*\n)*rm begins\n$/);
  });
});
