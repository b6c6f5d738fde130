import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { startTime } from "../runtime/process.ts";
import { type Channel, DriverFault } from "../verbs.ts";
import { openMeans } from "./means.ts";

const around = { tell: () => {}, heard: async () => false };

async function faultOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.catch((failed: unknown) => failed);
  expect(error).to.be.instanceOf(DriverFault);
  return error instanceof Error ? error.message : "";
}

describe("an HTTP hook", function () {
  this.timeout(20_000);
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  async function hook(answer: RequestListener): Promise<Channel> {
    const listening = createServer(answer);
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
    const port: unknown = Reflect.get(Object(listening.address()), "port");
    return openMeans({ kind: "hook", url: `http://127.0.0.1:${port}/` }, around, () => {});
  }

  it("gets the verb as JSON; no content is ok, 501 unsupported", async () => {
    const bodies: string[] = [];
    const channel = await hook((request, response) => {
      request.setEncoding("utf8").on("data", (text: string) => bodies.push(text));
      request.on("end", () => response.writeHead(bodies.length === 1 ? 204 : 501).end());
    });
    expect(await channel.ask({ verb: "initiate" })).to.deep.equal({ ok: true });
    expect(await channel.ask({ verb: "delete", what: "ike" })).to.deep.equal({ unsupported: "" });
    expect(await channel.ask({ verb: "hello" })).to.deep.equal({ ok: true });
    expect(bodies.map((body) => JSON.parse(body))).to.deep.equal([
      { verb: "initiate" },
      { verb: "delete", what: "ike" },
      { verb: "hello" },
    ]);
  });

  const faults: [what: string, answer: RequestListener, message: RegExp][] = [
    ["garbage", (_, response) => response.end("<html>"), /answered reset with what is no JSON: "<html>"$/],
    ["another status", (_, response) => response.writeHead(404).end("no"), /with HTTP status 404: no$/],
    [
      "somewhere else",
      (_, response) => response.writeHead(302, { location: "http://192.0.2.9/" }).end(),
      /could not be asked to reset at http:\/\/127.0.0.1:\d+\/: unexpected redirect$/,
    ],
    [
      "no end",
      (_, response) => setInterval(() => response.write("x".repeat(1 << 16)), 1).unref(),
      /without end$/,
    ],
    [
      "its death",
      (request) => request.socket.destroy(),
      /could not be asked to reset .*: other side closed$/,
    ],
  ];
  for (const [what, answer, message] of faults)
    it(`that answers with ${what} is a fault of the driver`, async () => {
      const channel = await hook(answer);
      expect(await faultOf(channel.ask({ verb: "reset" }))).to.match(message);
    });

  it("is named without what may be a secret in its URL", async () => {
    const channel = openMeans(
      { kind: "hook", url: "http://127.0.0.1:1/hook?token=abc#def" },
      around,
      () => {},
    );
    expect(await faultOf(channel.ask({ verb: "reset" }))).to.match(
      / at http:\/\/127\.0\.0\.1:1\/hook: [^?#]+$/,
    );
  });

  it("that is late is a fault of the driver", async () => {
    const channel = await hook(() => {});
    expect(await faultOf(channel.ask({ verb: "bye" }))).to.equal("the driver did not answer bye in 3 s");
  });
});

describe("a command", () => {
  const channel = (command: string, said: (text: string) => void = () => {}) =>
    openMeans({ kind: "command", command, folder: "/tmp" }, around, said);

  it("gets the verb behind it and the JSON on standard input", async () => {
    let log = "";
    const asked = channel(`sh -c 'echo "$0 in $(pwd): $(cat)" >&2'`, (text) => {
      log += text;
    });
    expect(await asked.ask({ verb: "initiate" })).to.deep.equal({ ok: true });
    expect(log).to.equal('initiate in /tmp: {"verb":"initiate"}\n');
  });

  it("may answer with JSON, and by 127 that it has no means", async () => {
    expect(await channel(`echo '{"ok":true,"alive":false}'; true`).ask({ verb: "status" })).to.deep.equal({
      ok: true,
      alive: false,
    });
    const without = channel("sh -c 'echo no such thing >&2; exit 127'");
    expect(await without.ask({ verb: "rekey-ike" })).to.deep.equal({ unsupported: "no such thing" });
  });

  it("that is not there or fails is a fault of the driver", async () => {
    expect(await faultOf(channel("no-such-command").ask({ verb: "initiate" }))).to.match(/not found$/);
    expect(await faultOf(channel("false").ask({ verb: "initiate" }))).to.equal(
      "the driver ended with 1 at initiate: ",
    );
  });
});

describe("a command that does not end as it should", function () {
  this.timeout(20_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-means-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const channel = (command: string) => openMeans({ kind: "command", command, folder }, around, () => {});
  /** The process whose id the command wrote. */
  const left = () => Number(readFileSync(join(folder, "pid"), "utf8"));

  it("ends in time with all that it started, and is not named, as there may be a secret in it", async () => {
    const endless = channel("sh -c 'sleep 60 & echo $! >pid; wait' --password abc");
    expect(await faultOf(endless.ask({ verb: "bye" }))).to.equal(
      "the driver did not do bye: no end of the command in 3000 ms",
    );
    await pause(100);
    expect(startTime(left())).to.equal(undefined);
  });

  it("may leave a client running that holds its output, and is done when it has ended itself", async () => {
    const began = performance.now();
    const dialled = channel("sh -c 'sleep 60 & echo $! >pid; echo up >&2'");
    expect(await dialled.ask({ verb: "initiate" })).to.deep.equal({ ok: true });
    expect(performance.now() - began).to.be.below(5_000);
    expect(startTime(left())).to.match(/^\d+$/);
    process.kill(left(), "SIGKILL");
  });

  it("may not write without end", async () => {
    const fault = "the driver did not do initiate: the command writes without end";
    expect(await faultOf(channel("sh -c 'yes'").ask({ verb: "initiate" }))).to.equal(fault);
    expect(await faultOf(channel("sh -c 'yes >&2'").ask({ verb: "initiate" }))).to.equal(fault);
  });
});

describe("a prompt", () => {
  it("asks to dial, waits for what comes, and can do nothing else", async () => {
    const told: string[] = [];
    const heard = [true, false];
    const channel = openMeans(
      { kind: "prompt", limitMs: 2_000 },
      { tell: (text) => told.push(text), heard: async () => heard.shift() ?? false },
      () => {},
    );
    expect(await channel.ask({ verb: "initiate" })).to.deep.equal({ ok: true });
    expect(told.join()).to.match(/dial now$/);
    expect(await faultOf(channel.ask({ verb: "initiate" }))).to.match(
      /asked to dial, and nothing came in 2 s$/,
    );
    expect(await channel.ask({ verb: "rekey-ike" })).to.have.property("unsupported");
  });
});
