/** A page as its participant has it: Chromium looks on while one process listens and another dials. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import axe, { type AxeResults } from "axe-core";
import { expect } from "chai";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { chromiumPath } from "../../../scripts/chromium.ts";
import { type SessionView, sessionView } from "../types.ts";

const root = join(import.meta.dirname, "../../..");
const MAIN = join(root, "harness/cli/main.ts");

const run = (...args: string[]): ChildProcess =>
  spawn(process.execPath, ["--import", "tsx", MAIN, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });

/** Waits for a line of its standard error; all lines when it ends before. */
async function lineOf(child: ChildProcess, wanted: RegExp): Promise<string> {
  const lines: string[] = [];
  if (child.stderr)
    for await (const line of createInterface(child.stderr)) {
      if (wanted.test(line)) return line;
      lines.push(line);
    }
  throw new Error(`it ended: ${lines.join(" | ")}`);
}

describe("a page of the live responder in a browser", function () {
  this.timeout(60_000);
  let out = "";
  let url = "";
  /** The page that the first test has filled. */
  let filled = "";
  let listener: ChildProcess | undefined;
  let browser: Browser | undefined;

  before(async function () {
    const executablePath = chromiumPath();
    if (executablePath === undefined) {
      if (process.env.BAKEOFF_REQUIRE_PEERS === "1") throw new Error("there is no Chromium on PATH");
      this.skip();
    }
    out = mkdtempSync(join(tmpdir(), "bakeoff-listen-page-"));
    const launched = chromium.launch({ executablePath });
    listener = run("listen", "--ike-port", "0", "--nat-port", "0", "--web-port", "0", "--out", out);
    url = /http:\S+/.exec(await lineOf(listener, /http:/))?.[0] ?? "";
    browser = await launched;
  });
  after(async () => {
    await browser?.close();
    if (listener) {
      listener.kill("SIGTERM");
      await once(listener, "close");
    }
    if (existsSync(out)) rmSync(out, { recursive: true });
  });

  /** Opens the first page; nobody complains in the console, and nothing is asked of anybody else. */
  async function visit(
    play: (page: Page) => Promise<void>,
    options: BrowserContextOptions = {},
  ): Promise<void> {
    const context = await browser!.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    try {
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("request", (request) => {
        if (!request.url().startsWith(url)) complaints.push(`elsewhere: ${request.url()}`);
      });
      await page.goto(url);
      await play(page);
      expect(complaints).to.deep.equal([]);
    } finally {
      await context.close();
    }
  }

  const begin = async (page: Page, name: string): Promise<void> => {
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Make a session" }).click();
    await page.waitForURL(/\/s\/[0-9a-f]{32}$/);
  };

  async function viewOf(page: Page): Promise<SessionView> {
    const reply = await fetch(`${page.url()}.json`);
    return sessionView.loose().parse(await reply.json());
  }

  /** Dials as the page says, from another process. */
  async function dial({
    endpoint,
    identity,
    peerIdentity,
    secret,
    networks,
  }: SessionView): Promise<number | null> {
    const { host, ikePort, natPort } = endpoint;
    const ports = ["--port", `${ikePort}`, "--nat-port", `${natPort}`, "--local-port", "0"];
    const ids = ["--local-id", identity, "--remote-id", peerIdentity, "--psk", secret];
    const ts = ["--local-ts", ...networks.participant, "--remote-ts", ...networks.ours];
    const child = run("dial", host, "--local-address", "127.0.0.1", ...ports, ...ids, ...ts);
    child.stdout?.resume();
    child.stderr?.pipe(process.stderr);
    const [status]: (number | null)[] = await once(child, "close");
    return status ?? null;
  }

  it("fills while the dial goes on, without being loaded again", () =>
    visit(async (page) => {
      await begin(page, "box <b>1.0</b>");
      filled = page.url();
      expect(await page.locator("h1").innerText()).to.equal("box <b>1.0</b>");
      expect(await page.locator("#none").isVisible()).to.equal(true);
      await page.locator("#live:visible").waitFor();
      await page.evaluate("window.loaded = 1");
      expect(await dial(await viewOf(page))).to.equal(0);
      const messages = page.locator("#dial-1 .ladder > li");
      await messages.filter({ hasText: "IKE_SA_INIT request 0" }).waitFor();
      const auth = messages.filter({ hasText: /IKE_AUTH request 1: .*IDi/ });
      await auth.locator("summary").click();
      expect(await auth.locator(".fields").first().innerText())
        .to.include("IDi")
        .and.include("AUTH");
      await page.locator("#dial-1 .course", { hasText: "ended" }).waitFor();
      const verdicts = await page.locator("#dial-1 .verdicts .badge").allInnerTexts();
      expect(verdicts.length, "of our own initiator").to.be.greaterThan(0);
      for (const verdict of verdicts) expect(verdict).to.match(/pass$/);
      await page.locator("#state", { hasText: "1 dial." }).waitFor();
      expect(await page.locator("#none").isVisible()).to.equal(false);
      expect(await page.evaluate("window.loaded"), "the same page").to.equal(1);
      await page.locator("#state summary").click();
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.locator("#state a", { hasText: ".pcap" }).first().click(),
      ]);
      expect(download.suggestedFilename()).to.match(/\.pcap$/);
    }));

  it("shows the same without a script, in the dark and on a phone", () =>
    visit(
      async (page) => {
        await page.goto(filled);
        expect(await page.locator("#dial-1 .ladder > li").count()).to.be.greaterThan(3);
        const live = await browser!.newPage({ colorScheme: "dark", viewport: { width: 390, height: 844 } });
        for (const address of [url, filled]) {
          await live.goto(address);
          expect(await live.evaluate("document.documentElement.scrollWidth"), address).to.equal(390);
          await live.evaluate(axe.source);
          const { violations } = await live.evaluate<AxeResults>("axe.run(document, { preload: false })");
          expect(
            violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
            address,
          ).to.deep.equal([]);
        }
        await live.close();
      },
      { javaScriptEnabled: false },
    ));
});
