import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { startTime } from "../runtime/process.ts";
import { DriverFault } from "../verbs.ts";
import { openLines } from "./lines.ts";

/** A driver in JavaScript: `line` is called with each request, `say` writes. */
const driver = (body: string) =>
  openLines(
    [
      process.execPath,
      "-e",
      `const say = (value) => process.stdout.write(JSON.stringify(value) + "\\n");
       require("node:readline").createInterface({ input: process.stdin }).on("line", (text) => { const ask = JSON.parse(text); ${body} });`,
    ],
    (text) => said.push(text),
  );
let said: string[] = [];

async function faultOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.catch((failed: unknown) => failed);
  expect(error).to.be.instanceOf(DriverFault);
  return error instanceof Error ? error.message : "";
}

describe("a driver's lines", function () {
  this.timeout(20_000);
  beforeEach(() => {
    said = [];
  });

  const faults: [what: string, body: string, message: RegExp][] = [
    ["garbage", 'process.stdout.write("ready!\\n")', /answered status with what is no JSON: "ready!"$/],
    ["another number", "say({ id: 7, ok: true })", /answered status, request 0, with a reply to "7": /],
    ["no reply", "say({ id: ask.id, fine: true })", /with what is no reply \(ok, unsupported or error\): /],
    ["its end", 'console.error("no licence"); process.exit(4)', /^the driver ended: exit 4: no licence$/],
    [
      "a flood",
      'setInterval(() => process.stdout.write("x".repeat(65536)))',
      /a line without end: "x{120}"\.\.\.$/,
    ],
  ];
  for (const [what, body, message] of faults)
    it(`are a fault of the driver where they hold ${what}, and it is of no use any more`, async () => {
      const lines = driver(body);
      expect(await faultOf(lines.ask({ verb: "status" }))).to.match(message);
      expect(lines.usable).to.equal(false);
      await faultOf(lines.ask({ verb: "status" }));
      await lines.close();
    });

  it("are one reply to one request, in order", async () => {
    const lines = driver("setTimeout(say, ask.slow ? 50 : 0, { id: ask.id, ok: true, name: ask.verb })");
    const replies = await Promise.all([lines.ask({ verb: "a", slow: true }), lines.ask({ verb: "b" })]);
    expect(replies).to.deep.equal([
      { ok: true, name: "a" },
      { ok: true, name: "b" },
    ]);
    await lines.close();
  });

  it("may say something unasked to nobody", async () => {
    const lines = driver("say({ id: ask.id, ok: true }); setTimeout(say, 20, { id: ask.id, ok: true })");
    await lines.ask({ verb: "hello" });
    await lines.ended;
    expect(await faultOf(lines.ask({ verb: "status" }))).to.match(
      /^the driver says something without being asked: /,
    );
    await lines.close();
  });

  it("are late when the time of their verb is over", async () => {
    const lines = driver("");
    expect(await faultOf(lines.ask({ verb: "bye" }))).to.equal("the driver did not answer bye in 3 s");
    await lines.close();
  });

  it("have standard error beside them as log, and end with all that the driver started", async () => {
    const lines = driver(`
      const child = require("node:child_process").spawn("sleep", ["600"]);
      console.error("started " + child.pid);
      say({ id: ask.id, ok: true });`);
    await lines.ask({ verb: "hello" });
    while (said.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const pid = Number(/started (\d+)/.exec(said.join(""))?.[1]);
    await lines.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(startTime(pid)).to.equal(undefined);
  });

  it("end with all that the driver started where nobody closes them", async () => {
    const main = `
      import { openLines } from "${new URL("lines.ts", import.meta.url).pathname}";
      const lines = openLines(["sh", "-c", "sleep 600 & echo started $! >&2; wait"], (text) => {
        process.stdout.write(text, () => process.exit(1));
      });`;
    const { stdout } = spawnSync(process.execPath, [...process.execArgv, "--input-type=module", "-e", main], {
      encoding: "utf8",
    });
    const pid = Number(/started (\d+)/.exec(stdout)?.[1]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(pid).to.be.above(0);
    expect(startTime(pid)).to.equal(undefined);
  });

  it("name a program that is not there", async () => {
    const lines = openLines(["/nowhere/driver"], () => {});
    expect(await faultOf(lines.ask({ verb: "hello" }))).to.match(/ended: exit 127: .*\/nowhere\/driver/);
    await lines.close();
  });
});
