import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { openUdp } from "../link/udp.ts";
import { said } from "./said.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

describe("bakeoff listen", function () {
  this.timeout(20_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-listen-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("answers until it is told to end, and leaves what can be reported", async () => {
    const out = join(folder, "out");
    const ports = ["--ike-port", "0", "--nat-port", "0", "--web-port", "0"];
    const argv = ["--import", "tsx", MAIN, "listen", ...ports, "--out", out];
    const listener = spawn(process.execPath, argv, { stdio: ["ignore", "ignore", "pipe"] });
    const ended = once(listener, "exit");
    for await (const line of createInterface(listener.stderr))
      if (/^IKE on 127\.0\.0\.1 port \d+, with the non-ESP marker on port \d+$/.test(line))
        setTimeout(() => listener.kill("SIGINT"), 100);
    expect(await ended).to.deep.equal([0, null]);
    expect(readdirSync(out).sort()).to.deep.equal(["journal.jsonl", "sessions"]);
    const { status, err } = await said("report", out, "--format", "json", "--baseline", "none");
    expect(status, err).to.equal(0);
  });

  it("says wrong usage and ports that are taken in one line", async () => {
    const taken = await openUdp([{ host: "127.0.0.1", port: 0 }]);
    const port = String(taken.addresses[0]?.port);
    const cases: [argv: string[], status: number, line: RegExp][] = [
      [["--ike-port", "65536"], 2, /^bakeoff: --ike-port 65536: must be a port from 0 to 65535\n$/],
      [["--address", "example.org"], 2, /^bakeoff: --address example.org: must be an address\n$/],
      [
        ["--address", "0:0::0"],
        2,
        /^bakeoff: --address ::: must be the one address that participants dial\n$/,
      ],
      [["--id", "no name"], 2, /^bakeoff: --id no name: must be a domain name\n$/],
      [["--ike-port", port, "--nat-port", "0"], 3, /EADDRINUSE.*; run as root, or choose other ports/],
    ];
    for (const [argv, status, line] of cases) {
      const call = await said("listen", ...argv, "--out", join(folder, "other"));
      expect(call.err).to.match(line);
      expect(call.status).to.equal(status);
    }
    await taken.close();
  });
});
