import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { expect } from "chai";
import { FINDINGS_FILE } from "../findings.ts";
import { makeResults, type Results, type TestResult } from "../results.ts";
import { sampleExtras, sampleGolden, sampleResults } from "../sample.ts";
import { NotASite, writeSite } from "./write-site.ts";

const sample = sampleResults();
const extras = sampleExtras(sample);

/** A line of an event stream: a notify that came from the peer, or went to it. */
const event = (type: "sent" | "received", notifyType: string) =>
  `${JSON.stringify({
    ...{ at: 1, event: type, exchange: "INFORMATIONAL", response: type === "received", messageId: 2 },
    ...{ spiI: "0102030405060708", spiR: "1112131415161718", protected: true },
    ...(type === "sent" ? { copy: 0 } : { repeated: false }),
    payloads: [{ kind: "Notify", type: "NOTIFY", protocolId: "NONE", spi: "", notifyType, data: "" }],
  })}\n`;

function evidenceFor(out: string, { evidence }: TestResult, answer: string): void {
  const files = {
    [evidence.capture!]: "capture",
    [evidence.events!]: event("sent", "INITIAL_CONTACT") + event("received", answer),
    [evidence.ladder!]: "us -> peer",
    [evidence.log!]: "<script>alert(1)</script>",
    [`${evidence.keys}/esp_sa`]: "keys",
    [`${evidence.keys}/generation-0/esp_sa`]: "older keys",
    [`${evidence.keys}/page.html`]: "<script>alert(1)</script>",
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(out, path)), { recursive: true });
    writeFileSync(join(out, path), text);
  }
}

/** Of the sample: a failure with a known reason, an unstable one, one not as expected; and the same tests passed elsewhere. */
const [first, second, third] = sample.tests as [TestResult, TestResult, TestResult];
const compared: Results = makeResults({
  ...sample,
  tests: [
    {
      ...{ ...first, verdict: "fail", reason: "answers", expected: "silence", actual: "an answer" },
      offence: { event: 2, field: "N(INVALID_SYNTAX)" },
      baseline: {
        ...{ agreement: "expected", expected: "fail" },
        known: {
          ...{ reason: "answers", why: "Its window is wider.", evidence: "log: <window>" },
          ...{ section: "RFC 7296 2.3", fault: "peer", expires: "2027-11-01" },
        },
      },
    },
    {
      ...{ ...second, verdict: "hang", reason: "silent" },
      again: { verdict: "pass", reason: "as required", evidence: { log: "again/evidence/peer.log" } },
      baseline: { agreement: "unstable", expected: "pass", deviation: "unexpected hang" },
    },
    {
      ...{ ...third, verdict: "tolerated", provisional: "the <number>" },
      baseline: { agreement: "deviates", expected: "fail", deviation: "unexpected tolerated" },
    },
    ...sample.tests.slice(3),
  ],
  withheld: [{ peer: "strongswan@6.1:netns", file: "baselines/x.yaml", tests: 3 }],
  baselines: [{ file: "baselines/x.yaml", missing: false, peers: [], problems: ["there is no test <gone>"] }],
});

