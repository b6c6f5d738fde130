import { expect } from "chai";
import { clockCommand, startScript } from "./start.ts";

describe("start of iked", () => {
  const script = startScript(
    "set passive\n",
    [{ path: "/etc/iked/ca/0.pem", text: "CERTIFICATE\n" }],
    ["a b"],
  );

  it("keeps the configuration for root alone, and lets the daemon's own user read certificates", () => {
    expect(script).to.include("umask 077\ncat > /etc/iked.conf << 'END-OF-FILE'\nset passive\nEND-OF-FILE\n");
    expect(script).to.include(
      "umask 022\ncat > /etc/iked/ca/0.pem << 'END-OF-FILE'\nCERTIFICATE\nEND-OF-FILE\n",
    );
  });

  it("forgets what the kernel had, before it makes anything new", () => {
    expect(script).to.include("xfrm state flush\nxfrm policy flush\na b\nEND-OF-FILE\n");
  });

  it("sets the clock back before, in a file that is readable for iked's own user and never empty", () => {
    const lines = script.split("\n");
    const clock = lines.findIndex((line) => line.endsWith(clockCommand(0)));
    expect(lines[clock]).to.match(/^umask 022; /);
    expect(lines.findIndex((line) => line.startsWith("export LD_PRELOAD"))).to.be.greaterThan(clock);
    expect(clockCommand(3)).to.match(/^printf \+%09d 3 1<> /);
  });

  it("becomes iked, which reads nothing more", () => {
    expect(script.trimEnd().split("\n").at(-1)).to.match(/^exec \/usr\/sbin\/iked .* < \/dev\/null$/);
  });
});
