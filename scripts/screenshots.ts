/**
 * The pictures of the site in docs/, made anew from a site in which nothing deviates:
 *
 *   npx bakeoff run rfc7296 rfc4303 rfc7383 rfc9370 mlkem \
 *     --peer libreswan@5.2 --peer openiked@7.4 --peer strongswan@6.1 --jobs 2 --out run
 *   npx tsx scripts/screenshots.ts run/site tests/rfc7296/.../openiked@7.4_uml.responder.html
 *
 * The page of a test should be of one with a short ladder and a twin.
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Page } from "playwright-core";
import { chromiumPath } from "./chromium.ts";

const DOCS = join(import.meta.dirname, "../docs");
const MARGIN = 16;
/** In octets; the first is in the README. */
const LARGEST = { "report.png": 250_000, "report-390.png": 250_000, "report-test.png": 350_000 };

const [site = "", testPage = ""] = process.argv.slice(2);
const executablePath = chromiumPath();
if (executablePath === undefined || !existsSync(join(site, testPage)) || testPage === "") {
  console.error("usage: tsx scripts/screenshots.ts SITE tests/.../PEER.ROLE.html (needs Chromium)");
  process.exit(2);
}
const browser = await chromium.launch({ executablePath });
try {
  await picture("report.png", "index.html", 1440, "section:has(.matrix)");
  await picture("report-390.png", "index.html", 390, "section:has(.matrix)");
  await picture("report-test.png", testPage, 1440, ".twins");
} finally {
  await browser.close();
}

/** A page from its top to the end of what `last` selects. */
async function picture(name: keyof typeof LARGEST, path: string, width: number, last: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: "light" });
  await page.goto(pathToFileURL(join(site, path)).href);
  await refuseDeviations(page, path);
  const box = await page.locator(last).first().boundingBox();
  if (!box) throw new Error(`${path}: nothing is ${last}`);
  const clip = { x: 0, y: 0, width, height: Math.ceil(box.y + box.height + MARGIN) };
  const file = join(DOCS, name);
  await page.screenshot({ path: file, clip, fullPage: true });
  await page.close();
  const { size } = statSync(file);
  console.log(`${file}: ${clip.width} x ${clip.height}, ${size} octets`);
  if (size > LARGEST[name]) throw new Error(`${name}: is larger than ${LARGEST[name]} octets`);
}

async function refuseDeviations(page: Page, path: string): Promise<void> {
  if (path !== "index.html") return;
  const headline = await page.locator("h1").innerText();
  if (headline !== "Everything is as expected")
    throw new Error(`no picture of a site that says: ${headline}`);
}
