import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import { findPeer, peerName } from "../../peers/definition.ts";
import { baselinesFolder, loadBaselines, parseBaseline, reasonFits } from "./baseline.ts";
import { namesTest } from "./baseline-tests.ts";
import { loadTests } from "./suites.ts";
import { UsageError } from "./usage-error.ts";
import { FileError } from "./yaml-file.ts";

const TODAY = new Date("2026-11-20T12:00:00Z");

const ENTRY = {
  tests: "rfc7296/1.2/a-test",
  ...{ verdict: "fail", reason: "expected no answer", why: "It answers.", evidence: "ladder" },
  ...{ section: "RFC 7296 1.2", fault: "peer", expires: "2027-11-20" },
};

const WITHHELD = {
  ...{ tests: "rfc7296/1.3/*", verdict: "withheld" },
  ...{ why: "Held back until the maintainers had their time.", expires: "2027-02-28" },
};

const SECTION = { ...ENTRY, tests: "rfc7296/1.2/*" };
const STAR = /has \* for something else than a whole section or name$/;

const parse = (...entries: object[]) => parseBaseline(stringify(entries), "b.yaml", TODAY);

describe("a baseline", () => {
  it("holds entries for one test or several", () => {
    const [one, two] = parse(ENTRY, { ...ENTRY, tests: ["x/1/a", "x/1/b"], runtime: "uml" });
    expect(one?.tests).to.deep.equal([ENTRY.tests]);
    expect(two).to.deep.include({ tests: ["x/1/a", "x/1/b"], runtime: "uml", verdict: "fail" });
    expect(parse({ ...ENTRY, runtime: "uml" }, { ...ENTRY, runtime: "netns" })).to.have.length(2);
  });

  it("may name the tests of a section or more, beside entries that name fewer of them", () => {
    const all = { ...ENTRY, tests: "rfc7296/*/*" };
    expect(parse(ENTRY, SECTION, all, { ...ENTRY, tests: "rfc7296/1.3/*" })).to.have.length(4);
    expect(parse({ ...SECTION, runtime: "uml" }, { ...SECTION, runtime: "netns" })).to.have.length(2);
    expect(parse({ ...SECTION, except: ENTRY.tests })[0]).to.deep.include({ except: [ENTRY.tests] });
  });

  it("may withhold tests, and then says nothing of what they find", () => {
    const [, held] = parse(ENTRY, { ...WITHHELD, runtime: "uml" });
    expect(held).to.deep.equal({ ...WITHHELD, tests: [WITHHELD.tests], runtime: "uml" });
    expect(parse({ ...WITHHELD, section: "RFC 7296 1.3", fault: "peer" })).to.have.length(1);
  });

  const { why, ...without } = ENTRY;
  const wrong: [string, object[], string, RegExp][] = [
    ["an unknown field", [{ ...ENTRY, reson: "x" }], "[0].reson", /unknown field, nearest: reason/],
    ["what is not filled in", [ENTRY, { ...ENTRY, tests: "x", why: "" }], "[1].why", /why: is empty$/],
    ["what is left out", [without], "[0].why", /is empty$/],
    ["nothing after the name", [{ ...ENTRY, evidence: null }], "[0].evidence", /is empty$/],
    ["a fault still to be named", [{ ...ENTRY, fault: "" }], "[0].fault", /one of peer, kernel/],
    ["an entry for pass", [{ ...ENTRY, verdict: "pass" }], "[0].verdict", /one of tolerated/],
    ["an entry for a broken lab", [{ ...ENTRY, verdict: "setup" }], "[0].verdict", /one of tolerated/],
    ["a reason that is no expression", [{ ...ENTRY, reason: "/(/" }], "[0].reason", /regular expression/],
    ["a day that is none", [{ ...ENTRY, expires: "soon" }], "[0].expires", /must be a day/],
    ["a day too far", [{ ...ENTRY, expires: "2027-11-21" }], "[0].expires", /more than a year ahead/],
    ["an unknown runtime", [{ ...ENTRY, runtime: "docker" }], "[0].runtime", /netns or uml/],
    ["tests withheld without a word", [{ ...WITHHELD, why: "" }], "[0].why", /is empty$/],
    ["tests withheld for ever", [{ ...WITHHELD, expires: null }], "[0].expires", /must be a day/],
    ["tests withheld too long", [{ ...WITHHELD, expires: "2028-01-01" }], "[0].expires", /more than a year/],
    ["a verdict on withheld tests", [WITHHELD, { ...ENTRY, tests: WITHHELD.tests }], "[1].tests", /already/],
    ["no test", [{ ...ENTRY, tests: [] }], "[0].tests", /names no test$/],
    ["a number for a test", [{ ...ENTRY, tests: 7 }], "[0].tests", /id of a test, or a list/],
    [
      "a test named twice",
      [ENTRY, { ...ENTRY, runtime: "uml" }],
      "[1].tests",
      /named by entry \[0\] already/,
    ],
    ["a section named twice", [SECTION, { ...SECTION, tests: ["a", SECTION.tests] }], "[1].tests", /already/],
    [
      "patterns of which neither goes first",
      [SECTION, { ...ENTRY, tests: "rfc7296/*/a-test" }],
      "[1].tests",
      /a-test and rfc7296\/1.2\/\* of entry \[0\] name the same test/,
    ],
    ["* for a part of a name", [{ ...ENTRY, tests: "rfc7296/1.2/a-*" }], "[0].tests", STAR],
    [
      "* for a part of an excepted name",
      [{ ...SECTION, except: ["rfc7296/1.2/a-*"] }],
      "[0].except[0]",
      STAR,
    ],
    ["* for a document", [{ ...ENTRY, tests: ["x", "*/1.2/a-test"] }], "[0].tests[1]", STAR],
    ["* for a section and its tests at once", [{ ...ENTRY, tests: "rfc7296/*" }], "[0].tests", STAR],
  ];
  for (const [what, entries, field, message] of wrong) {
    it(`refuses ${what}, by file and field`, () => {
      expect(() => parse(...entries))
        .to.throw(FileError, message)
        .that.includes({ file: "b.yaml", field });
    });
  }

  it("refuses what is no list", () => {
    expect(() => parseBaseline("", "b.yaml", TODAY)).to.throw(FileError, /must be a list of entries/);
    expect(() => parseBaseline("a: [", "b.yaml", TODAY)).to.throw(FileError, /not YAML/);
  });

  it("knows a reason by a part of it, or by an expression", () => {
    expect(reasonFits("no answer", "expected  no\nanswer, got one")).to.equal(true);
    expect(reasonFits("no answers", "expected no answer")).to.equal(false);
    expect(reasonFits("/Message ID \\d+$/", "answers Message ID 7")).to.equal(true);
    expect(reasonFits("/Message ID \\d+$/", "answers Message ID 7 twice")).to.equal(false);
  });
});

