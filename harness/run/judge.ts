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

/** What the driver knows of the peer's end, or has done to it. */
interface Health {
  /** How the daemon ended. */
  died?: string | undefined;
  /** What of the driver's ended it: of no use any more, it is started anew for the next verb. */
  fault?: string;
}

async function healthOf(driver: Driver): Promise<Health> {
  if (driver.exit) return { died: await driver.exit() };
  try {
    const { alive, exit } = await driver.status();
    return alive ? {} : { died: exit };
  } catch (error) {
    return error instanceof SetupProblem && driver.ended?.() ? { fault: error.message } : {};
  }
}

/** How the daemon ended; undefined while it lives, and when nobody knows. */
export const death = async (driver: Driver): Promise<string | undefined> => (await healthOf(driver)).died;

/** What of the driver's has ended it, and its peer with it; undefined where nothing is known to have. */
export const driverFault = async (driver: Driver | undefined): Promise<string | undefined> =>
  driver?.ended?.() ? (await healthOf(driver)).fault : undefined;

/**
 * What a test found may have a deeper cause: the daemon died, by its own process table; its driver ended, and took it along;
 * or after a failure, it lives but answers nobody, by a fresh IKE_SA_INIT, where it `listens`. A busy daemon that is slow to
 * tell its state is none of these.
 */
export async function deeper(
  judgement: Judgement,
  script: Script | undefined,
  driver: Driver,
  listens: boolean,
): Promise<Judgement> {
  const { died, fault } = await healthOf(driver);
  if (died !== undefined) {
    const when = script ? "" : " between the test before and this one";
    return { ...judgement, verdict: "crash", reason: `the peer died${when}: ${died}` };
  }
  // What holds of a peer that was ended, silence for one, says nothing of it.
  if (fault !== undefined && judgement.verdict !== "setup") return said("setup", fault);
  const failed = judgement.verdict === "fail" || judgement.verdict === "wrong-reason";
  if (!failed || !script || !listens || (await script.peerAnswers())) return judgement;
  const reason = `the peer answers no fresh IKE_SA_INIT any more; before that: ${judgement.reason}`;
  return { ...judgement, verdict: "hang", reason };
}
