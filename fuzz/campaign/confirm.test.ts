import { expect } from "chai";
import { sampleAlarm, sampleCase, sampleOutcome } from "../findings/testing.ts";
import { findSetup } from "../setups.ts";
import type { FuzzCase } from "../trace.ts";
import { type ConfirmOptions, confirm } from "./confirm.ts";
import type { Shown } from "./trials.ts";

const cases: FuzzCase[] = Array.from({ length: 8 }, (_, number) => ({ ...sampleCase, number }));
const numbersOf = (all: readonly FuzzCase[]): number[] => all.map(({ number }) => number);

/** What a peer does that is asked by these: whether it shows the alarm after these cases. */
function confirmed(
  shows: (numbers: number[], steps: number) => boolean,
  alarm = sampleAlarm,
  flight: FuzzCase[] = [],
) {
  const setup = findSetup("psk");
  if (!setup) throw new Error("no setup");
  const shown = (all: readonly FuzzCase[]): Shown | undefined => {
    const last = all.at(-1);
    const steps = last?.trace.steps.length ?? 0;
    return last && shows(numbersOf(all), steps) ? { case: last, outcome: sampleOutcome, alarm } : undefined;
  };
  const trials: ConfirmOptions["trials"] = {
    shows: async (played) => shown([played]),
    showsAfter: async (all) => shown(all),
  };
  const hit = { alarm, suspects: [cases[7] as FuzzCase], flight };
  return confirm(hit, cases, { place: { setup, peer: "responder" }, trials, until: () => false });
}

describe("confirming an alarm", () => {
  it("takes what its case shows in two of three plays, and the oracle's word for whether it is the only one", async () => {
    const found = await confirmed((numbers) => numbers.join() === "7");
    expect(found).to.have.nested.property("alarm.alone", true);
    const memory = { ...sampleAlarm, alone: false };
    expect(await confirmed(() => true, memory)).to.have.nested.property("alarm.alone", false);
  });

  it("finds the one case, or the few, among those before it", async () => {
    const one = await confirmed((numbers) => numbers.includes(2));
    expect(one).to.have.nested.property("case.number", 2);
    expect(one).to.have.nested.property("alarm.alone", true);
    const few = await confirmed((numbers) => numbers.includes(2) && numbers.includes(5));
    expect(few).to.have.nested.property("alarm.alone", false);
    expect("alarm" in few && few.alarm.detail).to.match(/one behind the other: 2, 5$/);
  });

  it("takes several that show it as one conversation", async () => {
    const found = await confirmed(
      (numbers, steps) => steps > 1 || (numbers.includes(2) && numbers.includes(5)),
    );
    expect(found).to.have.nested.property("alarm.alone", true);
    expect(found).to.have.nested.property("case.trace.steps.length", 2);
  });

  it("tries its case beside those that went on meanwhile", async () => {
    const found = await confirmed((_, steps) => steps === 2, sampleAlarm, cases.slice(3, 5));
    expect(found).to.have.nested.property("alarm.alone", true);
    expect(found).to.have.nested.property("case.number", 7);
  });

  it("does not take what comes by chance among many", async () => {
    let plays = 0;
    const found = await confirmed((numbers) => numbers.length === 8 && plays++ === 0);
    expect("why" in found && found.why).to.match(
      /^came again once, and not in 3 plays of these cases: 0, 1,/,
    );
  });
});
