/** No text of a peer or a test may act as markup in a report. */
import { expect } from "chai";
import fc from "fast-check";
import { compareResults } from "./compare.ts";
import { compareMarkdown, compareText } from "./compare-text.ts";
import { toJunit } from "./junit.ts";
import { toMarkdown } from "./markdown.ts";
import { cell, code } from "./markdown-page.ts";
import { makeResults, type Results, type TestResult } from "./results.ts";
import { sampleResults } from "./sample.ts";
import { toSarif } from "./sarif.ts";
import { toTap } from "./tap.ts";
import { FREE_TEXTS, readSarif, readTap } from "./testing.ts";
import { printable } from "./text.ts";

const attack = fc.constantFrom(
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onfocus='alert(1)",
  "</pre></details></title></style></script>",
  "]]>",
  "<!-- -->",
  "&lt;&#0;&unknown;",
  "| a | b |",
  "[x](javascript:alert(1))",
  "![x](https://example.org/x.png)",
  "`` ` `` <b>",
  "\\|",
  "@somebody #12 https://example.org",
  "javascript:alert(1)",
  "\u202egnp.exe",
  "\u0000\u0008\u001b[31m\ufffe\ud800",
  "a\r\nb\n\n# c\n| d |",
);
const text = fc.oneof(
  attack,
  fc.string({ unit: "binary" }),
  fc.tuple(attack, attack).map((pair) => pair.join("")),
);

/** One failed and one passed test in which every free text is `words`. */
function resultsWith(words: string): Results {
  const [first] = sampleResults().tests;
  const test: TestResult = {
    ...first!,
    ...Object.fromEntries(FREE_TEXTS.map((field) => [field, words])),
    requirements: [words, words],
    evidence: { capture: words, log: words },
  };
  return makeResults({
    tool: { name: words, version: words },
    seed: words,
    started: "2026-11-20T21:00:00.000Z",
    finished: "2026-11-20T21:00:01.000Z",
    interrupted: words,
    peers: [{ id: words, name: words, version: words, runtime: words, fullVersion: words }],
    tests: [{ ...test, verdict: "fail" }, test],
  });
}

describe("hostile text in reports", () => {
  it("leaves the JUnit file well-formed", () => {
    const calm = wellFormed(toJunit(resultsWith("calm")));
    fc.assert(
      fc.property(text, (words) => void expect(wellFormed(toJunit(resultsWith(words)))).to.deep.equal(calm)),
    );
  });

  it("leaves the Markdown page with its own lines and cells only", () => {
    const shape = (page: string) => page.split("\n").map((line) => line.match(/(?<!\\)\|/g)?.length ?? 0);
    const calm = shape(toMarkdown(resultsWith("calm")));
    fc.assert(
      fc.property(text, (words) => void expect(shape(toMarkdown(resultsWith(words)))).to.deep.equal(calm)),
    );
  });

  it("leaves TAP with its own points, directives and values", () => {
    const shape = (results: Results) => {
      const { points, complete, extra, comments } = readTap(toTap(results));
      const facts = points.map(({ ok, todo, skip, diag }) => ({
        ...{ ok, todo: todo !== false, skip: skip !== false, facts: Object.keys(diag) },
      }));
      return { facts, extra, comments: comments.length, bailout: complete?.bailout !== false };
    };
    const calm = shape(resultsWith("calm"));
    expect(calm).to.deep.include({ extra: [], bailout: true });
    fc.assert(fc.property(text, (words) => void expect(shape(resultsWith(words))).to.deep.equal(calm)));
  });

  it("leaves SARIF valid, with no link and no argument in its messages", () => {
    const check = (words: string) => {
      const run = readSarif(toSarif(resultsWith(words), { places: new Map([[words, { file: words }]]) }));
      expect(run.results).to.have.length(1);
      const [said = ""] = run.results.map((result) => result.message.text);
      expect(said.replace(/\\[\\[\]]|\{\{|\}\}/g, "")).to.not.match(/[[\]\\{}]|\p{Cc}|[\u202a-\u202e]/u);
      for (const [, uri] of JSON.stringify(run.results).matchAll(/"uri":"([^"]*)"/g))
        expect(uri).to.match(/^[\w%.~!*()/'-]*$/);
    };
    fc.assert(fc.property(text, check));
  });

  it("leaves a comparison with its own lines and cells, and no terminal anything to obey", () => {
    const calmOld = resultsWith("calm");
    const made = (words: string) => {
      const one = compareResults(
        { name: words, results: calmOld },
        { name: words, results: resultsWith(words) },
      );
      if ("error" in one) throw new Error(one.reason);
      return one;
    };
    const lines = (page: string) => page.split("\n").map((line) => line.match(/(?<!\\)\|/g)?.length ?? 0);
    const calm = made("other");
    fc.assert(
      fc.property(
        text.filter((words) => words !== "calm" && words.trim() !== ""),
        (words) => {
          const comparison = made(words);
          expect(lines(compareMarkdown(comparison))).to.deep.equal(lines(compareMarkdown(calm)));
          const said = compareText(comparison);
          expect(said.split("\n")).to.have.length(compareText(calm).split("\n").length);
          expect(said.replace(/\n/g, "")).to.not.match(/\p{Cc}|[\u202a-\u202e]/u);
        },
      ),
    );
  });

  it("does nothing in a Markdown cell or code span", () => {
    fc.assert(
      fc.property(text, (words) => {
        const unescaped = cell(words).replace(/\\[\\`*_{}[\]<>|~&:.]/g, "");
        expect(unescaped).to.not.match(/[\\`*_{}[\]<>|~&\n]|[@#]\w|https?:/i);
        expect(code(words)).to.match(/^(`([^`|\n]|\\\|)+`)?$/);
      }),
    );
  });

  it("is shown, not dropped", () => {
    expect(printable("a\u0000b\u202ec\ud800")).to.equal("a\\u{0}b\\u{202e}c\\u{d800}");
  });
});

/** Checks what XML 1.0 demands of such a file, and returns its element names in order. */
function wellFormed(xml: string): string[] {
  expect(xml).to.not.match(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
  const [declaration, ...rest] = xml.split("?>\n");
  expect(declaration).to.equal('<?xml version="1.0" encoding="UTF-8"');
  const body = rest.join("?>\n");
  const open: string[] = [];
  const names: string[] = [];
  const token =
    /<(\/?)(\w[\w-]*)((?: [\w-]+="(?:[^<&"]|&(?:amp|lt|gt|quot|#\d+);)*")*)(\/?)>|(?:[^<&>]|&(?:amp|lt|gt|quot|#\d+);)+/y;
  while (token.lastIndex < body.length) {
    const at = token.lastIndex;
    const match = token.exec(body);
    if (!match) throw new Error(`not well-formed at ${at}: ${body.slice(at, at + 60)}`);
    const [, closing, name, , empty] = match;
    if (name === undefined) continue;
    if (closing) expect(open.pop()).to.equal(name);
    else names.push(name);
    if (!closing && !empty) open.push(name);
  }
  expect(open).to.deep.equal([]);
  return names;
}
