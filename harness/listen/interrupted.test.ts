import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { parseJournal } from "../../reports/journal.ts";
import type { TestResult } from "../../reports/results.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { Caller, eventOf, type Lab, openLab } from "./testing.ts";
import type { SessionEvent, SessionView } from "./types.ts";

const LIE = "wrong-ml-kem-ciphertext";
const HOST = "127.0.0.1";

const dialIs = (what: string, dial: number) => (event: SessionEvent) =>
  event.kind === "dial" && event.what === what && event.dial === dial;

describe("what a dial of the listener does not come to", function () {
  this.timeout(20_000);
  let lab: Lab;
  let caller: Caller;
  beforeEach(async () => {
    lab = await openLab();
    caller = await Caller.open();
  });
  afterEach(async () => {
    await caller.close();
    await lab.close();
    expect(lab.faults).to.deep.equal([]);
  });

  const results = (): TestResult[] =>
    parseJournal(readFileSync(join(lab.out, "journal.jsonl"), "utf8")).records.flatMap((record) =>
      record.kind === "test-finished" ? [record.test] : [],
    );

  /** A session whose first test waits for another dial. */
  async function waiting(): Promise<SessionView> {
    const view = lab.session({ documents: ["rfc7619"] });
    await caller.script(view).dial();
    await eventOf(lab.hub, view.id, dialIs("established", 1));
    const asked = eventOf(lab.hub, view.id, ({ kind }) => kind === "note");
    await caller.script(view).tryDial();
    await asked;
    expect(lab.hub.view(view.id)?.queued).to.deep.equal(view.queued.slice(1));
    return view;
  }

  it("is played again, where the listener was ended in the middle of a test", async () => {
    const { id, queued } = await waiting();
    await lab.restart();
    expect(lab.hub.view(id)?.queued).to.deep.equal(queued);
    expect(results()).to.deep.equal([]);
  });

  it("is no failure of who dials, where we cut off the dial of a test", async () => {
    const { id, queued } = await waiting();
    const script = caller.script(lab.session());
    const verdict = eventOf(lab.hub, id, (event) => event.kind === "verdict" && event.of === "test");
    for (let sent = 0; sent < 6 * 2 ** 20; sent += 60_000) {
      script.sendOctets(new Uint8Array(60_000));
      await turn();
      await turn();
    }
    const reason = "we ended the dial: more datagrams than a dial may have";
    expect(await verdict).to.include({ id: queued[0], verdict: "unsupported", reason });
    expect(results().map(({ verdict }) => verdict)).to.deep.equal(["unsupported"]);
    expect(lab.hub.view(id)?.queued).to.deep.equal(queued.slice(1));
  });

  it("is told later, where a lie met another session's dial", async () => {
    const { id } = lab.session({ address: HOST });
    lab.hub.lie(id, LIE);
    const other = lab.session();
    await caller.script(other).tryDial();
    await eventOf(lab.hub, other.id, ({ kind }) => kind === "note");
    await turn();
    expect(lab.hub.view(id)).to.include({ lie: LIE, dials: 0 });
  });

  it("is told to who brings a cookie, where a lie was for one who first had to", async () => {
    const view = lab.session({ address: HOST });
    lab.hub.lie(view.id, LIE);
    const dialler = caller.script(view);
    // Shorter than our answer.
    dialler.change(EXCHANGE.IKE_SA_INIT, (message) => {
      message.payloads = message.payloads.filter(
        (one) => one.kind !== "Notify" || one.notifyType === NOTIFY.COOKIE,
      );
    });
    await dialler.tryInit();
    expect(lab.hub.board.dropped.get("asked for a cookie")).to.equal(1);
    expect(await eventOf(lab.hub, view.id, dialIs("begun", 1))).to.have.property("lie", LIE);
  });
});
