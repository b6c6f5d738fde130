/** The site as its reader has it: opened from disk in Chromium, with the runs of an honest, a lying and a hostile peer. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import axe, { type AxeResults } from "axe-core";
import { expect } from "chai";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { FINDINGS_FILE } from "../../reports/findings.ts";
import { makeResults, parseResults, type TestResult } from "../../reports/results.ts";
import { chromiumPath } from "../../scripts/chromium.ts";
import { said } from "./said.ts";

const LIE = "refuses-childless-requests";
const HONEST_TESTS =
  "^rfc6023/3/(keeps-the|announces-childless|does-not-begin)|^rfc5998/3/asks-for-eap-alone$";
const LYING_TESTS = "^rfc6023/3/(keeps-the|announces-childless)";
const FAILED = "tests/rfc6023/3/keeps-the-ike-sa-whose-last-child-sa-goes";
const PEER = "builtin@current_memory";

/** What runs as a script in any place that takes text for markup leaves its mark on the window. */
const ATTACK = `"'><img src=x onerror="window.marked=1"><script>window.marked=1</script><svg onload=window.marked=1>`;

/** To preload is to fetch the style sheets, which the policy of the pages forbids. */
const AXE = (rules?: readonly string[]) =>
  `axe.run(document, ${JSON.stringify({ preload: false, ...(rules && { runOnly: rules }) })})`;

