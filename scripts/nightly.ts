/**
 * Our own readers under Jazzer.js, which is guided by coverage: `npm run nightly -- [--minutes N] [--out DIR] [PROPERTY...]`.
 * Its native part wants a newer C library than Debian 12 has, so that it runs in a root file system of Debian 13, which is made in
 * the cache on first use. Needs root and mmdebstrap. Exit 1: something does not hold; the octets lie in DIR/<property>.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { properties } from "../fuzz/readers/properties.ts";
import { cacheFolder } from "../peers/install/cache.ts";
import { readSources } from "../peers/install/sources.ts";
import { must, run } from "../peers/runtime/process.ts";

const SUITE = "trixie";
const JAZZER = "@jazzer.js/core@4.0.0";
/** Where the project lies inside of the root. */
const INSIDE = "/project";
const MOST_OCTETS = 4096;

const { values, positionals } = parseArgs({
  options: { minutes: { type: "string", default: "5" }, out: { type: "string", default: "nightly" } },
  allowPositionals: true,
});
const minutes = Number(values.minutes);
const unknown = positionals.find((name) => !properties.some((property) => property.name === name));
if (unknown !== undefined || !(minutes > 0)) {
  const names = properties.map(({ name }) => name).join(", ");
  const wrong =
    unknown === undefined ? "--minutes: a number above 0" : `${unknown}: no property; one of ${names}`;
  process.stderr.write(`nightly: ${wrong}\n`);
  process.exit(2);
}

const project = resolve(import.meta.dirname, "..");
const root = join(cacheFolder(), "rootfs", "jazzer");
const inside = (...parts: string[]): string => join(root, INSIDE, ...parts);

/** Makes the root file system, with Node and Jazzer.js in it. */
async function makeRoot(): Promise<void> {
  const making = `${root}.making`;
  rmSync(making, { recursive: true, force: true });
  const [mirror] = readSources();
  const source = mirror ? [mirror.uri] : [];
  const options = ["--variant=minbase", "--include=nodejs,ca-certificates"];
  await must(["mmdebstrap", ...options, SUITE, making, ...source], { timeoutMs: 900_000 });
  mkdirSync(join(making, INSIDE));
  const prefix = ["--prefix", join(making, INSIDE)];
  await must(["npm", "install", ...prefix, "--ignore-scripts", "--no-save", JAZZER], { timeoutMs: 300_000 });
  await must(["mv", making, root]);
}

/** Brings the compiled project and what it needs at run time. */
async function bringProject(): Promise<void> {
  await must(["npm", "run", "build"], { timeoutMs: 300_000 });
  rmSync(inside("dist"), { recursive: true, force: true });
  cpSync(join(project, "dist"), inside("dist"), { recursive: true });
  cpSync(join(project, "package.json"), inside("package.json"));
  cpSync(realpathSync(join(project, "node_modules")), inside("node_modules"), {
    recursive: true,
    filter: (path) =>
      !/node_modules\/(?:\.bin|\.cache|typescript|@typescript|@biomejs|playwright-core)(?:\/|$)/.test(path),
  });
}

/** Fuzzes one property; the octets with which it does not hold. */
async function fuzz(name: string): Promise<string[]> {
  const [property] = properties.filter((one) => one.name === name);
  const folder = inside("nightly", name);
  mkdirSync(join(folder, "corpus"), { recursive: true });
  for (const [i, sample] of (property?.samples() ?? []).entries())
    writeFileSync(join(folder, "corpus", `sample-${i}`), sample);
  const target = `import { properties } from "../dist/fuzz/readers/properties.js";
const { holds } = properties.find(({ name }) => name === ${JSON.stringify(name)});
export const fuzz = (data) => holds(new Uint8Array(data));
`;
  writeFileSync(inside("nightly", `${name}.mjs`), target);
  const limits = [`-max_total_time=${Math.round(minutes * 60)}`, `-max_len=${MOST_OCTETS}`, "-timeout=10"];
  const script = `mount -t proc proc /proc && cd ${INSIDE}/nightly/${name} && exec node ../../node_modules/@jazzer.js/core/dist/cli.js \
../${name}.mjs corpus --sync -i dist/ -- ${limits.join(" ")} -rss_limit_mb=2048 -print_final_stats=1`;
  const argv = [
    "unshare",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "chroot",
    root,
    "/bin/sh",
    "-c",
    script,
  ];
  const { exit, stderr, stdout } = await run(argv, { timeoutMs: (minutes * 60 + 120) * 1000 });
  const said = `${stdout}${stderr}`;
  const runs = /number_of_executed_units: +(\d+)/.exec(said)?.[1] ?? /#(\d+)/.exec(said)?.[1] ?? "?";
  const found = readdirSync(folder).filter((file) => /^(?:crash|timeout|oom|slow-unit)-/.test(file));
  process.stdout.write(`${name}: ${runs} runs, exit ${exit}, ${found.length} found\n`);
  if (exit !== 0) process.stderr.write(`${said.slice(-2_000)}\n`);
  if (found.length > 0) cpSync(folder, join(values.out, name), { recursive: true });
  return exit === 0 ? found : [...found, `exit ${exit}`];
}

if (!existsSync(root)) await makeRoot();
await bringProject();
const names = positionals.length > 0 ? positionals : properties.map(({ name }) => name);
let faults = 0;
for (const name of names) faults += (await fuzz(name)).length;
process.exitCode = faults > 0 ? 1 : 0;
