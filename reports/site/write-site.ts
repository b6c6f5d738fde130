/**
 * Writes the site: a folder of plain files that opens from disk, asks nothing of any server, and holds its evidence. It
 * is made beside its place and moved there when it is whole.
 */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { DiffRules } from "../../pcaps/diff/rules.ts";
import { LADDER_CSS } from "../../pcaps/ladder-svg.ts";
import type { Extras } from "../extras.ts";
import { readFindings } from "../findings.ts";
import { toJson } from "../json.ts";
import { documentPage } from "./document-page.ts";
import { EvidenceMover } from "./evidence.ts";
import { findingsPage, type RunFindings } from "./findings-page.ts";
import { indexPage } from "./index-page.ts";
import { picturesOf } from "./ladders.ts";
import { type Entry, type Run, type Site, siteOf } from "./model.ts";
import { type Page, pageText } from "./page.ts";
import { peerPage } from "./peer-page.ts";
import { ScoreBoard } from "./score-board.ts";
import { testPage } from "./test-page.ts";
import { testsData, testsPage } from "./tests-page.ts";
import { twinOf } from "./twin.ts";
import type { SiteInput } from "./types.ts";

export type { SiteInput } from "./types.ts";

/** By this file a folder is known as a site, which may be replaced. */
const SHEET = "assets/site.css";

/** The folder is there and is something else. */
export class NotASite extends Error {}

/**
 * Writes the site of one or many result folders and returns the path of its first page. A site that is there already
 * is replaced. Throws what the file system throws.
 * @throws NotASite when `siteDir` holds other things
 */
export function writeSite(siteDir: string, inputs: readonly SiteInput[], extras: Extras = {}): string {
  if (existsSync(siteDir) && readdirSync(siteDir).length > 0 && !existsSync(join(siteDir, SHEET)))
    throw new NotASite(`${siteDir}: is a folder with other things in it, and no site to be replaced`);
  const making = `${resolve(siteDir)}.part-${process.pid}`;
  removeParts(resolve(siteDir));
  try {
    new SiteWriter(making, siteOf(inputs, extras)).write();
    rmSync(siteDir, { recursive: true, force: true });
    renameSync(making, siteDir);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return join(siteDir, "index.html");
}

/** Removes what runs that were ended in the middle have left of this site. */
function removeParts(place: string): void {
  const prefix = `${basename(place)}.part-`;
  const beside = existsSync(dirname(place)) ? readdirSync(dirname(place)) : [];
  for (const name of beside.filter((each) => each.startsWith(prefix))) {
    const pid = name.slice(prefix.length);
    if (/^[1-9]\d*$/.test(pid) && (Number(pid) === process.pid || !isAlive(Number(pid))))
      rmSync(join(dirname(place), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user, too, is one.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

class SiteWriter {
  readonly #folder: string;
  readonly #site: Site;
  readonly #movers: ReadonlyMap<Run, EvidenceMover>;
  readonly #rules = new DiffRules();
  readonly #made = new Set<string>();

  constructor(folder: string, site: Site) {
    this.#folder = folder;
    this.#site = site;
    this.#movers = new Map(site.runs.map((run) => [run, new EvidenceMover(run.folder, folder)]));
  }

  write(): void {
    const site = this.#site;
    const board = new ScoreBoard(site);
    this.#assets();
    for (const run of site.runs) this.#file(`runs/${run.number}/results.json`, toJson(run.results));
    this.#file("assets/tests.js", testsData(site));
    const found = this.#findings();
    this.#page(indexPage(site, board, found));
    this.#page(testsPage(site));
    this.#page(findingsPage(site, found));
    for (const part of site.documents) {
      this.#page(documentPage(part, site, board));
      for (const entry of part.entries) this.#page(testPage(entry, site, { part, ...this.#material(entry) }));
    }
    for (const subject of site.subjects) this.#page(peerPage(subject, board));
  }

  #material(entry: Entry) {
    const { test, place, run } = entry;
    const pictures = picturesOf(entry, twinOf(entry, this.#site), this.#rules);
    return {
      brought: this.#bring(run, test.evidence, place),
      ...(test.again && { again: this.#bring(run, test.again.evidence, `${place}/again`) }),
      ...(pictures && { pictures }),
    };
  }

  #bring(run: Run, ...[evidence, place]: Parameters<EvidenceMover["bring"]>) {
    return this.#movers.get(run)?.bring(evidence, place) ?? { files: [], lost: [] };
  }

  /** Of findings under embargo nothing is brought. */
  #findings(): RunFindings[] {
    return this.#site.runs.map((run) => {
      const read = readFindings(run.folder);
      const listed = read && "findings" in read ? read.findings : [];
      const files = listed.map(
        ({ id, capture, ladder, log, reproducer }) =>
          [
            id,
            this.#bring(run, { capture, ladder, log, reproducer }, `runs/${run.number}/findings/${id}`),
          ] as const,
      );
      return { run, read, files: new Map(files) };
    });
  }

  #assets(): void {
    const source = join(import.meta.dirname, "assets");
    mkdirSync(join(this.#folder, "assets"), { recursive: true });
    for (const name of readdirSync(source))
      copyFileSync(join(source, name), join(this.#folder, "assets", name));
    appendFileSync(join(this.#folder, SHEET), `\n/* Ladders */\n${LADDER_CSS}`);
  }

  #page(page: Page): void {
    this.#file(page.path, pageText(page));
  }

  #file(path: string, text: string): void {
    const target = join(this.#folder, path);
    const folder = dirname(target);
    if (!this.#made.has(folder)) mkdirSync(folder, { recursive: true });
    this.#made.add(folder);
    writeFileSync(target, text);
  }
}
