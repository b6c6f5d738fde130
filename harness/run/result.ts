import type { Evidence, TestResult } from "../../reports/results.ts";
import { factsOf } from "../wire/documents/index.ts";
import { levelOf } from "./catalogue.ts";
import type { Judgement } from "./judge.ts";
import type { SuiteTest } from "./suites.ts";

/** Whom a result is about. */
export interface Subject {
  /** Id of the peer in results. */
  peer: string;
  lie?: string;
}

/** The result of a test as the report has it. */
export function resultOf(
  test: SuiteTest,
  { peer, lie }: Subject,
  judgement: Judgement,
  kept: { durationMs: number; evidence: Evidence } = { durationMs: 0, evidence: {} },
): TestResult {
  const { facts, id, title, document, revision, section } = test;
  const provisional = factsOf(document)?.provisional;
  return {
    ...{ id, title, document, revision, section, requirements: facts.requirements },
    ...(provisional === undefined ? {} : { provisional }),
    ...{ level: levelOf(document, facts.requirements), peer, role: facts.peer },
    ...(lie === undefined ? {} : { lie }),
    ...judgement,
    ...kept,
  };
}
