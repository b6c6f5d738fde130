import { expect } from "chai";
import { commandLine } from "./errors.ts";

describe("the command to be typed again", () => {
  it("has no secret in it", () => {
    expect(
      commandLine(["run", "rfc7296", "--peer", "192.0.2.7", "--psk", "s3cret", "--id", "me@example"]),
    ).to.equal("sudo -E npx bakeoff run rfc7296 --peer 192.0.2.7 --psk ... --id me@example");
    expect(commandLine(["run", "--psk=s3cret", "--psk-file", "secret"])).to.equal(
      "sudo -E npx bakeoff run --psk=... --psk-file secret",
    );
  });
});
