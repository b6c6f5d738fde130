import { expect } from "chai";
import { LabError } from "./errors.ts";
import { must, run, startTime, supervise } from "./process.ts";

async function failure(action: Promise<unknown>): Promise<LabError> {
  try {
    await action;
  } catch (error) {
    if (error instanceof LabError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("child processes", () => {
  it("give their output, exit code and signal", async () => {
    const result = await run(["sh", "-c", "cat; echo bad >&2; exit 3"], { stdin: "in" });
    expect(result).to.deep.equal({ exit: 3, stdout: "in", stderr: "bad\n" });
    expect((await run(["sh", "-c", "kill -TERM $$"])).exit).to.equal(-15);
  });

  it("end with their time", async () => {
    const began = performance.now();
    expect((await failure(run(["sleep", "30"], { timeoutMs: 50 }))).problem).to.equal("control");
    expect(performance.now() - began).to.be.below(5000);
  });

  it("say what is missing or went wrong", async () => {
    expect((await failure(run(["no-such-program"]))).problem).to.equal("missing-tool");
    expect((await failure(must(["sh", "-c", "echo why >&2; exit 2"]))).message).to.match(/ended with 2: why/);
  });

  it("are supervised until their end", async () => {
    const child = supervise(["sh", "-c", "echo last words; exec sleep 30"], {});
    expect(child.exit()).to.equal(undefined);
    expect(startTime(child.pid)).to.match(/^\d+$/);
    child.kill();
    expect(await child.ended).to.equal("SIGKILL");
    expect(child.exit()).to.equal("SIGKILL");
    expect(startTime(child.pid)).to.equal(undefined);
    expect(await supervise(["sh", "-c", "exit 139"], {}).ended).to.equal("SIGSEGV");
  });
});