describe("baselines of a run", () => {
  const peer = { name: "strongswan", version: "6.1" };
  const builtin = { name: "builtin", version: "current" };
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-baseline-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("are found by name and version; the builtin peer has none", () => {
    writeFileSync(join(folder, "strongswan@6.1.yaml"), stringify([ENTRY]));
    const found = loadBaselines([peer, builtin, { ...peer, version: "5.9" }], undefined, TODAY, folder);
    expect([...found.keys()]).to.deep.equal(["strongswan@6.1", "strongswan@5.9"]);
    expect(found.get("strongswan@6.1")).to.deep.include({ file: "baselines/strongswan@6.1.yaml" });
    expect(found.get("strongswan@6.1")?.entries).to.have.length(1);
    expect(found.get("strongswan@5.9")).to.deep.include({ missing: true, entries: [] });
    expect(loadBaselines([peer], "none", TODAY, folder).size).to.equal(0);
  });

  it("may be a file of the user's, for one peer", () => {
    const file = join(folder, "mine.yaml");
    writeFileSync(file, stringify([ENTRY]));
    expect(loadBaselines([builtin], file, TODAY).get("builtin@current")).to.include({ file });
    expect(() => loadBaselines([peer, builtin], file, TODAY)).to.throw(UsageError, /is for one peer/);
    expect(() => loadBaselines([peer], join(folder, "no"), TODAY)).to.throw(UsageError, /no: cannot be read/);
  });
});

describe("baselines/", () => {
  const files = readdirSync(baselinesFolder).sort();
  for (const file of files) {
    it(`${file} names a peer and tests that exist`, async () => {
      const name = file.replace(/\.yaml$/, "");
      expect(peerName(findPeer(name))).to.match(new RegExp(`^${name}:`));
      const ids = (await loadTests()).map(({ id }) => id);
      const entries = parseBaseline(readFileSync(join(baselinesFolder, file), "utf8"), file, new Date());
      const gone = entries.flatMap(({ tests, except = [] }) =>
        [...tests, ...except].filter((one) => !ids.some((id) => namesTest(one, id))),
      );
      expect(gone).to.deep.equal([]);
    });
  }
});
