/** Runs tests one after another against one peer, judges them and keeps their evidence. */
import type { Driver } from "../../peers/contract.ts";
import type { TestResult } from "../../reports/results.ts";
import type { Arena } from "../script/arena.ts";
import { Script } from "../script/script.ts";
import type { ArenaWishes } from "../script/test.ts";
import { Failure } from "../script/verdicts.ts";
import { type Kept, keepEvidence, keepLog, type Place } from "./evidence.ts";
import { deeper, type Judgement, judgeError, passed } from "./judge.ts";
import { offenceOf } from "./offence.ts";
import { resultOf } from "./result.ts";
import type { SuiteTest } from "./suites.ts";

/** How a lane comes to its arenas; one kind per runtime. */
export interface LanePeer {
  /** Id of the peer in results. */
  id: string;
  driver(): Driver | undefined;
  /** An arena for a test with this seed, the peer configured and fresh. May throw SetupProblem or DriverUnsupported. */
  arena(test: string, wishes: ArenaWishes): Promise<Arena>;
  /** Brings the peer back after a crash or a hang. */
  restart(): Promise<void>;
  /** Its tests have it begin, and nobody need answer where it is. */
  begins?: boolean;
  /** Ends what a test has left with a peer that nobody can make forget it. Absent where the driver can. */
  leave?(script: Script): Promise<void>;
}

export interface LaneOptions {
  out?: string;
  lie?: string;
  /** Milliseconds since 1970 at which the arena's clock showed zero. */
  epochMs: number;
  /** Hard end of one test in wall-clock milliseconds. */
  testLimitMs: number;
}

export interface Finished {
  result: TestResult;
  ladder: string;
  /** The test reached its hard end: its body may still act, so that its process is good for no other test. */
  overtime: boolean;
}

/** Runs one test; never throws. */
export async function runTest(test: SuiteTest, peer: LanePeer, options: LaneOptions): Promise<Finished> {
  const started = performance.now();
  const { judgement, script, overtime } = await attempt(test, peer, options);
  const log =
    (await peer
      .driver()
      ?.logs()
      .catch((error: Error) => `no log: ${error.message}\n`)) ?? "";
  const kept = keep(options, { peer: peer.id, test: test.id }, script, log);
  if (script && judgement.verdict !== "crash" && judgement.verdict !== "hang")
    await peer.leave?.(script).catch(() => {});
  script?.host.stop();
  const measured = { durationMs: performance.now() - started, evidence: kept.evidence };
  const subject = { peer: peer.id, ...(options.lie === undefined ? {} : { lie: options.lie }) };
  return { result: resultOf(test, subject, judgement, measured), ladder: kept.ladder, overtime };
}

function keep({ out, epochMs }: LaneOptions, place: Place, script: Script | undefined, log: string): Kept {
  if (out === undefined) return { evidence: {}, ladder: "" };
  if (script) return keepEvidence(out, place, script.trace, log, epochMs);
  return { evidence: keepLog(out, place, log), ladder: "" };
}

async function attempt(
  test: SuiteTest,
  peer: LanePeer,
  { testLimitMs: limitMs, out }: LaneOptions,
): Promise<{ judgement: Judgement; script?: Script; overtime: boolean }> {
  let script: Script | undefined;
  let judgement: Judgement;
  let overtime = false;
  try {
    script = new Script(await peer.arena(test.id, wishesOf(test)));
    await withLimit(test.body(script), limitMs);
    judgement = passed(script.tolerated);
  } catch (error) {
    overtime = error instanceof TimeLimit;
    judgement = overtime ? unending(limitMs) : judgeError(error);
    // A place is one in the event stream, which only a run with evidence keeps.
    if (script && out !== undefined) judgement = located(judgement, test, script, error);
  }
  const driver = peer.driver();
  if (driver) judgement = await deeper(judgement, script, driver, peer.begins !== true);
  return { judgement, script, overtime };
}

const wishesOf = ({ facts, document, revision }: SuiteTest): ArenaWishes =>
  revision === "" ? facts : { ...facts, speaks: { document, revision } };

/** With the place of the fault; what cannot be found must not cost the verdict. */
function located(judgement: Judgement, { document, facts }: SuiteTest, script: Script, error: unknown) {
  const { verdict, actual } = judgement;
  if (verdict !== "fail" && verdict !== "wrong-reason") return judgement;
  const { trace, arena } = script;
  trace.add(arena.world.clock.now(), { type: "judged" });
  const place = error instanceof Failure ? error.place : undefined;
  try {
    const offence = offenceOf({ document, requirements: facts.requirements, actual, place }, trace);
    return offence ? { ...judgement, offence } : judgement;
  } catch {
    return judgement;
  }
}

class TimeLimit extends Error {}

const unending = (limitMs: number): Judgement => ({
  verdict: "hang",
  reason: `the test reached its hard end of ${limitMs / 1000} s`,
  expected: "an end",
  actual: "none",
});

function withLimit(body: Promise<void>, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TimeLimit()), ms);
    body.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
