import { expect } from "chai";
import fc from "fast-check";
import { makeResults, type TestResult } from "../results.ts";
import { sampleResults } from "../sample.ts";
import { siteOf } from "./model.ts";
import { fileName, folderOfId, UniqueNames } from "./names.ts";
import { twinOf } from "./twin.ts";

const sample = sampleResults();
const only = (test: (one: TestResult) => boolean) => ({
  folder: "out/a",
  results: makeResults({ ...sample, tests: sample.tests.filter(test) }),
});

describe("names in the site", () => {
  it("are harmless, short, and different for different texts", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("", ".", "..", "../x", "a/b", "%2e%2e", "CON"),
    );
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(fileName(a)).to.match(/^[A-Za-z0-9@_-][A-Za-z0-9.@_-]{0,95}$/);
        if (a !== b && !/^[\w.@:-]*$/.test(a + b)) expect(fileName(a)).to.not.equal(fileName(b));
        expect(folderOfId(a).split("/")).to.have.length.within(1, 4);
      }),
    );
    expect(folderOfId("rfc7296/2.8/reuses-old-spi")).to.equal("rfc7296/2.8/reuses-old-spi");
    expect(fileName("builtin@current:memory")).to.equal("builtin@current_memory");
  });

  it("are given once", () => {
    const names = new UniqueNames();
    expect(["a", "A", "a"].map((name) => names.take(name))).to.deep.equal(["a", "A-2", "a-3"]);
  });
});

describe("the peers of a site", () => {
  it("are one peer over the shards of a run", () => {
    const site = siteOf(
      [only(({ section }) => section < "2.5"), only(({ section }) => section >= "2.5")],
      {},
    );
    expect(site.subjects.map(({ label }) => label)).to.deep.equal(sample.peers.map(({ id }) => id));
    expect(site.subjects[0]?.runs).to.have.length(2);
  });

  it("are two where the same test was run twice, or with a lie, or on another build", () => {
    const peer = ({ peer }: TestResult) => peer.startsWith("libreswan");
    const again = only((test) => peer(test) && test.section !== "2.5");
    const { results } = again;
    const lying = {
      ...again,
      results: { ...results, tests: results.tests.map((one) => ({ ...one, lie: "omits-nonce" })) },
    };
    const rebuilt = only((test) => peer(test) && test.section === "2.5");
    const peers = rebuilt.results.peers.map((one) => ({ ...one, fullVersion: "Libreswan 5.2-33" }));
    const other = { ...rebuilt, results: { ...rebuilt.results, peers } };
    const { subjects, entries } = siteOf([again, again, lying, other], {});
    expect(subjects.map(({ label }) => label)).to.deep.equal([
      "libreswan@5.2:uml",
      "libreswan@5.2:uml, run 2",
      "libreswan@5.2:uml, lie omits-nonce",
      "libreswan@5.2:uml, run 4",
    ]);
    expect(new Set(entries.map(({ place }) => place)).size).to.equal(entries.length);
  });
});

describe("the twin of a result", () => {
  const ids = sample.peers.map(({ id }) => id);
  const [newer, older, libreswan] = ids;
  const failing = (...peers: (string | undefined)[]) => {
    const tests = sample.tests
      .filter(({ section, role }) => section === "2.6" && role === "responder")
      .map((test): TestResult => ({ ...test, verdict: peers.includes(test.peer) ? "fail" : "pass" }));
    const site = siteOf([{ folder: "x", results: makeResults({ ...sample, tests }) }], {});
    const twin = (peer?: string) =>
      site.entries.filter(({ test }) => test.peer === peer).map((entry) => twinOf(entry, site)?.test.peer)[0];
    return twin;
  };

  it("is another version of the same implementation before any other", () => {
    expect(failing(newer)(newer)).to.equal(older);
    expect(failing(newer, older)(newer)).to.equal(libreswan);
  });

  it("is nobody where none passed, or the result is a pass", () => {
    expect(failing(...ids)(newer)).to.equal(undefined);
    expect(failing(newer)(older)).to.equal(undefined);
  });
});
