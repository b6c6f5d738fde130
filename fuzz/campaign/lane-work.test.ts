import { getEventListeners } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Player } from "../play/player.ts";
import type { FuzzCase } from "../trace.ts";
import { type FuzzLane, openLane } from "./lane.ts";
import { LaneWork } from "./lane-work.ts";
import type { BatchOrder, FromFuzzLane, FuzzOrder } from "./protocol.ts";

const ORDER: FuzzOrder = {
  ...{ kind: "order", peer: "builtin", id: "builtin", seed: "1", runId: "x", lane: 0 },
  ...{ window: 4, rate: 20_000, restartsAnHour: 10 },
};
const quiet = new AbortController().signal;

const caseOf = (number: number, changes: FuzzCase["trace"]["steps"][number]["changes"] = []): FuzzCase => ({
  ...{ number, seed: `s/${number}`, stage: "auth" },
  trace: { trace: 1, setup: "psk", peer: "responder", steps: [{ act: "init" }, { act: "auth", changes }] },
});

const batchOf = (cases: FuzzCase[], more: Partial<BatchOrder> = {}): BatchOrder => ({
  ...{ kind: "batch", number: 0, setup: "psk", peer: "responder", cases, known: [] },
  ...{ minimise: { executions: 100, ms: 10_000 }, ...more },
});

/** Has it done by a lane in this process, and gives what the lane said. */
async function said(
  batch: BatchOrder,
  order: Partial<FuzzOrder> = {},
  bend = (lane: FuzzLane) => lane,
): Promise<{ messages: FromFuzzLane[]; error?: unknown }> {
  const messages: FromFuzzLane[] = [];
  const lane = bend(await openLane({ ...ORDER, ...order }));
  const work = new LaneWork(
    lane,
    { ...ORDER, ...order },
    (arena, options) => new Player(arena, options),
    (message) => messages.push(message),
  );
  try {
    await work.batch(batch, quiet, quiet);
    return { messages };
  } catch (error) {
    return { messages, error };
  } finally {
    work.close();
    await lane.stop();
  }
}

const kinds = (messages: readonly FromFuzzLane[]): string[] =>
  messages.map(({ kind }) => kind).filter((kind) => kind !== "played" && kind !== "logged");
const numbers = (messages: readonly FromFuzzLane[]): number[] =>
  messages.flatMap((message) => (message.kind === "played" ? [message.outcome.number] : []));

const OMIT_TSR = [{ message: 0, op: "payload-omit", at: "TSr" }];
const DEADLY = { lie: "dies-without-one-selector" };

