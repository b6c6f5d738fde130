import { expect } from "chai";
import { DaemonLog, lostChild } from "./log.ts";

describe("log of iked", () => {
  it("hears a line that comes in pieces, once", async () => {
    const log = new DaemonLog();
    const line = log.next(/mode active -> passive/, 1000);
    for (const piece of ["config_get", "mode: mode active", " -> passive\nmore"]) log.append(piece);
    expect(await line).to.equal("config_getmode: mode active -> passive");
    expect(log.text).to.equal("config_getmode: mode active -> passive\nmore");
  });

  it("hears nothing that was said before, nor across lines", async () => {
    const log = new DaemonLog();
    log.append("ready\n");
    const line = log.next(/ready|one.*two/, 20);
    log.append("one\ntwo\n");
    expect(await line).to.equal(undefined);
  });

  it("forgets", () => {
    const log = new DaemonLog();
    log.append("ready\n");
    log.clear();
    expect(log.text).to.equal("");
  });

  it("finds the process that took the others with it", () => {
    const crash = `ca exiting, pid 792
control exiting, pid 793
786 parent exiting
lost child: pid 794 terminated; signal 11
parent terminating
`;
    expect(lostChild(crash)).to.equal("SIGSEGV of the ikev2 process");
    const exit = "ikev2 exiting, pid 3\nlost child: pid 1 exited abnormally\ncontrol exiting, pid 2\n";
    expect(lostChild(exit)).to.equal("abnormal exit of the ca process");
    expect(lostChild("parent terminating")).to.equal(undefined);
  });
});
