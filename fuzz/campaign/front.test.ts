import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { findPeer } from "../../peers/definition.ts";
import { sampleOutcome } from "../findings/testing.ts";
import { Generator } from "../generate/generator.ts";
import { findSetup } from "../setups.ts";
import { type Act, type FuzzCase, STAGES } from "../trace.ts";
import { Front, pendingOf } from "./front.ts";
import { shortOutcome } from "./protocol.ts";
import { Recorder } from "./recorder.ts";
import { Tally } from "./tally.ts";

const caseOf = (number: number, act: Act): FuzzCase => ({
  ...{ number, seed: `s/${number}`, stage: "init" },
  trace: { trace: 1, setup: "psk", peer: "responder", steps: [{ act: "init" }, { act: "auth" }, { act }] },
});
const numbersOf = (all: readonly FuzzCase[]): number[] => all.map(({ number }) => number);
const ended = (played: FuzzCase) => shortOutcome({ ...sampleOutcome, case: played });
const ALARM = { oracle: "crash", signature: "crash SIGSEGV" } as const;

describe("the cases of one peer of a campaign", () => {
  let out = "";
  let recorder: Recorder;
  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), "bakeoff-front-"));
    recorder = new Recorder(out, new Tally(), new Set(), () => {});
  });
  afterEach(() => {
    recorder.close();
    rmSync(out, { recursive: true });
  });

  const suspect = caseOf(5, "informational");
  const waiting = [caseOf(1, "esp"), caseOf(2, "informational"), caseOf(3, "create-child")];

  async function held() {
    const setup = findSetup("psk");
    const generator = await Generator.create({
      ...{ seed: "1", setups: setup ? [setup] : [], roles: ["responder"], stages: STAGES },
      ...{ guided: false, batch: 4 },
    });
    const pending = { batch: 0, setup: "psk", peer: "responder", inHand: 0 } as const;
    const front = new Front({
      ...{ place: 0, id: "builtin", chosen: findPeer("builtin"), generator, recorder, muted: new Set() },
      pending: [{ name: "0-100000", held: { ...pending, cases: waiting, again: [suspect] } }],
    });
    const taken = await front.next(new AbortController().signal);
    if (!taken) throw new Error("nothing to play");
    return { front, taken };
  }

  it("are kept in the order in which they are played", async () => {
    const { front, taken } = await held();
    expect(numbersOf(taken.cases)).to.deep.equal([5, 2, 3, 1]);
    expect(numbersOf(pendingOf(taken, 0).cases)).to.deep.equal([2, 3, 1]);
    expect(numbersOf(front.putBack(taken, 2))).to.deep.equal([5, 2]);
    const rest = await front.next(new AbortController().signal);
    expect(rest && numbersOf(rest.cases)).to.deep.equal([3, 1]);
  });

  it("are not lost with an alarm, also not at a second interruption", async () => {
    const { front, taken } = await held();
    expect(numbersOf(pendingOf(taken, 0).again), "not played yet").to.deep.equal([5]);
    front.played(taken, ended(suspect), [ALARM]);
    expect(numbersOf(pendingOf(taken, 0).again), "its alarm is open").to.deep.equal([5]);
    taken.open.delete(ALARM.signature);
    expect(numbersOf(pendingOf(taken, 0).again)).to.deep.equal([]);
    expect(recorder.tally.handedOut(0), "counted before").to.equal(0);
  });
});
