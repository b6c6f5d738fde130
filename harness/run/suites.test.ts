import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { loadFiles, loadTests, pageOf } from "./suites.ts";

const registers = (name: string, facts = "") => `
/** What ${name} is about. */
test("${name}", { requirements: [], peer: "responder", lies: []${facts} }, async () => {});
`;

describe("suites", () => {
  let root = "";
  let folders = 0;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "bakeoff-suites-"));
    writeFileSync(join(root, "package.json"), '{ "type": "module" }');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** Tests of one suite file with this content. */
  const load = (document: string, ...tests: string[]) => {
    folders += 1;
    const folder = join(root, String(folders), document);
    mkdirSync(folder, { recursive: true });
    const vocabulary = JSON.stringify(new URL("../script/test.ts", import.meta.url).href);
    const text = [`import { test } from ${vocabulary};`, ...tests].join("\n");
    writeFileSync(join(folder, "4-words.suite.js"), text);
    return loadTests(folder.slice(0, -document.length - 1));
  };
  const sights = (loaded: Awaited<ReturnType<typeof loadTests>>) =>
    loaded.map(({ id, revision }) => `${id} ${revision}`);

  it("derive ids, sections, titles and pages from places", async () => {
    const [first] = await load("rfc7296", registers("keeps-its-word"));
    expect(first).to.deep.include({
      ...{ id: "rfc7296/4/keeps-its-word", document: "rfc7296", revision: "", section: "4" },
      title: "keeps its word",
    });
    expect(first && pageOf(first)).to.equal("What keeps-its-word is about.");
  });

  it("are registered one file after another, whoever asks for them meanwhile", async () => {
    const folder = join(root, "at-once", "rfc7296");
    mkdirSync(folder, { recursive: true });
    const vocabulary = JSON.stringify(new URL("../script/test.ts", import.meta.url).href);
    const [known = "", ...files] = ["known", "one", "two"].map((name, i) => {
      const file = join(folder, `${i}-${name}.suite.js`);
      const waiting = i === 0 ? "" : "await new Promise((over) => setTimeout(over, 50));";
      writeFileSync(file, [`import { test } from ${vocabulary};`, waiting, registers(name)].join("\n"));
      return file;
    });
    await loadFiles([known]);
    const [first = "", second = ""] = files;
    const all = await Promise.all([loadFiles([first]), loadFiles([known, second])]);
    expect(all.map(sights)).to.deep.equal([["rfc7296/1/one "], ["rfc7296/0/known ", "rfc7296/2/two "]]);
  });

  it("have the words of the test on the page of a template", async () => {
    const loop = [
      'for (const what of ["a-word", "an-oath"])',
      `  /** It keeps \${what} of \${others}. */`,
      `  test(\`keeps-\${what}\`, { requirements: [], peer: "responder", lies: ["fibs"] }, async () => {});`,
    ];
    const loaded = await load("rfc7296", loop.join("\n"));
    expect(loaded.map(pageOf)).to.deep.equal([
      `It keeps a word of \${others}.`,
      `It keeps an oath of \${others}.`,
    ]);
  });

  it("hold a test once for each revision that it names, the newest where it names none", async () => {
    const loaded = await load(
      "esp-ping",
      registers("says-no-revision"),
      registers("says-three", ', revisions: ["M", "E3", "C"]'),
      registers("says-an-old-one", ', revisions: ["K"]'),
    );
    expect(sights(loaded)).to.deep.equal([
      "esp-ping/4/says-no-revision M",
      "esp-ping/4/says-three M",
      "esp-ping@E3/4/says-three E3",
      "esp-ping@C/4/says-three C",
      "esp-ping@K/4/says-an-old-one K",
    ]);
    expect(new Set(loaded.map(pageOf)).size).to.equal(3);
  });

  const wrong: [string, string, string[], RegExp][] = [
    [
      "a revision that is not there",
      "esp-ping",
      [registers("x", ', revisions: ["E9"]')],
      /has no revision E9/,
    ],
    [
      "a revision of a document without",
      "rfc7296",
      [registers("x", ', revisions: ["2"]')],
      /has no revision 2/,
    ],
    ["two tests of one name", "rfc7296", [registers("x"), registers("x")], /the id rfc7296\/4\/x/],
    ["a revision twice", "esp-ping", [registers("x", ', revisions: ["K", "K"]')], /the id esp-ping@K\/4\/x/],
    ["a test of Mocha's", "rfc7296", ['it("x", () => {});'], /x is not registered by test\(\)/],
  ];
  for (const [what, document, tests, message] of wrong) {
    it(`are refused with ${what}`, async () => {
      const error = await load(document, ...tests).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(Error).with.property("message").that.matches(message);
    });
  }
});