describe("the site in a browser", () => {
  let folder = "";
  let site = "";
  let browser: Browser | undefined;

  before(async function () {
    this.timeout(120_000);
    const executablePath = chromiumPath();
    if (executablePath === undefined) {
      if (process.env.BAKEOFF_REQUIRE_PEERS === "1") throw new Error("there is no Chromium on PATH");
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), "bakeoff-browser-"));
    site = join(folder, "site");
    const launched = chromium.launch({ executablePath });
    const [honest, lying, hostile] = ["honest", "lying", "hostile"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const run = ["run", "--format", "json", "--out"];
    await said(...run, honest, "--grep", HONEST_TESTS);
    await said(...run, lying, "--grep", LYING_TESTS, "--lie", LIE);
    makeHostile(lying, hostile);
    const { status, err } = await said("report", honest, lying, hostile, "--out", site);
    expect(status, err).to.equal(1);
    browser = await launched;
  });
  after(async () => {
    await browser?.close();
    if (folder !== "") rmSync(folder, { recursive: true });
  });

  const address = (path: string) => {
    const [file = "", hash] = path.split("#");
    return pathToFileURL(join(site, file)).href + (hash === undefined ? "" : `#${hash}`);
  };

  /** Opens pages, plays on each, and has no complaint in the console and no request but of files. */
  async function visit(
    paths: string | readonly string[],
    play: (page: Page, path: string) => Promise<void>,
    options: BrowserContextOptions = {},
  ): Promise<void> {
    const context = await browser!.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    try {
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`));
      page.on("request", (request) => {
        if (!/^(file|data):/.test(request.url())) complaints.push(`outside: ${request.url()}`);
      });
      for (const path of [paths].flat()) {
        await page.goto(address(path));
        await play(page, path);
      }
      expect(complaints).to.deep.equal([]);
    } finally {
      await context.close();
    }
  }

  const failedPage = `${FAILED}/${PEER}.lie-${LIE}.responder.html`;
  /** One of each kind: the first page, lists, a document, tests that passed and failed, a peer. */
  const kinds = [
    ...["index.html", "tests.html", "findings.html", "documents/rfc6023.html"],
    ...[`${FAILED}/${PEER}.responder.html`, failedPage, `peers/${PEER}.lie-${LIE}.html`],
  ];

  it("leads from a cell of the matrix over document, requirement and test to both ladders", () =>
    visit("index.html", async (page) => {
      await page.locator(`.matrix a.cell[href*="rfc6023"][href*="lie-${LIE}&role=responder"]`).click();
      expect(decodeURIComponent(new URL(page.url()).hash)).to.equal(
        `#peer=${PEER}.lie-${LIE}&role=responder`,
      );
      await page.waitForLoadState();
      expect(await page.locator("select[name=role]").inputValue()).to.equal("responder");
      expect(await page.locator("#rows thead th:visible").count()).to.equal(2);
      await page.locator("tr#CHILDLESS-05 td[data-standing=failed] a:visible").click();
      expect(page.url()).to.equal(address(failedPage));
      expect(await page.locator("h1").innerText()).to.equal("Keeps the ike sa whose last child sa goes");
      const ladders = page.locator(".twins svg[role=img]");
      expect(await ladders.count()).to.equal(2);
      for (const ladder of await ladders.all()) {
        expect((await ladder.boundingBox())?.height).to.be.greaterThan(300);
        const text = await ladder.textContent();
        expect(text).to.include("IKE_SA_INIT request 0").and.include("decrypted").and.include("IDr");
      }
      expect(await page.locator(".divergence").innerText()).to.match(
        /^First difference: .*IKE_AUTH response/,
      );
      await page.getByRole("link", { name: "ladder" }).first().click();
      expect(await page.locator("body").innerText()).to.include("IKE_AUTH request 1: SK {");
      await page.goBack();
      await page.locator("ul.plain a", { hasText: "CHILDLESS-05" }).click();
      expect(await page.locator("tr#CHILDLESS-05:target").isVisible()).to.equal(true);
    }));

  it("filters the tests, keeps the choice in the address, and takes it from there", () =>
    visit("tests.html", async (page) => {
      const rows = () => page.locator("#list > li").count();
      const all = await rows();
      await page.selectOption("select[name=verdict]", "fail");
      expect(await rows())
        .to.be.greaterThan(0)
        .and.lessThan(all);
      await page.selectOption("select[name=peer]", { label: `builtin@current:memory, lie ${LIE}` });
      expect(await rows()).to.equal(1);
      const { hash } = new URL(page.url());
      expect(decodeURIComponent(hash)).to.equal(`#peer=builtin@current:memory, lie ${LIE}&verdict=fail`);
      await page.selectOption("select[name=role]", "initiator");
      expect(await rows()).to.equal(0);
      expect(await page.locator("#none").isVisible()).to.equal(true);
      await page.getByRole("button", { name: "show all" }).click();
      await page.locator("input[name=q]").fill("alone ASKS");
      expect(await rows()).to.equal(1);
      await page.goto(address(`tests.html${hash}`), { waitUntil: "load" });
      expect(await page.locator("select[name=verdict]").inputValue()).to.equal("fail");
      expect(await rows()).to.equal(1);
    }));

  it("filters the requirements of a document in the same way", () =>
    visit("documents/rfc6023.html#level=MUST", async (page) => {
      const rows = page.locator("#rows tbody tr[id]:visible");
      const must = await rows.count();
      expect(await page.locator("#rows tbody tr[id]").count()).to.be.greaterThan(must);
      await page.selectOption("select[name=standing]", "failed");
      expect(await rows.count())
        .to.be.greaterThan(0)
        .and.lessThan(must);
      expect(await page.locator("#count").innerText()).to.match(/^\d+ of \d+$/);
      expect(new URL(page.url()).hash).to.equal("#level=MUST&standing=failed");
    }));

  it("is used by keyboard alone", () =>
    visit("index.html", async (page) => {
      const { keyboard } = page;
      const focused = (what: string) =>
        page.evaluate(`document.activeElement.matches(${JSON.stringify(what)})`);
      await keyboard.press("Tab");
      expect(await focused(".skip"), "the first stop").to.equal(true);
      expect(await page.locator(".skip").boundingBox()).to.include.keys("x");
      await keyboard.press("Enter");
      expect(await focused("main"), "behind the menu").to.equal(true);
      for (let step = 0; step < 60 && !(await focused(".matrix a.cell")); step++) await keyboard.press("Tab");
      const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
      expect(outline, "of what has the focus").to.equal("solid");
      await keyboard.press("Enter");
      await page.waitForURL(/documents\//);
      await page.goto(address("tests.html"));
      await keyboard.press("/");
      expect(await focused("input[name=q]"), "/ goes to the search").to.equal(true);
      await keyboard.type("alone");
      expect(await page.locator("#list > li").count()).to.equal(1);
      await keyboard.press("Escape");
      expect(await page.locator("#list > li").count(), "Escape shows all").to.be.greaterThan(1);
      for (let step = 0; step < 30 && !(await focused("#list a")); step++) await keyboard.press("Tab");
      await keyboard.press("Enter");
      await page.waitForURL(/tests\/rfc/);
      for (let step = 0; step < 60 && !(await focused(".figure-frame")); step++) await keyboard.press("Tab");
      expect(await focused(".figure-frame"), "ladders scroll by keyboard").to.equal(true);
    }));

  /** In the dark, only colours are other than in the light. */
  for (const [colorScheme, rules] of [["light"], ["dark", ["color-contrast"]]] as const)
    it(`has no serious finding of axe on any kind of page, ${colorScheme}`, () =>
      visit(
        kinds,
        async (page, path) => {
          await page.evaluate(axe.source);
          const { violations, passes } = await page.evaluate<AxeResults>(AXE(rules));
          const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
          const told = serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
          expect(told, path).to.deep.equal([]);
          expect(passes, path).to.not.deep.equal([]);
        },
        { colorScheme },
      ));

  it("never scrolls sideways as a whole on a screen of 390 pixels, and moves nothing where that is not wanted", () =>
    visit(
      kinds,
      async (page, path) => {
        const widths = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]");
        expect(widths, path).to.deep.equal([390, 390]);
        expect(await page.evaluate("document.getAnimations().length"), path).to.equal(0);
      },
      { viewport: { width: 390, height: 844 }, reducedMotion: "reduce" },
    ));

  it("prints on white, whole and without menus", () =>
    visit(
      failedPage,
      async (page) => {
        await page.emulateMedia({ media: "print" });
        const background = await page.evaluate("getComputedStyle(document.body).backgroundColor");
        expect(background).to.equal("rgb(255, 255, 255)");
        expect(await page.locator(".top nav").isVisible()).to.equal(false);
        expect(await page.locator(".twins svg").first().isVisible()).to.equal(true);
        expect((await page.pdf()).length).to.be.greaterThan(10_000);
      },
      { colorScheme: "dark" },
    ));

  it("shows hostile text and runs none of it", async () => {
    const paths = readdirSync(site, { recursive: true, encoding: "utf8" });
    const pages = paths.filter((path) => /window\.marked.*\.html$/.test(path));
    expect(pages).to.have.length(3);
    const logs = paths.filter((path) => path.endsWith("peer.log.txt"));
    const hostileLog = logs.find((path) => readFileSync(join(site, path), "utf8").includes(ATTACK))!;
    const all = ["index.html", "tests.html", "findings.html", "documents/rfc6023.html", hostileLog, ...pages];
    await visit([...all, `tests.html#q=${encodeURIComponent(ATTACK)}`], async (page, path) => {
      expect(await page.evaluate("window.marked"), path).to.equal(undefined);
      if (!path.includes("#")) expect(await page.locator("body").innerText(), path).to.include(ATTACK);
    });
  });

  it("has scores that an independent script counts again", () => {
    const script = join(import.meta.dirname, "../../scripts/recount-scores.mjs");
    const text = execFileSync(process.execPath, [script, site], { encoding: "utf8" });
    expect(text).to.match(/^[1-9]\d+ scores on the pages, \d+ counted again, 0 differences\n$/);
  });
});

