import { expect } from "chai";
import fc from "fast-check";
import { EAP_CODE, EAP_TYPE } from "../../harness/wire/registry/eap.ts";
import { PAYLOAD } from "../../harness/wire/registry/payload-types.ts";
import type { Payload } from "../../harness/wire/types.ts";
import { ACTS, changesOf, type Step, type Trace, traceSchema } from "../trace.ts";
import { minimise, type Shows } from "./minimise.ts";
import { lesser } from "./structure.ts";
import { simpler } from "./values.ts";

const OPS = ["payload-omit", "payload-repeat", "length-lie", "octets-flip"];

const change = fc.record(
  {
    ...{ message: fc.nat(2), op: fc.constantFrom(...OPS), at: fc.constantFrom("Nonce", "SA/1") },
    ...{
      value: fc.nat(70_000),
      octets: fc.uint8Array({ maxLength: 40 }).map((o) => Buffer.from(o).toString("hex")),
    },
  },
  { requiredKeys: ["message", "op"] },
);
const step = fc.record(
  { act: fc.constantFrom(...ACTS), sa: fc.nat(3), changes: fc.array(change, { maxLength: 4 }) },
  { requiredKeys: ["act"] },
);
const traces = fc
  .array(step, { minLength: 1, maxLength: 10 })
  .map((steps): Trace => ({ trace: 1, setup: "eap-tls", peer: "responder", steps }));

/** What a fault may hang on: steps and lies that must come in this order, octets and numbers of a size. */
const needs = fc.record({
  acts: fc.array(fc.constantFrom(...ACTS), { maxLength: 3 }),
  ops: fc.array(fc.constantFrom(...OPS), { maxLength: 2 }),
  octets: fc.nat(20),
  value: fc.nat(300),
});

const inOrder = (wanted: readonly string[], there: readonly string[]): boolean => {
  let at = 0;
  for (const one of there) if (one === wanted[at]) at += 1;
  return at === wanted.length;
};

const shownBy = (need: { acts: string[]; ops: string[]; octets: number; value: number }) => (trace: Trace) =>
  inOrder(
    need.acts,
    trace.steps.map(({ act }) => act),
  ) &&
  inOrder(
    need.ops,
    changesOf(trace).map(({ op }) => op),
  ) &&
  (need.octets === 0 || changesOf(trace).some(({ octets = "" }) => octets.length >= 2 * need.octets)) &&
  (need.value === 0 || changesOf(trace).some(({ value = 0 }) => value >= need.value));

type Judge = (trace: Trace) => boolean;
/** A message a step. */
const playing =
  (shows: Judge, messages: (trace: Trace) => number = ({ steps }) => steps.length): Shows =>
  async (trace) =>
    shows(trace) ? { messages: messages(trace) } : undefined;

const LIMITS = { executions: 5_000, ms: 60_000 };

