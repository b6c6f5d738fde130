import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { parseCatalogue } from "../run/catalogue.ts";
import { UsageError } from "../run/usage-error.ts";
import { planSuite, type SuiteWishes } from "./new-suite.ts";
import { planTest, type TestWishes } from "./new-test.ts";
import { register } from "./register.ts";
import { readIn, sourceTree, write } from "./tree.ts";

const here = resolve(import.meta.dirname, "../..");
const PARTS = [
  "peers/builtin/lies",
  "harness/wire/documents",
  "harness/wire/registry",
  "harness/new/templates",
  "suites/rfc7619",
];

/** As much of the sources as is written to. */
function copied(): string {
  const root = mkdtempSync(join(tmpdir(), "bakeoff-new-"));
  for (const part of PARTS) cpSync(join(here, part), join(root, part), { recursive: true });
  return root;
}

describe("new suites and tests", () => {
  let untouched = "";
  before(() => {
    untouched = copied();
  });
  after(() => rmSync(untouched, { recursive: true }));

  /** What is written in it is for the test at hand; those who write nothing share one. */
  let root = "";
  beforeEach(() => {
    root = untouched;
  });
  afterEach(() => {
    if (root !== untouched) rmSync(root, { recursive: true });
  });

  const suite = (wishes: SuiteWishes) => {
    const plan = planSuite(root, wishes);
    write(root, plan);
    return plan;
  };
  const test = (wishes: Partial<TestWishes>) => {
    const plan = planTest(root, { document: "rfc7619", section: "2.2", peer: "responder", ...wishes });
    write(root, plan);
    return plan;
  };
  const rowsOf = (document: string) => {
    const file = `suites/${document}/requirements.yaml`;
    return Object.keys(parseCatalogue(readIn(root, file), file).requirements);
  };

  it("make the files of a draft, registered and as the formatter wants them", function () {
    root = copied();
    this.timeout(20_000);
    const long =
      "Several Words in a Title That Is So Long That It Has To Stand in a Line of Its Own, as Those of Many Texts Do";
    const made = [
      suite({ document: "draft-foo-bar", title: long, revision: "03" }),
      suite({ document: "rfc9999" }),
      test({}),
      test({
        peer: "initiator",
        name: "does-x",
        lie: "does-something-else-that-has-a-name-of-very-many-words",
      }),
    ];
    expect(made.map(({ id }) => id)).to.deep.equal([
      "draft-foo-bar/1/keeps-foo-bar-01",
      "rfc9999/1/keeps-rfc9999-01",
      `rfc7619/2.2/keeps-${made[2]?.requirement.toLowerCase()}`,
      "rfc7619/2.2/does-x",
    ]);
    expect(existsSync(join(root, "harness/wire/documents/rfc9999.ts"))).to.equal(false);
    for (const list of ["documents/index", "registry/notify-types"])
      expect(readIn(root, `harness/wire/${list}.ts`)).to.match(
        /draft-foo-bar\.ts";\n[\s\S]*\n {2}(\.\.\.)?draftFooBar\b.*,\n/,
      );
    expect(readIn(root, "harness/wire/documents/draft-foo-bar.ts")).to.include(
      '{ name: "03", text: "draft-foo-bar-03" }',
    );
    expect([rowsOf("draft-foo-bar"), rowsOf("rfc9999")]).to.deep.equal([["FOO-BAR-01"], ["RFC9999-01"]]);
    const lies = readIn(root, "peers/builtin/lies/index.ts");
    for (const file of made.flatMap((plan) => Object.keys(plan.made)))
      if (file.startsWith("peers/")) expect(lies).to.include(`from "./${file.split("/").at(-1)}"`);
    const biome = join(here, "node_modules/.bin/biome");
    execFileSync(biome, ["check", "--vcs-enabled=false", `--config-path=${here}`, root], { stdio: "pipe" });
  });

  it("choose a requirement of the section that binds the peer, and another name for a second lie", () => {
    root = copied();
    const [first, second] = [
      test({ requirement: "NULLAUTH-08", name: "a" }),
      test({ requirement: "NULLAUTH-08", name: "b" }),
    ];
    expect(Object.keys(first.made)).to.include("peers/builtin/lies/breaks-nullauth-08.ts");
    expect(Object.keys(second.made)).to.include("peers/builtin/lies/breaks-nullauth-08-for-b.ts");
    expect(test({}).id).to.match(/^rfc7619\/2\.2\/keeps-nullauth-0[67]$/);
  });

  it("give a row the whole name where another document has the short one", () => {
    root = copied();
    suite({ document: "draft-one-name" });
    expect(suite({ document: "draft-ietf-ipsecme-one-name" }).requirement).to.equal(
      "DRAFT-IETF-IPSECME-ONE-NAME-01",
    );
  });

  const wrongSuites: [string, SuiteWishes, RegExp][] = [
    ["a name out of the folder", { document: "../draft-x" }, /^name "\.\.\/draft-x": must be/],
    ["a revision in the name", { document: "draft-x-y-03" }, /^name .*: draft-x-y --revision 03$/],
    ["a revision of an RFC", { document: "rfc9999", revision: "00" }, /^--revision 00: an RFC has none/],
    [
      "a revision that is none",
      { document: "draft-x-y", revision: "3" },
      /^--revision "3": must be two digits/,
    ],
    ["a title of two lines", { document: "draft-x-y", title: "a\nb" }, /^--title .*must be one line/],
    ["a title without words", { document: "draft-x-y", title: " " }, /^--title " ": must be one line/],
    ["a suite that is there", { document: "rfc7619" }, /^name "rfc7619": suites\/rfc7619 is there already/],
  ];
  for (const [what, wishes, message] of wrongSuites)
    it(`refuse ${what}`, () => {
      expect(() => suite(wishes)).to.throw(UsageError, message);
    });

  const wrongTests: [string, Partial<TestWishes>, RegExp][] = [
    ["a section with a path", { section: "2/../3" }, /^section "2\/\.\.\/3": must be as in 2\.8/],
    [
      "a section without requirements",
      { section: "99" },
      /^section 99: suites\/rfc7619\/requirements.yaml has no/,
    ],
    [
      "an unknown document",
      { document: "rfc7618" },
      /^unknown document "rfc7618", nearest: rfc7619; .*new suite rfc7618/,
    ],
    [
      "an unknown requirement",
      { requirement: "NULLAUTH-99" },
      /^unknown --requirement of rfc7619 "NULLAUTH-99"/,
    ],
    [
      "one of the other role",
      { requirement: "NULLAUTH-02", peer: "initiator" },
      /^--requirement NULLAUTH-02: .*not bind/,
    ],
    ["a name that is no sentence", { name: "Does X" }, /^--name "Does X": must be words/],
    ["a lie that is there", { lie: "omits-nonce" }, /^--lie omits-nonce: there is such a lie/],
    [
      "a test that is there",
      { section: "2", name: "refuses-an-anonymous-initiator" },
      /^--name .*: there is a test/,
    ],
  ];
  for (const [what, wishes, message] of wrongTests)
    it(`refuse ${what}`, () => {
      expect(() => test(wishes)).to.throw(UsageError, message);
    });

  it("overwrite nothing, and leave all as it was", () => {
    root = copied();
    const plan = planTest(root, { document: "rfc7619", section: "2.2", peer: "responder", name: "does-x" });
    write(root, plan);
    const before = readIn(root, "peers/builtin/lies/index.ts");
    const others = {
      ...plan,
      made: { "suites/rfc7619/none.yaml": "", ...plan.made },
      extended: { "peers/builtin/lies/index.ts": "" },
    };
    expect(() => write(root, others)).to.throw(UsageError, /does-x\.suite\.ts: is there already/);
    expect(existsSync(join(root, "suites/rfc7619/none.yaml"))).to.equal(false);
    expect(readIn(root, "peers/builtin/lies/index.ts")).to.equal(before);
  });

  it("find the source tree from what is built in it, and say so where there is none", () => {
    root = copied();
    const built = join(root, "dist/harness/new");
    mkdirSync(built, { recursive: true });
    expect(sourceTree(built)).to.equal(root);
    expect(sourceTree()).to.equal(here);
    rmSync(join(root, "peers"), { recursive: true });
    expect(() => sourceTree(built)).to.throw(UsageError, /needs the source tree/);
  });

  it("do not touch a list of another form", () => {
    const text = readFileSync(join(here, "peers/builtin/lies/lie.ts"), "utf8");
    const entry = { file: "./x.ts", name: "xLies", element: "...xLies", list: "export const lies = [" };
    expect(() => register(text, entry, "lie.ts")).to.throw(UsageError, /^lie\.ts: .*add \.\.\.xLies by hand/);
  });
});
