import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { STAGES } from "../trace.ts";
import { exportTest } from "./export-test.ts";
import type { StoredFinding } from "./finding.ts";
import { literal } from "./literal.ts";
import { requirementOf } from "./requirement.ts";
import { sampleFinding } from "./testing.ts";

const root = join(import.meta.dirname, "../..");

/** As the formatter and the linter of this project would have it. */
function checked(path: string, text: string): string {
  const biome = join(root, "node_modules/.bin/biome");
  const args = ["check", "--write", `--stdin-file-path=${join("suites", path)}`];
  return execFileSync(biome, args, {
    cwd: root,
    input: text,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe"],
  });
}

function exported(finding: StoredFinding) {
  const made = exportTest(finding);
  if ("error" in made) throw new Error(made.reason);
  return made;
}

const long = {
  ...{ message: 0, op: "payload-octets", at: 'N"o*/nce\u202e', octets: "ab".repeat(200), value: 1.5 },
};
const big: StoredFinding = {
  ...{ ...sampleFinding, oracle: "crash", stage: "informational", requirement: undefined },
  title: 'Ends with */ SIGSEGV\n"x"',
  trace: {
    ...sampleFinding.trace,
    steps: [
      { act: "init" },
      { act: "auth" },
      { act: "informational", sa: 0, changes: [long, { message: 1, op: "x" }] },
    ],
  },
  setup: {
    name: "psk",
    wishes: {
      ...{ outer: 6, speaks: { document: "esp-ping", revision: "M" } },
      config: {
        eapPassword: 'it\'s "quoted" '.repeat(12),
        ppks: [
          { id: "a", secret: "b" },
          { id: "c", secret: "d" },
        ],
      },
    },
  },
};

describe("a finding as a test of the suites", () => {
  it("says what is sent, what the peer must do, and where it was found", () => {
    const { path, text } = exported(big);
    expect(path).to.match(/^rfc7296\/2\.21\.3-survives-payload-omit-in-informational-\w{6}\.suite\.ts$/);
    expect(text)
      .to.include("3. We send an INFORMATIONAL request")
      .and.include("The peer must live on")
      .and.include("case 7 of seed 1/7")
      .and.include('requirements: ["IKEV2-193"]')
      .and.include('{ must: "survive" }')
      .and.include('drafts: { "esp-ping": "M" }');
    expect(text.split("*/")).to.have.length(3, "one ends the comment, one is text of a literal");
    expect(text).to.not.include("\u202e");
  });

  it("stands as the formatter of this project would write it", () => {
    const signature = "answers ".repeat(20).trim();
    for (const finding of [sampleFinding, big, { ...sampleFinding, signature }]) {
      const { path, text } = exported(finding);
      expect(checked(path, text)).to.equal(text);
    }
  });

  it("is for a requirement that binds the peer, at every stage and in both roles", () => {
    for (const stage of STAGES)
      for (const peer of ["initiator", "responder"] as const) {
        const trace = { ...sampleFinding.trace, peer };
        const finding = {
          ...sampleFinding,
          stage,
          trace,
          requirement: { document: "../x", id: "__proto__" },
        };
        expect(requirementOf(finding).text, `${stage} ${peer}`).to.not.equal("");
      }
  });

  it("is not to be had of a difference between peers", () => {
    expect(exportTest({ ...sampleFinding, oracle: "difference" })).to.have.property("error", "difference");
  });

  it("is not to be had of what its conversation does not show alone", () => {
    expect(exportTest({ ...sampleFinding, alone: false })).to.have.property("error", "not alone");
  });
});

describe("a literal", () => {
  it("is the value it was made of", () => {
    const text = fc.string({ unit: "binary" });
    const { tree } = fc.letrec((tie) => ({
      leaf: fc.oneof(text, fc.integer(), fc.boolean()),
      tree: fc.oneof(
        { maxDepth: 3 },
        tie("leaf"),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(
          text.filter((key) => key !== "__proto__"),
          tie("tree"),
          { maxKeys: 3, noNullPrototype: true },
        ),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const read: unknown = new Function(`return ${literal(value, 0, 7)}`)();
        expect(read).to.deep.equal(value);
      }),
      { numRuns: 40 },
    );
  });
});
