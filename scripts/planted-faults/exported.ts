/** Whether the test that a finding is exported as fails with the fault, passes without it, and compiles. */
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Alarm } from "../../fuzz/alarm.ts";
import { exportTest } from "../../fuzz/findings/export-test.ts";
import { FindingStore } from "../../fuzz/findings/store.ts";
import type { Outcome } from "../../fuzz/outcome.ts";
import type { FuzzCase } from "../../fuzz/trace.ts";
import { runTest } from "../../harness/run/lane.ts";
import type { LivePeer } from "../../harness/run/live-peer.ts";
import { CAUGHT } from "../../harness/run/square.ts";
import { loadTests } from "../../harness/run/suites.ts";
import { tool } from "../../harness/run/tool.ts";
import type { TestResult } from "../../reports/results.ts";

export interface Exportable {
  alarm: Alarm;
  case: FuzzCase;
  outcome: Outcome;
  lie: string;
}

const TEST_LIMIT_MS = 60_000;

/** Writes the test into the folder, which nothing else is in, and runs it; why it is not as it must be. */
export async function exportFault(
  { alarm, case: found, outcome, lie }: Exportable,
  folder: string,
  open: (lie?: string) => Promise<LivePeer>,
): Promise<string | undefined> {
  const faulty = await open(lie);
  try {
    const store = FindingStore.open(join(folder, "store"), { tool: tool().version });
    const { id } = store.add(alarm, found, outcome, faulty.info, { lie });
    store.close();
    const finding = store.get(id);
    const exported = finding && exportTest(finding, { into: join(folder, "tests"), moduleName: true });
    if (!exported || "error" in exported) return exported?.reason ?? "the store did not keep it";
    const file = join(folder, "tests", exported.path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, exported.text);
    const caught = await verdictOn(faulty, folder);
    if (!CAUGHT.includes(caught.verdict)) return `with the fault: ${caught.verdict}: ${caught.reason}`;
  } finally {
    await faulty.stop();
  }
  const honest = await open();
  try {
    const { verdict, reason } = await verdictOn(honest, folder);
    return verdict === "pass" ? undefined : `without the fault: ${verdict}: ${reason}`;
  } finally {
    await honest.stop();
  }
}

async function verdictOn(peer: LivePeer, folder: string): Promise<TestResult> {
  const [test] = await loadTests(join(folder, "tests"));
  if (!test) throw new Error("the exported test is no test");
  const { result } = await runTest(test, peer, { epochMs: peer.epochMs, testLimitMs: TEST_LIMIT_MS });
  return result;
}

const root = resolve(import.meta.dirname, "../..");

/** What the compiler says of all exported tests below the folder; nothing if they are in order. */
export async function compile(folder: string): Promise<string> {
  const settings = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: { typeRoots: [join(root, "node_modules/@types")] },
    include: ["**/*.mts"],
  };
  const file = join(folder, "tsconfig.json");
  writeFileSync(file, JSON.stringify(settings));
  return new Promise((done) => {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    execFile(process.execPath, [tsc, "-p", file], (error, stdout) => done(error ? stdout : ""));
  });
}
