import { expect } from "chai";
import { memoryArena } from "../../harness/run/arena-memory.ts";
import { hex } from "../../harness/wire/bytes.ts";
import { judgeCase } from "../oracles/index.ts";
import type { Outcome } from "../outcome.ts";
import { findSetup } from "../setups.ts";
import type { Act, Change, FuzzCase, Step } from "../trace.ts";
import { Player } from "./player.ts";

const step = (act: Act, ...changes: Omit<Change, "message">[]): Step => ({
  act,
  ...(changes.length > 0 && { changes: changes.map((change) => ({ message: 0, ...change })) }),
});

const caseOf = (number: number, ...steps: Step[]): FuzzCase => ({
  ...{ number, seed: `standing ${number}`, stage: "create-child" },
  trace: { trace: 1, setup: "psk", peer: "responder", steps },
});

const goingOn = (number: number, ...steps: Step[]): FuzzCase =>
  caseOf(number, step("init"), step("auth"), ...steps);

async function outcomes(cases: readonly FuzzCase[], reuse: boolean): Promise<Outcome[]> {
  const player = new Player(await memoryArena({}, { seed: "standing" }), { reuse });
  const [left, found] = [[...cases], [] as Outcome[]];
  await player.playAll(
    () => left.shift(),
    (outcome) => void found.push(outcome),
  );
  player.close();
  return found;
}

const reusedOf = (found: readonly Outcome[]): boolean[] => found.map(({ reused }) => reused === true);

/** The first datagram tells which IKE SA it is. */
const firstOf = ({ entries }: Outcome): string | undefined =>
  entries.flatMap(({ event }) => (event.type === "datagram-sent" ? [hex(event.datagram.data)] : []))[0];

const CASES = [
  goingOn(0, step("create-child", { op: "nonce-size", at: "Nonce", value: 33, octets: "41" })),
  goingOn(1, step("informational", { op: "payload-unknown-critical", value: 200 })),
  goingOn(2, step("create-child"), step("informational")),
  goingOn(3, step("informational", { op: "sk-icv-bit", value: 3 })),
  goingOn(4, step("create-child", { op: "payload-omit", at: "Nonce" })),
  goingOn(5, step("informational"), step("delete-child")),
];

describe("cases on an IKE SA that stands", () => {
  it("end and are judged as on a fresh one", async () => {
    const setup = findSetup("psk");
    if (!setup) return expect.fail("no setup");
    const [fresh, reused] = [await outcomes(CASES, false), await outcomes(CASES, true)];
    const told = (found: Outcome[]) =>
      found.map((outcome) => ({
        ...{ steps: outcome.steps, probe: outcome.probe, messages: outcome.messages },
        ...{ claims: outcome.claims.map(({ authentic }) => authentic), changed: outcome.changed?.length },
        alarms: judgeCase(outcome, { setup, peer: "responder" }).map(({ signature }) => signature),
      }));
    expect(told(reused)).to.deep.equal(told(fresh));
    expect(reusedOf(fresh)).to.not.include(true);
    expect(reusedOf(reused).filter(Boolean)).to.have.length.above(2);
  });

  it("have the entries by which it was made in front", async () => {
    const found = await outcomes(
      [goingOn(0, step("informational")), goingOn(1, step("informational"))],
      true,
    );
    expect(reusedOf(found)).to.deep.equal([false, true]);
    expect(found.map(firstOf)).to.deep.equal([firstOf(found[0] as Outcome), firstOf(found[0] as Outcome)]);
    const keys = found.map(({ entries }) => entries.filter(({ event }) => event.type === "keys").length);
    expect(keys).to.deep.equal([1, 1]);
  });

  it("begin on a fresh one once it is gone", async () => {
    const gone = [
      goingOn(0, step("delete-ike")),
      goingOn(1, step("rekey-ike")),
      goingOn(2, step("rekey-child")),
    ];
    expect(reusedOf(await outcomes([...gone, goingOn(3, step("informational"))], true))).to.not.include(true);
  });

  it("never lie in what comes before", async () => {
    const lie = { op: "nonce-size", at: "Nonce", value: 33, octets: "41" };
    const lying = caseOf(1, step("init", lie), step("auth"), step("informational"));
    const found = await outcomes(
      [goingOn(0, step("informational")), lying, goingOn(2, step("informational"))],
      true,
    );
    expect(reusedOf(found)).to.deep.equal([false, false, true]);
    expect(firstOf(found[1] as Outcome)).to.not.equal(firstOf(found[0] as Outcome));
  });
});
