import { once } from "node:events";
import { type Duplex, duplexPair } from "node:stream";
import { expect } from "chai";
import { endingOf, GuestLine } from "./uml-guest.ts";

interface Frame {
  type: string;
  id: number;
  payload: string;
}

/** The agent's end of a line, played by the test. */
class Agent {
  readonly line: GuestLine;
  readonly #stream: Duplex;
  received: Buffer = Buffer.alloc(0);

  constructor() {
    const [here, there] = duplexPair();
    this.line = new GuestLine(here);
    this.#stream = there;
    there.on("data", (data: Buffer) => {
      this.received = Buffer.concat([this.received, data]);
    });
  }

  say(type: string, id: number, payload = "", pieces = 1): void {
    const frame = Buffer.alloc(9 + Buffer.byteLength(payload));
    frame.write(type);
    frame.writeUInt32BE(id, 1);
    frame.writeUInt32BE(frame.length - 9, 5);
    frame.write(payload, 9);
    const size = Math.ceil(frame.length / pieces);
    for (let at = 0; at < frame.length; at += size) this.#stream.write(frame.subarray(at, at + size));
  }

  hangUp(): void {
    this.#stream.destroy();
  }

  frames(): Frame[] {
    const frames: Frame[] = [];
    for (let at = 0; at + 9 <= this.received.length; ) {
      const end = at + 9 + this.received.readUInt32BE(at + 5);
      const payload = this.received.toString("utf8", at + 9, end);
      frames.push({
        type: String.fromCharCode(this.received[at]!),
        id: this.received.readUInt32BE(at + 1),
        payload,
      });
      at = end;
    }
    return frames;
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("control line of a guest", () => {
  it("is ready when the agent says so", async () => {
    const agent = new Agent();
    agent.say("H", 0);
    await agent.line.ready();
  });

  it("runs a command and collects what it leaves, in frames cut anywhere", async () => {
    const agent = new Agent();
    const running = agent.line.run(["printf", "%s", "a b"], { stdin: "in" });
    await turn();
    expect(agent.frames()).to.deep.equal([
      { type: "X", id: 1, payload: "printf\0%s\0a b" },
      { type: "I", id: 1, payload: "in" },
      { type: "E", id: 1, payload: "" },
    ]);
    agent.say("O", 1, "grüße", 7);
    agent.say("R", 1, "warning");
    agent.say("Q", 1, String(3 << 8), 3);
    expect(await running).to.deep.equal({ exit: 3, stdout: "grüße", stderr: "warning" });
  });

  it("kills a command whose time is over, and keeps channels apart", async () => {
    const agent = new Agent();
    const late = agent.line.run(["sleep", "9"], { timeoutMs: 10 }).catch(String);
    const other = agent.line.run(["true"]);
    expect(await late).to.contain('no end of "sleep 9" in 10 ms');
    await turn();
    expect(agent.frames().at(-1)).to.deep.equal({ type: "K", id: 1, payload: "KILL" });
    agent.say("Q", 2, "9");
    expect((await other).exit).to.equal(-9);
  });

  it("waits for what has been written, and not for long", async () => {
    const agent = new Agent();
    const caughtUp = agent.line.catchUp(1_000);
    const late = agent.line.catchUp(10).catch(String);
    await turn();
    expect(agent.frames()).to.deep.equal([
      { type: "S", id: 1, payload: "" },
      { type: "S", id: 2, payload: "" },
    ]);
    agent.say("S", 1);
    await caughtUp;
    expect(await late).to.contain("no word from the guest in 10 ms");
  });

  it("has at most 2,048 octets on the way", async () => {
    const agent = new Agent();
    const running = agent.line.run(["cat"], { stdin: "x".repeat(5000) });
    await turn();
    expect(agent.received).to.have.length(2048);
    agent.say("A", 0, "1000");
    await turn();
    expect(agent.received).to.have.length(3048);
    agent.say("A", 0, "2048");
    agent.say("Q", 1, "0");
    await running;
    expect(agent.frames().map(({ type }) => type)).to.deep.equal(["X", "I", "E"]);
  });

  it("carries the streams of Unix sockets", async () => {
    const agent = new Agent();
    const stream = agent.line.connect("/run/a.sock");
    stream.end("ask");
    await turn();
    expect(agent.frames().map(({ type, payload }) => type + payload)).to.deep.equal([
      "C/run/a.sock",
      "Iask",
      "E",
    ]);
    agent.say("O", 1, "answer");
    agent.say("Q", 1);
    expect((await stream.toArray()).join("")).to.equal("answer");
    const refused = agent.line.connect("/run/b.sock");
    agent.say("F", 2, "/run/b.sock: Connection refused");
    const [error] = await once(refused, "error");
    expect(String(error)).to.contain("Connection refused");
  });

  it("fails every channel when the guest is gone", async () => {
    const agent = new Agent();
    const running = agent.line.run(["true"]).catch(String);
    agent.hangUp();
    agent.line.fail(new Error("gone"));
    expect(await running).to.contain("gone");
    expect(await agent.line.run(["true"]).catch(String)).to.contain("gone");
    expect(await agent.line.ready().catch(String)).to.contain("gone");
  });

  it("names how a command ended", () => {
    expect([0, 3, -9, -11, -200].map(endingOf)).to.deep.equal([
      "exit 0",
      "exit 3",
      "SIGKILL",
      "SIGSEGV",
      "signal 200",
    ]);
  });
});
