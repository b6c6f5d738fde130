import { expect } from "chai";
import { Caller, eventOf, type Lab, openLab } from "./testing.ts";

const PINGS = 500;
const OCTETS = 8_000;

describe("a long dial at the listener", function () {
  this.timeout(40_000);
  let lab: Lab;
  let caller: Caller;
  before(async () => {
    lab = await openLab({ idleMs: 500 });
    caller = await Caller.open();
  });
  after(async () => {
    await caller.close();
    await lab.close();
    expect(lab.faults).to.deep.equal([]);
  });

  it("may have more events than a test, and is told of its end once it is idle", async () => {
    const view = lab.session();
    const script = caller.script(view);
    const session = await script.dial();
    for (let i = 0; i < PINGS; i++) {
      await session.ping({ size: OCTETS });
      script.trace.forget();
    }
    const { seq } = lab.hub.events(view.id, 0).at(-1) ?? {};
    expect(seq).to.be.above(2 * PINGS);
    const ended = await eventOf(lab.hub, view.id, (event) => event.kind === "dial" && event.what === "ended");
    expect(ended).to.include({ reason: "idle for too long" });
    expect(session.sa.closedBecause).to.equal("deleted by the peer");
  });
});
