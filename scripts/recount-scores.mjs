/**
 * Counts the scores of a site again, from results.json and suites/<document>/requirements.yaml alone, by the definition
 * that the page of a document gives ("How a score is counted"), and compares them with the numbers that its pages show.
 * Nothing of the project is imported, so that a fault there cannot be repeated here.
 *
 *   node scripts/recount-scores.mjs SITE [RESULTS.json ...]
 *
 * The results are those that the site holds unless they are named, in the order in which the site was made of them.
 * Exit status: 0 no difference, 1 differences, 2 nothing to compare.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const GROUPS = ["MUST", "SHOULD", "MAY", "statement"];
const FAILED = ["fail", "wrong-reason", "crash", "hang"];
const APART = ["setup", "ambiguous", "behind", "unsupported"];
const TOLD = ["failed", ...APART, "not run", "not testable"];
const SHOWN_AT_MOST = 50;

const [site, ...named] = process.argv.slice(2);
if (site === undefined || !existsSync(join(site, "index.html"))) {
  console.error("usage: node scripts/recount-scores.mjs SITE [RESULTS.json ...]");
  process.exit(2);
}
const counted = recount(named.length > 0 ? named : resultsOf(site));
const shown = [...documentPages(site), ...peerPages(site), ...indexPage(site)];
const differences = compare(counted, shown);
for (const line of differences.slice(0, SHOWN_AT_MOST)) console.log(line);
console.log(
  `${shown.length} scores on the pages, ${counted.size} counted again, ${differences.length} differences`,
);
process.exitCode = shown.length === 0 ? 2 : differences.length > 0 ? 1 : 0;

// Counting

/** `place, peer, role, group` to what a score says there. */
function recount(files) {
  const tests = withSubjects(files.map((file) => JSON.parse(readFileSync(file, "utf8"))));
  const scores = new Map();
  for (const own of split(tests, ({ document, revision, subject, role }) => [
    document,
    revision,
    subject,
    role,
  ])) {
    const [{ document, revision, subject, role }] = own;
    const label = revision === "" ? document : `${document}@${revision}`;
    const requirements = Object.entries(catalogueOf(document));
    for (const group of GROUPS) {
      const score = count(
        requirements.filter(([, { level }]) => groupOf(level) === group),
        own,
        role,
      );
      for (const place of [`document ${label}`, `peer ${subject}, ${label}`])
        scores.set([place, subject, role, group].join(" | "), score);
      add(scores, ["overview", subject, role, group].join(" | "), score);
    }
    const passed = own.filter(({ verdict }) => ["pass", "tolerated"].includes(verdict)).length;
    for (const place of [`document ${label}`, `peer ${subject}, ${label}`])
      scores.set([place, subject, role, "tests"].join(" | "), { met: passed, run: own.length });
  }
  return scores;
}

/** The score of these requirements for the tests of one peer in one role. */
function count(requirements, tests, role) {
  const score = { met: 0, run: 0 };
  for (const [id, requirement] of requirements) {
    if (!requirement.roles.includes(role)) continue;
    const standing = standingOf(id, requirement, tests, role);
    score[standing] = (score[standing] ?? 0) + 1;
    if (!standing.startsWith("not ")) score.run += 1;
  }
  return score;
}

function standingOf(id, { untestable }, tests, role) {
  const verdicts = tests.filter((test) => test.requirements.includes(id)).map(({ verdict }) => verdict);
  if (verdicts.length === 0) {
    const hidden = typeof untestable === "string" || (untestable !== undefined && role in untestable);
    return hidden ? "not testable" : "not run";
  }
  if (verdicts.some((verdict) => FAILED.includes(verdict))) return "failed";
  return APART.find((verdict) => verdicts.includes(verdict)) ?? "met";
}

function groupOf(level) {
  return level === "stmt" ? "statement" : level.replace(" NOT", "");
}

function add(scores, key, more) {
  const sum = scores.get(key) ?? { met: 0, run: 0 };
  for (const [name, value] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + value;
  scores.set(key, sum);
}

/** Requirements of a document; none where it has no catalogue. */
function catalogueOf(document) {
  const file = join(import.meta.dirname, "..", "suites", document, "requirements.yaml");
  return existsSync(file) ? parse(readFileSync(file, "utf8")).requirements : {};
}

/** All tests with `subject`: the peer, its lie, and for a repetition the number of the run. */
function withSubjects(runs) {
  const known = [];
  return runs.flatMap(({ tests, peers }, index) =>
    split(tests, ({ peer, lie }) => [peer, lie]).flatMap((own) => {
      const [{ peer, lie }] = own;
      const version = peers.find(({ id }) => id === peer)?.fullVersion;
      const name = [peer, ...(lie === undefined ? [] : [`lie ${lie}`])].join(", ");
      const keys = own.map(({ role, id }) => `${role} ${id}`);
      const same = known.filter((one) => one.name === name);
      const part = same.find((one) => one.version === version && !keys.some((key) => one.keys.has(key)));
      const subject = part ?? {
        ...{ name, version, keys: new Set() },
        label: same.length > 0 ? `${name}, run ${index + 1}` : name,
      };
      if (!part) known.push(subject);
      for (const key of keys) subject.keys.add(key);
      return own.map((test) => ({ ...test, subject: subject.label }));
    }),
  );
}

function split(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = JSON.stringify(keyOf(item));
    const group = groups.get(key) ?? [];
    group.push(item);
    groups.set(key, group);
  }
  return [...groups.values()];
}

