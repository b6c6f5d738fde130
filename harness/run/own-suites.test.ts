import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect } from "chai";
import { testsOf } from "./own-suites.ts";
import { pageOf } from "./suites.ts";
import { UsageError } from "./usage-error.ts";

const script = join(import.meta.dirname, "../script/index.ts");

describe("suite files that the user names", () => {
  let folder: string;
  const write = (path: string, name: string, head = "") => {
    const file = join(folder, path);
    mkdirSync(join(file, ".."), { recursive: true });
    const from = relative(join(file, ".."), script);
    const facts = '{ requirements: ["IKEV2-266"], peer: "responder", lies: [] }';
    writeFileSync(
      file,
      `${head}import { test } from "${from}";\n/** Hello. */\ntest("${name}", ${facts}, async () => {});\n`,
    );
    return file;
  };
  const refused = async (file: string) => {
    const error = await testsOf([file]).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error).to.be.instanceOf(UsageError);
    return error?.message ?? "";
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-suites-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("hold the tests that run, of the document that their folder or a line names", async () => {
    const one = write("rfc7296/2.10-found.suite.mts", "is-found-here");
    const two = write("elsewhere/2-found.suite.mts", "is-found-there", "// document: rfc7383\n");
    const { all, chosen } = await testsOf([one, two]);
    expect(chosen.map((test) => [test.id, pageOf(test)])).to.deep.equal([
      ["rfc7296/2.10/is-found-here", "Hello."],
      ["rfc7383/2/is-found-there", "Hello."],
    ]);
    expect(all.length).to.be.greaterThan(1_000);
    expect((await testsOf([one])).chosen).to.have.length(1);
  });

  it("are refused in one line that says why", async () => {
    expect(await refused(join(folder, "none.suite.mts"))).to.include("there is no such file");
    expect(await refused(write("rfc7296/found.mts", "x"))).to.include("its name must be");
    expect(await refused(write("rfc7297/2-found.suite.mts", "x"))).to.include("nearest: rfc7296");
    expect(await refused(write("rfc7296/2-found.suite.ts", "x"))).to.include("no ES module");
    expect(await refused(write("rfc7296/2.10-same.suite.mts", "takes-nonces-of-33-octets"))).to.include(
      "two tests",
    );
  });
});
