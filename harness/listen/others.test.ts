import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { Caller, eventOf, type Lab, openLab } from "./testing.ts";
import type { SessionEvent } from "./types.ts";

const HOST = "127.0.0.1";
/** More than a presumption waits to be told. */
const PRESUMED_MS = 1_500;

const dialIs = (what: string) => (event: SessionEvent) => event.kind === "dial" && event.what === what;

describe("what others get of a session of the listener", function () {
  this.timeout(20_000);
  let lab: Lab;
  let caller: Caller;
  let late: Caller;
  beforeEach(async () => {
    lab = await openLab();
    caller = await Caller.open();
    late = await Caller.open();
  });
  afterEach(async () => {
    await caller.close();
    await late.close();
    await lab.close();
    expect(lab.faults).to.deep.equal([]);
  });

  it("is nothing of an answer that proves who gets it, as long as that is not proven", async () => {
    const view = lab.session({ address: HOST });
    expect((await caller.script(view).tryInit()).failure).to.equal(undefined);
    await pause(PRESUMED_MS);
    expect(lab.hub.events(view.id, 0)).to.deep.equal([]);
    expect(lab.hub.files(view.id)).to.deep.equal([]);
    expect(lab.hub.board.ledger.isProven(HOST)).to.equal(false);
    // Once the dial is over, its SPI is good for nothing.
    await lab.restart();
    expect(lab.hub.events(view.id, 0).map(({ kind }) => kind)).to.include.members(["dial", "message"]);
  });

  it("is nothing of another's dial once it says whose it is", async () => {
    const first = lab.session();
    await (await caller.script(first).dial()).deleteIke();
    const named = lab.session({ address: HOST });
    const other = lab.session();
    const dialler = late.script(other);
    const { sa } = await dialler.tryInit();
    await eventOf(lab.hub, named.id, dialIs("begun"));
    expect((await dialler.tryAuth(sa)).failure).to.match(/AUTHENTICATION_FAILED/);
    const ended = await eventOf(lab.hub, named.id, dialIs("ended"));
    expect(ended).to.include({ reason: "it was another session's" });
    await pause(50);
    const events = lab.hub.events(named.id, 0);
    expect(events.filter(dialIs("ended"))).to.have.length(1);
    expect(JSON.stringify(events)).not.to.match(/IKE_AUTH|IDi/);
    expect(lab.hub.view(named.id)).to.include({ state: "idle" });
  });

  it("is no name in results that would do to dial in it", () => {
    const view = lab.session();
    const stored: unknown = JSON.parse(
      readFileSync(join(lab.out, "sessions", view.id, "session.json"), "utf8"),
    );
    expect(stored)
      .to.have.property("label")
      .that.is.a("string")
      .and.satisfies((label: string) => !view.identity.includes(label.slice("peer-".length)));
    expect(view.name).not.to.equal(view.identity);
  });
});
