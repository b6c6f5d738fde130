import { expect } from "chai";
import { Caller, eventOf, type Lab, openLab } from "./testing.ts";

describe("a session of the listener", function () {
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

  it("fills while a dial goes on, and keeps what it has seen", async () => {
    const view = lab.session({ name: "amber" });
    const session = await caller.script(view).dial();
    expect(await session.ping()).to.equal(true);
    await session.deleteIke();
    await eventOf(lab.hub, view.id, (event) => event.kind === "verdict");
    await eventOf(lab.hub, view.id, (event) => event.kind === "dial" && event.what === "ended");
    for (const event of lab.hub.events(view.id, 0)) console.log(JSON.stringify(event).slice(0, 200));
    console.log(lab.hub.view(view.id), lab.hub.files(view.id));
  });
});