/** A run like the lying one, in which all that a peer or a tester can write is an attack. */
function makeHostile(lying: string, out: string): void {
  const results = parseResults(readFileSync(join(lying, "results.json"), "utf8"));
  if ("error" in results) throw new Error(results.reason);
  const attacked = (test: TestResult): TestResult => ({
    ...test,
    ...{ title: ATTACK, reason: ATTACK, expected: ATTACK, actual: ATTACK, lie: ATTACK, provisional: ATTACK },
  });
  cpSync(join(lying, "evidence"), join(out, "evidence"), { recursive: true });
  for (const { evidence } of results.tests) {
    if (evidence.log) writeFileSync(join(out, evidence.log), `${ATTACK}\n`);
    if (!evidence.events) continue;
    const events = readFileSync(join(out, evidence.events), "utf8");
    const words = JSON.stringify(ATTACK);
    const changed = events.replaceAll('"INVALID_SYNTAX"', words).replaceAll('"peer.example"', words);
    writeFileSync(join(out, evidence.events), changed);
  }
  const peers = results.peers.map((peer) => ({ ...peer, fullVersion: ATTACK, name: ATTACK }));
  const { totals: _, schema: __, ...rest } = results;
  const hostile = makeResults({ ...rest, peers, tests: results.tests.map(attacked), interrupted: ATTACK });
  writeFileSync(join(out, "results.json"), JSON.stringify(hostile));
  const finding = {
    ...{ id: "f-1", title: ATTACK, peer: ATTACK, fullVersion: ATTACK, stage: ATTACK, seed: ATTACK },
    ...{ oracle: "requirement", severity: "low", embargo: false, reproducer: "finding/page.html" },
  };
  mkdirSync(dirname(join(out, finding.reproducer)), { recursive: true });
  writeFileSync(join(out, finding.reproducer), ATTACK);
  writeFileSync(join(out, FINDINGS_FILE), JSON.stringify({ schema: 1, findings: [finding] }));
}
