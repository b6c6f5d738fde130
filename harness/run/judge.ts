/** From how a test body ended to its verdict. */
import { AssertionError } from "chai";
import type { Driver } from "../../peers/contract.ts";
import { DriverUnsupported } from "../../peers/contract.ts";
import type { Offence, Verdict } from "../../reports/results.ts";
import type { Script } from "../script/script.ts";
import { Ambiguous, Behind, Failure, SetupProblem, Unsupported, WrongReason } from "../script/verdicts.ts";

export interface Judgement {
  verdict: Verdict;
  reason: string;
  expected: string;
  actual: string;
  /** Where in the exchange the fault is to be seen, as far as the test knows. */
  offence?: Offence;
}

const said = (verdict: Verdict, reason: string, expected = "", actual = ""): Judgement => ({
  ...{ verdict, reason, expected, actual },
});

/** The verdict of a body that returned. */
export const passed = (tolerated: string | undefined): Judgement =>
  tolerated === undefined ? said("pass", "as required") : said("tolerated", tolerated);

/** The verdict of a body that threw, before the peer's health is looked at. */
export function judgeError(error: unknown): Judgement {
  if (error instanceof Failure) {
    const verdict = error instanceof WrongReason ? "wrong-reason" : "fail";
    return said(verdict, error.message, error.expected, error.actual);
  }
  if (error instanceof AssertionError) return judgeAssertion(error);
  if (error instanceof Unsupported || error instanceof DriverUnsupported)
    return said("unsupported", error.message);
  if (error instanceof Behind) return said("behind", error.message);
  if (error instanceof Ambiguous) return said("ambiguous", error.message);
  if (error instanceof Hung) return said("hang", error.message);
  if (error instanceof SetupProblem) return said("setup", error.message);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return said("setup", `the test or the lab is at fault: ${text.split("\n").slice(0, 3).join(" ")}`);
}

function judgeAssertion(error: Error): Judgement {
  const part = (key: string): string => {
    const value: unknown = Reflect.get(error, key);
    return value === undefined ? "" : String(value);
  };
  return said("fail", error.message, part("expected"), part("actual"));
}

/** Before the test could begin the peer answered neither its driver nor a fresh IKE_SA_INIT. */
export class Hung extends Error {}

/** How the daemon ended; undefined while it lives, and when nobody knows. */
export async function death(driver: Driver): Promise<string | undefined> {
  if (driver.exit) return driver.exit();
  const status = await driver.status().catch(() => undefined);
  return status?.alive === false ? status.exit : undefined;
}

/**
 * What a test found may have a deeper cause: the daemon died, by its own process table; or after a failure, it
 * lives but answers nobody, by a fresh IKE_SA_INIT. A busy daemon that is slow to tell its state is neither.
 */
export async function deeper(
  judgement: Judgement,
  script: Script | undefined,
  driver: Driver,
): Promise<Judgement> {
  const died = await death(driver);
  if (died !== undefined) {
    const when = script ? "" : " between the test before and this one";
    return { ...judgement, verdict: "crash", reason: `the peer died${when}: ${died}` };
  }
  const failed = judgement.verdict === "fail" || judgement.verdict === "wrong-reason";
  if (!failed || !script || (await script.peerAnswers())) return judgement;
  const reason = `the peer answers no fresh IKE_SA_INIT any more; before that: ${judgement.reason}`;
  return { ...judgement, verdict: "hang", reason };
}
