import { expect } from "chai";
import { type Origins, sectionLink } from "./origins.ts";
import { makeResults, type Results, type TestResult } from "./results.ts";
import { sampleResults } from "./sample.ts";
import { toSarif } from "./sarif.ts";
import { faultsOfSarif, readSarif } from "./testing.ts";

const sample = sampleResults();
const [first] = sample.tests;

const one = (changes: Partial<TestResult>, rest: Partial<Results> = {}, origins?: Origins) =>
  readSarif(toSarif(makeResults({ ...sample, ...rest, tests: [{ ...first!, ...changes }] }), origins));

/** What a baseline knows. */
const known = {
  ...{ reason: "answers", why: "Its [window] is wider.", evidence: "log", section: "RFC 7296 2.3" },
  ...({ fault: "peer", expires: "2027-11-01" } as const),
};

describe("SARIF 2.1.0", () => {
  it("is valid, and has a result for each verdict that is not good news", () => {
    const run = readSarif(toSarif(sample));
    const odd = sample.tests.filter(({ verdict }) => !["pass", "tolerated"].includes(verdict));
    expect(run.results.map(({ properties }) => properties.test)).to.deep.equal(odd.map(({ id }) => id));
    for (const { ruleId, ruleIndex } of run.results)
      expect(run.tool.driver.rules[ruleIndex]?.id).to.equal(ruleId);
    const ids = run.tool.driver.rules.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it("is not a copy of itself: the schema refuses what is wrong", () => {
    const runs = [{ results: [{ level: "fatal", message: {} }] }];
    expect(faultsOfSarif({ version: "2.1.0", runs })).to.not.deep.equal([]);
  });

  it("points to the test's file and line, the section of the text, and the peer", () => {
    const places = new Map([[first!.id, { file: "suites/rfc7296/1.2-nonce x.suite.ts", line: 41 }]]);
    const catalogues = [
      {
        ...{ document: "rfc7296", title: "IKEv2" },
        requirements: {
          [first!.requirements[0]!]: {
            section: "2.10",
            level: "MUST",
            text: "a nonce has 16 octets",
          } as const,
        },
      },
    ];
    const { tool, results } = one({ verdict: "fail" }, {}, { places, catalogues });
    expect(tool.driver.rules[0]).to.deep.include({
      id: `rfc7296/${first!.requirements[0]}`,
      helpUri: "https://www.rfc-editor.org/rfc/rfc7296#section-2.10",
      shortDescription: { text: "rfc7296, section 2.10, MUST: a nonce has 16 octets" },
    });
    expect(results[0]?.locations).to.deep.equal([
      {
        physicalLocation: {
          artifactLocation: { uri: "suites/rfc7296/1.2-nonce%20x.suite.ts", uriBaseId: "SRCROOT" },
          region: { startLine: 41 },
        },
        logicalLocations: [
          {
            name: "strongswan@6.1:netns",
            fullyQualifiedName: "strongswan@6.1:netns/initiator",
            kind: "module",
          },
        ],
      },
    ]);
    expect(results[0]?.relatedLocations)
      .to.have.nested.property("[0].physicalLocation.artifactLocation.uri")
      .that.equals("https://www.rfc-editor.org/rfc/rfc7296#section-1.2");
  });

  it("grades by the level of the requirement, and what deviates from a baseline as an error", () => {
    const gradeOf = (changes: Partial<TestResult>) => {
      const { kind, level } = one(changes).results[0]!;
      return `${kind} ${level}`;
    };
    expect(gradeOf({ verdict: "fail", level: "MUST NOT" })).to.equal("fail error");
    expect(gradeOf({ verdict: "wrong-reason", level: "SHOULD" })).to.equal("fail warning");
    expect(gradeOf({ verdict: "fail", level: "stmt" })).to.equal("fail note");
    expect(gradeOf({ verdict: "crash", level: "MAY" })).to.equal("fail error");
    const odd = { agreement: "deviates", expected: "fail", deviation: "unexpected pass" } as const;
    expect(gradeOf({ verdict: "pass", level: "MAY", baseline: odd })).to.equal("fail error");
    expect(gradeOf({ verdict: "hang", baseline: { ...odd, agreement: "unstable" } })).to.equal("review none");
    expect(gradeOf({ verdict: "ambiguous" })).to.equal("review none");
    expect(gradeOf({ verdict: "unsupported" })).to.equal("notApplicable none");
    expect(gradeOf({ verdict: "setup" })).to.equal("open none");
  });

  it("holds what a baseline knows as a note that is suppressed, with its reason", () => {
    const baseline = { agreement: "expected", expected: "fail", known } as const;
    const [result] = one({ verdict: "fail", baseline }).results;
    expect(result).to.include({ kind: "fail", level: "note" });
    expect(result?.suppressions).to.deep.equal([
      {
        ...{ kind: "external", status: "accepted" },
        justification: "Its [window] is wider. (fault: peer; until 2027-11-01)",
      },
    ]);
    expect(result?.message.text).to.include("Its \\[window\\] is wider.");
  });

  it("gives a result the same fingerprint in every run, and each its own", () => {
    const printOf = (changes: Partial<TestResult>) =>
      JSON.stringify(one({ verdict: "fail", ...changes }).results[0]?.partialFingerprints);
    expect(printOf({ reason: "other", durationMs: 7 })).to.equal(printOf({}));
    const different = [{}, { peer: "x" }, { role: "responder" as const }, { id: "x" }, { lie: "x" }];
    expect(new Set(different.map(printOf)).size).to.equal(different.length);
  });

  it("says that a run did not succeed that was interrupted, or that the lab spoilt", () => {
    expect(one({}).invocations[0].executionSuccessful).to.equal(true);
    expect(one({ verdict: "fail" }).invocations[0].executionSuccessful).to.equal(true);
    expect(one({ verdict: "setup" }).invocations[0].executionSuccessful).to.equal(false);
    expect(one({}, { interrupted: "SIGINT" }).invocations[0].executionSuccessful).to.equal(false);
  });

  it("tells the capture, the ladder and the log, and no keys", () => {
    const [result] = one({ verdict: "fail" }).results;
    expect(JSON.stringify(result?.attachments)).to.include("capture.pcap").and.include("ladder.txt");
    expect(JSON.stringify(result)).to.not.include("/keys");
  });
});

describe("the address of a section", () => {
  const texts = new Map([
    ["g-ikev2", "rfc9838"],
    ["esp-ping@E3", "draft-ietf-ipsecme-encrypted-esp-ping-03"],
  ]);
  const of = (document: string, section: string, revision = "") =>
    sectionLink({ document, revision, section }, texts);

  it("is at the RFC Editor for an RFC, at the datatracker for a draft", () => {
    expect(of("rfc7296", "2.8.1")).to.equal("https://www.rfc-editor.org/rfc/rfc7296#section-2.8.1");
    expect(of("g-ikev2", "4.4")).to.equal("https://www.rfc-editor.org/rfc/rfc9838#section-4.4");
    expect(of("esp-ping", "4", "E3")).to.equal(
      "https://datatracker.ietf.org/doc/html/draft-ietf-ipsecme-encrypted-esp-ping-03#section-4",
    );
  });

  it("follows a section that names another RFC, and takes the first of several", () => {
    expect(of("rfc9370", "7296-2.15")).to.equal("https://www.rfc-editor.org/rfc/rfc7296#section-2.15");
    expect(of("rfc9370", "7296.2.21.3")).to.equal("https://www.rfc-editor.org/rfc/rfc7296#section-2.21.3");
    expect(of("rfc4303", "4106 3.1")).to.equal("https://www.rfc-editor.org/rfc/rfc4106#section-3.1");
    expect(of("rfc7427", "8420-A")).to.equal("https://www.rfc-editor.org/rfc/rfc8420#appendix-A");
    expect(of("rfc7296", "8221")).to.equal("https://www.rfc-editor.org/rfc/rfc8221");
    expect(of("rfc4303", "2.2, 3.3.3")).to.equal("https://www.rfc-editor.org/rfc/rfc4303#section-2.2");
  });

  it("is that of the whole text where the section has no number, and none for an unknown text", () => {
    expect(of("rfc9370", "abstract")).to.equal("https://www.rfc-editor.org/rfc/rfc9370");
    expect(of("rfc9370", "KEM")).to.equal("https://www.rfc-editor.org/rfc/rfc9370");
    expect(of("esp-ping", "4", "K")).to.equal(undefined);
    expect(of("https://example.org/", "1")).to.equal(undefined);
  });
});
