import { expect } from "chai";
import { lies } from "../../peers/builtin/lies/index.ts";
import type { PeerRole } from "../../peers/contract.ts";
import { type Catalogue, catalogues, type Requirement } from "./catalogue.ts";
import { type CoveringTest, coverageOf, grouped, sumOf, uncovered, wrongClaims } from "./coverage.ts";
import { loadTests } from "./suites.ts";

const requirement = (fields: Partial<Requirement>): Requirement => ({
  ...{ section: "1", level: "MUST", who: "both", roles: ["initiator", "responder"] },
  ...{ text: "say the truth", observed: "listen" },
  ...fields,
});

const PLANTED: Catalogue = {
  document: "x",
  title: "X",
  requirements: {
    "X-1": requirement({}),
    "X-2": requirement({ roles: ["responder"] }),
    "X-3": requirement({ untestable: { initiator: "not there" } }),
    "X-4": requirement({ observed: undefined, untestable: "inside" }),
    "X-5": requirement({ level: "SHOULD" }),
  },
};

const test = (peer: PeerRole, requirements: string[], lieNames: string[] = ["lies"]): CoveringTest => ({
  id: `x/1/${requirements.join("-") || "nothing"}`,
  document: "x",
  facts: { peer, requirements, lies: lieNames },
});

describe("coverage", () => {
  it("counts what binds, can be tested, has a test and has a lie, in each role", () => {
    const tests = [test("responder", ["X-1", "X-3"]), test("responder", ["X-2"], [])];
    expect(coverageOf(tests, [PLANTED])).to.deep.equal([
      {
        ...{ document: "x", level: "MUST", role: "initiator" },
        ...{ requirements: 3, testable: 1, covered: 0, withLie: 0, todo: 1 },
      },
      {
        ...{ document: "x", level: "MUST", role: "responder" },
        ...{ requirements: 4, testable: 3, covered: 3, withLie: 2, todo: 0 },
      },
      {
        ...{ document: "x", level: "SHOULD", role: "initiator" },
        ...{ requirements: 1, testable: 1, covered: 0, withLie: 0, todo: 1 },
      },
      {
        ...{ document: "x", level: "SHOULD", role: "responder" },
        ...{ requirements: 1, testable: 1, covered: 0, withLie: 0, todo: 1 },
      },
    ]);
  });

  it("puts rows together, the roles apart", () => {
    const rows = coverageOf([test("responder", ["X-1", "X-5"])], [PLANTED]);
    expect(
      grouped(rows, "document").map(({ document, role, covered }) => [document, role, covered]),
    ).to.deep.equal([
      ["x", "initiator", 0],
      ["x", "responder", 2],
    ]);
    expect(grouped(rows, "level").map(({ level, role, testable }) => [level, role, testable])).to.deep.equal([
      ["MUST", "initiator", 1],
      ["MUST", "responder", 3],
      ["SHOULD", "initiator", 1],
      ["SHOULD", "responder", 1],
    ]);
    expect(grouped(rows, "role").map(({ role, covered }) => [role, covered])).to.deep.equal([
      ["initiator", 0],
      ["responder", 2],
    ]);
  });

  it("does not count a test of another document", () => {
    const other = { ...test("responder", ["X-1"]), document: "y" };
    expect(sumOf(coverageOf([other], [PLANTED])).covered).to.equal(0);
  });

  it("lists what no test names, with the roles that are missing", () => {
    const tests = [test("responder", ["X-1", "X-2"]), test("initiator", ["X-5"])];
    expect(uncovered(tests, [PLANTED]).map(({ id, roles }) => `${id} ${roles.join()}`)).to.deep.equal([
      "X-1 initiator",
      "X-3 responder",
      "X-5 responder",
    ]);
  });

  const wrong: [string, CoveringTest, string][] = [
    ["a test without a requirement", test("initiator", []), "x/1/nothing: names no requirement"],
    ["an unknown id", test("initiator", ["X-9"]), "x/1/X-9: there is no requirement X-9"],
    [
      "a role that is not bound",
      test("initiator", ["X-2"]),
      "x/1/X-2: X-2 does not bind a peer that is initiator",
    ],
    [
      "an untestable requirement",
      test("responder", ["X-4"]),
      "x/1/X-4: X-4 is called untestable with the peer as responder: inside",
    ],
    [
      "a requirement that is untestable in that role",
      test("initiator", ["X-3"]),
      "x/1/X-3: X-3 is called untestable with the peer as initiator: not there",
    ],
  ];
  for (const [what, planted, message] of wrong) {
    it(`finds ${what}`, () => {
      expect(wrongClaims([test("responder", ["X-1", "X-3"]), planted], [], [PLANTED])).to.deep.equal([
        message,
      ]);
    });
  }

  it("finds a lie that breaks nothing known", () => {
    const planted = [
      { name: "lies", breaks: "X-1" },
      { name: "fibs", breaks: "X-9" },
    ];
    expect(wrongClaims([], planted, [PLANTED])).to.deep.equal(["lie fibs: there is no requirement X-9"]);
  });

  it("finds nothing wrong with what the suites and the lies name", async () => {
    expect(wrongClaims(await loadTests(), lies, catalogues())).to.deep.equal([]);
  });
});
