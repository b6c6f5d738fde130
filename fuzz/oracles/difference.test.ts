import { expect } from "chai";
import type { Alarm } from "../alarm.ts";
import type { Outcome, StepOutcome } from "../outcome.ts";
import { differenceAlarm, differences, isDifference, supported } from "./difference.ts";
import { normalForm } from "./normal-form.ts";

const step = (act: StepOutcome["act"], ended: StepOutcome["ended"], ...answers: string[]): StepOutcome => ({
  ...{ act, ended, unfit: [], answers },
});

const outcome = (...steps: StepOutcome[]): Outcome => ({
  case: {
    ...{ number: 1, seed: "s", stage: "auth" },
    trace: {
      ...{ trace: 1, setup: "psk", peer: "responder" },
      steps: [{ act: "init" }, { act: "auth", changes: [{ message: 0, op: "auth-bit", value: 1 }] }],
    },
  },
  steps,
  ...{ probe: "answered", durationMs: 1, slowestMs: 1, entries: [], claims: [] },
  ...{ unproven: { out: 0, in: 0 }, messages: 2 },
});

const INIT = step("init", "done", "IKE_SA_INIT response SA KE Nonce N(NAT_DETECTION_SOURCE_IP)");
const REFUSED = outcome(INIT, step("auth", "refused", "IKE_AUTH response SK{N(AUTHENTICATION_FAILED)}"));
const TAKEN = outcome(INIT, step("auth", "done", "IKE_AUTH response SK{IDr AUTH SA TSi TSr}"));

describe("differences", () => {
  it("are none in vendor IDs, notifies, order and number of messages", () => {
    const other = outcome(
      step("init", "done", "IKE_SA_INIT response N(COOKIE)", "IKE_SA_INIT response KE Nonce SA V"),
      step("auth", "refused", "IKE_AUTH response SK{N(AUTHENTICATION_FAILED) V}"),
    );
    expect(normalForm(other)).to.equal(normalForm(REFUSED));
    expect(differences(REFUSED, other)).to.deep.equal([]);
  });

  it("are told at the first step in which they show, with the side that the text takes", () => {
    const [found] = differences(REFUSED, TAKEN);
    expect(found).to.deep.equal({
      ...{ step: 1, a: "auth: refused protected, authentication", b: "auth: done" },
    });
    if (!found) return;
    expect(supported(REFUSED, found)).to.equal("a");
    const alarm: Alarm = differenceAlarm(REFUSED, found, { a: "one", b: "two" });
    expect(alarm.signature).to.match(/^[ -~]{1,200}$/);
    expect(alarm.signature).to.include("auth auth-bit 1");
  });

  it("count only where both sides do the same every time", () => {
    expect(isDifference([REFUSED, REFUSED], [TAKEN, TAKEN])).to.equal(true);
    expect(isDifference([REFUSED, TAKEN], [TAKEN, TAKEN])).to.equal(false);
    expect(isDifference([REFUSED], [TAKEN])).to.equal(false);
    expect(isDifference([REFUSED, REFUSED], [REFUSED, REFUSED])).to.equal(false);
  });

  it("are none in how soon a peer gives up what it has begun", () => {
    const [soon, late] = [step("peer-initiate", "silence"), step("peer-initiate", "done")];
    expect(differences(outcome(soon), outcome(late))).to.deep.equal([]);
    expect(differences(outcome(step("init", "silence")), outcome(INIT))).to.have.length(1);
  });

  it("are none where a peer lacks what a step needs", () => {
    const lacking = outcome(INIT, step("auth", "not begun"));
    expect(differences(REFUSED, lacking)).to.deep.equal([]);
  });
});
