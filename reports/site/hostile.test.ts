/** No text of a peer, a test or a result folder may act as markup in the site. */
import { expect } from "chai";
import fc from "fast-check";
import type { Extras } from "../extras.ts";
import type { Finding } from "../findings.ts";
import { makeResults, type TestResult } from "../results.ts";
import { sampleResults } from "../sample.ts";
import { FREE_TEXTS } from "../testing.ts";
import { documentPage } from "./document-page.ts";
import { findingsPage } from "./findings-page.ts";
import { indexPage } from "./index-page.ts";
import { trusted } from "./markup.ts";
import { siteOf } from "./model.ts";
import { pageText } from "./page.ts";
import { peerPage } from "./peer-page.ts";
import { ScoreBoard } from "./score-board.ts";
import { testPage } from "./test-page.ts";
import { testsData, testsPage } from "./tests-page.ts";

const attack = fc.constantFrom(
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onfocus='alert(1)",
  "</pre></details></title></style></script>",
  "]]>",
  "<!-- -->",
  "&lt;&#0;&unknown;",
  "javascript:alert(1)",
  "//example.org/x",
  "../../x",
  "\u202egnp.exe",
  "\u0000\u0008\u001b[31m\ufffe\ud800",
  "a\r\nb\n\n# c",
  "\u2028`x",
);
/** Of blank text a page has less: there is nothing to show. */
const text = fc.oneof(
  attack,
  fc.string({ unit: "binary", minLength: 1 }).filter((words) => words.trim() !== ""),
  fc.tuple(attack, attack).map((pair) => pair.join("")),
);

/** Every page of a site in which every free text is `words`. */
function pagesOf(words: string): string[] {
  const free = Object.fromEntries(FREE_TEXTS.map((field) => [field, words]));
  const known = {
    reason: words,
    why: words,
    evidence: words,
    section: words,
    fault: "peer",
    expires: "2027-11-01",
  } as const;
  const test: TestResult = {
    ...{ ...sampleResults().tests[0]!, ...free, provisional: words, requirements: [words] },
    ...{ verdict: "fail", evidence: {}, again: { verdict: "hang", reason: words, evidence: {} } },
    baseline: { agreement: "deviates", expected: "pass", deviation: words, known },
  };
  const results = makeResults({
    ...{ tool: { name: words, version: words }, seed: words, interrupted: words },
    ...{ started: "2026-11-20T21:00:00.000Z", finished: "2026-11-20T21:00:01.000Z" },
    peers: [{ id: words, name: words, version: words, runtime: words, fullVersion: words }],
    tests: [test, { ...test, role: "responder" }],
    withheld: [{ peer: words, file: words, tests: 1 }],
    baselines: [{ file: words, missing: true, peers: [words], problems: [words] }],
  });
  const requirement = {
    section: words,
    level: "MUST",
    who: words,
    roles: ["initiator"],
    text: words,
    observed: words,
  } as const;
  const extras: Extras = {
    documentation: new Map([[words, words]]),
    catalogues: [
      {
        document: words,
        title: words,
        requirements: { [words]: { ...requirement, untestable: { responder: words } } },
      },
    ],
  };
  const site = siteOf([{ folder: "out", name: words, results }], extras);
  const board = new ScoreBoard(site);
  const [part, entry, subject, run] = [
    site.documents[0]!,
    site.entries[0]!,
    site.subjects[0]!,
    site.runs[0]!,
  ];
  const brought = { files: [], lost: [words] };
  const difference = { kind: "changed", path: words, message: words, a: words, b: words } as const;
  const divergence = {
    differences: [difference, difference],
    first: difference,
    own: new Map(),
    twin: new Map(),
  };
  const pictures = {
    own: trusted("<svg></svg>"),
    twin: { entry, picture: trusted("<svg></svg>") },
    divergence,
  };
  const finding: Finding = {
    ...{
      id: "f-1",
      title: words,
      peer: words,
      fullVersion: words,
      stage: words,
      oracle: "crash",
      severity: "low",
    },
    ...{ embargo: false, seed: words, requirement: { document: words, id: words } },
    ...{ setup: words, operators: [words], steps: [words], detail: words, role: "responder" },
  };
  return [
    indexPage(site, board),
    testsPage(site),
    documentPage(part, site, board),
    testPage(entry, site, { part, brought, pictures }),
    peerPage(subject, board),
    findingsPage(site, [
      { run, read: { findings: [finding], withheld: 1 }, files: new Map([["f-1", brought]]) },
    ]),
  ].map(pageText);
}

/** Elements and the names of their attributes: what no text may change. */
function skeleton(markup: string): string[] {
  const elements = markup.match(/<[^>"]*(?:"[^"]*"[^>"]*)*>/g) ?? [];
  return elements
    .map((element) => element.replace(/"[^"]*"/g, '""'))
    .filter((element) => !/<\/?(p|code)>/.test(element));
}

describe("hostile text in the site", () => {
  it("changes no element and no attribute of a page", () => {
    const calm = pagesOf("calm").map(skeleton);
    fc.assert(fc.property(text, (words) => void expect(pagesOf(words).map(skeleton)).to.deep.equal(calm)));
  });

  it("makes links lead nowhere but into the site", () => {
    fc.assert(
      fc.property(text, (words) => {
        for (const page of pagesOf(words))
          for (const [, target] of page.matchAll(/(?:href|src)="([^"]*)"/g))
            if (target !== "data:,")
              expect(target).to.match(
                /^(\.\.\/)*([A-Za-z0-9@_-][\w.@-]*\/)*([\w@-][\w.@-]*\.(html|css|js|json))?(#[\w.%~!*()&#;='-]*)?$/,
              );
      }),
    );
  });

  it("stays text in the data of the list", () => {
    fc.assert(
      fc.property(text, (words) => {
        const results = makeResults({
          ...sampleResults(),
          tests: [{ ...sampleResults().tests[0]!, title: words, reason: words }],
        });
        const data = testsData(siteOf([{ folder: "out", results }], {}));
        expect(data.split("\n")).to.have.length(5);
        expect(data).to.not.match(/[\p{Cs}\u202a-\u202e]/u);
      }),
    );
  });

  it("is shown, not dropped", () => {
    for (const page of pagesOf("<b>bold</b>").slice(0, 1)) expect(page).to.include("&lt;b&gt;bold&lt;/b&gt;");
  });
});