describe("work of a lane", () => {
  it("finds who killed the peer among those in hand, makes it small, and plays the others", async () => {
    const deadly = caseOf(4, [...OMIT_TSR, { message: 0, op: "payload-duplicate", at: "IDi" }]);
    const cases = Array.from({ length: 9 }, (_, i) => (i === 4 ? deadly : caseOf(i)));
    const { messages } = await said(batchOf(cases), DEADLY);
    expect(numbers(messages).sort()).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const found = messages.find(({ kind }) => kind === "found");
    expect(found).to.have.nested.property("case.number", 4);
    expect(found).to.deep.include({ kind: "found" }).and.to.have.nested.property("alarm.alone", true);
    const reduced = messages.find(({ kind }) => kind === "reduced");
    expect(reduced).to.have.deep.nested.property("case.trace.steps[1].changes", OMIT_TSR);
    expect(reduced).to.have.nested.property("outcome.messages", 2);
    expect(kinds(messages)).to.include("restarted");
  });

  it("finds who took memory among many at a time, also one that goes on while others end", async () => {
    const nak = [{ message: 1, op: "eap-nak", octets: "" }];
    const goesOn = Array.from({ length: 4 }, () => [{ act: "init" }, { act: "auth" }] as const).flat();
    for (const [number, more] of [
      [12, []],
      [10, goesOn],
    ] as const) {
      const cases = Array.from({ length: 24 }, (_, i) => {
        const { trace, ...one } = caseOf(i, i === number ? nak : []);
        const steps = i === number ? [...trace.steps, ...more] : trace.steps;
        return { ...one, trace: { ...trace, setup: "eap-md5", steps } };
      });
      const { messages } = await said(batchOf(cases, { setup: "eap-md5" }), {
        ...{ lie: "keeps-odd-naks", window: 8 },
      });
      const found = messages.find((message) => message.kind === "found");
      expect(found).to.have.nested.property("case.number", number);
      expect(found?.kind === "found" && found.alarm).to.include({ oracle: "memory", alone: true });
    }
  });

  it("makes one conversation of two, and takes the bypass that shows there for the one that was seen", async () => {
    const ahead = [{ message: 0, op: "message-requests-ahead", at: "after", value: 32 }];
    const wrong = [{ message: 0, op: "auth-over-other-key" }];
    const { messages } = await said(batchOf([caseOf(0, ahead), caseOf(1, wrong)]), {
      ...{ lie: "trusts-whom-it-knows", window: 1 },
    });
    const found = messages.find((message) => message.kind === "found");
    expect(found?.kind === "found" && found.alarm).to.include({ oracle: "state", alone: true });
    expect(found).to.have.deep.nested.property("case.trace.steps", [
      ...[{ act: "init" }, { act: "auth" }, { act: "init" }],
      { act: "auth", changes: wrong },
    ]);
  });

  it("leaves nothing with the signal that ends it", async () => {
    await said(batchOf([caseOf(0, OMIT_TSR), caseOf(1)]), DEADLY);
    expect(getEventListeners(quiet, "abort")).to.have.length(0);
  });

  it("takes several lines of the log in one conversation for one finding", async () => {
    const log = ["a == b (x() +1 y.c)", "c == d (z() +2 y.c)"].map((what) => `EXPECTATION FAILED: ${what}\n`);
    const { messages } = await said(batchOf([caseOf(0, OMIT_TSR), caseOf(1)]), {}, (lane) => ({
      ...lane,
      arena: async (...wanted) => {
        const arena = await lane.arena(...wanted);
        // What it writes is all that is not its own.
        arena.driver.logs = async () => log.join("");
        return arena;
      },
    }));
    const found = messages.filter((message) => message.kind === "found");
    expect(found.map(({ alarm }) => alarm.title)).to.have.length(1);
    expect(found[0]?.alarm.beside).to.have.length(1);
  });

  it("counts what is known, and looks for nothing shorter", async () => {
    const first = await said(batchOf([caseOf(0, OMIT_TSR)], { minimise: { executions: 0, ms: 0 } }), DEADLY);
    const found = first.messages.find((message) => message.kind === "found");
    const signature = found?.kind === "found" ? found.alarm.signature : "";
    const { messages } = await said(
      batchOf([caseOf(0, OMIT_TSR), caseOf(1)], { known: [signature] }),
      DEADLY,
    );
    expect(numbers(messages).sort()).to.deep.equal([0, 1]);
    expect(kinds(messages)).to.deep.equal(["batch-ended"]);
  });

  it("notes what an honest conversation shows, too, and makes it no smaller", async () => {
    const { messages } = await said(batchOf([caseOf(0, [{ message: 0, op: "payload-swap", at: "IDi" }])]), {
      lie: "sends-a-minor-version",
    });
    const found = messages.find((message) => message.kind === "found");
    expect(found?.kind === "found" && found.alarm).to.include({ oracle: "requirement", severity: "note" });
    expect(found?.kind === "found" && found.case.trace.steps).to.deep.equal([
      { act: "init" },
      { act: "auth" },
    ]);
    expect(kinds(messages)).to.include("found").and.to.not.include("reduced");
  });

  it("keeps what the peer wrote in the conversation that showed it, not in the honest one played behind it", async () => {
    const captures = mkdtempSync(join(tmpdir(), "bakeoff-lane-work-"));
    const critical = { message: 0, op: "payload-unknown-critical", at: "SA", value: 228 };
    let conversations = 0;
    const { messages } = await said(
      batchOf([caseOf(0, [critical])], { minimise: { executions: 0, ms: 0 } }),
      { lie: "passes-over-critical-payloads", captures },
      (lane) => ({
        ...lane,
        arena: (...wanted) => {
          conversations += 1;
          return lane.arena(...wanted);
        },
        driver: () => {
          const driver = lane.driver();
          if (driver) driver.logs = async () => `conversation ${conversations}\n`;
          return driver;
        },
      }),
    );
    const found = messages.find((message) => message.kind === "found");
    const log = readFileSync(join(found?.capture ?? "", "peer.log"), "utf8");
    rmSync(captures, { recursive: true });
    expect(log).to.equal(`conversation ${conversations - 1}\n`);
  });

  it("tells lines of the log that are new, each once", async () => {
    const { messages } = await said(batchOf([caseOf(0, OMIT_TSR), caseOf(1, OMIT_TSR)]), DEADLY);
    const shapes = messages.flatMap((message) => (message.kind === "logged" ? message.shapes : []));
    expect(shapes).to.not.be.empty;
    expect(new Set(shapes).size).to.equal(shapes.length);
  });

  it("gives a setup up in which honest conversations fail, or which the peer cannot", async () => {
    const { messages } = await said(batchOf([caseOf(0)], { setup: "ecdsa" }), {
      lie: "spoils-its-signature",
    });
    expect(kinds(messages)).to.deep.equal(["restarted", "no-setup"]);
    const unknown = await said(batchOf([caseOf(0)], { setup: "none" }));
    expect(unknown.messages).to.deep.equal([
      { kind: "no-setup", batch: 0, reason: "there is no setup none" },
    ]);
  });

  it("ends where the peer cannot be brought back, or not so often", async () => {
    const stubborn = await said(batchOf([caseOf(0, OMIT_TSR), caseOf(1)]), DEADLY, (lane) => ({
      ...lane,
      restart: () => Promise.reject(new Error("no")),
    }));
    expect(String(stubborn.error)).to.match(/LabError: the peer could not be started again: no/);
    const seen = stubborn.messages.find(({ kind }) => kind === "unconfirmed");
    expect(seen, "what it died of").to.have.nested.property("alarm.oracle", "crash");
    const frequent = await said(batchOf([caseOf(0, OMIT_TSR), caseOf(1)]), { ...DEADLY, restartsAnHour: 1 });
    expect(String(frequent.error)).to.match(/LabError: the peer was started 1 times within an hour/);
  });
});