// Reading

function resultsOf(folder) {
  const runs = readdirSync(join(folder, "runs")).sort((a, b) => a - b);
  return runs.map((run) => join(folder, "runs", run, "results.json"));
}

function pagesIn(folder, name) {
  const files = readdirSync(join(folder, name)).filter((file) => file.endsWith(".html"));
  return files.map((file) => readFileSync(join(folder, name, file), "utf8"));
}

function documentPages(folder) {
  return pagesIn(folder, "documents").flatMap((page) => {
    const label = textOf(/<li aria-current="page">(.*?)<\/li>/s.exec(page)[1]);
    return rowsOf(scoreTable(page)).flatMap(({ head, cells }) =>
      scoresIn(`document ${label}`, head.name, head.role, ["tests", ...GROUPS], cells),
    );
  });
}

function peerPages(folder) {
  return pagesIn(folder, "peers").flatMap((page) => {
    const subject = textOf(/<h1>(.*?)<\/h1>/s.exec(page)[1]);
    return rowsOf(scoreTable(page)).flatMap(({ head, cells }) =>
      scoresIn(`peer ${subject}, ${head.name}`, subject, head.role, ["tests", ...GROUPS], cells),
    );
  });
}

function indexPage(folder) {
  const table = scoreTable(readFileSync(join(folder, "index.html"), "utf8"));
  return table.split("<tbody>").flatMap((body) => {
    const subject = textOf(/<tr class="head">.*?<a [^>]*>(.*?)<\/a>/s.exec(body)?.[1] ?? "");
    return rowsOf(body).flatMap(({ head, cells }) => scoresIn("overview", subject, head.name, GROUPS, cells));
  });
}

function scoreTable(page) {
  return /<table class="scores">.*?<tbody>(.*?)<\/table>/s.exec(page)?.[1] ?? "";
}

/** Rows with cells: `<th>name<small>as role</small></th><td>...`. */
function rowsOf(table) {
  return [...table.matchAll(/<tr[^>]*>(.*?)<\/tr>/gs)]
    .map(([, row]) => ({
      name: textOf(/<th scope="row">(.*?)(?:<small>|<\/th>)/s.exec(row)?.[1] ?? ""),
      role: textOf(/<th scope="row">.*?<small>as (.*?)<\/small>/s.exec(row)?.[1] ?? ""),
      cells: [...row.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([whole]) => whole),
    }))
    .filter(({ cells }) => cells.length > 0)
    .map(({ name, role, cells }) => ({ head: { name, role }, cells }));
}

function scoresIn(place, subject, role, groups, cells) {
  return groups.map((group, index) => ({
    key: [place, subject, role, group].join(" | "),
    score: scoreIn(cells[index] ?? ""),
  }));
}

/** What a cell says: `<b class="figure">92 / 101</b> ... <small>9 unsupported</small>`, or `none`. */
function scoreIn(cell) {
  const [, met, run] = /<b class="figure">(\d+) \/ (\d+)<\/b>/.exec(cell) ?? [];
  if (met === undefined) return textOf(cell) === "none" ? { met: 0, run: 0 } : { unreadable: cell };
  const words = textOf(/<small>(.*?)<\/small>/s.exec(cell)?.[1] ?? "");
  const told = ["all met", "tests passed"].includes(words)
    ? []
    : words.split(", ").map((one) => /^(\d+) (.*)$/.exec(one)?.slice(1) ?? [Number.NaN, one]);
  const [, machineMet = met, machineRun = run] = /data-met="(\d+)" data-run="(\d+)"/.exec(cell) ?? [];
  if (machineMet !== met || machineRun !== run) return { unreadable: cell };
  return {
    ...{ met: Number(met), run: Number(run) },
    ...Object.fromEntries(told.map(([n, name]) => [name, Number(n)])),
  };
}

function textOf(markup) {
  const entities = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  const text = markup.replace(/<[^>]*>/g, "");
  return text.replace(/&(\w+|#39);/g, (whole, name) => entities[name] ?? whole).trim();
}

// Comparing

function compare(scores, pages) {
  const seen = new Set(pages.map(({ key }) => key));
  const missing = [...scores.keys()].filter((key) => !seen.has(key)).map((key) => `${key}: on no page`);
  const wrong = pages.flatMap(({ key, score }) => {
    const right = scores.get(key);
    if (right === undefined) return [`${key}: the page has it, the results have not`];
    const names = new Set(["met", "run", ...TOLD, ...Object.keys(score)]);
    return [...names]
      .filter((name) => (score[name] ?? 0) !== (right[name] ?? 0))
      .map((name) => `${key}: ${name}: the page says ${score[name] ?? 0}, counted ${right[name] ?? 0}`);
  });
  return [...missing, ...wrong];
}