describe("the site", () => {
  let folder: string;
  let site: string;
  const read = (path: string) => readFileSync(join(site, path), "utf8");
  const pageOf = ({ id, peer, role }: TestResult) => `tests/${id}/${peer.replace(":", "_")}.${role}.html`;
  const files = () =>
    readdirSync(site, { recursive: true, encoding: "utf8" }).filter((path) =>
      statSync(join(site, path)).isFile(),
    );

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-site-"));
    site = join(folder, "site");
    const twin = sample.tests.find(
      ({ id, role, peer }) => id === first.id && role === first.role && peer !== first.peer,
    );
    evidenceFor(folder, first, "INVALID_SYNTAX");
    evidenceFor(folder, twin!, "INVALID_SPI");
    writeSite(site, [{ folder, results: compared }], extras);
  });
  after(() => rmSync(folder, { recursive: true }));

  it("has links that all lead to a file of the site, and to a place that is there", () => {
    const ids = new Map<string, Set<string>>();
    const idsOf = (path: string) => {
      const known = ids.get(path) ?? new Set([...read(path).matchAll(/ id="([^"]*)"/g)].map(([, id]) => id!));
      ids.set(path, known);
      return known;
    };
    const pages = files().filter((path) => path.endsWith(".html"));
    expect(pages).to.have.length(4 + 3 + sample.peers.length + sample.tests.length - 1);
    let links = 0;
    for (const page of pages)
      for (const [, target = ""] of read(page).matchAll(/ (?:href|src)="([^"]*)"/g)) {
        if (target === "data:,") continue;
        const [path = "", place] = target.split("#");
        const goal = path === "" ? page : normalize(join(dirname(page), path));
        expect(existsSync(join(site, goal)), `${page}: ${target}`).to.equal(true);
        if (place && !place.includes("="))
          expect(idsOf(goal).has(place), `${page}: ${target}`).to.equal(true);
        links += 1;
      }
    expect(links).to.be.greaterThan(1000);
  });

  it("asks nothing of any server, and runs no script but its own", () => {
    for (const path of files().filter((name) => /\.(html|css|js)$/.test(name))) {
      const text = read(path);
      expect(text.replaceAll("http://www.w3.org/2000/svg", ""), path).to.not.match(
        /https?:\/\/|@import|url\(/,
      );
      if (!path.endsWith(".html")) continue;
      expect(text)
        .to.include("default-src 'none'")
        .and.not.match(/ on\w+=|<script>|<style>| style=/);
    }
  });

  it("tells first what is not as it should be", () => {
    const page = read("index.html");
    const at = (text: string) => page.indexOf(text);
    expect(page).to.match(/<h1>\d+ of 96 not as the baseline says, 1 unstable/);
    expect(at("unexpected tolerated")).to.be.within(1, at("Documents and peers"));
    expect(page)
      .to.include("there is no test &lt;gone&gt;")
      .and.include("3 tests withheld by baselines/x.yaml");
  });

  it("has a row of the matrix for each document, whose cells lead to the tests", () => {
    const page = read("index.html");
    const rows = [...page.matchAll(/<th scope="row"><a href="documents\/([^"]*)\.html">/g)].map(
      ([, name]) => name,
    );
    expect(rows).to.deep.equal(["rfc7296", "rfc4303", "rfc7383"]);
    expect(page).to.include('href="documents/rfc7296.html#peer=strongswan%406.1_netns&amp;role=responder"');
    expect(page).to.include("provisional");
  });

  it("lists every requirement of a document, with its standing and tests", () => {
    const page = read("documents/rfc7296.html");
    for (const id of Object.keys(extras.catalogues[0]?.requirements ?? {}))
      expect(page).to.include(`<tr id="${id}"`);
    expect(page).to.include("Not testable</b> it stays inside").and.include('data-standing="not run"');
    expect(page).to.include("How a score is counted").and.include("the &lt;number&gt;");
    expect(page).to.match(/data-level="MUST" data-met="\d+" data-run="\d+"/);
  });

  it("has a page for a result with what was asked and seen, the reason that is known, and evidence", () => {
    const page = read(pageOf(first));
    for (const text of [
      "silence",
      "an answer",
      "Its window is wider.",
      "log: &lt;window&gt;",
      "2027-11-01",
      "at fault",
    ])
      expect(page).to.include(text);
    expect(page).to.include("We complete the exchanges before it").and.include("in our words");
    expect(page)
      .to.include("capture.pcap")
      .and.include("keys/esp_sa")
      .and.include("keys/generation-0/esp_sa");
    expect(page).to.include("The same test elsewhere");
    expect(read(pageOf(second)))
      .to.include("Tried again, alone")
      .and.include("not in the folder: ");
  });

  it("marks the fault, and the first difference from the nearest peer that passed", () => {
    const page = read(pageOf(first));
    expect(page.match(/<svg[^>]*class="bl"/g)).to.have.length(2);
    expect(page).to.include("bl-fault").and.include("bl-divergence");
    expect(page).to.match(/First difference: <code>[^<]*INFORMATIONAL response[^<]*INVALID_SYNTAX/);
  });

  it("never takes a file of the evidence for a page", () => {
    const inside = files().filter(
      (path) => path.startsWith("tests/") && !/^tests\/[^/]+\/[^/]+\/[^/]+\/[^/]+\.html$/.test(path),
    );
    expect(inside.filter((path) => !/\.(pcap|jsonl|txt)$|\/keys\/[a-z0-9_/-]+$/.test(path))).to.deep.equal(
      [],
    );
  });

  it("holds the results, and data for its list that hold every one", () => {
    expect(JSON.parse(read("runs/1/results.json"))).to.deep.equal(compared);
    const rows = read("assets/tests.js").match(/^\[.*\],?$/gm) ?? [];
    expect(rows).to.have.length(compared.tests.length);
    const listed = rows.map((row): string => `tests/${JSON.parse(row.replace(/,$/, ""))[0]}.html`);
    expect(listed.sort()).to.deep.equal(compared.tests.map(pageOf).sort());
  });

  it("says that nothing was fuzzed, or lists findings but for those under embargo", () => {
    expect(read("findings.html")).to.include("no findings of fuzzing");
    const one = {
      id: "f-1",
      title: "Takes <b>anything</b>",
      peer: "p",
      fullVersion: "1",
      stage: "IKE_AUTH",
      oracle: "state",
    };
    const open = {
      ...one,
      severity: "low",
      embargo: false,
      seed: "7",
      requirement: { document: "rfc7296", id: "rfc7296-1.2-1" },
    };
    const secret = { ...open, id: "f-2", title: "the secret", embargo: true, reproducer: "secret.bin" };
    const fuzzed = join(folder, "fuzzed");
    mkdirSync(fuzzed);
    writeFileSync(join(fuzzed, "secret.bin"), "secret");
    writeFileSync(join(fuzzed, FINDINGS_FILE), JSON.stringify({ schema: 1, findings: [open, secret] }));
    const place = join(folder, "fuzz-site");
    writeSite(place, [{ folder: fuzzed, results: sample }], extras);
    const page = readFileSync(join(place, "findings.html"), "utf8");
    expect(page)
      .to.include("Takes &lt;b&gt;anything")
      .and.include("1 finding withheld")
      .and.not.include("secret");
    expect(page).to.include("documents/rfc7296.html#rfc7296-1.2-1");
    expect(
      readdirSync(place, { recursive: true, encoding: "utf8" }).filter((name) => /f-2|reproducer/.test(name)),
    ).to.deep.equal([]);
  });
});

