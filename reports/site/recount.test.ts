/** The scores of sites of random results, counted again by a script that shares nothing with them. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { parse } from "yaml";
import type { DocumentCatalogue } from "../extras.ts";
import { makeResults, type Results, type TestResult, VERDICTS } from "../results.ts";
import { ROLES } from "./model.ts";
import { writeSite } from "./write-site.ts";

const ROOT = join(import.meta.dirname, "../..");
const PEERS = ["strongswan@6.1:netns", "builtin@current:memory"];

const catalogues = ["rfc6023", "rfc7619", "rfc4303"].map((document): DocumentCatalogue => {
  return parse(readFileSync(join(ROOT, "suites", document, "requirements.yaml"), "utf8"));
});

/** Results of a test, of any verdict, for any of the requirements. */
const testArbitrary = fc
  .record({
    catalogue: fc.constantFrom(...catalogues),
    peer: fc.constantFrom(...PEERS),
    lie: fc.constantFrom(undefined, "omits-nonce"),
    role: fc.constantFrom(...ROLES),
    // Good ones more often, for else next to nothing is met.
    verdict: fc.oneof(fc.constantFrom("pass" as const, "tolerated" as const), fc.constantFrom(...VERDICTS)),
    picks: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
    number: fc.nat(),
  })
  .map(({ catalogue, picks, number, peer, lie, role, verdict }): TestResult => {
    const { document, requirements } = catalogue;
    const ids = Object.keys(requirements);
    return {
      ...{
        id: `${document}/1/test-${number}`,
        title: `test ${number}`,
        document,
        revision: "",
        section: "1",
      },
      ...{ peer, role, verdict, ...(lie !== undefined && { lie }), level: "MUST" },
      requirements: picks.map((pick) => ids[pick % ids.length] ?? ""),
      ...{ reason: "so it is", expected: "", actual: "", durationMs: 1, evidence: {} },
    };
  });

const runArbitrary = fc
  .uniqueArray(testArbitrary, {
    ...{ minLength: 40, maxLength: 120, size: "max" as const },
    selector: ({ id, peer, role, lie }) => [id, peer, role, lie].join(),
  })
  .map((tests): Results => {
    const peers = PEERS.map((id) => ({ id, name: id, version: "1", runtime: "memory", fullVersion: id }));
    return makeResults({
      ...{ tool: { name: "ipsec-bakeoff", version: "1" }, seed: "1", peers, tests },
      ...{ started: "2026-11-20T21:00:00.000Z", finished: "2026-11-20T21:00:01.000Z" },
    });
  });

describe("scores counted again", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bakeoff-recount-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const siteOf = (runs: readonly Results[]) => {
    const site = join(folder, "site");
    writeSite(
      site,
      runs.map((results) => ({ folder, results })),
      { catalogues },
    );
    return site;
  };
  const recount = (site: string) => {
    const script = join(ROOT, "scripts/recount-scores.mjs");
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, site], { encoding: "utf8" });
    return { status, lines: (stdout + stderr).trim().split("\n") };
  };

  it("are those of the pages, whatever the verdicts, in one run or several", () => {
    const seed = Date.now();
    const sites = fc.sample(fc.array(runArbitrary, { minLength: 1, maxLength: 2 }), { numRuns: 2, seed });
    for (const runs of sites) {
      const { status, lines } = recount(siteOf(runs));
      expect(lines.join("\n"), `of seed ${seed}`).to.match(
        /^[1-9]\d+ scores on the pages, \d+ counted again, 0 differences$/,
      );
      expect(status).to.equal(0);
    }
  });

  it("are missed by name when a page says something else", () => {
    const [results] = fc.sample(runArbitrary, { numRuns: 1, seed: 6 });
    const site = siteOf([results!]);
    const page = join(site, "documents/rfc4303.html");
    const text = readFileSync(page, "utf8");
    const [cell, met, run] =
      /data-level="MUST" data-met="(\d+)" data-run="(\d+)"><b class="figure">\d+ \/ \d+/.exec(text)!;
    const other = cell.replaceAll(new RegExp(`\\b${run}\\b`, "g"), String(Number(run) + 1));
    writeFileSync(page, text.replace(cell, other));
    const { status, lines } = recount(site);
    expect(status).to.equal(1);
    expect(lines[0]).to.match(/^document rfc4303 \| .* \| MUST: run: the page says \d+, counted \d+$/);
    expect(met).to.not.equal(run);
  });

  it("cannot be counted where there is no site", () => {
    mkdirSync(join(folder, "empty"));
    expect(recount(join(folder, "empty")).status).to.equal(2);
  });
});