describe("minimising a conversation", () => {
  it("keeps the fault, leaves nothing out that could go, and is the same each time", async () => {
    await fc.assert(
      fc.asyncProperty(traces, needs, async (trace, need) => {
        const shows = shownBy(need);
        fc.pre(shows(trace));
        const play = playing(shows);
        const made = await minimise(trace, play, LIMITS);
        expect(shows(made.trace)).to.equal(true);
        expect(traceSchema.safeParse(made.trace).success).to.equal(true);
        expect(made.exhausted).to.equal(false);
        for (const other of [...lesser(made.trace), ...simpler(made.trace)])
          if (other.steps.length > 0) expect(shows(other), JSON.stringify(other)).to.equal(false);
        expect(await minimise(trace, play, LIMITS)).to.deep.equal(made);
      }),
      { numRuns: 60 },
    );
  });

  const lies = (count: number): Step[] =>
    Array.from({ length: count }, (_, i) => ({
      act: "informational",
      changes: [{ message: 0, op: OPS[i % OPS.length] ?? "", value: i, octets: "ab".repeat(2000) }],
    }));
  const honest: Step[] = [{ act: "init" }, { act: "auth" }, { act: "create-child" }, { act: "esp" }];

  it("finds five messages among many within 300 executions", async () => {
    const trace: Trace = {
      trace: 1,
      setup: "eap-tls",
      peer: "responder",
      steps: [...honest, ...lies(16), ...honest],
    };
    const need = { acts: ["init", "auth"], ops: ["length-lie", "octets-flip"], octets: 1500, value: 10 };
    const made = await minimise(trace, playing(shownBy(need)), { executions: 300, ms: 60_000 });
    expect(made.exhausted).to.equal(false);
    expect(made.trace.steps).to.have.length(4);
    expect(made.trace.setup).to.equal("psk");
    const octets = changesOf(made.trace).flatMap(({ octets = "" }) => (octets === "" ? [] : [octets]));
    expect(octets).to.deep.equal(["00".repeat(1500)]);
  });

  it("ends at its limits, with what it has", async () => {
    const trace: Trace = { trace: 1, setup: "psk", peer: "responder", steps: lies(30) };
    const need = { acts: [], ops: ["length-lie"], octets: 3, value: 0 };
    let clock = 0;
    const play = playing((one) => {
      clock += 10;
      return shownBy(need)(one);
    });
    const few = await minimise(trace, play, { executions: 7, ms: 60_000 });
    expect([few.executions, few.exhausted, shownBy(need)(few.trace)]).to.deep.equal([7, true, true]);
    const short = await minimise(trace, play, { executions: 300, ms: 50 }, () => clock);
    expect([short.executions, short.exhausted]).to.deep.equal([5, true]);
  });

  /** Of ours: a rekeying ends with the Delete of the old one, and EAP has five messages. */
  const sent = ({ steps }: Trace): number =>
    steps.reduce((sum, { act, changes = [] }) => {
      const most = act.startsWith("rekey") ? 2 : act === "auth" ? 5 : 1;
      const skipped = changes.filter(({ op }) => op === "message-skip").map(({ message }) => message);
      return sum + Math.min(most, ...skipped);
    }, 0);

  it("puts an act with fewer messages where one with more was", async () => {
    const trace: Trace = {
      ...{ trace: 1, setup: "psk", peer: "responder" },
      steps: [{ act: "init" }, { act: "rekey-child" }, ...lies(2), { act: "rekey-ike" }],
    };
    const shows: Judge = ({ steps }) =>
      steps.some(({ act }) => act === "rekey-child" || act === "delete-child") &&
      steps.some(({ act }) => act === "rekey-ike");
    const made = await minimise(trace, playing(shows, sent), LIMITS);
    expect(made.trace.steps.map(({ act }) => act)).to.deep.equal(["delete-child", "rekey-ike"]);
    expect(made.messages).to.equal(2);
  });

  it("finds the first message that the lie does it in, and ends the step behind it", async () => {
    const late = { message: 4, op: "length-lie", value: 9 };
    const trace: Trace = {
      ...{ trace: 1, setup: "psk", peer: "responder" },
      steps: [{ act: "init" }, { act: "auth", changes: [late] }],
    };
    const shows: Judge = (one) =>
      changesOf(one).some(({ op, message }) => op === "length-lie" && message >= 2) &&
      one.steps[0]?.act === "init";
    const made = await minimise(trace, playing(shows, sent), LIMITS);
    expect(made.trace.steps).to.deep.equal([
      { act: "init" },
      {
        act: "auth",
        changes: [
          { message: 2, op: "length-lie" },
          { message: 3, op: "message-skip" },
        ],
      },
    ]);
    expect(made.messages).to.equal(4);
  });

  it("says what a lie of EAP said in the first message that can say it", async () => {
    const data = Uint8Array.of(EAP_TYPE.TLS, 0x80, 0, 0);
    const eap: Payload = { kind: "EAP", type: PAYLOAD.EAP, code: EAP_CODE.RESPONSE, identifier: 7, data };
    const changed = [{ payloads: [eap] }];
    const trace: Trace = {
      ...{ trace: 1, setup: "psk", peer: "responder" },
      steps: [{ act: "init" }, { act: "auth", changes: [{ message: 4, op: "eap-data-more", octets: "ff" }] }],
    };
    const play: Shows = async (one) => {
      const [change] = changesOf(one);
      const told = change?.op === "eap-data-replace" && change.message >= 2 && change.octets === "800000";
      const shows = told || (change?.op === "eap-data-more" && change.message === 4);
      return shows && one.steps.length === 2 ? { messages: sent(one), changed } : undefined;
    };
    const made = await minimise(trace, play, LIMITS);
    expect(made.messages).to.equal(4);
    expect(made.trace.steps[1]?.changes).to.deep.equal([
      { message: 2, op: "eap-data-replace", octets: "800000" },
      { message: 3, op: "message-skip" },
    ]);
    const untold: Shows = async (one) => {
      const played = await play(one);
      return played && { messages: played.messages };
    };
    expect((await minimise(trace, untold, LIMITS)).messages).to.equal(6);
  });

  it("tries what shows every other time twice, and says when it does not show at all", async () => {
    const trace: Trace = { trace: 1, setup: "psk", peer: "responder", steps: [...honest, ...lies(3)] };
    const shows = shownBy({ acts: ["init"], ops: ["length-lie"], octets: 0, value: 0 });
    let play = 0;
    const flaky = await minimise(
      trace,
      playing((one) => shows(one) && play++ % 2 === 1),
      LIMITS,
    );
    expect(flaky.trace.steps).to.have.length(2);
    const never = await minimise(
      trace,
      playing(() => false),
      LIMITS,
    );
    expect(never).to.deep.include({ trace, executions: 6, exhausted: false, shown: false });
    let rare = 0;
    const seldom = await minimise(
      trace,
      playing((one) => shows(one) && ++rare % 4 === 0),
      LIMITS,
    );
    expect(seldom.trace.steps).to.have.length(2);
  });
});