describe("writing a site", () => {
  let folder: string;
  const nothing = makeResults({ ...sample, peers: [], tests: [] });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-site-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("replaces a site, and nothing else", () => {
    const place = join(folder, "site");
    writeSite(place, [{ folder, results: nothing }]);
    writeFileSync(join(place, "stale.html"), "");
    expect(readFileSync(writeSite(place, [{ folder, results: nothing }]), "utf8")).to.include(
      "No test has finished",
    );
    expect(readdirSync(place)).to.not.include("stale.html");
    // One of a process that cannot be, for Linux has no such number, and one that is at work.
    for (const pid of [2 ** 30, process.ppid]) mkdirSync(`${place}.part-${pid}`);
    writeSite(place, [{ folder, results: nothing }]);
    expect(readdirSync(folder).sort()).to.deep.equal(["site", `site.part-${process.ppid}`]);
    rmSync(`${place}.part-${process.ppid}`, { recursive: true });
    expect(() => writeSite(folder, [{ folder, results: nothing }])).to.throw(NotASite);
    expect(readdirSync(folder)).to.deep.equal(["site"]);
  });

  it("takes no evidence that lies behind a link", () => {
    const tests = sample.tests.slice(0, 1);
    const { log = "", keys = "" } = tests[0]?.evidence ?? {};
    const secrets = mkdtempSync(join(tmpdir(), "bakeoff-secret-"));
    writeFileSync(join(secrets, "esp_sa"), "secret");
    mkdirSync(dirname(join(folder, log)), { recursive: true });
    symlinkSync(join(secrets, "esp_sa"), join(folder, log));
    symlinkSync(secrets, join(folder, keys));
    const place = join(folder, "site");
    writeSite(place, [{ folder, results: makeResults({ ...sample, tests }) }]);
    expect(
      readdirSync(place, { recursive: true, encoding: "utf8" }).filter((name) => /esp_sa|log/.test(name)),
    ).to.deep.equal([]);
    rmSync(secrets, { recursive: true });
  });

  it("tells two revisions of a document apart", () => {
    const [plain] = sample.tests;
    const at = (revision: string): TestResult => ({
      ...{ ...plain!, document: "esp-ping", revision },
      id: `esp-ping${revision === "M" ? "" : `@${revision}`}/4/answers-an-echo`,
    });
    const results = makeResults({ ...sample, tests: [at("M"), at("E3")] });
    const page = readFileSync(writeSite(join(folder, "site"), [{ folder, results }]), "utf8");
    for (const label of ["esp-ping@M", "esp-ping@E3"]) {
      expect(page).to.include(`<a href="documents/${label}.html">${label}</a>`);
      expect(readFileSync(join(folder, "site/documents", `${label}.html`), "utf8")).to.include(
        `<h1>${label}`,
      );
    }
  });

  it("tells on its first page what differs from golden captures", () => {
    const tests = sample.tests.filter(({ verdict }) => verdict === "pass");
    const pageOf = (state: "same" | "different") => {
      const results = makeResults({ ...sample, tests, golden: sampleGolden(state) });
      return readFileSync(
        writeSite(join(folder, "site"), [{ folder: join(folder, "run"), results }]),
        "utf8",
      );
    };
    expect(pageOf("same")).to.include("Everything is as expected").and.not.include("golden captures");
    expect(pageOf("different")).to.include("<h1>1 otherwise than golden captures");
    expect(pageOf("different")).to.include("2 differences").and.not.include("Everything is as expected");
  });

  it("tells of several folders in one matrix", () => {
    const part = (name: string, take: (test: TestResult) => boolean) => ({
      folder: join(folder, name),
      results: makeResults({ ...sample, tests: sample.tests.filter(take) }),
    });
    const index = writeSite(join(folder, "site"), [
      part("one", ({ peer }) => peer.startsWith("strongswan")),
      part("two", ({ peer }) => peer.startsWith("libreswan")),
    ]);
    const page = readFileSync(index, "utf8");
    expect(page).to.include("96 results on 3 peers").and.include("The runs");
    expect(page).to.include("<h3>one</h3>").and.include("runs/2/results.json");
  });
});
